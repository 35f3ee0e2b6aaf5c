"""styles.csv as people and spreadsheets write it."""

import pytest

from components.catalogue.reading.errors import CatalogueError
from components.catalogue.reading.findings import Reason
from components.catalogue.reading.levels import header_of
from components.catalogue.reading.rows import Rows, parse_rows
from components.catalogue.splitting.plan import limited
from schema import heads, names
from tests.drawing import csv_text, product

HEAD = "id,gender,masterCategory,subCategory,articleType,baseColour,season,year,usage,productDisplayName"
GOOD = "1,Men,Apparel,Topwear,Shirts,Blue,Fall,2011,Casual,Plain Shirt"


def parse(*lines: str, head: str = HEAD) -> Rows:
    return parse_rows("\n".join([head, *lines]).encode())


def rejections(rows: Rows) -> list[tuple[str, int, Reason]]:
    return [(finding.id, finding.line, finding.reason) for finding in rows.rejected]


def test_a_plain_row_keeps_every_cell() -> None:
    """Each known column arrives under its own name, and nothing is reported."""
    rows = parse(GOOD)
    assert rows.taken[0].id == "1"
    assert rows.taken[0].line == 2
    assert rows.taken[0].cells == {
        "gender": "Men",
        "masterCategory": "Apparel",
        "subCategory": "Topwear",
        "articleType": "Shirts",
        "baseColour": "Blue",
        "season": "Fall",
        "year": "2011",
        "usage": "Casual",
        "productDisplayName": "Plain Shirt",
    }
    assert not rows.rejected
    assert not rows.repaired


def test_unquoted_commas_belong_to_the_name() -> None:
    """A row with surplus fields is mended, not lost, and said to be."""
    rows = parse("1,Men,Apparel,Topwear,Shirts,Blue,Fall,2011,Casual,Shirt, blue, long", GOOD.replace("1,", "2,", 1))
    assert rows.taken[0].cells[names.PRODUCT_NAME] == "Shirt, blue, long"
    assert [(one.id, one.line, one.reason) for one in rows.repaired] == [("1", 2, Reason.UNQUOTED_COMMA)]
    assert len(rows.taken) == 2


def test_a_name_before_other_columns_takes_the_surplus_too() -> None:
    """Columns after the name keep their own cells when the name has an unquoted comma."""
    rows = parse("1,A,B,C,Shirt, blue,train", head="id,articleType,subCategory,masterCategory,productDisplayName,split")
    assert rows.taken[0].cells[names.PRODUCT_NAME] == "Shirt, blue"
    assert rows.taken[0].split == "train"


def test_surplus_fields_without_a_name_column_are_rejected() -> None:
    """Where no column may hold a comma, nobody can tell which cell is which."""
    rows = parse("1,A,B,C,D", head="id,articleType,subCategory,masterCategory")
    assert rejections(rows) == [("1", 2, Reason.WRONG_FIELD_COUNT)]


def test_quoted_commas_quotes_and_line_ends_are_plain_csv() -> None:
    """What the CSV standard allows is read as meant, and line numbers stay true after it."""
    rows = parse(GOOD.replace("Plain Shirt", '"Shirt, ""long""\nand wide"'), "bad row")
    assert rows.taken[0].cells[names.PRODUCT_NAME] == 'Shirt, "long"\nand wide'
    assert rejections(rows) == [("bad row", 4, Reason.WRONG_FIELD_COUNT)]


@pytest.mark.parametrize("name", ['"Long ruler', '"Long" ruler', '"Bad, "worse" name'])
def test_a_stray_quote_swallows_no_other_row(name: str) -> None:
    """A quote that never closes costs no row, not even the ones after it."""
    others = [GOOD.replace("1,", f"{number},", 1) for number in range(2, 30)]
    rows = parse(GOOD.replace("Plain Shirt", name), *others)
    assert [row.id for row in rows.taken] == [str(number) for number in range(1, 30)]
    assert rows.taken[0].cells[names.PRODUCT_NAME] == name
    assert Reason.STRAY_QUOTE in {one.reason for one in rows.repaired if one.id == "1"}


