"""A release of either stack, served by the other; and a root of version 0.1 in the hands of both.

Scores are held to five millionths, not to the bit: each TensorFlow brings its own kernels (oneDNN, Eigen), which may
add up in another order on one processor and not on the next. Seen: nothing at all, and up to 1.2 millionths.
"""

import csv
import json
import subprocess
import tarfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from schema import names
from tests.cross.stacks import OTHER, ROOT, THE_OTHER, THIS, Side, answers, merger_over
from tests.e2e.small_catalogue import SETTINGS, draw_small_catalogue

pytestmark = [
    pytest.mark.timeout(3600),
    pytest.mark.skipif(OTHER is None, reason="needs the other stack: make test-beside"),
]

SIDES: Final = (THIS, THE_OTHER)
CLOSE: Final = 5e-6
"""How far two scores may lie apart."""

VERSION_0_1: Final = "161d99f^"
"""The last commit of version 0.1.0, which has no tag."""


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """30 pictures, on which every part of a release is trained in a minute."""
    return draw_small_catalogue(tmp_path_factory.mktemp("cross") / "catalogue")


@pytest.fixture(scope="module")
def roots(catalogue: Path) -> dict[str, Path]:
    """Side → a root with a release that it made."""
    found = {side.name: catalogue.parent / side.name for side in SIDES}
    _on_both(lambda side: _run(side, catalogue, found[side.name]))
    return found


def _on_both(work: Callable[[Side], object]) -> None:
    """Does it for both sides at once: much of a run keeps one core busy."""
    with ThreadPoolExecutor() as pool:
        list(pool.map(work, SIDES))


def _run(side: Side, catalogue: Path, root: Path, *more: str, **variables: str) -> str:
    words = ("-m", "pipeline.runner", "run", "--data", catalogue, "--profile", "quick", *SETTINGS, *more)
    return side.run(*words, "--root", root, **variables)


def test_the_sides_are_two_stacks() -> None:
    """Else nothing of the below would tell anything."""
    assert THIS.version() != THE_OTHER.version()


@pytest.mark.parametrize("maker", SIDES, ids=lambda side: side.name)
def test_scores_are_the_same_on_both(maker: Side, roots: dict[str, Path], catalogue: Path) -> None:
    """Whoever made a release, both stacks give its pictures the same labels, and scores that are the same but for the
    order in which kernels add."""
    release, pictures = roots[maker.name] / "release", catalogue / names.IMAGES_DIR
    ours, theirs = (json.loads(side.run("-m", "tests.cross.scores", release, pictures)) for side in SIDES)
    assert set(ours) == set(theirs)
    for head, scores in ours.items():
        assert np.argmax(scores, axis=1).tolist() == np.argmax(theirs[head], axis=1).tolist()
        apart = float(np.abs(np.subtract(scores, theirs[head])).max())
        print(f"{head} of a release made by {maker.name}: {apart:.1e} apart")
        assert apart <= CLOSE


@pytest.mark.parametrize("server", SIDES, ids=lambda side: f"server_of_{side.name}")
def test_the_merger_of_each_over_the_server_of_the_other(
    server: Side, roots: dict[str, Path], catalogue: Path, tmp_path: Path
) -> None:
    """What is served by one stack and merged by the other answers as if all were of one."""
    pictures = sorted((catalogue / names.IMAGES_DIR).glob("*.jpg"))[:12]
    (merger,) = (side for side in SIDES if side is not server)
    told = []
    for one in (merger, server):
        folder = tmp_path / one.name
        folder.mkdir()
        with merger_over(server, one, roots[server.name] / "release", folder) as client:
            told.append(answers(client, pictures))
    assert [one["path"] for one in told[0]] == [one["path"] for one in told[1]]
    for mixed, pure in zip(*told, strict=True):
        assert mixed["joint"]["confidence"] == pytest.approx(pure["joint"]["confidence"], abs=CLOSE)


def test_a_root_moves_to_the_other_stack(roots: dict[str, Path], catalogue: Path) -> None:
    """A root that one stack began goes on in the other, either way: its releases are listed, a run adds one, a rollback
    takes it back."""
    _on_both(lambda first: _moves(first, roots[first.name], catalogue))


def _moves(first: Side, root: Path, catalogue: Path) -> None:
    (second,) = (side for side in SIDES if side is not first)
    assert _releases(second, root)["current"] == 1
    # What is trained stays as it is: on so few pictures another rate may fail the gate against the release before.
    _run(second, catalogue, root, "--set", "review_precision=0.9")
    assert _releases(second, root)["current"] == 2
    second.run("-m", "pipeline.runner", "rollback", "--root", root)
    assert _releases(first, root)["current"] == 1


def _releases(side: Side, root: Path) -> Any:
    return json.loads(side.run("-m", "pipeline.runner", "releases", "--json", "--root", root))


@pytest.fixture(scope="module")
def root_of_0_1(catalogue: Path) -> Path:
    """A root with a release that version 0.1 made, from its own sources, in the older stack."""
    sources, root = catalogue.parent / "sources_of_0_1", catalogue.parent / "root_of_0_1"
    sources.mkdir()
    archive = subprocess.run(["git", "archive", VERSION_0_1], cwd=ROOT, capture_output=True, check=False)
    if archive.returncode:
        pytest.skip(f"this clone does not go back to version 0.1: {archive.stderr.decode().strip()}")
    (catalogue.parent / "0_1.tar").write_bytes(archive.stdout)
    with tarfile.open(catalogue.parent / "0_1.tar") as file:
        file.extractall(sources, filter="data")
    older = min(SIDES, key=Side.version)
    # Its own children start in the folder that it starts in.
    start = f"import os; os.chdir({str(sources)!r}); from pipeline.runner import main; main()"
    known = [word for word in SETTINGS if word != "--trial"]  # which 0.1 lacks
    words = ("run", "--data", catalogue, "--profile", "quick", *known, "--root", root)
    older.run("-c", start, *words, PYTHONPATH=str(sources))
    return root


def test_a_release_of_0_1_is_served_listed_and_rolled_back_to(root_of_0_1: Path, catalogue: Path) -> None:
    """Nothing is to be done for a root of version 0.1, in the newer stack either: its release answers; a run adds one,
    and trains for it, since steps and settings are other ones now; and a rollback returns to it."""
    picture = min((catalogue / names.IMAGES_DIR).glob("*.jpg"))
    newer, root = max(SIDES, key=Side.version), root_of_0_1
    assert _releases(newer, root)["current"] == 1
    before = _answer(newer, root, picture)
    _run(newer, catalogue, root)
    assert _releases(newer, root)["current"] == 2
    assert _answer(newer, root, picture)["release"] == "2"
    newer.run("-m", "pipeline.runner", "rollback", "--root", root)
    assert _releases(newer, root)["current"] == 1
    again = _answer(newer, root, picture)
    assert again["release"] == "1"
    assert again["path"] == before["path"]
    with (catalogue / names.STYLES_CSV).open(encoding="utf-8", newline="") as file:
        assert again["path"][-1] in {row[names.ARTICLE_TYPE_LABEL] for row in csv.DictReader(file)}


def _answer(side: Side, root: Path, picture: Path) -> Any:
    (one,) = json.loads(side.run("-m", "pipeline.runner", "classify", picture, "--json", "--root", root))
    return one["answer"]
