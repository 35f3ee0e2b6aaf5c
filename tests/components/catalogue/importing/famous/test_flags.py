"""A column for each label with a 1 in that of the row, as Roboflow and pandas write them, is one column of labels."""

import pytest

from schema import names
from tests.components.catalogue.importing.layouts import TYPES, imported, lookbook_import, photo, rejected, styles
from tests.components.catalogue.importing.test_odd_exports import changes, shop, types_of

TYPE, GENDER = names.ARTICLE_TYPE_LABEL, names.GENDER
MANY = range(24)
SETS = {"train": range(16), "valid": range(16, 20), "test": range(20, 24)}
NOTE = "columns of 0 and 1, read as one of labels"


def flags(i, mark="1", none="0", sign=","):
    return sign.join(mark if TYPES[i % 3] == kind else none for kind in TYPES)


def table(head, row, count=24):
    return "\n".join([head, *(row(i) for i in range(count)), ""])


def test_a_sheet_of_flags_in_each_split(tmp_path):
    """Roboflow's sheets are one table; a row of two labels or of none is told with them, and none is guessed at."""
    for split, ids in SETS.items():
        for i in ids:
            photo(tmp_path / "shop" / split / f"{i}.jpg", i)
        rows = [f"{i}.jpg, {flags(i, sign=', ')}" for i in ids]
        if split == "train":
            rows[3], rows[4] = "3.jpg, 1, 0, 1", "4.jpg, 0, 0, 0"
        (tmp_path / "shop" / split / "_classes.csv").write_text("\n".join([f"filename, {', '.join(TYPES)}", *rows]))
    told = imported(tmp_path / "shop", tmp_path / "out")
    assert types_of(tmp_path / "out") == {str(i): TYPES[i % 3] for i in MANY if i not in (3, 4)}
    assert {row[names.SPLIT_COLUMN] for row in styles(tmp_path / "out").values()} == {"train", "eval", "test"}
    assert told["rejected"] == {"several labels": 1, "empty label": 1}
    details = [detail for _, detail in rejected(tmp_path / "out").values()]
    assert any("1 for several: Hemden, Schuhe" in one for one in details)
    assert any("1 for none of Hemden, Blusen, Schuhe" in one for one in details)
    assert changes(told)[NOTE] == ["Hemden … Schuhe: Hemden, Blusen, Schuhe"]


@pytest.mark.parametrize(
    ("name", "sign", "mark", "none"),
    [
        ("articleType", "_", "1", "0"),
        ("product_type", "_", "True", "False"),
        ("product_type", "=", "1.0", "0.0"),
        ("type", ":", "1", ""),
    ],
)
def test_columns_with_a_common_beginning(tmp_path, sign, mark, none, name):
    """What pandas.get_dummies makes of columns, by any sign, is each of these columns again."""
    head = ",".join(["id", *(f"{name}{sign}{kind}" for kind in TYPES), f"gender{sign}Men", f"gender{sign}Women"])
    sexes = (f"{mark},{none}", f"{none},{mark}", f"{none},{none}")  # the last one is of a row that tells none
    text = table(head, lambda i: f"{i},{flags(i, mark, none)},{sexes[2 if i == 7 else i % 2]}")
    told = imported(shop(tmp_path, text, stems=MANY), tmp_path / "out")
    assert told["mapping"]["columns"][TYPE] == name and told["mapping"]["columns"][GENDER] == "gender"
    assert types_of(tmp_path / "out") == {str(i): TYPES[i % 3] for i in MANY}
    sexes = ["" if i == 7 else ("Men", "Women")[i % 2] for i in MANY]
    assert {key: row[GENDER] for key, row in styles(tmp_path / "out").items()} == dict(
        zip(map(str, MANY), sexes, strict=True)
    )


@pytest.mark.parametrize(
    ("head", "row"),
    [
        ("id,in_stock,is_sale", lambda i: f"{i},{i % 2},{1 - i % 2}"),
        ("id,stock,sale", lambda i: f"{i},{i % 2},{1 - i % 2}"),
        ("id,is_new,is_old,is_sale", lambda i: f"{i},{flags(i)}"),
        ("id,inStock,isNew,hasSale", lambda i: f"{i},{flags(i)}"),
        ("id,red,long,warm", lambda i: f"{i},{i % 2},{i // 2 % 2},{i // 4 % 2}"),
    ],
)
def test_flags_that_are_no_labels(tmp_path, head, row):
    """Two questions that exclude each other by chance, and questions of a product's state, tell not what it is."""
    result = lookbook_import(shop(tmp_path, table(head, row), stems=MANY), tmp_path / "out")
    assert result.exit_code == 1 and "no column tells what a product is" in result.output


def test_flags_beside_a_column_of_the_type(tmp_path):
    """A column with the name of a label counts before one that flags were made to."""
    text = table("id,category,S,M,L", lambda i: f"{i},{TYPES[i % 3]},{flags(i // 3)}")
    told = imported(shop(tmp_path, text, stems=MANY), tmp_path / "out")
    assert told["mapping"]["columns"][TYPE] == "category"
    assert types_of(tmp_path / "out") == {str(i): TYPES[i % 3] for i in MANY}


def test_what_is_neither_0_nor_1_further_down(tmp_path):
    """A cell that is no flag costs its row, and is told, where thousands of rows before it were flags."""
    rows = [f"{i},{flags(i)}" for i in range(3100)]
    rows[3050] = "3050,0,2,0"
    text = "\n".join([f"id,{','.join(TYPES)}", *rows])
    source = shop(tmp_path, text, stems=[*range(8), 3050])
    imported(source, tmp_path / "out")
    assert types_of(tmp_path / "out") == {str(i): TYPES[i % 3] for i in range(8)}
    assert "'2' in the column of Blusen, neither 0 nor 1" in rejected(tmp_path / "out")["a.csv:3052"][1]
