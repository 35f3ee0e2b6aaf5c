"""What files of a zip are called, however it was packed."""

import unicodedata
import zipfile
from pathlib import Path

import pytest

from components.catalogue.reading.errors import CatalogueError
from components.catalogue.reading.rows import read_rows
from components.catalogue.reading.source import is_catalogue, open_catalogue
from components.storage.zip_entries import names_of
from tests.components.catalogue.test_source import honest, make_zip
from tests.drawing import csv_text, encoded, pixels, product, write_catalogue


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("again", ["images/1.jpg", "images\\1.jpg", "./images//1.jpg"])
def test_of_two_pictures_with_one_name_the_last_is_read_and_the_other_told(tmp_path: Path, again: str) -> None:
    """As whoever unpacks it has them; the same bytes twice are one picture, and a sheet that is put in anew counts."""
    path = make_zip(tmp_path / "c.zip", honest())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(again, honest()["images/1.jpg"])
    assert open_catalogue(path).spare_files == []
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(again, encoded(pixels(2)))
    catalogue = open_catalogue(path)
    assert catalogue.read(catalogue.images["1"]) == encoded(pixels(2))
    assert set(catalogue.spare_files) == {"images/1.jpg"}
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("styles.csv", newer := csv_text([product("2")]).encode())
    assert open_catalogue(path).styles() == newer


def test_a_zip_of_macos_keeps_its_accents(tmp_path: Path) -> None:
    """Archive Utility writes UTF-8 names, decomposed, and does not say so; its notes are no catalogue."""
    directory = write_catalogue(tmp_path / "shop", [product("étui")])
    path = tmp_path / "catalogue.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(directory.rglob("*.*")):
            # Bytes of UTF-8, as DOS would read them: zipfile writes them back as they are, and sets no flag.
            name = unicodedata.normalize("NFD", str(file.relative_to(tmp_path))).encode().decode("cp437")
            archive.writestr(MacEntry(name), file.read_bytes())
            archive.writestr(MacEntry(f"__MACOSX/{name}"), b"\0\5\x16\7")
    catalogue = open_catalogue(path)
    assert list(catalogue.images) == ["étui"]
    assert read_rows(catalogue).taken[0].id == "étui"


@pytest.mark.parametrize("code_page", ["utf-8", "cp437", "cp1252"])
def test_names_in_a_zip_are_read_in_the_code_page_that_makes_letters_of_them(tmp_path: Path, code_page: str) -> None:
    """Windows, DOS and old tools write their own, and none says which."""
    ids = ["café", "größe", "naïve", "plain"]
    directory = write_catalogue(tmp_path / "shop", [product(one) for one in ids])
    path = tmp_path / "catalogue.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(directory.rglob("*.*")):
            name = str(file.relative_to(tmp_path)).encode(code_page).decode("cp437")
            archive.writestr(MacEntry(name), file.read_bytes())
    catalogue = open_catalogue(path)
    assert set(catalogue.images) == set(ids)
    assert all(catalogue.read(name) for name in catalogue.images.values())


def test_a_zip_whose_names_are_not_what_they_say_is_refused_in_words(tmp_path: Path) -> None:
    """The flag for UTF-8 before bytes that are none of it is a fault of the zip."""
    path = make_zip(tmp_path / "c.zip", honest("é/"))
    path.write_bytes(path.read_bytes().replace("é".encode(), b"\xe9\xe9"))
    for ask in (open_catalogue, is_catalogue):
        with pytest.raises(CatalogueError, match="is not a zip that can be read"):
            ask(path)


def test_a_name_that_a_zip_says_twice_is_the_one_of_unicode() -> None:
    """Python 3.13 takes the name of the extra field; that is in no code page of DOS, and spoils no other name."""
    entries = [zipfile.ZipInfo("images/x.jpg"), zipfile.ZipInfo("café.jpg".encode().decode("cp437"))]
    entries[0].filename = "images/シャツ.jpg"
    assert names_of(entries) == ["images/シャツ.jpg", "café.jpg"]


class MacEntry(zipfile.ZipInfo):
    """An entry whose name goes into the archive byte for byte, without the flag for UTF-8."""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:
        return self.filename.encode("cp437"), self.flag_bits
