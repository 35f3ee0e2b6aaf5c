"""Famous sets of fashion: their columns are known by the names that their makers gave them."""

import json

import pytest

from schema import names
from tests.components.catalogue.importing.layouts import TYPES, imported, lookbook_import, photo, styles
from tests.components.catalogue.importing.test_odd_exports import RIGHT, ROWS, lines, shop, types_of

MASTER, SUB = names.MASTER_CATEGORY_LABEL, names.SUB_CATEGORY_LABEL


def test_levels_inside_of_objects(tmp_path):
    """The Kaggle set's own JSON: what an object says of itself is the level that the object is called."""
    for i in ROWS:
        photo(tmp_path / "shop" / "images" / f"{i}.jpg", i)
        levels = {"masterCategory": "Mode", "subCategory": f"S{i % 2}", "articleType": TYPES[i % 3]}
        data = {"id": i, **{level: {"id": 9, "typeName": label} for level, label in levels.items()}}
        (tmp_path / "shop" / "styles").mkdir(exist_ok=True)
        (tmp_path / "shop" / "styles" / f"{i}.json").write_text(json.dumps({"meta": {"code": 200}, "data": data}))
    told = imported(tmp_path / "shop", tmp_path / "out")["mapping"]["columns"]
    assert types_of(tmp_path / "out") == RIGHT
    assert (told[MASTER], told[SUB]) == ("data.masterCategory.typeName", "data.subCategory.typeName")


def test_the_articles_of_a_fashion_chain(tmp_path):
    """H&M's table: beside the type it tells a name, a colour, and the group above the type."""
    head = "article_id;product_code;prod_name;product_type_no;product_type_name;product_group_name;colour_group_name"
    row = "01087{i};01{i};Strap {i};25{i};{type};Garment;Black"
    told = imported(shop(tmp_path, lines(head, row), stems=[f"01087{i}" for i in ROWS]), tmp_path / "out")
    assert set(styles(tmp_path / "out")) == {f"01087{i}" for i in ROWS}
    columns = told["mapping"]["columns"]
    assert columns[names.PRODUCT_NAME] == "prod_name" and columns[names.BASE_COLOUR] == "colour_group_name"
    assert columns[names.ARTICLE_TYPE_LABEL] == "product_type_name" and columns[MASTER] == "product_group_name"


@pytest.mark.parametrize("address", ["https://a.test/{i}-p.html", "https://a.test/p/{i}?v=1"])
def test_addresses_of_pages_hide_no_files(tmp_path, address):
    """Where files are named by the number of a product, an address without a picture's suffix is no picture."""
    told = imported(
        shop(tmp_path, lines("Product ID;url;sku;type", f"{{i}};{address};{{i}}-250;{{type}}")), tmp_path / "out"
    )
    assert types_of(tmp_path / "out") == RIGHT
    assert "picture" not in told["mapping"]["columns"]


@pytest.mark.parametrize("head", ["id;Product Category;terms", "id;department;terms"])
def test_one_label_for_all_is_not_the_type_in_silence(tmp_path, head):
    """A column of a single label tells nothing: what else may be the type is asked for, with the option to give."""
    source = shop(tmp_path, lines(head, "{i};Clothing;{type}"))
    result = lookbook_import(source, tmp_path / "out")
    assert result.exit_code == 1 and "--article-type" in result.output and "terms" in result.output
    imported(source, tmp_path / "out", "--article-type", "terms")
    assert types_of(tmp_path / "out") == RIGHT
