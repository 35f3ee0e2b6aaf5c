"""Exports of shops and of tools for annotations, whose columns and rows are named and laid out in ways of their own."""

import json

import pytest

from schema import names
from tests.components.catalogue.importing.layouts import TYPES, imported, lookbook_import, photo, rejected
from tests.components.catalogue.importing.test_odd_exports import RIGHT, ROWS, lines, shop, types_of

MASTER, SUB = names.MASTER_CATEGORY_LABEL, names.SUB_CATEGORY_LABEL


def imported_types(source, out):
    """Id → article type of the catalogue that an import makes."""
    imported(source, out)
    return types_of(out)


@pytest.mark.parametrize(
    ("head", "row", "column"),
    [
        ("id;*Category;*C:Type;C:Color", "{i};5316{i};{type};red", "*C:Type"),
        ("salsify:id;Category", "{i};{type}", "Category"),
        ("data.id;data.articleType.typeName;data.baseColour", "{i};{type};red", "data.articleType.typeName"),
        ("id;Product Type [Fixed];Categories", "{i};PHYSICAL;{type}", "Categories"),
        ("id;fieldType;collection", "{i};Product;{type}", "collection"),
        ("id;family;categories", "{i};clothing;{type}", "categories"),
        ("id;Fabric: Type;Garment", "{i};Silk {i};{type}", "Garment"),
        ("id;google_product_category;product_type", "{i};Mode > Alles;Mode > {type}", "product_type[-1]"),
    ],
)
def test_the_column_of_the_type_by_any_tool_s_name(tmp_path, head, row, column):
    """Spaces of names and objects around a name hide no column; codes and a tool's own kinds stand behind words."""
    told = imported(shop(tmp_path, lines(head, row)), tmp_path / "out")
    assert types_of(tmp_path / "out") == RIGHT
    assert told["mapping"]["columns"][names.ARTICLE_TYPE_LABEL] == column
    assert SUB not in told["mapping"]["columns"], "a number is no level above a word"


def test_remarks_above_the_header(tmp_path):
    """A template's line of "# Required" is as wide as the header, and is not the header."""
    head = "# Required | An id,# Required,# Optional\nid,type,title"
    told = imported(shop(tmp_path, lines(head, "{i},{type},Thing {i}")), tmp_path / "out")
    assert types_of(tmp_path / "out") == RIGHT
    assert "row above the header, passed over" in {change["what"] for change in told["changes"]}


@pytest.mark.parametrize("further", ["{i}-M;;;;9.90", ";[S]M;;;9.90"])
def test_rows_that_go_on_with_the_product_above(tmp_path, further):
    """A size without label, picture and name, or without an id, is no fault; a product without a label is one."""
    text = lines("sku;name;type;image;price", "{i};Thing {i};{type};{i}.jpg;\n" + further) + "x;Thing x;;1.jpg;\n"
    told = imported(shop(tmp_path, text), tmp_path / "out")
    assert types_of(tmp_path / "out") == RIGHT
    assert told["rejected"] == {"further row of a product": len(ROWS), "empty label": 1}
    assert rejected(tmp_path / "out")["a.csv:3"][1].startswith("below the product in a.csv:2, without")


def test_a_row_with_a_picture_of_its_id_is_a_product(tmp_path):
    """Its label is missing, which is a fault; the row above is named by where it stands, taken or not."""
    text = lines("sku;name;type;image", "{i};Thing {i};{type};{i}.jpg") + "9;Thing 9;Hemden;none.jpg\nM;;;\n8;;;\n"
    source = shop(tmp_path, text)
    photo(source / "8.jpg", 80)
    told = imported(source, tmp_path / "out")
    assert told["rejected"] == {"missing image": 1, "further row of a product": 1, "empty label": 1}
    assert rejected(tmp_path / "out")["a.csv:9"][1].startswith("below the product in a.csv:8, without")


def test_numbers_of_models_are_ids_where_no_two_rows_share_one(tmp_path):
    """All colours of a model have its number: then the pictures name the rows, and none is lost."""
    text = lines("style no;type;image", "ST1;{type};{i}.jpg")
    assert len(imported_types(shop(tmp_path, text), tmp_path / "out")) == len(ROWS)
    (tmp_path / "2").mkdir()
    own = imported_types(shop(tmp_path / "2", lines("style no;type;image", "ST{i};{type};{i}.jpg")), tmp_path / "own")
    assert set(own) == {f"ST{i}" for i in ROWS}


