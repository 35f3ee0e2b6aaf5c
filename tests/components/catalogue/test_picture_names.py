"""Names of picture files, as cameras, systems and people make them; and where there are no pictures at all."""

import zipfile
from pathlib import Path

import pytest

from components.catalogue.reading.errors import CatalogueError
from components.catalogue.reading.source import open_catalogue
from schema.file_names import PICTURE_SUFFIXES
from serving.client.listing import PICTURE_SUFFIXES as ASKED_ABOUT
from tests.components.catalogue.importing.layouts import TYPES, imported, photo, styles
from tests.drawing import csv_text, encoded, pixels, product, write_catalogue


def lay_beside(images: Path, *names: str) -> None:
    for name in names:
        (images / name).write_bytes(b"no picture")


@pytest.mark.parametrize("suffix", PICTURE_SUFFIXES)
def test_what_lies_beside_a_picture_is_not_taken_for_it(tmp_path: Path, suffix: str) -> None:
    """Notes of cameras and tools under a picture's name are spare files, whatever the format of the picture."""
    images = write_catalogue(tmp_path, [product("1")]) / "images"
    (images / "1.jpg").rename(images / f"1{suffix}")
    lay_beside(images, "1.AAE", "1.db", "1.json", "1.txt", "1.xmp")
    catalogue = open_catalogue(tmp_path)
    assert catalogue.images["1"] == f"images/1{suffix}"
    assert len(catalogue.spare_files) == 5


@pytest.mark.parametrize("name", ["1.jpg.jpg", "1.JPG.jpeg", "1 .jpg", " 1.jpg", "1.jpe", "1"])
def test_a_picture_is_found_by_the_id_that_its_name_means(tmp_path: Path, name: str) -> None:
    """Windows hides an extension, so that it is written twice; spaces at the ends nobody sees."""
    images = write_catalogue(tmp_path, [product("1")]) / "images"
    (images / "1.jpg").rename(images / name)
    assert open_catalogue(tmp_path).images["1"] == f"images/{name}"


def test_of_a_name_and_one_with_two_extensions_the_plain_one_counts(tmp_path: Path) -> None:
    """The other one is a spare file, and said to be."""
    images = write_catalogue(tmp_path, [product("1")]) / "images"
    (images / "1.jpg.jpg").write_bytes(encoded(pixels(2)))
    catalogue = open_catalogue(tmp_path)
    assert catalogue.images["1"] == "images/1.jpg" and catalogue.spare_files == ["images/1.jpg.jpg"]


def test_a_link_in_a_circle_is_a_missing_picture(tmp_path: Path) -> None:
    """It costs its row, as a link to nothing does, not the whole catalogue."""
    images = write_catalogue(tmp_path, [product("1"), product("2")]) / "images"
    (images / "2.jpg").unlink()
    (images / "2.jpg").symlink_to("2.jpg")
    assert list(open_catalogue(tmp_path).images) == ["1"]


@pytest.mark.parametrize("pack", [False, True], ids=["folder", "zip"])
def test_pictures_in_folders_below_images_are_named(tmp_path: Path, pack: bool) -> None:
    """A whole catalogue without pictures is one error that names the folders, not a missing picture a row."""
    files = {"styles.csv": csv_text([product("1")]).encode(), "images/images/1.jpg": encoded(pixels(1))}
    for name, content in files.items():
        (tmp_path / "c" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "c" / name).write_bytes(content)
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    with pytest.raises(CatalogueError, match=r"right in images/, which has images: .* or take `lookbook import`"):
        open_catalogue(tmp_path / ("c.zip" if pack else "c"))


@pytest.mark.parametrize("name", ["Images/1.jpg", "images.zip", "data/images/1.jpg"])
def test_a_zip_without_pictures_tells_what_it_has_instead(tmp_path: Path, name: str) -> None:
    """As of a folder: the words name the folder, or the zip, that may hold them."""
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.writestr("styles.csv", csv_text([product("1")]))
        archive.writestr(name, encoded(pixels(1)))
    with pytest.raises(CatalogueError, match=f"it has {name.partition('/')[0]}/?: name the folder with the pictures"):
        open_catalogue(tmp_path / "c.zip")


def test_class_folders_have_pictures_of_every_name(tmp_path: Path) -> None:
    """What is asked about under a name is learnt from under it too."""
    for seed, suffix in enumerate((".jpe", ".mpo", ".jif", ".dib", ".hif", ".pjpeg")):
        photo(tmp_path / "in" / TYPES[seed % 3] / f"{seed}{suffix}", seed)
    imported(tmp_path / "in", tmp_path / "out")
    assert len(styles(tmp_path / "out")) == 6
    assert set(PICTURE_SUFFIXES) <= set(ASKED_ABOUT)
