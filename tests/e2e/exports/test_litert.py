"""An export answers as the release does that it was made of, without Lookbook, or is not made at all."""

import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest

from components.catalogue.sample import draw_held_out
from pipeline.errors import RunError
from pipeline.exporting import exporting
from pipeline.scoring import ReleasedModels
from schema import names
from schema.pictures import normal_form, read_header
from serving.merger.core.images import inspect, prepare
from tests.e2e.conftest import read_json
from tests.pictures.corpus import drawn, encoded, taken
from tests.pictures.sizes import of_all_sizes

pytestmark = pytest.mark.timeout(3600)

TOLERANCE = 2e-3
BEYOND_PILLOW = ("without end", "half its end", "wrong checksum", "clear colour", "one clear grey")
BEYOND_PILLOW += ("more alphas", "longer than it is", "one clear colour")
"""What the picture gate mends and a few lines around Pillow do not: cut or misnamed ends, odd marks of transparency."""


@pytest.fixture(scope="module")
def exported(home, tmp_path_factory):
    """The current release, exported by the command."""
    folder = tmp_path_factory.mktemp("export") / "litert"
    told = home.lookbook("export", folder, "--to", "litert", "--json")
    assert json.loads(told.stdout)["check"]["pictures"] == 20
    return folder


@pytest.fixture(scope="module")
def released(home):
    return ReleasedModels(home.root / "release")


def differences(exported, released, files):
    """Per file: how far any two scores are apart, by the graph, by the merger's decoder and by the exported example."""
    example = exporting.answering(exported)
    graph, _ = released.scores([normal_form(file, read_header(file)).content for file in files])
    merger, _ = released.scores([sent(file, released.release.sizes) for file in files])
    return [
        max(float(np.ptp([values, graph[head][row], merger[head][row]], 0).max()) for head, values in told.items())
        for row, told in enumerate(map(example, files))
    ]


def beyond(files, found):
    """Name → difference of those that are further apart than promised."""
    return {name: by for name, by in zip(files, found, strict=True) if not by <= TOLERANCE}


def sent(file, sizes):
    """What the merger sends to the models of a file."""
    (size,) = set(sizes)
    return prepare(inspect(file, 10**8, 10**8), [size]).bytes_for(size)


def test_manifest_tells_all_that_an_answer_needs(home, exported):
    """Inputs, outputs, labels, taxonomy, exponents and thresholds are the release's; each file has its hash."""
    manifest = read_json(exported / "manifest.json")
    assert set(manifest["files"]) == {"models.tflite", "classify.py", "card.html"}
    for name, digest in manifest["files"].items():
        assert hashlib.sha256((exported / name).read_bytes()).hexdigest() == digest
    for model, one in manifest["models"].items():
        card = read_json(home.root / "release" / model / "1" / "assets.extra" / "card.json")
        assert one["file"] == "models.tflite"  # both, since they share their features
        assert one["input"]["shape"] == [1, card["image"]["height"], card["image"]["width"], 3]
        assert set(one["outputs"]) - {names.FAMILIARITY} == set(card["heads"])
        for key in ("taxonomy", "joint", "levels"):
            assert manifest[key] == card[key]
        for head, told in card["heads"].items():
            assert manifest["heads"][head] == {"model": model, **told}
    assert 0 <= manifest["check"]["largest_difference"] <= manifest["check"]["tolerance"] == TOLERANCE


def test_scores_are_the_served_ones(exported, released, tmp_path):
    """On a hundred pictures that were in no catalogue no score is further off than promised."""
    draw_held_out(tmp_path, per_type=6, seed=3)
    files = [path.read_bytes() for path in sorted((tmp_path / "images").iterdir())][:100]
    assert len(files) == 100
    assert beyond(range(100), differences(exported, released, files)) == {}


def test_every_kind_of_file_looks_the_same(exported, released):
    """Turned, transparent, grey, CMYK, progressive, WebP, small and large: graph, merger and example see the same."""
    kinds = {name: one.data for name, one in taken().items() if not any(beyond in name for beyond in BEYOND_PILLOW)}
    kinds |= of_all_sizes()
    assert len(kinds) > 160
    assert beyond(kinds, differences(exported, released, list(kinds.values()))) == {}


def test_the_example_stands_alone(home, exported, released, tmp_path):
    """It answers from its folder, without Lookbook on the path, with the merger's joint answer and confidence."""
    draw_held_out(tmp_path, per_type=1, seed=4)
    files = sorted((tmp_path / "images").iterdir())
    command = [sys.executable, "-I", exported / "classify.py", *files]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    scores, _ = released.scores([file.read_bytes() for file in files])
    for row, line in enumerate(done.stdout.splitlines()):
        joint = released.merger.merge({level: scores[level][row].tolist() for level in released.levels}).joint
        path = " › ".join(getattr(joint, level) for level in released.levels)
        assert line.startswith(f"{files[row]}: {path} (")
        assert float(line.rsplit("(")[1].rstrip(")")) == pytest.approx(joint.confidence, abs=0.011)
    assert len(done.stdout.splitlines()) == len(files)


def test_what_answers_otherwise_is_not_written(home, exported, tmp_path, monkeypatch):
    """Models that are further off than is borne are refused in words, and nothing is left behind."""
    content = (exported / "models.tflite").read_bytes()
    monkeypatch.setattr(exporting, "convert", lambda models, prepare: content)
    monkeypatch.setattr(exporting, "check_pictures", lambda releases, version: [encoded(drawn(), "PNG")])
    monkeypatch.setattr(exporting, "TOLERANCE", -1.0)
    with pytest.raises(RunError, match=r"answer otherwise than release 1: .* at most -1 is borne; nothing was written"):
        exporting.export_litert(home.root / "release", None, tmp_path / "out", lambda line: None)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_done_is_refused(home, exported, tmp_path):
    """A folder that is there stays as it is; a release that is not there is named; neither leaves anything behind."""
    before = sorted((path.name, path.stat().st_mtime_ns) for path in exported.iterdir())
    with pytest.raises(RunError, match=f"{exported} is there already"):
        exporting.export_litert(home.root / "release", None, exported, print)
    assert sorted((path.name, path.stat().st_mtime_ns) for path in exported.iterdir()) == before
    with pytest.raises(RunError, match=r"has no release 99; it has: \[1\]"):
        exporting.export_litert(home.root / "release", 99, tmp_path / "out", print)
    assert list(tmp_path.iterdir()) == []
