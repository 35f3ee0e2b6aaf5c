"""Sheets whose own formats tell more, or less, than a table: nothing is invented, and nothing lost in silence."""

import json
import zipfile

import pyarrow as pa
import pytest
from pyarrow import parquet

from components.catalogue.importing.sources.documents import whole_number
from tests.components.catalogue.importing.layouts import TYPES, imported, lookbook_import, photo, rejected, styles
from tests.drawing import encoded, pixels

ROWS = 6


def lay_pictures(folder, stems=range(ROWS)):
    for seed, stem in enumerate(stems):
        photo(folder / f"{stem}.jpg", seed)


def changes(told):
    return {change["what"]: change["examples"] for change in told["changes"]}


def types_of(out):
    return {row_id: row["articleType"] for row_id, row in styles(out).items()}


@pytest.mark.parametrize(
    ("number", "digits"),
    [
        (7.0, "7"),
        (4006381333931.0, "4006381333931"),
        (1.23456789012345e18, "1234567890123450000"),
        (1e22, "1" + "0" * 22),
    ],
)
def test_a_number_has_the_digits_that_were_written(number, digits):
    """What the nearest float holds behind them was never there."""
    assert whole_number(number) == digits


def test_long_ids_of_excel_find_their_pictures(tmp_path):
    """Excel keeps 15 digits and zeros; these are read, not those of the nearest float."""
    from openpyxl import Workbook

    ids = [f"12345678901234{at}0000" for at in range(ROWS)]
    lay_pictures(tmp_path / "in", ids)
    book = Workbook()
    book.active.append(["SKU", "Type"])
    for at, one in enumerate(ids):
        book.active.append([float(one), TYPES[at % 3]])
    book.save(tmp_path / "in" / "a.xlsx")
    imported(tmp_path / "in", tmp_path / "out")
    assert list(styles(tmp_path / "out")) == ids


def test_a_strict_workbook_is_named(tmp_path):
    """Excel's other kind of .xlsx is not called empty: the words tell how to save it."""
    lay_pictures(tmp_path)
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("xl/workbook.xml", '<workbook xmlns="http://purl.oclc.org/ooxml/spreadsheetml/main"/>')
    result = lookbook_import(tmp_path, tmp_path / "out")
    assert result.exit_code == 1 and "Strict Open XML; save it as a plain Excel workbook" in result.output


def image_structs(kind):
    of = pa.struct([("bytes", pa.large_binary() if kind == "large" else pa.binary()), ("path", pa.string())])
    values = [{"bytes": encoded(pixels(at)), "path": f"p{at}.jpg"} for at in range(ROWS)]
    if kind == "bare list":
        return pa.array([[one["bytes"], one["bytes"]] for one in values], pa.list_(pa.binary()))
    return pa.array([[one] for one in values], pa.list_(of)) if kind == "list" else pa.array(values, of)


@pytest.mark.parametrize("kind", ["large", "list", "bare list"])
def test_pictures_in_parquet_by_other_tools(tmp_path, kind):
    """Polars writes large bytes, Hugging Face lists of pictures: they are found, and of a list the first, said so."""
    cells = {"id": pa.array(range(ROWS)), "label": pa.array(TYPES * 2), "image": image_structs(kind)}
    (tmp_path / "in").mkdir()
    parquet.write_table(pa.table(cells), tmp_path / "in" / "a.parquet")
    told = imported(tmp_path / "in", tmp_path / "out")
    assert len(styles(tmp_path / "out")) == ROWS
    assert ("pictures in one cell, of which the first is taken" in changes(told)) == (kind != "large")


def test_a_column_of_parquet_that_comes_twice_is_refused(tmp_path):
    """Which of the two is meant nobody can tell, and neither is dropped."""
    lay_pictures(tmp_path)
    table = pa.Table.from_arrays([pa.array(range(3)), pa.array(TYPES), pa.array(TYPES)], names=["id", "type", "type"])
    parquet.write_table(table, tmp_path / "a.parquet")
    result = lookbook_import(tmp_path, tmp_path / "out")
    assert result.exit_code == 1 and "names a column twice: 'type'; leave the right one" in result.output


@pytest.mark.parametrize(
    "names", [("part-00000-ab.csv", "part-00001-cd.csv"), ("x-00000-of-00002.csv", "x-00001-of-00002.csv")]
)
def test_parts_of_one_table_are_read_together(tmp_path, names):
    """Engines write a table in parts: nobody has to name each of them."""
    lay_pictures(tmp_path / "in")
    for part, name in enumerate(names):
        lines = [f"{at},{TYPES[at % 3]}" for at in range(part * 3, part * 3 + 3)]
        (tmp_path / "in" / name).write_text("\n".join(["id,type", *lines]))
    assert imported(tmp_path / "in", tmp_path / "out")["taken"] == ROWS


def test_a_key_with_two_values_is_not_taken(tmp_path):
    """A reader of JSON would keep the last one: the row is rejected with both, unless they are the same."""
    lay_pictures(tmp_path / "in")
    lines = [json.dumps({"id": at, "type": TYPES[at % 3]}) for at in range(4)]
    lines += ['{"id": 4, "type": "Hemden", "type": "Schuhe"}', '{"id": 5, "type": "Hemden", "type": "Hemden"}']
    (tmp_path / "in" / "a.jsonl").write_text("\n".join(lines))
    imported(tmp_path / "in", tmp_path / "out")
    ((reason, detail),) = rejected(tmp_path / "out").values()
    assert reason == "unreadable row" and "'type' has two values, 'Hemden' and 'Schuhe'" in detail