@pytest.mark.parametrize("head", ["id;collection;Garment", "id;family;Garment", "id;choice;Garment"])
def test_what_may_be_a_brand_or_a_season_is_asked(tmp_path, head):
    """Where two columns may tell what a product is, neither is taken in silence."""
    result = lookbook_import(shop(tmp_path, lines(head, "{i};SS2{i};{type}").replace("SS23", "SS22")), tmp_path / "out")
    assert result.exit_code == 1 and "--article-type" in result.output and "Garment" in result.output


def test_a_document_about_classes_leaves_folders_their_word(tmp_path):
    """Objects by keys are a table where they are of pictures; settings beside class folders are nobody's rows."""
    for i in ROWS:
        photo(tmp_path / "shop" / TYPES[i % 3] / f"{i}.jpg", i)
    about = {kind: {"index": i, "name": kind} for i, kind in enumerate(TYPES)}
    (tmp_path / "shop" / "classes.json").write_text(json.dumps(about))
    imported(tmp_path / "shop", tmp_path / "out")
    assert types_of(tmp_path / "out") == RIGHT


@pytest.mark.parametrize("head", ["#id;#category;#image", "# id;# category;# image"])
def test_a_header_of_hashes_is_a_header(tmp_path, head):
    """Names that begin with ``#`` are no remark on other ones."""
    imported(shop(tmp_path, lines(head, "{i};{type};{i}.jpg")), tmp_path / "out")
    assert types_of(tmp_path / "out") == RIGHT


@pytest.mark.parametrize("inside", ["", "images"])
def test_json_of_objects_by_their_keys(tmp_path, inside):
    """A document that names its objects, alone or among settings, is a table like a list of them."""
    rows = {f"{i}.jpg123": {"filename": f"{i}.jpg", "size": 123, "attributes": {"type": TYPES[i % 3]}} for i in ROWS}
    document = {"settings": {"ui": {"a": 1}, "core": {"b": 2}}, inside: rows, "attributes": {}} if inside else rows
    imported(shop(tmp_path, json.dumps(document), "via.json"), tmp_path / "out")
    assert list(types_of(tmp_path / "out").values()) == list(RIGHT.values())


@pytest.mark.parametrize("count", [3, 24])
def test_a_document_for_each_picture(tmp_path, count):
    """A folder of JSON files of an object each is a table; class folders with such files beside them stay folders."""
    source = tmp_path / "data"
    for i in range(count):
        photo(source / "images" / f"{i}.jpg", i)
        style = {
            "id": i,
            "articleType": {"id": 9, "typeName": TYPES[i % 3]},
            "a": {"url": f"http://a/{i}a.jpg"},
            "b": {"url": f"http://a/{i}b.jpg"},
        }
        (source / "styles").mkdir(exist_ok=True)
        (source / "styles" / f"{i}.json").write_text(json.dumps({"meta": {"code": 200}, "data": style}))
    imported(source, tmp_path / "out")
    assert types_of(tmp_path / "out") == {str(i): TYPES[i % 3] for i in range(count)}
    for i in range(count):
        photo(source / "images" / TYPES[i % 3] / f"{i}.jpg", i)
        (source / "images" / f"{i}.jpg").unlink()
    assert "folder 1" in imported(source, tmp_path / "folders")["mapping"]["columns"].values()


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.csv", lines("label," + ",".join(f"px{i}" for i in range(64)), "{type}" + ",7" * 64), "px0 to px63"),
        ("a.txt", lines("7\nimage_name  item_id", "img/{i}.jpg  {type}"), "a comma or a tab between its columns"),
        ("a.xml", "<rss/>", "most shops give a feed as CSV or TSV too"),
    ],
)
def test_what_is_not_read_is_told_with_a_way_out(tmp_path, name, text, says):
    """Pixels in columns, columns of an unknown sign and XML are refused for what they are."""
    result = lookbook_import(shop(tmp_path, text, name) / name, tmp_path / "out")
    assert result.exit_code == 1 and says in result.output


def test_numbers_beside_pictures_are_no_pixels(tmp_path):
    """What a network made of a picture, in a column a number, refuses nothing."""
    text = lines("file;type;" + ";".join(f"f{i}" for i in range(64)), "{i}.jpg;{type}" + ";0.5" * 64)
    imported(shop(tmp_path, text), tmp_path / "out")
    assert types_of(tmp_path / "out") == RIGHT
