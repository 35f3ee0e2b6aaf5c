"""Any text at all as ``styles.csv``: an error in words or a full account of every row."""

import csv
import io

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.catalogue.reading.cells import tidy
from components.catalogue.reading.errors import CatalogueError
from components.catalogue.reading.findings import Reason
from components.catalogue.reading.pictures import CheckedRows
from components.catalogue.reading.rows import Rows, parse_rows
from components.catalogue.report.page import render_text
from components.catalogue.report.report import Leftovers, make_report
from components.catalogue.splitting.plan import make_plan
from schema import heads as table
from schema import names

HEADER = (names.ID, *table.columns(), names.YEAR, names.PRODUCT_NAME)
# Cells lean towards what CSV, spreadsheets and Unicode make trouble with.
TROUBLE = st.sampled_from(['"', ",", "\n", "\r\n", "\r", '""', "\ufeff", "\u2028", "\u202e", "=1+1", "2012.0", " "])
CELL = st.lists(TROUBLE | st.text(max_size=6), max_size=4).map("".join)
SETTINGS = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def parsed(content: bytes) -> Rows | None:
    """The rows, or None for what is refused as a whole; any other exception is what the test looks for."""
    try:
        return parse_rows(content)
    except CatalogueError as error:
        assert names.STYLES_CSV in str(error)
        return None


def accounted(rows: Rows) -> None:
    """No line is spoken for twice, no id is taken twice, and what is taken has an id and the labels that all have."""
    lines = [row.line for row in rows.taken] + [finding.line for finding in rows.rejected]
    assert len(lines) == len(set(lines))
    ids = [row.id for row in rows.taken]
    assert all(ids)
    assert len(ids) == len(set(ids))
    told = {tuple(label for label in table.columns() if row.cells.get(label)) for row in rows.taken}
    assert len(told) <= 1 and all(table.finest().column in one for one in told), "one row has a level that others lack"
    assert {finding.line for finding in rows.repaired} <= {row.line for row in rows.taken}


def test_any_bytes_are_an_error_in_words_or_rows(promise) -> None:
    """Bytes that nobody meant as a catalogue raise CatalogueError, or are accounted for, and nothing else happens."""

    @SETTINGS
    @given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")))
    def holds(content: bytes) -> None:
        for candidate in (content, ",".join(HEADER).encode() + b"\n" + content):
            rows = parsed(candidate)
            if rows is not None:
                accounted(rows)

    with promise("pipeline: any bytes as styles.csv", "CatalogueError or a full account") as row:
        holds()
        row.seen = "300 drawn files, each bare and below a header"


def test_every_well_formed_row_is_taken_or_reported(promise) -> None:
    """As many rows as a CSV writer wrote come out, taken or rejected, whatever their cells hold."""

    @SETTINGS
    @given(st.lists(st.tuples(*[CELL.filter(lambda cell: "\0" not in cell)] * len(HEADER)), min_size=1, max_size=8))
    def holds(cells: list[tuple[str, ...]]) -> None:
        cells = [tuple(_few_lines(cell) for cell in row) for row in cells]
        buffer = io.StringIO()
        csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([HEADER, *cells])
        rows = parsed(buffer.getvalue().encode("utf-8", "replace"))
        with_text = sum(any(map(tidy, row)) for row in cells)  # others are passed over, as empty lines are
        assert (rows is None) == (with_text == 0)
        if rows is not None:
            accounted(rows)
            assert len(rows.taken) + len(rows.rejected) == with_text

    with promise("pipeline: any cells in a row", "every row is taken or reported") as row:
        holds()
        row.seen = "300 drawn catalogues of up to 8 rows"


def _few_lines(cell: str) -> str:
    """A quoted cell may hold line ends, but a row no more of them than the reader allows."""
    return cell.replace("\r\n", " ").replace("\r", " ").replace("\n", " ") if _line_ends(cell) > 1 else cell


def _line_ends(cell: str) -> int:
    return cell.count("\n") + cell.count("\r")


def test_any_lines_below_a_header_are_accounted_for(promise) -> None:
    """Torn lines cost at most themselves: each is part of a row that is taken or reported with its line."""

    @SETTINGS
    @given(st.lists(CELL.map(lambda text: text.replace("\n", " ").replace("\r", " ").replace("\0", "")), max_size=12))
    def holds(lines: list[str]) -> None:
        good = "good,Tshirts,Topwear,Apparel,2012,Name"
        header = f"{names.ID},articleType,subCategory,masterCategory,{names.YEAR},{names.PRODUCT_NAME}"
        rows = parsed("\n".join([header, good, *lines]).encode("utf-8", "replace"))
        assert rows is not None
        accounted(rows)
        assert rows.taken[0].id == "good"
        found = {row.line for row in rows.taken} | {finding.line for finding in rows.rejected}
        plain = {
            number for number, line in enumerate(lines, 3) if tidy(line.replace(",", "")) and '"' not in "".join(lines)
        }
        assert plain <= found

    with promise("pipeline: torn lines in styles.csv", "each is taken or reported with its line") as row:
        holds()
        row.seen = "300 drawn files"


def test_any_row_can_be_reported_on(promise) -> None:
    """The report on whatever the rows hold can be made and shown."""

    @SETTINGS
    @given(st.lists(CELL, min_size=1, max_size=12))
    def holds(lines: list[str]) -> None:
        rows = parsed("\n".join([",".join(HEADER), *lines]).encode("utf-8", "replace"))
        if rows is None:
            return
        checked = CheckedRows(rejected=rows.rejected)
        report = make_report("a catalogue", "", make_plan([checked]), Leftovers((), tuple(rows.ignored_columns)))
        assert len(report.rejected) == len(rows.rejected)
        assert all(isinstance(finding.reason, Reason) for finding in report.rejected)
        assert render_text(report)

    with promise("pipeline: report on any rows", "it can be made and shown") as row:
        holds()
        row.seen = "300 drawn files"
