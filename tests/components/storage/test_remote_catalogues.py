"""Catalogues and sources in object stores and on web servers, over their real protocols."""

import functools
import http.server
import json
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from components.catalogue.reading.errors import CatalogueError
from components.catalogue.reading.findings import Reason
from components.catalogue.reading.fingerprint import fingerprint, require_unchanged
from components.catalogue.reading.pictures import UnusablePicture, load_picture
from components.catalogue.reading.source import open_catalogue
from components.catalogue.report.check import look_over
from components.storage.errors import StorageError
from components.storage.location import Remote
from components.storage.store import Store
from pipeline.commands.data import command as data
from pipeline.commands.import_ import command as import_
from tests.drawing import csv_text, encoded, pixels, product, write_catalogue, zipped

COUNT = 12


def upload(folder: Path, uri: str) -> Remote:
    """All files of a folder, or one file."""
    store = Store(uri)
    for file in folder.rglob("*") if folder.is_dir() else [folder]:
        if file.is_file():
            store.write(file.relative_to(folder).as_posix() if folder.is_dir() else "", file.read_bytes())
    return Remote(uri)


def run(command: object, *arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_catalogue(
        tmp_path / "catalogue", [product(str(number), number) for number in range(COUNT)], {"3.jpg": b"broken"}
    )


@pytest.mark.parametrize("prefix", ["", "top/"])
def test_a_folder_in_a_bucket_reads_like_one_here(folder: Path, bucket: str, prefix: str) -> None:
    """The same rows, splits, findings and pictures, wherever below the URI the catalogue lies."""
    upload(folder, f"{bucket}/data/{prefix}".rstrip("/"))
    there = Remote(f"{bucket}/data")
    found, expected = (look_over(place)[0].as_json() for place in (there, folder))
    assert {**found, "source": "", "fingerprint": ""} == {**expected, "source": "", "fingerprint": ""}
    assert expected["rejected"]
    assert open_catalogue(there).read("images/1.jpg") == (folder / "images/1.jpg").read_bytes()


def test_a_zip_in_a_bucket_is_read_in_ranges(
    folder: Path, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One request a picture, of about its size: nobody fetches a whole archive for some of its pictures."""
    for number in range(COUNT):
        (folder / f"images/{number}.jpg").write_bytes(random.Random(number).randbytes(100_000))
    archive = zipped(folder, tmp_path / "catalogue.zip")
    there = upload(archive, f"{bucket}/catalogue.zip")
    assert fingerprint(there) == fingerprint(archive)
    catalogue, asked = open_catalogue(there), []
    read_range = Store.read_range

    def counting(self: Store, start: int, end: int) -> bytes:
        asked.append(end - start)
        return read_range(self, start, end)

    monkeypatch.setattr(Store, "read_range", counting)
    for number in (7, 2, 9):
        content = catalogue.read(f"images/{number}.jpg")
        assert content == (folder / f"images/{number}.jpg").read_bytes()
        assert len(content) <= asked[-1] < len(content) + 2000, asked
    assert len(asked) == 3


def test_an_object_that_goes_is_a_row_of_the_report_and_a_store_that_goes_is_an_error(
    folder: Path, s3_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is missing costs its row; without the store no row is judged at all."""
    there = upload(folder, f"{s3_bucket}/data")
    catalogue = open_catalogue(there)
    there.store.remove("images/5.jpg")
    with pytest.raises(UnusablePicture, match="there is nothing at s3://") as missing:
        load_picture(catalogue, "5")
    assert missing.value.reason is Reason.UNREADABLE_IMAGE
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(StorageError, match="Could not connect"):
        load_picture(open_catalogue(there), "6")


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_a_picture_that_changes_is_noticed(folder: Path, bucket: str, tmp_path: Path, kind: str) -> None:
    """Also by another of the same size: the step that read it ends with words, and the next run reads it anew."""
    (folder / "images/1.jpg").write_bytes(b"a" * 500)
    source = folder if kind == "folder" else zipped(folder, tmp_path / "catalogue.zip")
    there = upload(source, f"{bucket}/data{'' if kind == 'folder' else '.zip'}")
    before = fingerprint(there)
    require_unchanged(there, before)
    (folder / "images/1.jpg").write_bytes(b"b" * 500)
    upload(source if kind == "folder" else zipped(folder, tmp_path / "again.zip"), there.uri)
    with pytest.raises(CatalogueError, match="changed while it was read"):
        require_unchanged(Remote(there.uri), before)


def test_data_check_takes_a_uri(folder: Path, bucket: str) -> None:
    """The command reads the bucket and says what it would say of the folder."""
    upload(folder, f"{bucket}/data")
    there = json.loads(run(data, "check", f"{bucket}/data", "--json", "--max-bad=1").output.partition("\n}")[0] + "}")
    here = json.loads(run(data, "check", folder, "--json", "--max-bad=1").output.partition("\n}")[0] + "}")
    assert there["source"] == f"{bucket}/data"
    assert {**there, "source": "", "fingerprint": ""} == {**here, "source": "", "fingerprint": ""}


@pytest.mark.parametrize("kind", ["folder", "sheet", "zip"])
def test_an_import_takes_its_source_from_a_bucket(bucket: str, tmp_path: Path, kind: str) -> None:
    """A shop's sheet with pictures beside it, as a folder, by the sheet itself, or as a zip."""
    shop = tmp_path / "shop"
    (shop / "photos").mkdir(parents=True)
    rows = [product(str(number), number) for number in range(COUNT)]
    (shop / "export.csv").write_text(csv_text(rows))
    for number in range(COUNT):
        (shop / f"photos/{number}.jpg").write_bytes(encoded(pixels(number)))
    source = zipped(shop, tmp_path / "shop.zip") if kind == "zip" else shop
    there = upload(source, f"{bucket}/shop{'.zip' if kind == 'zip' else ''}")
    given = f"{there}/export.csv" if kind == "sheet" else there.uri
    result = run(import_, given, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert f"{COUNT} of {COUNT} rows are in" in result.output
    assert (tmp_path / "out/images/4.jpg").read_bytes() == (shop / "photos/4.jpg").read_bytes()


class _WithRanges(http.server.SimpleHTTPRequestHandler):
    """Python's own server, which knows no ranges, with them."""

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        asked = self.headers.get("Range")
        if not asked or not path.is_file():
            super().do_GET()
            return
        first, last = (int(part) for part in asked.removeprefix("bytes=").split("-"))
        content = path.read_bytes()
        part = content[first : last + 1]
        self.send_response(206)
        self.send_header("Content-Length", str(len(part)))
        self.send_header("Content-Range", f"bytes {first}-{first + len(part) - 1}/{len(content)}")
        self.end_headers()
        self.wfile.write(part)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "web").mkdir()
    handler = functools.partial(_WithRanges, directory=str(tmp_path / "web"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_zip_on_a_web_server_reads_like_one_here(folder: Path, tmp_path: Path, web: str) -> None:
    """In ranges; a page of a web server is refused, for it does not tell when a picture of it changes."""
    archive = zipped(folder, tmp_path / "web/catalogue.zip")
    there = Remote(f"{web}/catalogue.zip")
    assert fingerprint(there) == fingerprint(archive)
    assert open_catalogue(there).read("images/1.jpg") == (folder / "images/1.jpg").read_bytes()
    refused = run(data, "check", web)
    assert refused.exit_code == 1
    assert "give a zip" in refused.output


@pytest.mark.parametrize(
    ("uri", "words", "code"),
    [
        ("s3://nowhere-at-all/data", "there is nothing at s3://nowhere-at-all/data", 1),
        ("ftp://host/data", "ftp:// is not known; known are gs://, s3://, az://", 2),
        ("s3://key:s3cr3t@bucket/data", "may be a secret and is not printed", 2),
        ("https://host/data.zip?sig=s3cr3t", "may be a secret and is not printed", 2),
        ("s3://a/b::file:///etc", "means nothing in a URI", 2),
        ("gs:///data", "names no bucket", 2),
    ],
)
def test_a_uri_that_leads_nowhere_is_told(s3_bucket: str, uri: str, words: str, code: int) -> None:
    """In words that hold no secret, before anything is read."""
    result = run(data, "check", uri)
    assert result.exit_code == code
    assert words in " ".join(result.output.split())
    assert "s3cr3t" not in result.output
