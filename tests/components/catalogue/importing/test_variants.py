"""Sheets with a row for each variant of a product: what only the product's own row tells holds for all of them."""

import pytest

from schema import names
from tests.components.catalogue.importing.layouts import TYPES, imported, photo, rejected, styles

ROWS = range(6)
TYPE = names.ARTICLE_TYPE_LABEL


def shop(tmp_path, head, *rows):
    """A sheet, and a picture for each row that names one."""
    source = tmp_path / "shop"
    source.mkdir()
    lines = [row.format(i=i, type=TYPES[i % 3]) for i in ROWS for row in rows]
    for seed, name in enumerate(dict.fromkeys(cell for line in lines for cell in line.split(";") if ".jpg" in cell)):
        photo(source / name, seed)
    (source / "a.csv").write_text("\n".join([head, *lines, ""]), encoding="utf-8")
    return source


@pytest.mark.parametrize(
    ("head", "product", "variant"),
    [
        ("ID;SKU;Parent;Categories;Images", "{i};S{i};;{type};p{i}.jpg", "9{i};S{i}-a;S{i};;v{i}.jpg"),
        ("ID;SKU;Parent;Categories;Images", "{i};;;{type};p{i}.jpg", "9{i};;id:{i};;v{i}.jpg"),
        ("ID;SKU;Parent;Categories;Images", "7{i};{i};;{type};p{i}.jpg", "{i};7{i};{i};;v{i}.jpg"),
        ("item_sku;parent_sku;type;main_image", "S{i};;{type};p{i}.jpg", "S{i}-a;S{i};;v{i}.jpg"),
        ("product_number;parent_product_number;type;img", "{i};;{type};p{i}.jpg", "{i}.1;{i};;v{i}.jpg"),
        ("Artikelnummer;Übergeordnetes Produkt;Kategorie;Bild", "{i};;{type};p{i}.jpg", "{i}a;{i};n/a;v{i}.jpg"),
        ("SKU;URL handle;Type;Image", "{i}-s;h{i};{type};p{i}.jpg", "{i}-m;h{i};;v{i}.jpg"),
    ],
)
def test_a_variant_has_the_label_of_its_product(tmp_path, head, product, variant):
    """The parent is named by its SKU, by its id, or by a handle that all of them share; before its row or behind it."""
    for at, rows in enumerate([(product, variant), (variant, product)]):
        (tmp_path / str(at)).mkdir()
        out = tmp_path / f"out-{at}"
        told = imported(shop(tmp_path / str(at), head, *rows), out)
        assert told["taken"] == 2 * len(ROWS) and not told["rejected"]
        content = {
            file.read_bytes(): TYPES[i % 3] for i in ROWS for file in (tmp_path / str(at) / "shop").glob(f"?{i}.jpg")
        }
        assert {
            (out / names.IMAGES_DIR / f"{key}.jpg").read_bytes(): row[TYPE] for key, row in styles(out).items()
        } == content
        assert any(change["what"].startswith("label and name of a variant") for change in told["changes"])


def test_a_variant_without_a_picture_of_its_own_is_a_further_row(tmp_path):
    """It is no fault, and no second row of the same picture: it has none, its product's, or that of another variant."""
    head = "sku;parent;type;image"
    rows = (
        "S{i};;{type};p{i}.jpg",
        "S{i}-a;S{i};;",
        "S{i}-b;S{i};;p{i}.jpg",
        "S{i}-c;S{i};;v{i}.jpg",
        "S{i}-d;S{i};;v{i}.jpg",
    )
    told = imported(shop(tmp_path, head, *rows, ";S{i};;w{i}.jpg"), tmp_path / "out")
    assert set(styles(tmp_path / "out")) == {f"S{i}{end}" for i in ROWS for end in ("", "-c")}
    assert told["rejected"] == {"further row of a product": 4 * len(ROWS)}
    assert [detail for _, detail in rejected(tmp_path / "out").values()][:4] == [
        "of the product in a.csv:2, without a picture of its own",
        "of the product in a.csv:2, with the picture of a.csv:2",
        "of the product in a.csv:2, with the picture of a.csv:5",
        "of the product in a.csv:2, without an id of its own",
    ]


