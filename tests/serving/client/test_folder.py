"""Every file of a folder is accounted for, whatever it is called and whenever it came, against a real merger."""

import asyncio
import csv
import fcntl
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from serving.client import ClassifierClient
from serving.client import folder as folder_module
from serving.client.client import MessageTooLarge
from serving.client.files import results_of
from serving.client.folder import Summary, classify_directory
from serving.client.listing import list_folder
from tests import tiny_models
from tests.serving.fake_model_server import FakeModelServer
from tests.serving.merger_process import MergerProcess

pytestmark = pytest.mark.asyncio(loop_scope="module")

RED = tiny_models.picture("red")
SUFFIXES = pytest.mark.parametrize("suffix", [".csv", ".jsonl"])


@pytest.fixture
def client(running: MergerProcess) -> Iterator[ClassifierClient]:
    with ClassifierClient(running.grpc_target, timeout_s=10) as open_client:
        yield open_client


async def classified(client: ClassifierClient, folder: Path, out: Path) -> Summary:
    return await asyncio.to_thread(classify_directory, client, folder, out, lambda _: None)


def rows_of(out: Path) -> dict[str, str]:
    """File → code of its error, "" for an answer."""
    text = out.read_text(encoding="utf-8")
    if out.suffix == ".csv":
        return {row["file"]: row["error"] for row in csv.DictReader(text.splitlines())}
    objects = [json.loads(line) for line in text.split("\n") if line]
    return {one["file"]: (one["error"] or {"code": ""})["code"] for one in objects}


