"""What an import does where a level of the taxonomy has no column: another column, a taxonomy, or none of it."""

import pytest

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

LEVELS = (names.ARTICLE_TYPE_LABEL, names.SUB_CATEGORY_LABEL, names.MASTER_CATEGORY_LABEL)


def test_class_folders_of_two_levels(tmp_path):
    """The outer folder is the master category; the level between there is not, unless something tells it."""
    source, out = tmp_path / "photos", tmp_path / "out"
    for seed, (outer, kind) in enumerate((("Clothes", "Shirts"), ("Clothes", "Coats"), ("Shoes", "Boots"))):
        photo(source / outer / kind / f"{seed}.jpg", seed)
    result = lookbook_import(source, out)
    assert result.exit_code == 0
    assert "subCategory         none: left out; give --sub-category COLUMN or --taxonomy FILE" in result.output
    row = styles(out)["2"]
    assert (row[names.ARTICLE_TYPE_LABEL], row[names.MASTER_CATEGORY_LABEL]) == ("Boots", "Shoes")
    assert names.SUB_CATEGORY_LABEL not in row
    imported(source, tmp_path / "told", "--sub-category", "folder 2")
    assert [styles(tmp_path / "told")["2"][level] for level in LEVELS] == ["Boots", "Boots", "Shoes"]


@pytest.mark.parametrize("column", ["label", "articleType", "Department", "Unterkategorie", "class", "Kategorie"])
def test_one_label_column_of_any_kind_is_the_article_type(tmp_path, column):
    """What it is called does not matter: the finest label that there is is what is learnt, and the report says so."""
    source, out = tmp_path / "shop", tmp_path / "out"
    source.mkdir()
    (source / "sheet.csv").write_text(sheet([{"id": str(index), column: TYPES[index % 3]} for index in range(6)]))
    for index in range(6):
        photo(source / f"{index}.jpg", index)
    told = imported(source, out)
    assert {row_id: row[names.ARTICLE_TYPE_LABEL] for row_id, row in styles(out).items()} == {
        str(index): TYPES[index % 3] for index in range(6)
    }
    assert set(styles(out)["1"]) == {names.ID, names.ARTICLE_TYPE_LABEL}
    (left_out,) = [change for change in told["changes"] if "left out" in change["what"]]
    assert left_out["examples"] == [names.MASTER_CATEGORY_LABEL, names.SUB_CATEGORY_LABEL]


def test_a_taxonomy_may_tell_one_level(tmp_path):
    """What neither column nor taxonomy tells is left out; a type that the taxonomy lacks is a rejected row."""
    source, out, taxonomy = tmp_path / "shop", tmp_path / "out", tmp_path / "taxonomy.csv"
    source.mkdir()
    taxonomy.write_text("articleType,masterCategory\nBoots,Shoes\nCoats,Clothes\n")
    rows = [{"id": str(index), "type": kind} for index, kind in enumerate(("Boots", "Coats", "Hats"))]
    (source / "sheet.csv").write_text(sheet(rows))
    for index in range(3):
        photo(source / f"{index}.jpg", index)
    imported(source, out, "--taxonomy", taxonomy)
    assert {row_id: row[names.MASTER_CATEGORY_LABEL] for row_id, row in styles(out).items()} == {
        "0": "Shoes",
        "1": "Clothes",
    }
    assert names.SUB_CATEGORY_LABEL not in styles(out)["0"]
    assert rejected(out)["sheet.csv:4"] == ("empty label", "no masterCategory: the taxonomy does not know 'Hats'")
