"""What a source may hold by mistake or on purpose: nothing outside is read, and nothing is lost in silence."""

import json
import os
import subprocess
import sys
import zipfile

import pytest

from components.catalogue.report.check import check_catalogue
from schema import names
from tests.components.catalogue.importing.layouts import (
    TYPES,
    imported,
    lookbook_import,
    photo,
    rejected,
    sheet,
    styles,
)
from tests.drawing import encoded, pixels

TYPE = names.ARTICLE_TYPE_LABEL


def row(row_id, picture="", **changes):
    labels = {"articleType": "Shirts", "subCategory": "Topwear", "masterCategory": "Apparel"}
    return {"id": row_id, **labels, "image": picture, **changes}


def source_of(tmp_path, *rows, name="products.csv"):
    source = tmp_path / "source"
    source.mkdir(exist_ok=True)
    (source / name).write_text(sheet(rows), encoding="utf-8")
    return source


def test_a_path_never_leads_out_of_the_source(tmp_path):
    """Not by dots, not from the root, not by a link: such rows are rejected, and their file is not read."""
    secret = photo(tmp_path / "secret.jpg", 5)
    source = source_of(
        tmp_path,
        row("1", "../secret.jpg"),
        row("2", str(secret)),
        row("3", "img/link.jpg"),
        row("4", "img/../../secret.jpg"),
        row("5", f"file://{secret}"),
        row("6", "img/good.jpg"),
        row("7", "../elsewhere/good.jpg"),
        row("8", "..%2Fsecret.jpg"),
    )
    photo(source / "img" / "good.jpg", 6)
    (source / "img" / "link.jpg").symlink_to(secret)
    told = imported(source, tmp_path / "out")
    assert list(styles(tmp_path / "out")) == ["6", "7"]
    assert any("end of its path" in change["what"] for change in told["changes"])
    assert told["links_not_followed"] == ["img/link.jpg"]
    reasons = [reason for reason, _ in rejected(tmp_path / "out").values()]
    assert reasons == [
        "path out of the source",
        "missing image",
        "missing image",
        "path out of the source",
        "missing image",
        "path out of the source",
    ]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_file_that_another_of_its_name_replaces_is_told(tmp_path):
    """In a zip two files may have one name: the last one is read, and the other is not lost in silence."""
    with zipfile.ZipFile(tmp_path / "shop.zip", "w") as archive:
        archive.writestr("products.csv", sheet([row("1", "a.jpg")]))
        for number in (1, 2):
            archive.writestr("a.jpg", photo(tmp_path / "a.jpg", number).read_bytes())
    told = imported(tmp_path / "shop.zip", tmp_path / "out")
    assert [(change["what"], change["examples"]) for change in told["changes"]] == [
        ("file of the zip that a later one of its name replaces, not read", ["a.jpg"])
    ]


def test_every_row_that_is_not_taken_has_its_reason(tmp_path):
    """Empty ids and labels, ids and pictures that come again, what is no picture: each is told, none is lost."""
    source = source_of(
        tmp_path,
        row("1", "a.jpg"),
        row("", "b.jpg"),
        row("1.0", "b.jpg"),
        row("2", "b.jpg", subCategory="n/a"),
        row("3", "a.jpg"),
        row("4", "notes.jpg"),
        row("5", "sub/../none.jpg"),
        row("6", "c"),
        row("7", "same.jpg"),
        row("8", ""),
    )
    for seed, name in enumerate(("a.jpg", "b.jpg", "c.png", "x/same.jpg", "y/same.jpg", "8_front.jpg", "80.jpg")):
        photo(source / name, seed, "PNG" if name.endswith("png") else "JPEG")
    (source / "notes.jpg").write_bytes(b"<html>no picture</html>")
    told = imported(source, tmp_path / "out")
    assert list(styles(tmp_path / "out")) == ["1", "3", "6", "8"]
    assert (tmp_path / "out" / "images" / "8.jpg").read_bytes() == (source / "8_front.jpg").read_bytes()
    assert {place.partition(":")[2]: reason for place, (reason, _) in rejected(tmp_path / "out").items()} == {
        "3": "empty id",
        "4": "duplicate id",
        "5": "empty label",
        "7": "undecodable image",
        "8": "missing image",
        "10": "several images",
    }
    assert told["rows"] == told["taken"] + sum(told["rejected"].values()) == 10
    assert any("more than one row" in str(change) for change in told["changes"])
    assert set(told["pictures_without_row"]) == {"b.jpg", "x/same.jpg", "y/same.jpg", "80.jpg", "notes.jpg"}


