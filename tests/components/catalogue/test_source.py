"""Folders and zips, honest and not."""

import os
import struct
import zipfile
from pathlib import Path

import pytest

from components.catalogue.importing.sources.files import open_files
from components.catalogue.reading.errors import CatalogueError
from components.catalogue.reading.fingerprint import fingerprint
from components.catalogue.reading.rows import read_rows
from components.catalogue.reading.source import MAX_CSV_BYTES, is_catalogue, open_catalogue
from components.catalogue.report.check import look_over
from components.catalogue.report.page import render_page
from tests.drawing import csv_text, encoded, pixels, product, write_catalogue, zipped


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_catalogue(tmp_path / "catalogue", [product(str(number)) for number in range(3)])


def make_zip(path: Path, entries: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def honest(prefix: str = "") -> dict[str, bytes]:
    return {
        f"{prefix}styles.csv": csv_text([product("1")]).encode(),
        f"{prefix}images/1.jpg": encoded(pixels(1)),
    }


@pytest.mark.parametrize("prefix", ["", "top/", "a/b/"])
def test_a_zip_reads_like_its_folder(folder: Path, tmp_path: Path, prefix: str) -> None:
    """The same rows and pictures, wherever in the zip they are."""
    plain, packed = open_catalogue(folder), open_catalogue(zipped(folder, tmp_path / "c.zip", prefix))
    assert plain.images == packed.images
    assert plain.styles() == packed.styles()
    assert plain.read(plain.images["1"]) == packed.read(packed.images["1"])


def test_a_folder_around_the_catalogue_does_not_matter(folder: Path) -> None:
    """People unpack a zip into a folder and give that."""
    assert open_catalogue(folder.parent).images == open_catalogue(folder).images


def test_the_catalogue_nearest_the_top_is_meant(tmp_path: Path) -> None:
    """Kaggle's zip holds the data set twice, once in a folder of its own."""
    catalogue = open_catalogue(
        make_zip(tmp_path / "c.zip", {**honest(), **honest("copy/"), "__MACOSX/._styles.csv": b""})
    )
    assert list(catalogue.images) == ["1"]


def test_two_catalogues_side_by_side_are_not_guessed_at(tmp_path: Path) -> None:
    """Which of two is meant, only its owner knows."""
    path = make_zip(tmp_path / "c.zip", {**honest("a/"), **honest("b/")})
    with pytest.raises(CatalogueError, match=r"more than one styles\.csv, in a, b"):
        open_catalogue(path)


def test_an_id_with_two_files_has_one_picture_and_one_spare_file(folder: Path) -> None:
    """A second file for an id is not lost in silence; hidden files are no pictures."""
    (folder / "images" / "1.png").write_bytes(b"")
    (folder / "images" / ".DS_Store").write_bytes(b"")
    catalogue = open_catalogue(folder)
    assert catalogue.images["1"] == "images/1.jpg"
    assert catalogue.spare_files == ["images/1.png"]
    assert len(catalogue.images) == 3


@pytest.mark.parametrize(
    "name", ["../evil.jpg", "/etc/evil.jpg", "images/../../evil.jpg", "..\\evil.jpg", "C:\\evil.jpg"]
)
def test_a_zip_that_points_outside_itself_is_not_read(tmp_path: Path, name: str) -> None:
    """Zip-slip is refused by name, before anything is read."""
    with pytest.raises(CatalogueError, match="points outside"):
        open_catalogue(make_zip(tmp_path / "c.zip", {**honest(), name: b"x"}))


def patched_zip(path: Path, offset: int, value: bytes) -> Path:
    """An honest zip but for bytes of the first entry of its directory."""
    content = bytearray(make_zip(path, honest()).read_bytes())
    at = content.find(b"PK\x01\x02") + offset
    content[at : at + len(value)] = value
    path.write_bytes(content)
    return path


def test_a_zip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """A small archive that claims gigabytes is refused by its claims alone."""
    with pytest.raises(CatalogueError, match="zip bomb"):
        open_catalogue(patched_zip(tmp_path / "c.zip", 24, struct.pack("<I", 3 << 30)))


def test_a_zip_with_a_password_is_refused(tmp_path: Path) -> None:
    """An encrypted entry is an error that names it, not a thousand unreadable pictures."""
    with pytest.raises(CatalogueError, match="encrypted"):
        open_catalogue(patched_zip(tmp_path / "c.zip", 8, b"\1"))


def test_a_styles_csv_beyond_all_measure_is_refused(tmp_path: Path) -> None:
    """What would fill the memory is refused before it is read."""
    catalogue = open_catalogue(patched_zip(tmp_path / "c.zip", 24, struct.pack("<I", MAX_CSV_BYTES + 1)))
    with pytest.raises(CatalogueError, match="at most"):
        catalogue.styles()


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ({"readme.txt": b""}, r"no styles\.csv"),
        ({"styles.csv": b"id"}, "no pictures under images/"),
    ],
)
def test_a_zip_without_a_catalogue_says_what_it_lacks(tmp_path: Path, entries: dict[str, bytes], says: str) -> None:
    """What is missing is named."""
    with pytest.raises(CatalogueError, match=says):
        open_catalogue(make_zip(tmp_path / "c.zip", entries))


def test_what_is_no_catalogue_at_all_is_said_so(tmp_path: Path) -> None:
    """A wrong path, an empty folder, a folder without pictures and a file that is no zip are told apart."""
    with pytest.raises(CatalogueError, match="does not exist"):
        open_catalogue(tmp_path / "nowhere")
    with pytest.raises(CatalogueError, match=r"no styles\.csv"):
        open_catalogue(tmp_path)
    (tmp_path / "styles.csv").write_text("id")
    with pytest.raises(CatalogueError, match="no folder images/"):
        open_catalogue(tmp_path)
    with pytest.raises(CatalogueError, match="not a zip"):
        open_catalogue(tmp_path / "styles.csv")


