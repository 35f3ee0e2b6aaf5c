"""What Excel, pandas and people make of a sheet: what is meant is read, and every change is told."""

import unicodedata

import pytest

from components.catalogue.reading.cells import id_of, label_of
from components.catalogue.reading.changes import EXAMPLES
from components.catalogue.reading.errors import CatalogueError
from components.catalogue.reading.findings import Reason
from components.catalogue.reading.pictures import CheckedRows
from components.catalogue.reading.rows import Rows, parse_rows
from components.catalogue.report.page import render_text
from components.catalogue.report.report import Leftovers, make_report
from components.catalogue.splitting.plan import make_plan
from schema import names

HEAD = "id,masterCategory,subCategory,articleType,baseColour,year,productDisplayName"
ROWS = (
    "10001,Apparel,Topwear,Shirts,Blue,2011,Plain Shirt",
    "10002,Accessories,Bags,Étui,Grau,2012,Schönes Étui",
    "10003,Apparel,Topwear,Tshirts,Red,2013,Tee",
)


def parse(*lines: str, head: str = HEAD, known: tuple[str, ...] = ()) -> Rows:
    return parse_rows("\n".join([head, *lines]).encode(), known)


def told(rows: Rows) -> dict[str, int]:
    return {change.what: change.count for change in rows.changes.all()}


PLAIN = parse(*ROWS)
SHEET = "\n".join([HEAD, *ROWS, ""])


@pytest.mark.parametrize(
    "content",
    [
        SHEET.encode(),
        SHEET.encode("utf-8-sig"),
        SHEET.encode("utf-16"),
        SHEET.encode("utf-16-le"),
        SHEET.encode("utf-16-be"),
        SHEET.encode("cp1252"),
        SHEET.replace(",", ";").encode(),
        SHEET.replace(",", "\t").encode(),
        SHEET.replace(",", "|").encode(),
        b"sep=;\r\n" + SHEET.replace(",", ";").replace("\n", "\r\n").encode(),
        b'"sep=\t"\n' + SHEET.replace(",", "\t").encode("utf-8"),
        SHEET.replace(",", "\t").encode("utf-16"),
        SHEET.replace("\n", ",,\n").encode(),
        SHEET.replace("\n", ",,\n", 1).encode(),
        (SHEET + ",,,,,,\n" * 20).encode(),
        (SHEET.replace(",", ";") + ";;;;;;\n" * 20).encode(),
        SHEET.replace("id,", "ID,").replace("articleType", "Article Type").replace("subC", "sub_c").encode(),
        ("\n".join(f'{index},{line}' if index else f",{line}" for index, line in enumerate([HEAD, *ROWS]))).encode(),
        f",,,,,,\n,,,,,,\n{SHEET}".encode(),
        f"Products, as of today\n\n{SHEET}".encode(),
        ("Products;;;;;;\n" + SHEET.replace(",", ";")).encode(),
        SHEET.replace(ROWS[1], f"\ufeff{HEAD}\n{ROWS[1]}").encode(),
        f"{SHEET}\x1a".encode(),
        "\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in [HEAD, *ROWS]).encode(),
    ],
    ids=[
        "plain", "mark", "utf-16", "utf-16-le", "utf-16-be", "windows", "semicolons", "tabs", "bars", "sep", "sep tab",
        "excel's unicode text", "empty columns", "separators at the end of the header", "empty rows", "empty rows ;",
        "other header", "index of pandas", "empty rows first", "a title above", "a title of cells", "joined", "dos",
        "quoted",
    ],
)  # fmt: skip
def test_every_spreadsheet_s_way_to_save_reads_alike(content: bytes) -> None:
    """Encoding, separator, empty rows and columns, and how the header is written change nothing of the rows."""
    rows = parse_rows(content)
    assert [(row.id, row.cells) for row in rows.taken] == [(row.id, row.cells) for row in PLAIN.taken]
    assert not rows.rejected
    assert not rows.ignored_columns


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("10001", "10001"),
        ("10001.0", "10001"),
        ("10001,0", "10001"),
        ("10001.00", "10001"),
        ("'10001", "10001"),
        ('="10001"', "10001"),
        ("10,001", "10001"),
        ("1,234,567", "1234567"),
        ("10\u00a0001", "10001"),
        ("10\u202f001", "10001"),
        ("10'001", "10001"),
        ("10,001.0", "10001"),
        ("10001.jpg", "10001"),
        ("10001.JPEG", "10001"),
        ("images/10001.png", "10001"),
        (" 10001\u00a0", "10001"),
        ("\ufeff10001\u200b", "10001"),
        ("100\u00ad01", "10001"),
        ("１０００１", "10001"),
        ("١٠٠٠١", "10001"),
        ("१०००१", "10001"),
        ("“10001”", "10001"),
        ("‘10001", "10001"),
        ("007", "007"),
        ("007.0", "007"),
        ("SKU-7", "SKU-7"),
        ("A,1", "A,1"),
        ("1.5", "1.5"),
        ("1e4", "1e4"),
        ("10.001", "10.001"),
        ("v1.0", "v1.0"),
        ("e\u0301tui", "étui"),
        ("nan", ""),
        ("#N/A", ""),
        ("-", ""),
    ],
)
def test_ids(written: str, read: str) -> None:
    """What a spreadsheet made of a number is the number again; what is no number stays; leading zeros stay."""
    assert id_of(written) == read
    assert id_of(id_of(written)) == read