def test_ids_that_no_file_can_have(tmp_path):
    """A slash or a wild card in an id becomes an underscore, and the catalogue reads what was written."""
    ids = ("AB/12", "..", "=1+1", "Ünï-1", "a*b?", "x" * 300, "CON", "10.001")
    rows = [row(one, f"{index}.jpg", productDisplayName="=cmd|' /C calc'!A0") for index, one in enumerate(ids)]
    source = source_of(tmp_path, *rows)
    for index in range(len(ids)):
        photo(source / f"{index}.jpg", index)
    told = imported(source, tmp_path / "out")
    assert told["taken"] == len(ids)
    assert {"AB_12", "_.", "Ünï-1", "a_b_"} <= set(styles(tmp_path / "out"))
    report = check_catalogue(tmp_path / "out")
    assert report.taken == len(ids)
    assert not report.images_without_row


@pytest.mark.parametrize(
    ("written", "file"),
    [
        ("", "a*b?.jpg"),
        ("'img/a.jpg'", "img/a.jpg"),
        ("my%20img/a%20b.jpg", "my img/a b.jpg"),
        ("img/a.jpg\u200b", "img/a.jpg"),
        ("s3://bucket/img/a.jpg", "img/a.jpg"),
        ("ftp://shop.test/other", "a*b?.jpg"),
        ("data:image/jpeg;base64,/9j/4AAQ", "a*b?.jpg"),
    ],
)
def test_a_picture_that_is_there_is_found(tmp_path, written, file):
    """By its name or the id's, however another tool wrote it, and by whatever URL it once had."""
    source = source_of(tmp_path, row("a*b?", written), row("2", "2.jpg"))
    photo(source / file, 1)
    photo(source / "2.jpg", 2)
    imported(source, tmp_path / "out", "--id", "id", "--picture", "image")
    assert list(styles(tmp_path / "out")) == ["a_b_", "2"]
    (source / file).unlink()
    imported(source, tmp_path / "without", "--id", "id", "--picture", "image")
    ((_, words),) = rejected(tmp_path / "without").values()
    assert "neither http nor https" in words if ":" in written else "no file" in words


@pytest.mark.parametrize("own", ["@eaDir/0.jpg", "#recycle", "$RECYCLE.BIN", "lost+found", "@Recycle", ".thumbnails"])
def test_what_a_box_or_a_bin_keeps_beside_class_folders_is_no_class(tmp_path, own):
    """Thumbnails and bins, as network disks have them in each folder, change neither labels nor levels."""
    source, out = tmp_path / "photos", tmp_path / "out"
    for seed, kind in enumerate(TYPES):
        photo(source / kind / f"{seed}.jpg", seed)
        photo(source / kind / own / f"thumb{seed}.jpg", 9)
    told = imported(source, out)
    assert {row_id: row[TYPE] for row_id, row in styles(out).items()} == {
        str(seed): kind for seed, kind in enumerate(TYPES)
    }
    assert not told["rejected"] and not told["pictures_without_row"]


def test_a_zip_is_a_source(tmp_path):
    """A zip is read where it is; one that points outside is refused."""
    archive = tmp_path / "photos.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for seed, kind in enumerate(("Shirts", "Boots")):
            file.writestr(f"set/{kind}/{seed}.jpg", encoded(pixels(seed)))
    same = ("--sub-category", "folder 1", "--master-category", "folder 1")
    imported(archive, tmp_path / "out", *same)
    assert {row_id: row[TYPE] for row_id, row in styles(tmp_path / "out").items()} == {"0": "Shirts", "1": "Boots"}
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr("../evil/2.jpg", encoded(pixels(2)))
    result = lookbook_import(archive, tmp_path / "other", *same)
    assert result.exit_code == 1
    assert "outside the archive" in result.output
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("columns", "option"),
    [
        (("sku", "producttype", "itemtype", "image"), "--article-type 'producttype'"),
        (("sku", "label", "category", "image"), "--article-type 'category'"),
        (("sku", "col1", "col2", "image"), "--article-type 'col1'"),
        (("sku", "price", "stock", "image"), "--article-type"),
        (("sku", "articleType", "p1", "p2"), "--picture 'p1'"),
    ],
)
def test_what_is_ambiguous_is_asked_by_name(tmp_path, columns, option):
    """Columns that may both be meant are named with examples, and the option that says which; nothing is made."""
    pictures = dict.fromkeys(("image", "p1", "p2"), "{0}.jpg")
    texts = {"sku": "S{0}", "price": "{0}.90", "stock": "{0}7", **pictures}
    rows = [{name: texts.get(name, f"{name}-{index % 2}").format(index) for name in columns} for index in range(8)]
    source = source_of(tmp_path, *rows)
    for index in range(8):
        photo(source / f"{index}.jpg", index)
    result = lookbook_import(source, tmp_path / "out")
    assert result.exit_code == 1
    assert option in result.output
    assert not (tmp_path / "out").exists()