def test_a_stray_quote_in_the_last_row_is_read_too() -> None:
    """The end of the file closes no quote in silence."""
    rows = parse(GOOD, '2,Men,Apparel,Topwear,Shirts,Blue,Fall,2011,Casual,"Cut', "3,Men,Apparel")
    assert [row.id for row in rows.taken] == ["1", "2"]
    assert rejections(rows) == [("3", 4, Reason.WRONG_FIELD_COUNT)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (",Men,Apparel,Topwear,Shirts,Blue,Fall,2011,Casual,No id", Reason.EMPTY_ID),
        ("2,Men,,Topwear,Shirts,Blue,Fall,2011,Casual,No master", Reason.EMPTY_LABEL),
        ("2,Men,Apparel,Topwear, ,Blue,Fall,2011,Casual,Blank type", Reason.EMPTY_LABEL),
        ("2,Men,Apparel", Reason.WRONG_FIELD_COUNT),
        (GOOD, Reason.DUPLICATE_ID),
        ("2,Men,Apparel,Topwear,Shirts,Blue,Fall,2011,Casual," + "x" * 200_000, Reason.UNREADABLE_ROW),
    ],
)
def test_every_row_that_is_not_taken_is_named_with_its_reason(line: str, reason: Reason) -> None:
    """A rejected row is listed with id, line and reason; its neighbours are taken."""
    rows = parse(GOOD, line, GOOD.replace("1,", "3,", 1))
    assert [row.id for row in rows.taken] == ["1", "3"]
    assert [(one.line, one.reason) for one in rows.rejected] == [(3, reason)]
    assert rows.rejected[0].id == line.split(",")[0]


def test_the_id_of_a_rejected_row_is_still_free() -> None:
    """A good row is not called a duplicate of a bad one."""
    rows = parse("1,Men,,Topwear,Shirts,Blue,Fall,2011,Casual,No master", GOOD)
    assert [row.line for row in rows.taken] == [3]


@pytest.mark.parametrize(
    ("text", "year"), [("2012", "2012"), ("2012.0", "2012"), ("", None), ("soon", None), ("2012.5", None)]
)
def test_years(text: str, year: str | None) -> None:
    """A year is a whole number or absent; one that cannot be read is reported, and the row is kept."""
    rows = parse(GOOD.replace("2011", text))
    assert rows.taken[0].cells.get(names.YEAR) == year
    assert [one.reason for one in rows.repaired] == ([Reason.BAD_YEAR] if text and not year else [])


def test_the_split_column_decides_or_rejects() -> None:
    """A split is one of three words in any case; anything else is a reported row, never a guess."""
    rows = parse_rows(
        csv_text([product(str(i), split=word) for i, word in enumerate(("train", " Eval", "TEST", "", "val"))]).encode()
    )
    assert [row.split for row in rows.taken] == ["train", "eval", "test"]
    assert [(one.id, one.reason) for one in rows.rejected] == [("3", Reason.UNKNOWN_SPLIT), ("4", Reason.UNKNOWN_SPLIT)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_byte_order_marks_change_nothing(end: str, mark: bytes) -> None:
    """Files from Windows, old Macs and Excel read like any other, with the same line numbers."""
    rows = parse_rows(mark + (end.join([HEAD, GOOD, "", "2,short", ""])).encode())
    assert [(row.id, row.line) for row in rows.taken] == [("1", 2)]
    assert rejections(rows) == [("2", 4, Reason.WRONG_FIELD_COUNT)]


def test_rare_line_separators_are_part_of_the_text() -> None:
    """Only real line ends end a row: Unicode has more of them than CSV."""
    rows = parse(GOOD.replace("Plain Shirt", "Plain\u2028Shirt\x0b\x85"))
    assert rows.taken[0].cells[names.PRODUCT_NAME].startswith("Plain\u2028Shirt")
    assert not rows.rejected


def test_missing_attribute_columns_are_fine_and_unknown_ones_are_named() -> None:
    """A catalogue needs an id and three labels; what else it has is used or said to be unused."""
    rows = parse("1,A,B,C,9.99", head="id,articleType,subCategory,masterCategory,price")
    assert rows.taken[0].cells == {"articleType": "A", "subCategory": "B", "masterCategory": "C"}
    assert rows.ignored_columns == ["price"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"\xef\xbb\xbf\n", "empty"),
        (HEAD.encode(), "no rows"),
        (b"id,masterCategory,subCategory\n1,a,b", "misses the column articleType"),
        (b"id,id,articleType,subCategory,masterCategory\n", "twice: 'id'"),
        (f"{HEAD}\n{GOOD}\n2,Étui\n".encode() + "3,Café".encode("latin-1"), "not UTF-8: byte 0xe9 in line 4"),
        (b"id:articleType:subCategory:masterCategory\n1:a:b:c", "separate the columns by commas, semicolons or tabs"),
        (b"id,articleType,article type,subCategory,masterCategory\n", "twice: 'articleType'"),
        (f"{HEAD}\n{GOOD}\n2,\0".encode(), "NUL byte in line 3"),
    ],
)
def test_a_file_that_is_no_catalogue_is_refused_with_what_would_be_right(content: bytes, says: str) -> None:
    """An unusable file is one clear error, not thousands of bad rows."""
    with pytest.raises(CatalogueError, match=says):
        parse_rows(content)


