"""A tiny release with its manifest, and pictures of every kind."""

import json
from pathlib import Path

import pytest

from pipeline.bulk.run import Task, run
from pipeline.config import BEAM_DEFAULTS, Layout
from schema import heads as table
from schema.release_folder import files_below, sha256
from tests import tiny_models
from tests.object_stores import s3_bucket, s3_endpoint
from tests.tiny_models.graph import write_release

__all__ = ["s3_bucket", "s3_endpoint"]


def release(root: Path, version: int = 1, **how) -> Layout:
    """Writes a tiny release with a manifest."""
    folder = root / "release"
    write_release(folder, version, attributes=["gender"], **how)
    files = {
        model: {name: sha256(folder / model / str(version) / name) for name in found}
        for model in table.MODELS
        if (found := list(files_below(folder / model / str(version))))
    }
    (folder / "manifests").mkdir(exist_ok=True)
    manifest = {"version": version, "models": {model: {"files": files[model]} for model in table.MODELS}}
    (folder / "manifests" / f"{version}.json").write_text(json.dumps(manifest))
    return Layout(root)


@pytest.fixture(scope="session")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """A root with one release."""
    return release(tmp_path_factory.mktemp("root"))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """300 pictures of six colours in a folder: three shards."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(300):
        (folder / f"{number:03}.jpg").write_bytes(tiny_models.picture(tiny_models.COLOURS[number % 6]))
    return folder


def classify(layout: Layout, given, output: Path, version: int | None = None, product_names=None) -> dict:
    """Classifies in this process; the summary."""
    return run(Task(layout, str(given), output, version, BEAM_DEFAULTS, product_names or {}), lambda line: None)


def rows_of(output: Path) -> dict[str, dict]:
    """File → its row, in a folder of Parquet."""
    import pyarrow.parquet as pq

    rows = pq.read_table(output).to_pylist()
    assert len({row["file"] for row in rows}) == len(rows), "a picture has two rows"
    return {row["file"]: row for row in rows}