def test_a_given_column_that_is_not_there(tmp_path):
    """The error names the columns that there are; case and spaces do not matter."""
    source = source_of(tmp_path, row("1", "1.jpg", **{" Farbe\u00a0": "rot"}))
    photo(source / "1.jpg", 1)
    result = lookbook_import(source, tmp_path / "out", "--base-colour", "Color")
    assert result.exit_code == 1
    assert "'Color'" in result.output
    assert "Farbe" in result.output
    imported(source, tmp_path / "out", "--base-colour", "FARBE")
    assert styles(tmp_path / "out")["1"][names.BASE_COLOUR] == "rot"


def test_a_folder_that_is_not_an_import_s_is_left_alone(tmp_path):
    """Nothing of another's is overwritten; a folder of an earlier import is made anew, without its old pictures."""
    source, out = source_of(tmp_path, row("1", "1.jpg"), row("2", "1.jpg")), tmp_path / "source" / "catalogue"
    photo(source / "1.jpg", 1)
    imported(source, out)
    source_of(tmp_path, row("2", "1.jpg"))
    imported(source, out)  # lies below the source, and is no part of it
    assert list(styles(out)) == ["2"]
    result = lookbook_import(source, source)
    assert result.exit_code == 1
    assert "no import made" in result.output
    assert (source / "products.csv").exists()


def test_a_taxonomy_with_two_parents_or_without_a_type(tmp_path):
    """What the taxonomy does not know is rejected by name; one that contradicts itself is refused."""
    source = source_of(tmp_path, {"id": "1", "type": "Shirts"}, {"id": "2", "type": "Kilts"})
    for index in (1, 2):
        photo(source / f"{index}.jpg", index)
    taxonomy = tmp_path / "taxonomy.csv"
    taxonomy.write_text("articleType,subCategory,masterCategory\nSHIRTS ,Topwear,Apparel\n")
    imported(source, tmp_path / "out", "--taxonomy", taxonomy)
    assert rejected(tmp_path / "out")["products.csv:3"][1].endswith("the taxonomy does not know 'Kilts'")
    taxonomy.write_text("articleType,subCategory,masterCategory\nShirts,Topwear,Apparel\nshirts,Tops,Apparel\n")
    result = lookbook_import(source, tmp_path / "other", "--taxonomy", taxonomy)
    assert result.exit_code == 1
    assert "Apparel / Tops" in result.output


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("broken.xlsx", b"PK\3\4 no workbook"),
        ("broken.parquet", b"PAR1 no parquet"),
        ("deep.json", b"[" * 100_000),
        ("empty.csv", b""),
        ("header.csv", b"id,type\n"),
        ("nul.csv", b"id,type\n1,\0\n"),
        ("half.jsonl", b'{"id": "1"\n'),
        ("old.xls", b"\xd0\xcf\x11\xe0"),
        ("text.zip", b"no zip"),
        ("columns.json", b'{"id": {"0": "1"}, "type": {"0": "Shirts"}}'),
    ],
)
def test_a_broken_sheet_is_an_error_that_names_it(tmp_path, name, content):
    """Never a traceback, whatever the bytes are."""
    path = tmp_path / "source" / name
    path.parent.mkdir()
    path.write_bytes(content)
    result = lookbook_import(path if name.endswith("zip") else path.parent, tmp_path / "out")
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert name in result.output


def test_names_that_are_no_text(tmp_path):
    """Names of files are bytes: a folder of Windows' letters is its label, and what has no text is escaped."""
    source = tmp_path / "source"
    for seed, path in enumerate((b"R\xf6cke/0\xff.jpg", b"Hosen/1\xff.jpg", b"\xfe.jpg")):
        photo(source / os.fsdecode(path), seed)
    (source / "linked").symlink_to(tmp_path)
    same = ("--sub-category", "folder 1", "--master-category", "folder 1")
    command = [sys.executable, "-m", "pipeline.runner", "import", source, "--out", tmp_path / "out", "--json", *same]
    result = subprocess.run(command, capture_output=True, text=True, timeout=240, check=True)
    told = json.loads(result.stdout)
    rows = styles(tmp_path / "out")
    assert {row_id: row[TYPE] for row_id, row in rows.items()} == {"0_": "Röcke", "1_": "Hosen"}
    assert told["links_not_followed"] == ["linked/"]
    assert list(rejected(tmp_path / "out")) == ["\\udcfe.jpg"]