def coco(folder, **changed):
    lay_pictures(folder)
    document = {
        "images": [{"id": at, "file_name": f"{at}.jpg"} for at in range(ROWS)],
        "annotations": [{"image_id": at, "category_id": at % 3} for at in range(ROWS)],
        "categories": [{"id": at, "name": name} for at, name in enumerate(TYPES)],
    }
    (folder / "a.json").write_text(json.dumps(document | {key: document[key] + more for key, more in changed.items()}))


def test_ids_of_coco_may_be_texts(tmp_path):
    """Some tools write "1" for 1 in one of the lists."""
    coco(tmp_path / "in")
    file = tmp_path / "in" / "a.json"
    document = json.loads(file.read_text())
    document["annotations"] = [{key: str(value) for key, value in one.items()} for one in document["annotations"]]
    file.write_text(json.dumps(document))
    imported(tmp_path / "in", tmp_path / "out")
    assert types_of(tmp_path / "out") == {str(at): TYPES[at % 3] for at in range(ROWS)}


def test_what_coco_s_lists_do_not_tell_each_other_is_told(tmp_path):
    """An annotation of no image is noted; an image of no known category, or of another's id, is rejected."""
    more = [{"id": 9, "file_name": "9.jpg"}, {"id": 0, "file_name": "8.jpg"}]
    coco(
        tmp_path / "in",
        images=more,
        annotations=[{"image_id": 77, "category_id": 0}, {"image_id": 9, "category_id": 55}],
    )
    told = imported(tmp_path / "in", tmp_path / "out")
    assert changes(told)["annotations of an image that is not listed, not read"] == ["image 77"]
    assert {detail for _, detail in rejected(tmp_path / "out").values()} == {
        "shows the category 55, which the document does not list",
        "id 0 is another image's too",
    }
    assert len(styles(tmp_path / "out")) == ROWS


def test_two_categories_of_one_id_are_refused(tmp_path):
    """Labels that only one of them has would be wrong."""
    coco(tmp_path / "in", categories=[{"id": 0, "name": "Röcke"}])
    result = lookbook_import(tmp_path / "in", tmp_path / "out")
    assert result.exit_code == 1 and "two categories of the id 0, 'Hemden' and 'Röcke'" in result.output


def test_quotes_too_many_are_told_of_an_export_too(tmp_path):
    """A name with a quote in quotes moves no cell, and is noted with its line."""
    lay_pictures(tmp_path / "in")
    lines = [f'"{at}","{TYPES[at % 3]}","{at}" heel, red"' for at in range(ROWS)]
    (tmp_path / "in" / "a.csv").write_text("\n".join(['"id","type","name"', *lines]))
    told = imported(tmp_path / "in", tmp_path / "out")
    assert styles(tmp_path / "out")["3"]["productDisplayName"] == '3" heel, red'
    assert changes(told)["quotes that do not pair up, read as part of the text"][0] == "a.csv:2"


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_cells_of_columns_without_a_name_are_told(tmp_path, kind):
    """A remark beside the table is not read, and not lost in silence; an empty column is nothing."""
    from openpyxl import Workbook

    lay_pictures(tmp_path / "in")
    rows = [["id", "type", "", ""], *([at, TYPES[at % 3], "", "dark" if at == 4 else ""] for at in range(ROWS))]
    book = Workbook()
    for row in rows:
        book.active.append(row)
    book.save(tmp_path / "in" / "a.xlsx")
    if kind == "csv":
        (tmp_path / "in" / "a.xlsx").unlink()
        (tmp_path / "in" / "a.csv").write_text("\n".join(",".join(map(str, row)) for row in rows))
    told = changes(imported(tmp_path / "in", tmp_path / "out"))
    place = "a.csv:6" if kind == "csv" else "row 6"
    assert told["cell of a column without a name, not read"] == [f"{place}: ['dark']"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\3\4" + bytes(50), "a spreadsheet's own file"),
        (b"\x1f\x8b\x08" + bytes(50), "packed by gzip; unpack it first"),
        (b"\xef\xbb\xbf\n<!DOCTYPE html><table>", "a web page; save what it shows as CSV"),
    ],
)
def test_what_is_no_sheet_of_text_under_such_a_name_is_named(tmp_path, content, words):
    """What a download or a wrong name made of a sheet is said, not that a byte of it is no UTF-8."""
    lay_pictures(tmp_path)
    (tmp_path / "a.csv").write_bytes(content)
    result = lookbook_import(tmp_path, tmp_path / "out")
    assert result.exit_code == 1 and f"a.csv is {words}" in result.output


def test_a_picture_s_name_may_be_escaped_as_in_a_web_page(tmp_path):
    """An export from a shop's page writes &amp; in names of files, as it does in labels."""
    lay_pictures(tmp_path / "in", [f"a&b {at}" for at in range(ROWS)])
    lines = [f"{at},{TYPES[at % 3]},a&amp;b {at}.jpg" for at in range(ROWS)]
    (tmp_path / "in" / "a.csv").write_text("\n".join(["id,type,image", *lines]))
    assert imported(tmp_path / "in", tmp_path / "out")["taken"] == ROWS
