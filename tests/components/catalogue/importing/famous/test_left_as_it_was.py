"""What a person names, and what lies beside class folders or a sheet, is read as it always was."""

import json

import pytest

from schema import names
from tests.components.catalogue.importing.layouts import TYPES, imported, photo, styles
from tests.components.catalogue.importing.test_odd_exports import RIGHT, ROWS, lines, shop, types_of

TYPE, MASTER = names.ARTICLE_TYPE_LABEL, names.MASTER_CATEGORY_LABEL
SIZES = {str(i): {"width": 64, "height": 64} for i in ROWS}
BOXES = "".join(f'<image file="{TYPES[i % 3]}/{i}.jpg"><box top="1" left="2"/></image>' for i in ROWS)
PAGES = "".join(
    f"<url><loc>https://a.test/{i}</loc><image><loc>https://a.test/{i}.jpg</loc></image></url>" for i in ROWS
)
BESIDE = {
    "sizes.json": json.dumps(SIZES),
    "boxes.xml": f"<dataset><images>{BOXES}</images></dataset>",
    "sitemap.xml": f"<urlset>{PAGES}</urlset>",
}


@pytest.mark.parametrize("name", BESIDE)
def test_class_folders_with_a_document_about_pictures(tmp_path, name):
    """A document that names pictures and no label, sizes, boxes or pages, takes the place of no class folder."""
    for i in ROWS:
        photo(tmp_path / "shop" / TYPES[i % 3] / f"{i}.jpg", i)
    (tmp_path / "shop" / name).write_text(BESIDE[name])
    imported(tmp_path / "shop", tmp_path / "out")
    assert types_of(tmp_path / "out") == RIGHT


def test_a_sheet_with_sizes_by_the_ids_beside_it(tmp_path):
    """There is one sheet, and nothing to ask about."""
    source = shop(tmp_path, lines("id,articleType", "{i},{type}"), "styles.csv")
    (source / "sizes.json").write_text(json.dumps(SIZES))
    imported(source, tmp_path / "out")
    assert types_of(tmp_path / "out") == RIGHT


def test_parts_that_a_mapping_names(tmp_path):
    """An older mapping takes a list of categories apart by its sign; it means what it meant."""
    rows = [{"id": i, "category": ["Mode", "Damen", TYPES[i % 3]]} for i in ROWS]
    source = shop(tmp_path, json.dumps(rows), "a.json")
    imported(source, tmp_path / "out", "--article-type", "category[|-1]", "--master-category", "category[|2]")
    assert types_of(tmp_path / "out") == RIGHT
    assert {row[MASTER] for row in styles(tmp_path / "out").values()} == {"Damen"}


def test_columns_that_a_mapping_names(tmp_path):
    """A column of lists, of objects or of flags that is named stays that column."""
    rows = [{"id": i, "categories": [TYPES[i % 3], "Neu"], "title": json.dumps({"de": f"Ding {i}"})} for i in ROWS]
    source = shop(tmp_path, json.dumps(rows), "a.json")
    imported(source, tmp_path / "out", "--article-type", "categories", "--name", "title")
    assert types_of(tmp_path / "out") == {i: f"{kind} | Neu" for i, kind in RIGHT.items()}
    assert {row[names.PRODUCT_NAME] for row in styles(tmp_path / "out").values()} == {
        json.dumps({"de": f"Ding {i}"}) for i in ROWS
    }


def test_lists_of_categories_in_objects_in_cells(tmp_path):
    """They are opened as lists in a cell of their own are."""
    text = "id,data\n"
    for i in ROWS:
        cell = json.dumps({"categories": [TYPES[i % 3]], "brand": "x"}).replace('"', '""')
        text += f'{i},"{cell}"\n'
    imported(shop(tmp_path, text), tmp_path / "out")
    assert types_of(tmp_path / "out") == RIGHT


def test_flags_without_a_name_beside_a_column_of_labels(tmp_path):
    """Columns that exclude each other stand behind one that has a name of its own, whatever that is."""
    text = "id,kind,new,used,refurbished\n"
    text += "".join(f"{i},{TYPES[i % 3]},{i % 2},{1 - i % 2},0\n" for i in ROWS)
    told = imported(shop(tmp_path, text), tmp_path / "out")
    assert types_of(tmp_path / "out") == RIGHT
    assert told["mapping"]["columns"][TYPE] == "kind"
