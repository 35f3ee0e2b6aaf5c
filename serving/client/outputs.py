"""The files that results are written to, a line a picture: CSV or JSON lines.

Which attributes there are depends on the release, so a CSV has the columns that its header says: those of the release
that answered when it was begun. Resumed under another release it keeps them, and no row ever has other cells than the
header has names.
"""

import csv
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from schema import heads as table
from schema import names
from schema.spreadsheets import inert
from serving.proto.json_view import as_json
from serving.proto.lookbook.v1 import classifier_pb2 as pb

COLUMNS: Final = (
    "file",
    names.ID,
    *(head.column for head in table.taxonomy()),
    "confidence",
    "level",
    "review",
    "reasons",
    "agree",
    "release",
    "error",
    "detail",
    "familiarity",
)
"""Columns of every CSV. The labels are those of the joint answer, in the columns of a catalogue's ``styles.csv``. After
them come two for each attribute of the release: its own column there, and its confidence."""


_FORMER: Final = COLUMNS[:-1]
"""Columns of a CSV that was begun by a client of before familiarity; it goes on without."""


class Output(Protocol):
    """How results are written."""

    left_out: set[str]
    """Columns of attributes that answers had and the file lacks."""
    start: str
    """What every file of this kind begins with."""

    @property
    def header(self) -> str:
        """The first line; "" for none."""

    def begin(self, attributes: Callable[[], Sequence[str]]) -> None:
        """Comes before header and rows; ``attributes`` gives the columns of the release's."""

    def row(self, name: str, result: pb.ClassifyResult) -> str:
        """The line of a picture."""

    def rows(self, text: str) -> list[tuple[str, bool]]:
        """The pictures, as :meth:`stored`, whose rows are in ``text``, and whether the row holds an error.

        Raises:
            ValueError: these are no rows of ours.
        """

    def stored(self, name: str) -> str:
        """The picture's name as it stands in the file."""


