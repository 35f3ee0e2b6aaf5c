"""The built page in a real browser over the real stack.

``make test-page`` runs it. It needs chromium, node and both environments, and takes about two minutes on two cores.
The browser's side is in the ``*.test.mjs`` files, each run by node with a merger of its own; one of them alone:
``python -m pytest tests/browser -k keyboard``.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from serving.local.processes import python_with
from serving.local.stack import stack
from tests import tiny_models

HERE = Path(__file__).parent
WEB = HERE.parents[1] / "serving" / "web"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
SUITES = sorted(HERE.glob("*.test.mjs"))
TIMEOUT_S = 300
BATCH = 40
UNSURE = 4


@pytest.fixture(scope="session")
def browser_environment() -> dict[str, str]:
    """Variables that the browser's side needs; skips with the reason where something is missing."""
    if not CHROMIUM:
        pytest.skip("no chromium on PATH: `apt-get install chromium`, or set CHROMIUM to another one")
    if not (WEB / "node_modules").is_dir() or not (WEB / "dist" / "index.html").is_file():
        pytest.skip("the page is not built: `make page`, which needs node 20")
    return os.environ | {"CHROMIUM": CHROMIUM, "LOOKBOOK_PYTHON": python_with("uvloop", "serving")}


@pytest.fixture(scope="session")
def models(
    browser_environment: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """Address of a model server with a tiny release, for as long as the suites run."""
    root = tmp_path_factory.mktemp("stack")
    tiny_models.write(root / "release", "--version", 1)
    with stack(root / "release", logs=root / "logs") as running:
        yield {"LOOKBOOK_TEST_MODELS": running.model_target}


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Folder of pictures, and ``truth.json``: file name → labels of its path from the top."""
    folder = tmp_path_factory.mktemp("pictures")
    colours = [tiny_models.COLOURS[i % len(tiny_models.COLOURS)] for i in range(BATCH)]
    truth = {f"{i:02}-{colour}.jpg": _path(colour) for i, colour in enumerate(colours)}
    for name, colour in zip(truth, colours, strict=True):
        (folder / name).write_bytes(tiny_models.picture(colour))
    (folder / "truth.json").write_text(json.dumps(truth))
    for number in range(1, UNSURE + 1):
        (folder / f"grey-{number}.jpg").write_bytes(tiny_models.picture("grey"))
    (folder / "cut.jpg").write_bytes(tiny_models.picture("red", width=600, height=800)[:900])
    (folder / "notes.txt").write_text("no picture at all")
    return {"LOOKBOOK_TEST_PICTURES": str(folder)}


def _path(colour: str) -> list[str]:
    labels = tiny_models.expected(colour)
    return [labels[level] for level in ("master_category", "sub_category", "article_type")]


@pytest.mark.timeout(2 * TIMEOUT_S)  # the first one starts the stack too
@pytest.mark.parametrize("suite", SUITES, ids=[suite.name.removesuffix(".test.mjs") for suite in SUITES])
def test_page(
    suite: Path, browser_environment: Mapping[str, str], models: Mapping[str, str], pictures: Mapping[str, str]
) -> None:
    """The page does for a person what the suite says."""
    environment = {**browser_environment, **models, **pictures}
    command = ["node", "--test", "--test-reporter=spec", f"--test-timeout={1000 * TIMEOUT_S}", str(suite)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{suite.name} failed:\n{done.stdout}\n{done.stderr}"