def test_a_row_without_an_attribute_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cell of an attribute, or NA in it, costs no row, be the head old or new; one of a level does."""
    monkeypatch.setattr(heads, "HEADS", (*heads.HEADS, heads.Head("fabric", "fabric", names.CATEGORY)))
    products = [
        product("1", gender="NA", fabric="Wool"),
        product("2", fabric=""),
        product("3", articleType="", fabric=""),
    ]
    rows = parse_rows(csv_text(products).encode())
    assert [row.id for row in rows.taken] == ["1", "2"]
    assert [("gender" in row.cells, row.cells.get("fabric")) for row in rows.taken] == [(False, "Wool"), (True, None)]
    assert rows.ignored_columns == []


def test_a_limit_picks_the_same_rows_whatever_their_order() -> None:
    """A limited run is a sample by id, so that sorting the file changes nothing."""
    products = [product(str(number)) for number in range(50)]
    one = limited(parse_rows(csv_text(products).encode()), 10)
    other = limited(parse_rows(csv_text(products[::-1]).encode()), 10)
    assert {row.id for row in one.taken} == {row.id for row in other.taken}
    assert len(one.taken) == 10


def test_a_limit_counts_bad_rows_as_well() -> None:
    """The share of bad rows among few is an estimate of the share among all."""
    products = [product(str(number), masterCategory="" if number % 2 else "Apparel") for number in range(200)]
    rows = limited(parse_rows(csv_text(products).encode()), 100)
    assert len(rows.taken) + len(rows.rejected) == 100
    assert 30 < len(rows.rejected) < 70


@pytest.mark.parametrize(
    ("head", "line", "told"),
    [
        ("id,articleType", "{},Shirts", ["articleType"]),
        ("id,masterCategory,articleType", "{},Apparel,Shirts", ["masterCategory", "articleType"]),
        ("id,Sub Category,articleType", "{},Topwear,Shirts", ["subCategory", "articleType"]),
        ("id,subCategory,articleType,masterCategory", "{},-,Shirts,", ["articleType"]),
        ("id,subCategory,articleType,masterCategory", "{}, n/a,Shirts,Apparel", ["masterCategory", "articleType"]),
    ],
)
def test_a_level_above_the_type_may_be_missing_as_a_whole(head: str, line: str, told: list[str]) -> None:
    """Without a column, or with nothing but words for nothing in it, a level is left out, and that is said."""
    rows = parse(line.format(1), line.format(2), head=head)
    assert [sorted(row.cells) for row in rows.taken] == [sorted(told)] * 2
    assert not rows.rejected
    (left_out,) = [change for change in rows.changes.all() if "left out" in change.what]
    assert left_out.count == 3 - len(told)
    content = "\n".join([head, line.format(1)]).encode()
    assert heads.levels_told(header_of(content)) == tuple(one.name for one in heads.taxonomy() if one.column in told)


def test_a_level_that_one_row_has_all_rows_need() -> None:
    """A column that is not empty is part of the taxonomy: a product without a label of it stands nowhere."""
    rows = parse("1,Shirts,", "2,Shirts,Apparel", "3,Shirts,", head="id,articleType,masterCategory")
    assert [row.id for row in rows.taken] == ["2"]
    assert [finding.detail for finding in rows.rejected] == ["no masterCategory"] * 2
