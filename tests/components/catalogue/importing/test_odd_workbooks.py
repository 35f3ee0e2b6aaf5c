"""Workbooks of Excel as shops have them: what a cell shows counts, and what is not read is told."""

import re
import zipfile

import openpyxl
import pytest
from openpyxl.chart import BarChart, Reference
from openpyxl.drawing.image import Image
from openpyxl.worksheet.formula import ArrayFormula

from schema import names
from tests.components.catalogue.importing.layouts import TYPES, imported, lookbook_import, photo, rejected, styles
from tests.components.catalogue.importing.test_odd_exports import RIGHT, ROWS, changes, shop, types_of


def workbook(tmp_path, fill):
    """A folder with a workbook that ``fill`` wrote, and pictures."""
    source, book = shop(tmp_path, "", "none.txt", [*ROWS, *(f"{i:05d}" for i in ROWS)]), openpyxl.Workbook()
    book.active.append(["SKU", "Type", "Gender"])
    for i in ROWS:
        book.active.append([i, TYPES[i % 3], "Damen"])
    fill(book)
    book.save(source / "a.xlsx")
    return source


def test_a_number_of_excel_has_the_zeros_that_it_is_shown_with(tmp_path):
    """00042 is an article's number by its format alone; the picture of that name is found, and not that of 42."""

    def fill(book):
        for i in ROWS:
            book.active.cell(i + 2, 1).number_format = "00000;@"

    imported(workbook(tmp_path, fill), tmp_path / "out")
    assert types_of(tmp_path / "out") == {f"{i:05d}": label for i, label in enumerate(RIGHT.values())}


def test_a_sheet_with_nothing_but_a_chart_is_no_worksheet(tmp_path):
    """It is no question beside the table, and as an answer an error in words."""

    def fill(book):
        chart = BarChart()
        chart.add_data(Reference(book.active, min_col=1, min_row=1, max_row=7))
        book.create_chartsheet("Chart").add_chart(chart)

    source = workbook(tmp_path, fill)
    imported(source, tmp_path / "out")
    assert types_of(tmp_path / "out") == RIGHT
    result = lookbook_import(source, tmp_path / "other", "--sheet", "a.xlsx#Chart")
    assert "there is no worksheet 'Chart'; there are: Sheet" in result.output


def test_a_formula_s_empty_text_is_a_value(tmp_path):
    """Excel keeps "" of a formula, which is an empty cell; a formula of a whole range without a value is none."""

    def fill(book):
        book.active["C2"], book.active["C3"] = '=IF(1=1,"","x")', ArrayFormula("C3", "=A1")

    source = workbook(tmp_path, fill)
    with zipfile.ZipFile(source / "a.xlsx") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = re.sub(rb'<c r="C2"', rb'<c r="C2" t="str"', parts[sheet])
    with zipfile.ZipFile(source / "a.xlsx", "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    imported(source, tmp_path / "out")
    assert types_of(tmp_path / "out") == {key: label for key, label in RIGHT.items() if key != "1"}
    assert styles(tmp_path / "out")["0"]["gender"] == ""
    assert "formula without a value" in rejected(tmp_path / "out")["a.xlsx#Sheet:3"][1]


def test_pictures_inside_of_a_workbook_are_told(tmp_path):
    """They lie over its cells and belong to no row: whoever has them there hears what to do."""
    source = workbook(tmp_path, lambda book: book.active.add_image(Image(photo(tmp_path / "x.png", 1, "PNG")), "D2"))
    told = imported(source, tmp_path / "out")
    assert any(what.startswith("picture inside of a workbook") for what in changes(told))
    for file in source.glob("*.jpg"):
        file.unlink()
    assert "picture inside of a workbook" in lookbook_import(source, tmp_path / "none").output


@pytest.mark.parametrize(
    "dress",
    [
        lambda cell, url: setattr(cell, "hyperlink", url),
        lambda cell, url: setattr(cell, "value", f'=HYPERLINK("{url}", "front")'),
        lambda cell, url: setattr(cell, "value", f'=_xlfn.IMAGE("{url}", "front")'),
    ],
)
def test_a_picture_that_a_cell_links_to(tmp_path, dress):
    """What is shown, "front", is no picture; what it links to is, as a column of its own that a mapping can name."""

    def fill(book):
        book.active["C1"], book.active["D1"] = "Name", "Photo"
        for i in ROWS:
            name, cell = book.active.cell(i + 2, 3), book.active.cell(i + 2, 4)
            name.value, name.hyperlink, cell.value = f"Thing {i}", f"https://shop.test/thing-{i}", "front"
            dress(cell, f"https://shop.test/i/{i}.jpg?a=1&b=2")

    told = imported(workbook(tmp_path, fill), tmp_path / "out")
    assert told["mapping"]["columns"]["picture"] == "Photo (link)"
    assert types_of(tmp_path / "out") == RIGHT
    assert styles(tmp_path / "out")["3"][names.PRODUCT_NAME] == "Thing 3"