@pytest.mark.parametrize(
    ("written", "known", "read"),
    [
        ("10001.0", "10001.0", "10001.0"),
        ("10.001", "10001", "10001"),
        ("10.001", "10.001", "10.001"),
        ("10.001,00", "10001", "10001"),
        ("1e4", "10000", "10000"),
        ("1.0001E+4", "10001", "10001"),
        ("1,0001E4", "10001", "10001"),
        ("1e4", "1e4", "1e4"),
        ("C:\\photos\\images\\10001.jpg", "10001", "10001"),
        ("https://cdn.example.com/p/10001.webp?v=3", "10001", "10001"),
        ("10001.jpg.jpg", "10001", "10001"),
        ("p/10001.jpg", "p/10001", "p/10001"),
        ("na", "na", "na"),
        ("9e99", "1", "9e99"),
    ],
)
def test_the_pictures_decide_what_an_ambiguous_id_means(written: str, known: str, read: str) -> None:
    """An id that has a picture is right as it stands; one that could be a number is one if that has a picture."""
    assert id_of(written, {known}) == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("T shirt", "T shirt"),
        (" T  shirt\u00a0", "T shirt"),
        ("T\u00a0shirt", "T shirt"),
        ("T\u2003shirt", "T shirt"),
        ("T\tshirt", "T shirt"),
        ("T\u200b shirt\ufeff", "T shirt"),
        ("T shi\u00adrt", "T shirt"),
        ("T shirt\u200e", "T shirt"),
        (unicodedata.normalize("NFD", "Étui"), "Étui"),
        ("Tops &amp; Tees", "Tops & Tees"),
        ("Caf&eacute; &#38; more", "Café & more"),
        ("R&D; more", "R&D; more"),
        *((word, "") for word in ("...", "—", "???", "_", "#SPILL!", "[]", "\\N", "(leer)", "not available")),
        ("👕", "👕"),
        *((word, "") for word in ("-nan", "'None'", "[nan]", "N.A", "n / a", "ＮＡ", "1.#QNAN", "1.#IND", '"null"')),
        *((word, "") for word in ("#NV", "#WERT!", "#VALEUR!", "#NOM?", "#N/D", "#¡VALOR!", "#REF", "Err:502")),
        *((f"T{one}shirt{one}", "Tshirt") for one in "\u200c\u200d\ufe0f\u034f\u180e\u2063\u3164\x07"),
        *((one, "") for one in ("\u2800", "\u3164", "\u115f")),
        ("👨\u200d👩", "👨\u200d👩"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("Tops &amp;amp; Tees", "Tops & Tees"),
        ("#1 Shirts!", "#1 Shirts!"),
        ("Nanni", "Nanni"),
        *((word, "") for word in ("nan", "NaN", "NULL", "null", "None", "N/A", "#N/A", "-", "–", "(blank)", "\u200b")),
        ("Nana", "Nana"),
        ("None-slip socks", "None-slip socks"),
    ],
)
def test_labels(written: str, read: str) -> None:
    """Labels that look alike are alike, and what tools write for nothing is nothing."""
    assert label_of(written) == read