@pytest.mark.parametrize("pack", [False, True])
def test_the_fingerprint_sees_every_change_and_nothing_else(folder: Path, tmp_path: Path, pack: bool) -> None:
    """It covers rows, pictures, additions and removals; asking twice gives the same."""

    def now() -> str:
        return fingerprint(zipped(folder, tmp_path / "c.zip") if pack else folder)

    seen = [now()]
    assert now() == seen[0]
    picture = folder / "images" / "1.jpg"
    size, before = picture.stat().st_size, picture.stat().st_mtime_ns
    picture.write_bytes(os.urandom(size))  # same name, same size
    os.utime(picture, ns=(before + 1, before + 1))
    seen.append(now())
    (folder / "images" / "9.jpg").write_bytes(b"x")
    seen.append(now())
    (folder / "images" / "2.jpg").unlink()
    seen.append(now())
    with (folder / "styles.csv").open("a") as file:
        file.write("\n")
    seen.append(now())
    assert len(set(seen)) == 5


def test_the_fingerprint_of_nothing_is_an_error(tmp_path: Path) -> None:
    """A wrong path fails before any run starts."""
    with pytest.raises(CatalogueError, match="neither a folder nor a zip"):
        fingerprint(tmp_path / "nowhere.zip")


@pytest.mark.parametrize(
    "folders", [(), ("fashion",), ("fashion-dataset", "fashion-dataset"), ("a", "b", "c")], ids=str
)
def test_a_folder_is_found_as_deep_as_in_a_zip(tmp_path: Path, folders: tuple[str, ...]) -> None:
    """Kaggle nests its large set twice: folder and zip are read alike, and what macOS leaves is no catalogue."""
    write_catalogue(tmp_path.joinpath(*folders), [product("1")])
    (tmp_path / "__MACOSX" / "x").mkdir(parents=True)
    (tmp_path / "__MACOSX" / "x" / "styles.csv").write_text("no catalogue")
    assert set(open_catalogue(tmp_path).images) == {"1"}
    assert fingerprint(tmp_path)


def test_two_catalogues_at_the_same_depth_are_refused(tmp_path: Path) -> None:
    """Which one is meant, nobody can guess; both are named."""
    for name in ("a", "b"):
        write_catalogue(tmp_path / "deep" / name, [product("1")])
    with pytest.raises(CatalogueError, match=r"more than one styles.csv, in .*deep/a, .*deep/b"):
        open_catalogue(tmp_path)


def test_names_of_pictures_are_composed(tmp_path: Path) -> None:
    """A Mac takes letters and accents apart in the names of files; a sheet does not."""
    directory = write_catalogue(tmp_path, [product("1")])
    (directory / "images" / "1.jpg").rename(directory / "images" / "e\u0301tui.jpg")
    assert set(open_catalogue(directory).images) == {"étui"}


@pytest.mark.parametrize("unused", [False, True])
def test_names_in_a_folder_may_be_of_another_code_page(tmp_path: Path, unused: bool) -> None:
    """A name that is no UTF-8 is read as Windows writes it, and one that no row names does not spoil the report."""
    directory = write_catalogue(tmp_path, [product(one) for one in ("1", "2", "café")])
    name = b"na\xefve.jpg" if unused else b"caf\xe9.jpg"
    (directory / "images" / "café.jpg").rename(directory / "images" / os.fsdecode(name))
    report, _ = look_over(directory)
    assert [row.id for row in read_rows(open_catalogue(directory)).taken] == ["1", "2", "café"]
    assert report.images_without_row == (("images/naïve.jpg",) if unused else ())
    assert render_page(report, open_catalogue(directory)).encode()


def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    """What can be read once alone, or for ever, is no catalogue, and nobody waits for it."""
    os.mkfifo(tmp_path / "pipe")
    for ask in (is_catalogue, open_files):
        with pytest.raises(CatalogueError, match="is no file that can be read from end to end"):
            ask(tmp_path / "pipe")


def test_a_zip_without_its_first_bytes_gives_what_it_still_has(tmp_path: Path) -> None:
    """Its directory then counts from before the file began: what lies there is lost, and nothing else."""
    path = make_zip(tmp_path / "c.zip", {"images/0.jpg": b"lost", **honest()})
    path.write_bytes(path.read_bytes()[10:])
    catalogue = open_catalogue(path)
    assert catalogue.read("images/1.jpg") == honest()["images/1.jpg"]
    with pytest.raises((zipfile.BadZipFile, OSError)):
        catalogue.read("images/0.jpg")


def test_a_link_to_nothing_is_a_missing_picture(tmp_path: Path) -> None:
    """One dangling link costs its row, not the whole catalogue."""
    directory = write_catalogue(tmp_path, [product("1"), product("2")])
    (directory / "images/2.jpg").unlink()
    (directory / "images/2.jpg").symlink_to(tmp_path / "nowhere.jpg")
    assert "2" not in open_catalogue(directory).images
    before = fingerprint(directory)
    (tmp_path / "nowhere.jpg").write_bytes(b"here now")
    assert fingerprint(directory) != before


@pytest.mark.parametrize("name", ["Images", "IMG", "pictures"])
def test_a_folder_of_pictures_under_another_name_is_named(tmp_path: Path, name: str) -> None:
    """Where images/ is missing, the words tell what is there instead."""
    directory = write_catalogue(tmp_path, [product("1")])
    (directory / "images").rename(directory / name)
    with pytest.raises(CatalogueError, match=f"it has {name}/: name the one with the pictures images"):
        open_catalogue(directory)
