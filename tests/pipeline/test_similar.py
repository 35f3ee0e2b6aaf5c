"""``lookbook similar`` over a real stack, the sheet that it draws, and the heat map of ``lookbook explain``."""

import json
import shutil
import sqlite3
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from pipeline.drawing.contact_sheet import draw_contact_sheet
from pipeline.drawing.heat_map import draw_heat_map
from schema import names
from schema.products.thumbnails import INSERT, TABLE, thumbnails_file
from serving.proto.lookbook.v1 import classifier_pb2 as pb
from tests import tiny_models
from tests.pictures.corpus import encoded, taken

TAKEN = taken()


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A root with a release that knows six products, of one of which it has a picture."""
    folder = tmp_path_factory.mktemp("root")
    tiny_models.write(folder / "release", "--version", 1)
    with sqlite3.connect(thumbnails_file(folder / "release", 1)) as store:
        store.execute(TABLE)
        store.execute(INSERT, ("0-green", tiny_models.picture("green")))
    (folder / "photo.jpg").write_bytes(tiny_models.picture("green"))
    yield folder
    shutil.rmtree(folder)


def similar(root, *arguments):
    command = [sys.executable, "-m", "pipeline.runner", "similar", str(root / "photo.jpg"), "--root", str(root)]
    return subprocess.run([*command, *map(str, arguments)], capture_output=True, text=True, timeout=240, check=False)


def test_products_and_sheet(root, tmp_path):
    """A line a product, nearest first, then what they are; the sheet shows the photo and the product's picture."""
    result = similar(root, "--k", 3, "--contact-sheet", tmp_path / "alike.png")
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert len(lines) == 4 and lines[0].split()[:2] == ["1.00", "0-green"]
    known = tiny_models.known_pictures()
    assert known[names.NEIGHBOUR_NAMES][1] in lines[0] and known[names.NEIGHBOUR_LABELS][1] in lines[0]
    assert lines[-1].startswith("1 of the 6 nearest are ")
    with Image.open(tmp_path / "alike.png") as sheet:
        assert [sheet.getpixel(place)[1] > 240 > sheet.getpixel(place)[0] for place in ((60, 60), (60, 300))] == [
            True
        ] * 2
        assert sheet.getpixel((220, 300)) == (228, 228, 228), "a product without a picture is a grey field"


def test_json(root):
    """Machines get the whole answer, and no picture that nobody asked for."""
    found = json.loads(similar(root, "--json").stdout)
    assert found["products"][0]["id"] == "0-green" and found["counted"] == 6
    assert {one["thumbnail"] for one in found["products"]} == {""}


def test_names_of_any_length_and_script_fit(tmp_path):
    """A name that is longer than its cell is cut, and no character of it stops the sheet."""
    products = [
        pb.SimilarProduct(id="1" * 300, name=name, article_type="Shirts", similarity=0.5)
        for name in ("", "Größe 38 " * 40, "衬衫 " * 50, "\u200d👗")
    ]
    found = pb.FindSimilarResponse(products=products, nearest=[pb.LabelCount(label="Shirts", count=4)], counted=4)
    draw_contact_sheet(tiny_models.picture("red", image_format="WEBP"), found, tmp_path / "sheet.jpg")
    with Image.open(tmp_path / "sheet.jpg") as sheet:
        assert sheet.size == (970, 498)


@pytest.mark.parametrize("kind", ["png bad exif", "png alpha, turned", "png exif after, 6", "jpeg exif > without end"])
def test_the_heat_map_lies_over_what_was_asked_about(tmp_path, kind):
    """What is drawn is what the models saw: whatever they are asked about can be drawn, upright and over white."""
    heat = pb.ExplainResponse(rows=1, columns=2, heat=[0.1, 0.2], head="gender", label="Men")
    draw_heat_map(TAKEN[kind].data, heat, tmp_path / "drawn.png")
    draw_heat_map(encoded(Image.fromarray(TAKEN[kind].shown), "PNG"), heat, tmp_path / "wanted.png")
    drawn, wanted = (np.asarray(Image.open(tmp_path / f"{name}.png")).astype(int) for name in ("drawn", "wanted"))
    assert drawn.shape == wanted.shape and np.abs(drawn - wanted).mean() < 2


@pytest.mark.parametrize("label", ["$_$", "$$", "$5 or $\\frac$"])
def test_a_label_over_a_heat_map_is_no_formula(tmp_path, label):
    """Two $ in one are money."""
    heat = pb.ExplainResponse(rows=1, columns=1, heat=[0.1], head="article_type", label=label)
    draw_heat_map(tiny_models.picture("red"), heat, tmp_path / "drawn.png")
    assert (tmp_path / "drawn.png").stat().st_size


def test_what_never_ends_is_no_picture(root):
    """A device is read no further than a picture may be large, and the refusal names it."""
    command = [sys.executable, "-m", "pipeline.runner", "similar", "/dev/zero", "--server", "127.0.0.1:1"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (result.returncode, "Traceback" in result.stderr) == (1, False)
    assert "/dev/zero: The file has more than the" in result.stderr
