"""Keys of a store are any text, and each that is listed is read; what is given as a place is meant as one."""

import errno
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from components.catalogue.reading.errors import CatalogueError
from components.storage.errors import StorageError
from components.storage.location import Remote
from components.storage.store import Store
from pipeline.bulk.listing import list_input, split_glob
from pipeline.bulk.sources import Unreadable, source_at
from tests.object_stores import s3_bucket, s3_endpoint

__all__ = ["s3_bucket", "s3_endpoint"]

JPEG = b"\xff\xd8\xff" + bytes(50)


def keys_read(given: str) -> list[str]:
    """Names of the pictures, each of which could be read."""
    found = list_input(given)
    source = source_at(found.place, found.is_zip)
    assert {source.read(entry, 1000) for entry in found.entries} <= {JPEG}
    return [entry.name for entry in found.entries]


def test_keys_that_no_typed_uri_may_have_are_looked_at(s3_bucket: str) -> None:
    """A key without a suffix is looked into by its name, whatever that is: it stops nobody's listing."""
    keys = ["a::b", "no#suffix", "plain", "what?"]
    for key in keys:
        Store(s3_bucket).write(f"photos/{key}", JPEG)
    assert keys_read(f"{s3_bucket}/photos") == keys


def test_an_object_of_the_name_of_a_folder_is_not_taken_for_a_zip(s3_bucket: str) -> None:
    """Some tools make one of no bytes for each folder; what was listed as a folder is read as one."""
    Store(s3_bucket).write("photos", b"")
    for name in ("1.jpg", "2.jpg", "[3].jpg"):
        Store(s3_bucket).write(f"photos/{name}", JPEG)
    assert keys_read(f"{s3_bucket}/photos/?.jpg") == ["1.jpg", "2.jpg"]
    assert keys_read(f"{s3_bucket}/photos/1.jpg") == ["1.jpg"]
    assert keys_read(f"{s3_bucket}/photos/[3].jpg") == ["[3].jpg"]


def test_a_picture_in_an_archive_is_a_row_and_not_the_end(s3_bucket: str) -> None:
    """S3 refuses it as if nothing might be read, and the other pictures can be; the words say what would help."""
    import boto3

    for name, kind in (("1.jpg", "GLACIER"), ("2.jpg", "STANDARD")):
        bucket = s3_bucket.removeprefix("s3://")
        boto3.client("s3").put_object(Bucket=bucket, Key=f"photos/{name}", Body=JPEG, StorageClass=kind)
    found = list_input(f"{s3_bucket}/photos")
    source = source_at(found.place, found.is_zip)
    assert source.read(found.entries[1], 1000) == JPEG
    with pytest.raises(Unreadable, match=r"1.jpg is archived, and nobody can read it .*; restore it first"):
        source.read(found.entries[0], 1000)


@pytest.mark.parametrize(
    ("given", "place", "pattern"),
    [
        ("s3://shop/photos/a?.jpg", Remote("s3://shop/photos"), "a?.jpg"),
        ("S3://shop/**/*.jpg", Remote("s3://shop"), "**/*.jpg"),
        ("photos/*.jpg", Path("photos"), "*.jpg"),
        ("/*.jpg", Path("/"), "*.jpg"),
    ],
)
def test_a_glob_begins_where_its_first_pattern_is(given: str, place: object, pattern: str) -> None:
    """A question mark in it is a pattern, and no query of the URI."""
    assert split_glob(given) == (place, pattern)


def test_a_glob_of_buckets_and_a_query_are_told() -> None:
    """Nobody lists buckets; what looks like a signature is refused, and never printed."""
    with pytest.raises(CatalogueError, match="in place of its bucket"):
        split_glob("s3://sh*p/photos")
    with pytest.raises(StorageError, match="may be a secret") as refused:
        split_glob("az://shop/photos/*.jpg?sig=s3cr3t")
    assert "s3cr3t" not in str(refused.value)


def test_a_glob_that_meets_links_to_folders_ends_and_tells_them(tmp_path: Path) -> None:
    """Links in circles give no picture a second row, and no listing without end; those that were not followed count."""
    (tmp_path / "below" / ".cache").mkdir(parents=True)
    for name in ("0.jpg", "below/1.jpg", "below/.cache/2.jpg", "below/notes.txt"):
        (tmp_path / name).write_bytes(JPEG)
    for name in ("here", "again", "below/up", "below/over"):
        (tmp_path / name).symlink_to(tmp_path)
    for pattern, pictures in {
        "**": ["0.jpg", "below/1.jpg", "below/notes.txt"],
        "**/*.jpg": ["0.jpg", "below/1.jpg"],
        "**/**/*.jpg": ["0.jpg", "below/1.jpg"],
        "b*/**/*.jpg": ["below/1.jpg"],
        "**/below/*.jpg": ["below/1.jpg"],
        "*/[1-9].jpg": ["below/1.jpg"],
    }.items():
        found = list_input(f"{tmp_path}/{pattern}")
        assert [entry.name for entry in found.entries] == pictures, pattern
        links = list(found.skipped.values()).count("is a link to a folder")
        assert links == {"b*/**/*.jpg": 2, "*/[1-9].jpg": 0}.get(pattern, 4), pattern


def _refused(ask: Callable[..., object], path: object, **more: object) -> object:
    """What the system says of a folder named closed, and of what is in it."""
    if Path(str(path)).parent.name == "closed" or (ask.__name__ == "scandir" and Path(str(path)).name == "closed"):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    return ask(path, **more)


def test_a_glob_tells_the_folders_that_cannot_be_looked_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies there has no row, which somebody has to know: so it is for a folder, and so it is for a pattern."""
    (tmp_path / "closed").mkdir()
    (tmp_path / "0.jpg").write_bytes(JPEG)
    for asked in ("scandir", "lstat"):
        monkeypatch.setattr(os, asked, partial(_refused, getattr(os, asked)))
    for given in (tmp_path, f"{tmp_path}/**/*.jpg", f"{tmp_path}/*/*.jpg", f"{tmp_path}/*/0.jpg"):
        assert list_input(str(given)).unreadable == {"closed": "Permission denied"}


def test_a_pattern_means_what_a_shell_takes_it_for(tmp_path: Path) -> None:
    """Stars mean no hidden files, a part without one means itself, and what is nowhere, or circles, is no fault."""
    for name in ("a/x.jpg", "b/y.jpg", ".c/x.jpg", "a/.x.jpg", "a/[x].jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(JPEG)
    (tmp_path / "circle").symlink_to("circle")
    meant = {"*/x.jpg": ["a/x.jpg"], "*/*.jpg": ["a/[x].jpg", "a/x.jpg", "b/y.jpg"], "a/[[]x].jpg": ["[x].jpg"]}
    for pattern, pictures in meant.items():
        found = list_input(f"{tmp_path}/{pattern}")
        assert ([entry.name for entry in found.entries], found.unreadable) == (pictures, {}), pattern


@pytest.mark.parametrize("content", [b"PK\3\4 cut short", b"no zip", b""])
def test_a_zip_that_is_none_is_told(tmp_path: Path, content: bytes) -> None:
    """A download that was cut short is no file among which there were no pictures."""
    (tmp_path / "photos.ZIP").write_bytes(content)
    with pytest.raises(CatalogueError, match=r"photos\.ZIP is not a zip that can be read"):
        list_input(str(tmp_path / "photos.ZIP"))