@SUFFIXES
async def test_the_content_decides_what_a_file_is(
    client: ClassifierClient, fake: FakeModelServer, tmp_path: Path, suffix: str
) -> None:
    """Pictures under any name are answered; what is called a picture and is none fails; all else has its reason."""
    folder = tmp_path / "in"
    (folder / ".cache").mkdir(parents=True)
    for name in ("noext", "x.jfif", "y.jpe", "z.txt", "a.b.c"):
        (folder / name).write_bytes(RED)
    (folder / "p.dat").write_bytes(tiny_models.picture("red", image_format="GIF"))
    (folder / "broken.webp").write_bytes(b"hello")
    (folder / "empty.png").touch()
    (folder / "drawing.SVG").write_text("<svg/>")
    (folder / "notes.md").write_text("no picture")
    (folder / "nothing").touch()
    (folder / "gone").symlink_to("nowhere")
    (folder / "circle").symlink_to("circle")
    (folder / "elsewhere").symlink_to("..")
    os.mkfifo(folder / "pipe.jpg")
    for name in ("._noext", ".DS_Store", "Thumbs.db", ".cache/x.jpg", "@eaDir/x.jpg", "#recycle/x.jpg", "~$p.jpg"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(RED)
    out = folder / f"out{suffix}"
    summary = await classified(client, folder, out)
    rows = rows_of(out)
    assert {name for name, error in rows.items() if not error} == {
        "noext",
        "x.jfif",
        "y.jpe",
        "z.txt",
        "a.b.c",
        "p.dat",
    }
    assert summary.failed.keys() == {name for name, error in rows.items() if error}
    assert summary.failed.keys() == {"broken.webp", "empty.png", "drawing.SVG"}
    assert summary.skipped.keys() == {
        "notes.md",
        "nothing",
        "gone",
        "circle",
        "elsewhere",
        "pipe.jpg",
        "._noext",
        ".DS_Store",
        "Thumbs.db",
        ".cache/x.jpg",
        "@eaDir/x.jpg",
        "#recycle/x.jpg",
        "~$p.jpg",
    }
    assert "is text" in summary.skipped["notes.md"] and "empty" in summary.skipped["nothing"]
    assert summary.skipped["elsewhere"] == "is a link to a folder"


async def test_a_file_that_is_too_large_or_unreadable_costs_no_other_its_answer(
    client: ClassifierClient, fake: FakeModelServer, tmp_path: Path
) -> None:
    """What is too much for gRPC, at either end, or cannot be read has its error; the rest is answered, in order."""
    sizes = {"a": 0, "for the server": 30 * 2**20, "m": 0, "for the client": 70 * 2**20, "z": 0}
    for name, size in sizes.items():
        (tmp_path / name).write_bytes(RED)
        os.truncate(tmp_path / name, max(size, len(RED)))
    (tmp_path / "folder").mkdir()
    names = [*sizes, "folder", "not there", "a"]
    files = [(name, tmp_path / name) for name in names]
    results = await asyncio.to_thread(lambda: list(results_of(client, files)))
    assert [name for name, _ in results] == names
    assert [result.error.code for _, result in results] == [
        *("", "image_too_large", "", "image_too_large", "", "unreadable", "unreadable", "")
    ]
    with pytest.raises(MessageTooLarge, match=r"takes 31,4\d\d,\d\d\d bytes on its way; at most"):
        await asyncio.to_thread(client.classify, (tmp_path / "for the server").read_bytes())


@SUFFIXES
async def test_names_of_any_bytes(client: ClassifierClient, fake: FakeModelServer, tmp_path: Path, suffix: str) -> None:
    """A name that is no UTF-8, or holds a line's end, is escaped, keeps nobody else from an answer, and is resumed."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name in (b"caf\xe9.jpg", b"\xff\xfe", b"a\nb.jpg", "Größe\u2028.jpg".encode(), b"z.jpg"):
        (folder / os.fsdecode(name)).write_bytes(RED)
    out = tmp_path / f"out{suffix}"
    assert (await classified(client, folder, out)).answered == 5
    assert rows_of(out).keys() == {"caf\\xe9.jpg", "\\xff\\xfe", "a\\nb.jpg", "Größe\\u2028.jpg", "z.jpg"}
    assert await classified(client, folder, out) == Summary(resumed=5)


@SUFFIXES
async def test_a_new_photo_joins(client: ClassifierClient, fake: FakeModelServer, tmp_path: Path, suffix: str) -> None:
    """Only what is new is asked, wherever its name sorts, and what is gone from the folder keeps its row."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("b.jpg", "c.jpg"):
        (folder / name).write_bytes(RED)
    out = tmp_path / f"out{suffix}"
    await classified(client, folder, out)
    (folder / "a.jpg").write_bytes(RED)
    (folder / "b.jpg").unlink()
    assert await classified(client, folder, out) == Summary(resumed=2, answered=1)
    assert list(rows_of(out)) == ["b.jpg", "c.jpg", "a.jpg"]


@SUFFIXES
async def test_a_failure_stays_one(
    client: ClassifierClient, fake: FakeModelServer, tmp_path: Path, suffix: str
) -> None:
    """A row with an error counts when the run is resumed; without the row the file is asked again."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.jpg", "c.jpg"):
        (folder / name).write_bytes(RED)
    (folder / "b.jpg").write_bytes(b"hello")
    out = tmp_path / f"out{suffix}"
    assert list((await classified(client, folder, out)).failed) == ["b.jpg"]
    assert (await classified(client, folder, out)).failed_before == 1
    (folder / "b.jpg").write_bytes(RED)
    out.write_text("".join(line for line in out.read_text().splitlines(keepends=True) if "b.jpg" not in line))
    again = await classified(client, folder, out)
    assert (again.resumed, again.answered, again.failed_before) == (2, 1, 0)


@pytest.mark.parametrize(
    ("name", "edit", "words"),
    [
        ("out.csv", lambda text: text.encode("cp1252"), "line 2 is not UTF-8; save it as CSV in UTF-8"),
        ("out.csv", lambda text: text.replace(",", ";").encode(), "its columns are"),
        ("out.jsonl", lambda text: text.encode() + b"[1]\n", "line 3 is no object with a file, but '[1]'"),
        ("out.jsonl", lambda text: b"7\n" + text.encode(), "line 1 is no object with a file"),
        ("out.jsonl", lambda text: text.encode() + b'{"answer": 1}\n', "line 3 is no object with a file"),
        ("out.jsonl", lambda text: text.encode().replace(b"{", b"", 1), "line 1 is no object with a file"),
        ("out.jsonl", lambda text: b"[" * 50_000 + b"\n", "line 1 is no object with a file"),
        ("out.csv", lambda text: text.encode() + bytes(20) + b"\n", "after line 3 comes what is no row"),
        ("out.csv", lambda text: text.encode() + b"a" * 200_000 + b"\n", "after line 3 comes what is no row"),
        ("out.csv", lambda text: text.replace("\n", "\r").encode(), "is no row of ours, but b'file,"),
        ("out.csv", lambda text: b"my notes", "is no row of ours, but b'my notes'"),
        ("out.jsonl", lambda text: b"my notes", "is no row of ours, but b'my notes'"),
    ],
    ids=[
        *("saved in windows' encoding", "saved with semicolons", "a list", "a number", "without a file", "half a line"),
        *("too deep", "the zeros of a crash", "a line too long", "lines of old Macs", "notes", "other notes"),
    ],
)
async def test_an_output_that_was_edited_is_refused_in_words_and_left_alone(
    client: ClassifierClient, fake: FakeModelServer, tmp_path: Path, name: str, edit: Callable[[str], bytes], words: str
) -> None:
    """What a person's editor made of the rows is not written behind, and not a byte of it is changed."""
    folder, out = tmp_path / "in", tmp_path / name
    folder.mkdir()
    for picture in ("a.jpg", "Größe.jpg"):
        (folder / picture).write_bytes(RED)
    await classified(client, folder, out)
    out.write_bytes(edited := edit(out.read_text()))
    with pytest.raises(ValueError, match=re.escape(words)):
        await classified(client, folder, out)
    assert out.read_bytes() == edited


@pytest.mark.parametrize("make", [os.mkfifo, lambda out: out.symlink_to("/dev/zero")], ids=["a pipe", "a device"])
async def test_an_output_that_has_no_end_is_not_read(
    client: ClassifierClient, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    """What can never be read to its end is refused as an output, and nobody waits for it or runs out of memory."""
    make(tmp_path / "out.csv")
    with pytest.raises(ValueError, match="is no file, but a device or a pipe"):
        await asyncio.wait_for(classified(client, tmp_path, tmp_path / "out.csv"), 30)


async def test_a_row_cut_within_a_letter_is_asked_anew(
    client: ClassifierClient, fake: FakeModelServer, tmp_path: Path
) -> None:
    """A run that was killed in the middle of a row, even of a letter, goes on as if the row had not been begun."""
    folder, out = tmp_path / "in", tmp_path / "out.csv"
    folder.mkdir()
    for picture in ("a.jpg", "ß.jpg"):
        (folder / picture).write_bytes(RED)
    await classified(client, folder, out)
    whole = out.read_bytes()
    out.write_bytes(whole[: whole.index("ß".encode()) + 1])
    assert await classified(client, folder, out) == Summary(resumed=1, answered=1)
    assert out.read_bytes() == whole


async def test_a_csv_for_excel_says_that_it_is_utf8(
    client: ClassifierClient, fake: FakeModelServer, tmp_path: Path
) -> None:
    """The file begins with the mark by which Excel reads umlauts right, once, and is resumed with it."""
    folder, out = tmp_path / "in", tmp_path / "out.csv"
    folder.mkdir()
    (folder / "Größe.jpg").write_bytes(RED)
    for _ in range(2):
        summary = await asyncio.to_thread(classify_directory, client, folder, out, lambda _: None, for_excel=True)
    assert summary == Summary(resumed=1)
    content = out.read_bytes()
    assert content.startswith(b"\xef\xbb\xbffile,") and content.count(b"\xef\xbb\xbf") == 1
    assert [row["file"] for row in csv.DictReader(out.read_text(encoding="utf-8-sig").splitlines())] == ["Größe.jpg"]


async def test_names_that_read_the_same_are_two_files(tmp_path):
    """A name that is no UTF-8 and one that spells the same bytes in letters are listed both."""
    for name in (b"caf\xe9.jpg", b"caf\\xe9.jpg", b"n\xe9.txt", b"n\\xe9.txt"):
        (tmp_path / os.fsdecode(name)).write_bytes(b"text")
    listing = list_folder(tmp_path)
    assert {os.fsencode(path.name) for path in listing.pictures.values()} == {b"caf\xe9.jpg", b"caf\\xe9.jpg"}
    assert len(listing.pictures) == len(listing.skipped) == 2


@SUFFIXES
async def test_two_at_once_give_no_picture_two_rows(
    client: ClassifierClient, fake: FakeModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    """Who comes while another writes the file, or has read its rows before another wrote more, is told so."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "0.jpg").write_bytes(RED)
    out = tmp_path / f"out{suffix}"
    with out.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(ValueError, match=r"another process writes .*; wait for it"):
            await classified(client, tmp_path / "in", out)
    assert not out.read_text()
    names = folder_module.names_of

    def meanwhile(*arguments: object) -> object:
        monkeypatch.undo()
        classify_directory(client, tmp_path / "in", out, lambda _: None)
        return names(*arguments)

    monkeypatch.setattr(folder_module, "names_of", meanwhile)
    with pytest.raises(ValueError, match=r"has written .* meanwhile; run again"):
        await classified(client, tmp_path / "in", out)
    assert rows_of(out) == {"0.jpg": ""}
    assert (await classified(client, tmp_path / "in", out)).resumed == 1
