"""A report is for people: whatever lies in its folder, the release beside it goes wherever it is pushed or pulled."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from components.storage.store import Store
from schema.release_folder import ReleaseFolder
from tests.components.release.test_remote_releases import lookbook_releases, publish, releases_of
from tests.object_stores import s3_bucket, s3_endpoint

__all__ = ["s3_bucket", "s3_endpoint"]

ODD: dict[str, Callable[[Path], object]] = {
    "pipe": lambda path: os.mkfifo(path / "pipe"),
    "link": lambda path: (path / "link").symlink_to("nothing"),
    "circle": lambda path: (path / "circle").symlink_to("circle"),
    "folder": lambda path: (path / "folder").symlink_to(".."),
    "\\\\": lambda path: (path / "a\\b").touch(),
    "xff": lambda path: Path(os.fsdecode(os.fsencode(path) + b"/\xff")).touch(),
}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("kind", ["here", "store"])
def test_what_cannot_travel_of_a_report_stays_and_is_told(tmp_path: Path, s3_bucket: str, odd: str, kind: str) -> None:
    """A pipe is not waited for, and neither a link to nothing nor a name that no copy takes keeps the release back."""
    publish(tmp_path / "a")
    ODD[odd](tmp_path / "a/release/reports/1")
    place = f"{s3_bucket}/b/release" if kind == "store" else str(tmp_path / "b/release")
    pushed = lookbook_releases("push", place, "--root", tmp_path / "a")
    assert pushed.exit_code == 0, pushed.output
    pulled = lookbook_releases("pull", place, "--root", tmp_path / "c")
    assert (pulled.exit_code, releases_of(tmp_path / "c")) == (0, [1]), pulled.output
    assert [path.name for path in (tmp_path / "c/release/reports").rglob("*")] == ["1", "index.html"]


def test_what_a_store_has_beside_a_report_is_left_there(tmp_path: Path, s3_bucket: str, caplog) -> None:
    """Keys that lead out of the report, which others may have put there, are not taken, and the release is."""
    publish(tmp_path / "a")
    uri = f"{s3_bucket}/release"
    assert lookbook_releases("push", uri, "--root", tmp_path / "a").exit_code == 0
    for name in ("a\\b", "/x"):
        Store(uri).write(f"reports/1/{name}", b"theirs")
    pulled = lookbook_releases("pull", uri, "--root", tmp_path / "c")
    assert (pulled.exit_code, releases_of(tmp_path / "c")) == (0, [1]), pulled.output
    assert [path.name for path in (tmp_path / "c/release/reports").rglob("*")] == ["1", "index.html"]
    assert caplog.text.count("is not taken") == 2


def test_a_copy_beside_a_manifest_is_no_second_release(tmp_path: Path) -> None:
    """01.json is nobody's: the release is listed once, and can be read with its own manifest alone."""
    publish(tmp_path / "a")
    manifests = tmp_path / "a/release/manifests"
    for name in ("01", "٢"):
        (manifests / f"{name}.json").write_text("{}")
    folder = ReleaseFolder(tmp_path / "a/release")
    assert [release.version for release in folder.releases()] == [1] and folder.unfinished() == []