def test_what_a_variant_tells_itself_counts(tmp_path):
    """Its own colour stays, what is empty is its product's, or of the one above that; the name is all's."""
    head = "sku;parent;type;colour;gender;name;image"
    rows = ("M{i};;{type};;women;Tee {i};m{i}.jpg", "P{i};M{i};;red;;Tee {i} red;p{i}.jpg", "V{i};P{i};;;;;v{i}.jpg")
    imported(shop(tmp_path, head, *rows), tmp_path / "out")
    found = styles(tmp_path / "out")
    told = (TYPE, names.BASE_COLOUR, names.GENDER, names.PRODUCT_NAME)
    assert [found["P1"][column] for column in told] == [TYPES[1], "red", "women", "Tee 1"]
    assert [found["V1"][column] for column in told] == [TYPES[1], "red", "women", "Tee 1"]


@pytest.mark.parametrize("parent", ["X9", "V{i}", "W{i}"])
def test_a_parent_that_is_nobody_tells_nothing(tmp_path, parent):
    """One that is not there, or the row itself, or one that names it in turn, leaves the row without its label."""
    rows = ("S{i};;{type};p{i}.jpg", f"V{{i}};{parent};;v{{i}}.jpg", "W{i};V{i};;w{i}.jpg")
    told = imported(shop(tmp_path, "sku;parent;type;image", *rows), tmp_path / "out")
    assert set(styles(tmp_path / "out")) == {f"S{i}" for i in ROWS}
    assert told["rejected"] == {"empty label": 2 * len(ROWS)}


def test_the_parent_s_column_can_be_given_and_denied(tmp_path):
    """What is called otherwise is an option like any other column, and '' leaves rows as they are."""
    source = shop(tmp_path, "sku;above;type;image", "S{i};;{type};p{i}.jpg", "V{i};S{i};;v{i}.jpg")
    assert imported(source, tmp_path / "guessed")["taken"] == len(ROWS)
    told = imported(source, tmp_path / "given", "--parent", "above")
    assert told["taken"] == 2 * len(ROWS) and told["mapping"]["columns"]["parent"] == "above"
    assert imported(source, tmp_path / "denied", "--parent", "")["taken"] == len(ROWS)


@pytest.mark.parametrize("column", ["parent", "group", "item_group_id"])
def test_what_unlike_rows_share_is_no_product(tmp_path, column):
    """A brand, a manager or a shelf has rows of several labels: a row without one is not told that of another."""
    rows = ("A{i};Topwear;{type};a{i}.jpg", "B{i};Topwear;;b{i}.jpg")
    told = imported(shop(tmp_path, f"sku;{column};type;image", *rows), tmp_path / "out")
    assert set(styles(tmp_path / "out")) == {f"A{i}" for i in ROWS} and told["rejected"] == {"empty label": len(ROWS)}


def test_a_parent_s_number_is_not_looked_for_among_others(tmp_path):
    """That a product has the same EAN, or number, says nothing, where the parents are not found by that as a rule."""
    rows = ("S{i};9{i};;{type};p{i}.jpg", "V{i};7{i};X{i};;v{i}.jpg", "W{i};;90;;w{i}.jpg")
    told = imported(shop(tmp_path, "sku;ean;parent;type;image", *rows), tmp_path / "out")
    assert set(styles(tmp_path / "out")) == {f"S{i}" for i in ROWS} and told["rejected"] == {
        "empty label": 2 * len(ROWS)
    }


def test_a_variant_s_path_and_split_are_its_product_s(tmp_path):
    """Half a path of the product and half of the variant are none, and pictures of one product are of one split."""
    head = "sku;parent;type;subcategory;split;image"
    others = ("E{i};;{type};Oben;eval;e{i}.jpg", "T{i};;{type};Oben;test;t{i}.jpg")
    rows = ("S{i};;{type};Oben;train;p{i}.jpg", "V{i};S{i};;Unten;test;v{i}.jpg", *others)
    imported(shop(tmp_path, head, *rows), tmp_path / "out")
    found = styles(tmp_path / "out")
    told = (TYPE, names.SUB_CATEGORY_LABEL, names.SPLIT_COLUMN)
    assert (
        [found["V1"][column] for column in told]
        == [found["S1"][column] for column in told]
        == [TYPES[1], "Oben", "train"]
    )
