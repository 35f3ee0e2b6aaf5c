"""Quotes in a sheet, as tools without a CSV library write them: around a cell they are no part of it."""

import pytest

from components.catalogue.reading.findings import Reason
from components.catalogue.reading.rows import Rows, parse_rows
from schema import names

HEAD = "id,masterCategory,subCategory,articleType,year,productDisplayName"
LABELS = (names.MASTER_CATEGORY_LABEL, names.SUB_CATEGORY_LABEL, names.ARTICLE_TYPE_LABEL)


def parse(*lines: str, head: str = HEAD) -> Rows:
    return parse_rows("\n".join([head, *lines]).encode())


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ('"1","Shoes, all","Heels","Pumps","2011","5" heel"', '5" heel'),
        ('"1","Shoes, all","Heels","Pumps","2011","5" heel, red"', '5" heel, red'),
        ('"1","Shoes, all","Heels","Pumps","2011","5\\" heel, red"', '5" heel, red'),
        ('1, "Shoes, all", "Heels", "Pumps", 2011, "Red ""heels"""', 'Red "heels"'),
    ],
)
def test_quotes_around_a_cell_are_no_part_of_it(line: str, name: str) -> None:
    """A quote too many in the name, or a space before each, moves no cell and makes no class of its own."""
    (row,) = parse(line).taken
    assert row.cells == {
        **dict(zip(LABELS, ("Shoes, all", "Heels", "Pumps"), strict=True)),
        names.YEAR: "2011",
        names.PRODUCT_NAME: name,
    }


def test_a_field_that_holds_the_next_one_is_no_field() -> None:
    """A quote that closes nowhere before the next quoted cell is text, and takes no other cell with it."""
    rows = parse('1,"5" x 7,"Heels","Pumps",2011,Red')
    assert [rows.taken[0].cells[label] for label in LABELS] == ['"5" x 7', "Heels", "Pumps"]
    assert [one.reason for one in rows.repaired] == [Reason.STRAY_QUOTE]


@pytest.mark.parametrize("quotes", ["''", "“”", "„“", "«»", "‘’"])
def test_other_quotes_are_taken_from_labels_and_told(quotes: str) -> None:
    """A database's single quotes and a text program's curly ones make no class of their own."""
    rows = parse(",".join(quotes[0] + cell + quotes[1] for cell in ("1", "Shoes", "Heels", "Pumps", "2011", "Red")))
    assert [rows.taken[0].cells[label] for label in (*LABELS, names.YEAR)] == ["Shoes", "Heels", "Pumps", "2011"]
    assert sum(one.count for one in rows.changes.all()) >= len(LABELS)


def test_quotes_inside_of_a_label_stay() -> None:
    """What is quoted in a label, and an apostrophe, belong to it."""
    rows = parse('1,Men\'s,"""A"" and ""B""",Ladies\',2011,Red')
    assert [rows.taken[0].cells[label] for label in LABELS] == ["Men's", '"A" and "B"', "Ladies'"]


def test_lines_that_a_spreadsheet_took_for_one_cell_each() -> None:
    """A sheet that was saved with all its text in the first column is read, and said to be so."""
    rows = parse('"1,Shoes,Heels,Pumps,2011,""Red, high"""', "2", head=f'"{HEAD}"')
    assert rows.taken[0].cells[names.PRODUCT_NAME] == "Red, high"
    assert [one.line for one in rows.rejected] == [3]
    assert rows.changes.all()[0].what == "lines in quotes as a whole, read without these"


@pytest.mark.parametrize("year", ["2,012", "2012,0", "2 012", "'2012", '=""2012""'])
def test_a_year_is_read_like_an_id(year: str) -> None:
    """What a spreadsheet writes into and around a number is no reason to leave a year empty."""
    rows = parse(f'1,Shoes,Heels,Pumps,"{year}",Red')
    assert rows.taken[0].cells[names.YEAR] == "2012" and not rows.repaired


@pytest.mark.parametrize("label", ["['Pumps']", "b'Pumps'", "{'Pumps'}", "<b>Pumps</b>", r"Pump\u00e9s"])
def test_a_label_in_a_program_s_notation_is_told(label: str) -> None:
    """What a program wrote around a label is taken as it stands, and a person hears of it before training."""
    rows = parse(f"1,Shoes,Heels,{label},2011,Red")
    assert rows.taken[0].cells[names.ARTICLE_TYPE_LABEL] == label
    assert "as a label, taken as it stands" in rows.changes.all()[0].what
