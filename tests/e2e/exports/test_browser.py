"""The page of a browser export answers as the release does, without a server and without a network."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from google.protobuf.json_format import MessageToDict

from components.catalogue.sample import draw_held_out
from pipeline.errors import RunError
from pipeline.exporting import exporting
from pipeline.scoring import ReleasedModels
from schema.pictures import normal_form, read_header
from tests.e2e.conftest import read_json
from tests.pictures.corpus import taken
from tests.pictures.frames import small_frames
from tests.pictures.sizes import of_all_sizes

pytestmark = pytest.mark.timeout(3600)

ROOT = Path(__file__).parents[3]
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
TOLERANCE = 1e-2
MOST_BYTES = 15e6
UNKNOWN_TO_BROWSERS = ("without end", "half its end", "tiff", "called longer than it is")
"""What the picture gate mends, or decodes by a library that no browser has; told in words."""
OTHERWISE = ("more alphas than colours", "avif alpha")
"""What breaks its own format's rules, and is shown otherwise by each decoder; and an AVIF's alphas, of which Chromium
decodes some up to two levels otherwise than Pillow."""


@dataclass(frozen=True)
class Told:
    """Of each picture's name: the file, what the tab answered, and what the release's graph says."""

    files: dict
    states: dict
    graph: dict
    seconds: float


@pytest.fixture(scope="module")
def exported(home, tmp_path_factory):
    """The current release, exported by the command."""
    if not CHROMIUM:
        pytest.skip("no chromium on PATH: `apt-get install chromium`, or set CHROMIUM to another one")
    if not shutil.which("node") or not (exporting.PAGE / "index.html").is_file():
        pytest.skip("the page is not built: `make page`, which needs node 20")
    folder = tmp_path_factory.mktemp("export") / "page"
    home.lookbook("export", folder, "--to", "browser")
    return folder


@pytest.fixture(scope="module")
def released(home):
    return ReleasedModels(home.root / "release")


def ask(exported, released, files, folder):
    """What the page makes of these files, by name, once nothing can be fetched any more."""
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / "truth.json").write_text(json.dumps({name: [] for name in files}))
    environment = os.environ | {"CHROMIUM": CHROMIUM, "LOOKBOOK_TEST_PICTURES": str(folder)}
    command = ["node", ROOT / "tests" / "browser" / "tab.mjs", exported, folder / "seen.json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=2400, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    seen = read_json(folder / "seen.json")
    scores, _ = released.scores([normal_form(file, read_header(file)).content for file in files.values()])
    graph = {name: {head: rows[at] for head, rows in scores.items()} for at, name in enumerate(files)}
    return Told(files, seen["states"], graph, seen["firstMs"] / 1000)


def beyond(off):
    """Name → difference of those that are further off than promised."""
    return {name: by for name, by in off.items() if not by <= TOLERANCE}


def difference(released, answer, graph):
    """How far any score that the page was told, and the familiarity, are from the graph's."""
    listed = [
        abs(one["confidence"] - graph[head][released.heads[head].labels.index(one["label"])])
        for head in released.levels
        for one in answer[head]["top_k"]
    ]
    return float(max([*listed, abs(answer["familiarity"] - graph["familiarity"])]))


@pytest.fixture(scope="module")
def hundred(exported, released, tmp_path_factory):
    """A hundred pictures that were in no catalogue."""
    folder = tmp_path_factory.mktemp("hundred")
    draw_held_out(folder / "drawn", per_type=6, seed=3)
    paths = sorted((folder / "drawn" / "images").iterdir())[:100]
    return ask(exported, released, {path.name: path.read_bytes() for path in paths}, folder)


def test_answers_in_the_tab_are_the_served_ones(released, hundred):
    """The same best labels for 99 of 100 pictures or more, and no score further off than promised."""
    answers = {name: state["answer"] for name, state in hundred.states.items()}
    assert len(answers) == 100
    same = [
        all(
            answers[name][head]["label"] == released.heads[head].labels[int(graph[head].argmax())]
            for head in released.levels
        )
        for name, graph in hundred.graph.items()
    ]
    assert sum(same) >= 99
    off = {name: difference(released, answers[name], graph) for name, graph in hundred.graph.items()}
    assert beyond(off) == {}


def test_the_tab_merges_as_the_merger_does(released, hundred):
    """From the same scores the page's own merging comes to the merger's path, confidence, level, words and reviews."""
    for state in hundred.states.values():
        told = state["answer"]
        scores = {head: np.zeros(len(released.heads[head].labels)) for head in released.levels}
        for head, row in scores.items():
            for one in told[head]["top_k"]:
                row[released.heads[head].labels.index(one["label"])] = one["confidence"]
        merged = released.merger.merge({head: row.tolist() for head, row in scores.items()}, 50, told["familiarity"])
        wanted = MessageToDict(merged, preserving_proto_field_name=True)
        assert (told["path"], told["level"]) == (wanted["path"], wanted["level"])
        assert told["joint"]["confidence"] == pytest.approx(wanted["joint"]["confidence"], abs=1e-4)
        assert told["agreement"]["agree"] == wanted["agreement"]["agree"]
        assert told["review"]["needed"] == wanted.get("review", {}).get("needed", False)
        messages = [reason["message"] for reason in told["review"]["reasons"]]
        assert messages == [reason["message"] for reason in wanted.get("review", {}).get("reasons", [])]


def test_every_kind_of_file_looks_the_same_in_the_tab(exported, released, tmp_path):
    """Turned, transparent, CMYK, of 16 bits, small and large: what the browser decodes is what the graph sees."""
    kinds = {name: one.data for name, one in (taken() | small_frames()).items()} | of_all_sizes()
    files = {f"{at:03}": data for at, data in enumerate(kinds.values())}
    names = dict(zip(files, kinds, strict=True))
    told = ask(exported, released, files, tmp_path)
    failed = {names[at] for at, state in told.states.items() if state["kind"] == "failed"}
    assert failed == {name for name in kinds if any(words in name for words in UNKNOWN_TO_BROWSERS)}
    off = {
        names[at]: difference(released, state["answer"], told.graph[at])
        for at, state in told.states.items()
        if state["kind"] == "answered"
    }
    assert len(off) > 160
    off = {name: by for name, by in off.items() if not any(one in name for one in OTHERWISE)}
    assert beyond(off) == {}


def test_what_there_is_to_load(exported):
    """A browser loads 15 MB at most, both models in one file and one of LiteRT's two halves; each file has its hash."""
    manifest = read_json(exported / "manifest.json")
    assert {one["file"] for one in manifest["models"].values()} == {"models.packed"}
    assert {path.name for path in exported.iterdir() if path.is_file()} <= {*manifest["files"], "manifest.json"}
    loaded = [exported / name for name in manifest["files"] if "compat" not in name]
    assert sum(path.stat().st_size for path in loaded) <= MOST_BYTES
    assert manifest["check"]["largest_difference"] <= manifest["check"]["tolerance"] == TOLERANCE
    assert "EXPORT" not in (exported / "sw.js").read_text()


def test_without_the_page_nothing_is_written(home, tmp_path, monkeypatch):
    """A page that was not built is named, with what builds it."""
    monkeypatch.setattr(exporting, "PAGE", tmp_path / "nothing")
    with pytest.raises(RunError, match=r"the page is not built: .* build it with: make page"):
        exporting.export_browser(home.root / "release", None, tmp_path / "out", print)
    assert list(tmp_path.iterdir()) == []