class JsonLines:
    """An object a line, with the whole answer."""

    header = ""
    start = '{"file": '

    def __init__(self) -> None:
        self.left_out: set[str] = set()

    def begin(self, attributes: Callable[[], Sequence[str]]) -> None:
        """Nothing depends on the attributes."""

    def row(self, name: str, result: pb.ClassifyResult) -> str:
        """The line of a picture."""
        view = as_json(result)
        return json.dumps({"file": name, "answer": view["answer"], "error": view["error"]}, ensure_ascii=False) + "\n"

    def rows(self, text: str) -> list[tuple[str, bool]]:
        """The pictures in ``text``, and whether they failed."""
        # Not splitlines: an answer may hold what Unicode takes for a line's end.
        return [_told(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]

    def stored(self, name: str) -> str:
        """The name itself."""
        return name


def _told(number: int, line: str) -> tuple[str, bool]:
    try:
        one = json.loads(line)
        return str(one["file"]), one.get("error") is not None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise ValueError(f"line {number} is no object with a file, but {line[:60]!r}") from None


class CsvTable:
    """A table with a header."""

    start = f"{COLUMNS[0]},"

    def __init__(self) -> None:
        self.left_out: set[str] = set()
        self._columns: tuple[str, ...] = ()
        self._attributes: frozenset[str] = frozenset()

    @property
    def header(self) -> str:
        """The names of the columns."""
        return csv_line(self._columns)

    def begin(self, attributes: Callable[[], Sequence[str]]) -> None:
        """Makes the header of a new file; one that goes on keeps its own.

        Raises:
            ValueError: two columns would have one name.
        """
        if not self._columns:
            named = tuple(attributes())
            columns_with(named)
            self._keep(COLUMNS, named)

    def row(self, name: str, result: pb.ClassifyResult) -> str:
        """The line of a picture."""
        values = row_values(name, result)
        if result.HasField("answer"):
            self.left_out |= {one.column for one in result.answer.attributes} - self._attributes
        return csv_line([self.stored(cell_text(values.get(key))) for key in self._columns])

    def rows(self, text: str) -> list[tuple[str, bool]]:
        """The pictures in ``text``, and whether they failed; its header becomes this table's.

        Raises:
            ValueError: it is no header of ours.
        """
        if not text:
            return []
        rows = csv.DictReader(io.StringIO(text))
        try:
            columns, cells = tuple(rows.fieldnames or ()), list(rows)
        except csv.Error as error:
            raise ValueError(f"after line {rows.line_num} comes what is no row: {error}") from error
        ours = COLUMNS if columns[: len(COLUMNS)] == COLUMNS else _FORMER
        self._keep(ours, columns[len(ours) :: 2])
        if columns != self._columns:
            raise ValueError(f"its columns are {list(columns)}, not {list(COLUMNS)} and two for each attribute")
        return [(row["file"], bool(row["error"])) for row in cells]

    def stored(self, name: str) -> str:
        """A cell that no spreadsheet takes for a formula."""
        return inert(name)

    def _keep(self, ours: tuple[str, ...], attributes: tuple[str, ...]) -> None:
        self._columns, self._attributes = (*ours, *_pairs(attributes)), frozenset(attributes)


def output_for(out: Path) -> Output:
    """The kind of file that ``out`` is by its suffix.

    Raises:
        ValueError: it is neither.
    """
    kinds: dict[str, type[JsonLines] | type[CsvTable]] = {".jsonl": JsonLines, ".csv": CsvTable}
    if out.suffix.lower() not in kinds:
        raise ValueError(f"{out} ends in {out.suffix!r}; it must end in .csv or .jsonl")
    return kinds[out.suffix.lower()]()


def row_values(name: str, result: pb.ClassifyResult) -> dict[str, Any]:
    """Column → value of a picture's row: text, float, bool, or None where there is none.

    Args:
        name: of the picture.
        result: its answer or error.
    """
    values = {"file": name, names.ID: Path(name).stem}
    return values | (_answer_values(result.answer) if result.HasField("answer") else _error_values(result.error))


def columns_with(attributes: Sequence[str]) -> tuple[str, ...]:
    """The columns of a table of answers of a release with these attributes.

    Raises:
        ValueError: two columns would have one name.
    """
    columns = (*COLUMNS, *_pairs(attributes))
    _require_distinct(columns)
    return columns


def cell_text(value: Any) -> str:
    """A value of :func:`row_values` as a cell of CSV."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _pairs(attributes: Sequence[str]) -> tuple[str, ...]:
    """Two columns for each attribute."""
    return tuple(one for column in attributes for one in (column, f"{column}_confidence"))


def _require_distinct(columns: tuple[str, ...]) -> None:
    twice = [column for column in columns if columns.count(column) > 1]
    if twice:
        raise ValueError(f"an attribute of the release has the column {twice[0]!r}, which the table has; give .jsonl")


def csv_line(cells: Sequence[str]) -> str:
    """A line of a CSV file."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(cells)
    return buffer.getvalue()


def _answer_values(answer: pb.ClassifyResponse) -> dict[str, Any]:
    cells: dict[str, Any] = {}
    for one in answer.attributes:
        cells |= zip(_pairs([one.column]), (one.label, one.confidence), strict=True)
    return {
        **cells,
        **{head.column: getattr(answer.joint, head.name) for head in table.taxonomy()},
        "confidence": answer.joint.confidence,
        "level": answer.level,
        "review": answer.review.needed,
        "reasons": " ".join(reason.code for reason in answer.review.reasons),
        "agree": answer.agreement.agree if answer.agreement.HasField("agree") else None,
        "release": f"{answer.release} TRIAL" if answer.trial else answer.release,
        "familiarity": answer.familiarity if answer.HasField("familiarity") else None,
    }


def _error_values(error: pb.Problem) -> dict[str, Any]:
    return {"error": error.code, "detail": " ".join(error.detail.split())}