def test_a_word_for_nothing_is_an_empty_label() -> None:
    """pandas' NaN is no class, and the row says why it is not taken."""
    rows = parse(ROWS[0], "2,Apparel,NaN,nan,Blue,2011,Shirt", "3,Apparel,Topwear,Shirts,NA,nan,nan")
    assert [(one.id, one.line, one.reason) for one in rows.rejected] == [("2", 3, Reason.EMPTY_LABEL)]
    assert "subCategory ('NaN' is read as empty)" in rows.rejected[0].detail
    assert rows.taken[1].cells == {"masterCategory": "Apparel", "subCategory": "Topwear", "articleType": "Shirts"}
    assert told(rows)["word for nothing, read as empty"] == 5
    assert not rows.repaired


@pytest.mark.parametrize(
    ("written", "known"),
    [("123", "00123"), ("ab-1", "AB-1"), ("AB-1/2", "AB-1_2"), ("550E-8400", "550e-8400"), ("Ab 1", "ab-1")],
)
def test_an_id_finds_the_one_picture_that_is_named_alike(written: str, known: str) -> None:
    """What a spreadsheet or a file system made of an id is told, and never takes the picture of another row."""
    row = f"{written},Apparel,Topwear,Shirts,Blue,2011,Shirt"
    rows = parse(row, known=(known, "other"))
    assert [one.id for one in rows.taken] == [known]
    assert told(rows) == {"id in its normal form": 1}
    both = parse(row, row.replace(written, known, 1), known=(known, "other"))
    assert [one.id for one in both.taken] == [written, known], "the picture is the other's"
    twins = parse(row, known=(known, f"0{known.swapcase()}", known.swapcase(), "other"))
    assert [one.id for one in twins.taken] in ([written], [known.swapcase()]), "which of two is nobody's guess"


@pytest.mark.parametrize(
    "label", ["0", "TRUE", "44593", "1-Feb", "2012-02-01", "2012-02-01 00:00:00", "Ã‰tui", "\ufffdtui"]
)
def test_labels_that_hardly_are_labels_are_told(label: str) -> None:
    """A date that Excel made, a truth value, or a garbled text is taken, and a person is told."""
    rows = parse(f"1,Apparel,Topwear,{label},Blue,2011,Shirt")
    assert rows.taken[0].cells["articleType"] == label
    (change,) = rows.changes.all()
    assert change.what.endswith("as a label, taken as it stands") and "articleType" in change.examples[0]
    assert not parse("1,Apparel,Topwear,3/4 trousers 2nd 501,Blue,2011,Shirt").changes.all()


@pytest.mark.parametrize(
    ("encoding", "label"),
    [
        ("cp1251", "Рубашки"), ("koi8-r", "Рубашки"), ("cp1253", "Πουκάμισα"), ("mac_roman", "Étui"),
        ("cp1250", "żółta"), ("cp932", "シャツ"), ("gb18030", "衬衫"), ("euc_kr", "셔츠"), ("cp850", "Étui"),
    ],
)  # fmt: skip
def test_other_encodings_are_refused_before_they_make_labels_that_nobody_wrote(encoding: str, label: str) -> None:
    """What is neither UTF-8 nor a Western text of Windows is no sheet of garbled labels, but one clear error."""
    sheet = f"{HEAD}\n1,Apparel,Topwear,Kurtka {label},Blue,2011,Shirt\n"
    with pytest.raises(CatalogueError, match=r"(UTF-8|Windows-1252).* line 2.*save it as UTF-8"):
        parse_rows(sheet.encode(encoding))


