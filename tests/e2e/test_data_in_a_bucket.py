"""``--data s3://…``: a catalogue in a bucket, by S3's own protocol, becomes what the same one here becomes."""

import json
from pathlib import Path

import pytest

from components.storage.location import location
from components.storage.store import Store
from pipeline.config import Layout, PipelineConfig
from pipeline.profiles import PROFILES
from schema import names
from tests.drawing import zipped
from tests.e2e.small_catalogue import draw_small_catalogue
from tests.object_stores import s3_bucket, s3_endpoint
from tests.preparing import files, prepare

__all__ = ["s3_bucket", "s3_endpoint"]
pytestmark = pytest.mark.timeout(1800)
EXAMPLES = "StylesExampleGen/examples/*/Split-*/*"
VOCABULARIES = "Transform/transform_graph/*/transform_fn/assets/*"


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One of whose rows the picture is missing."""
    folder = draw_small_catalogue(tmp_path_factory.mktemp("small") / "catalogue")
    min((folder / names.IMAGES_DIR).iterdir()).unlink()
    return folder


@pytest.fixture(scope="module")
def here(catalogue: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a run on the folder."""
    root = tmp_path_factory.mktemp("here") / "root"
    prepare(config(root, str(catalogue)))
    return root


def config(root: Path, data: str) -> PipelineConfig:
    return PipelineConfig(Layout(root), location(data), "quick", PROFILES["quick"], max_bad=0.1, trial=True)


def uploaded(catalogue: Path, bucket: str, kind: str, folder: Path) -> str:
    """Its URI."""
    if kind == "zip":
        Store(bucket).write("catalogue.zip", zipped(catalogue, folder / "catalogue.zip").read_bytes())
        return f"{bucket}/catalogue.zip"
    for file in catalogue.rglob("*.*"):
        Store(f"{bucket}/shop").write(file.relative_to(catalogue).as_posix(), file.read_bytes())
    return f"{bucket}/shop"


@pytest.mark.parametrize("kind", ["zip", "folder"])
def test_a_bucket_is_prepared_like_a_folder(
    kind: str, catalogue: Path, here: Path, s3_bucket: str, tmp_path: Path
) -> None:
    """Examples and vocabularies are the same to the byte, and an object that is missing is a row of the report."""
    uri = uploaded(catalogue, s3_bucket, kind, tmp_path)
    prepare(config(tmp_path / "root", uri))
    for pattern in (EXAMPLES, VOCABULARIES):
        expected, found = files(here, pattern), files(tmp_path / "root", pattern)
        assert found.keys() == expected.keys() != set()
        assert all(found[name].read_bytes() == expected[name].read_bytes() for name in found)
    [file] = files(tmp_path / "root", "StylesExampleGen/report/*/report.json").values()
    report = json.loads(file.read_text(encoding="utf-8"))
    assert (report["source"], report["taken"], report["reasons"]["rejected"]) == (uri, 29, {"missing image": 1})