@pytest.mark.parametrize(
    "name",
    ["«Étui»", "Levi’s® Größe 5½ – 20°C", "MÜHLE ÄÖÜ", "bœuf à l’œil", "col·lecció", "crème brûlée", "1ª nº 5 m²"],
)
def test_western_texts_of_windows_are_read(name: str) -> None:
    """Accents, quotes and signs, where Western languages have them, are no sign of another encoding."""
    sheet = f"{HEAD}\n1,Apparel,Topwear,Shirts,Blue,2011,{name}\n"
    assert parse_rows(sheet.encode("cp1252")).taken[0].cells["productDisplayName"] == name


def test_a_column_that_means_nothing_may_come_twice() -> None:
    """Only the columns that are read must be told apart, and the error has them as they are written."""
    assert parse(*(f"{row},a,b" for row in ROWS), head=f"{HEAD},notes,notes").ignored_columns == ["notes", "notes"]
    with pytest.raises(CatalogueError, match="twice: 'id', 'ID'; leave the right one"):
        parse(*ROWS, head=HEAD.replace("baseColour", "ID"))


def test_a_spreadsheet_s_own_file_is_named() -> None:
    """An Excel file under the name of a CSV says what it is."""
    with pytest.raises(CatalogueError, match="is a spreadsheet's own file; save it as CSV in UTF-8"):
        parse_rows(b"PK\3\4" + bytes(100))


def test_duplicates_that_normalising_makes_are_told() -> None:
    """Two ways to write one id are one product: the second is named with what it was read as."""
    rows = parse(ROWS[0], ROWS[0].replace("10001", "10001.0"))
    assert [(one.id, one.line, one.reason) for one in rows.rejected] == [("10001", 3, Reason.DUPLICATE_ID)]
    assert "'10001.0' is read as '10001'" in rows.rejected[0].detail and "line 2" in rows.rejected[0].detail


def test_changes_are_counted_and_shown_by_a_few() -> None:
    """A thousand ids with a point are one line of the report with the first of them."""
    lines = [f"{number}.0,Apparel,Topwear,Shirts,Blue,2011,Shirt" for number in range(1000)]
    (change,) = parse(*lines).changes.all()
    assert (change.what, change.count, len(change.examples)) == ("id in its normal form", 1000, EXAMPLES)
    assert str(change).startswith("id in its normal form: 1,000 (line 2: '0.0' → '0'; ")
    assert "… 995 more" in str(change)


def test_a_cell_without_a_column_is_not_lost_in_silence() -> None:
    """What stands in a column without a name is said not to be read."""
    rows = parse(*(f"{line},remark" for line in ROWS), head=f"{HEAD},")
    assert told(rows) == {"cell of a column without a name, not read": 3}


def test_the_report_warns_of_twins_and_tells_the_changes() -> None:
    """Labels that differ in case alone stay two classes, and a person is told."""
    rows = parse(*ROWS, "4,Apparel,Topwear,SHIRTS,Blue,2011,A", "5.0,Apparel,Topwear,T-shirts,Blue,2011,B")
    checked = CheckedRows(taken=rows.taken)
    checked.thumbnails = checked.thumbnails.__class__((len(rows.taken), *checked.thumbnails.shape[1:]), "uint8")
    report = make_report("a catalogue", "", make_plan([checked]), Leftovers((), (), rows.changes.all()))
    assert {frozenset(labels) for labels in report.twins[names.ARTICLE_TYPE_LABEL]} == {
        frozenset(("Shirts", "SHIRTS")),
        frozenset(("Tshirts", "T-shirts")),
    }
    words = render_text(report)
    assert "articleType: SHIRTS (1), Shirts (1)" in words
    assert "id in its normal form: 1 (line 6: '5.0' → '5')" in words
    assert report.from_json(report.as_json()) == report
