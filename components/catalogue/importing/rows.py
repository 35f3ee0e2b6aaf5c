"""From records to rows of a catalogue: each taken with its picture, or rejected with the reason."""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final

from components.catalogue.importing.columns.cells import base_of, cell, further_paths
from components.catalogue.importing.columns.words import PICTURE, key
from components.catalogue.importing.pictures import (
    Kind,
    Located,
    NotTaken,
    PictureIndex,
    first_of,
    folded,
    is_end_alone,
    name_in_url,
    require_fetched,
    url_of,
)
from components.catalogue.importing.sources.splits import split_of
from components.catalogue.importing.sources.table import Record, Table
from components.catalogue.importing.taxonomy import Taxonomy, levels_of
from components.catalogue.reading.cells import ROUNDED, id_of, is_empty, is_rounded, label_of, tidy
from components.catalogue.reading.changes import Changes
from components.catalogue.reading.findings import Finding, Reason
from schema import heads as heads_table
from schema import names

_NO_FILE_NAME: Final = re.compile(r'[/\\:*?"<>|\x00-\x1f\ud800-\udfff]')
_LONGEST_ID: Final = 100  # characters; names of files have an end


@dataclass
class Wanted:
    """A row that is taken if its picture is: ``cells`` are those of ``styles.csv``."""

    place: str
    line: int
    cells: dict[str, str]
    picture: Located

    @property
    def id(self) -> str:
        """Its id."""
        return self.cells[names.ID]


@dataclass(frozen=True)
class Rejected:
    """A row or picture that is not taken: where it stands, and why."""

    place: str
    finding: Finding


@dataclass
class Rows:
    """What a table gives."""

    wanted: list[Wanted] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    changes: Changes = field(default_factory=Changes)

    def reject(self, row: Wanted, reason: Reason, detail: str) -> None:
        """Notes that a row is not taken after all."""
        self.rejected.append(Rejected(row.place, Finding(row.cells.get(names.ID, ""), row.line, reason, detail)))


class RowReader:
    """Reads the records of a table, one after the other."""

    def __init__(
        self, columns: Mapping[str, str], folder: str, index: PictureIndex, taxonomy: Taxonomy, fetch: bool
    ) -> None:
        """Keeps what rows are read by.

        Args:
            columns: role → column.
            folder: that paths of pictures may be relative to.
            index: of the pictures.
            taxonomy: of the levels that have no column; empty for none.
            fetch: whether pictures may be URLs.
        """
        self.rows = Rows()
        self._columns = {role: column for role, column in columns.items() if column}
        self._folder, self._index, self._taxonomy, self._fetch = folder, index, taxonomy, fetch
        told = {*self._columns, *levels_of(taxonomy)}
        self._levels = [column for column in heads_table.columns() if column in told]
        self._ids: Collection[str] = ()
        self._taken: dict[str, str] = {}  # id → place of its row

    def read(self, table: Table) -> Rows:
        """All rows of a table."""
        if names.ID in self._columns:
            texts = (cell(record.cells, self._columns[names.ID]) for record in table.records())
            self._ids = {folded(id_of(text, self._index.stems)) for text in texts}
        for record in table.records():
            self._read(record)
        if names.ID not in self._columns:
            _name_by_picture(self.rows)
        _keep_first_of_each_id(self.rows)
        _note_shared_pictures(self.rows)
        return self.rows

    def _read(self, record: Record) -> None:
        row = Wanted(record.place, record.line, {names.ID: ""}, Located(Kind.FILE, ""))
        try:
            if record.error:
                raise NotTaken(record.reason, record.error)
            for column in map(base_of, self._columns.values() if record.faults else ()):
                if column in record.faults:
                    raise NotTaken(Reason.UNREADABLE_ROW, f"{column}: {record.faults[column]}")
            row.cells[names.ID] = self._id(record)
            row.cells |= self._labels(record, row.id) | self._others(record) | self._split(record)
            row.picture = self._picture(record)
        except NotTaken as fault:
            self.rows.reject(row, fault.reason, fault.detail)
            return
        self._taken.setdefault(row.id, row.place)
        self.rows.wanted.append(row)

    def _text(self, record: Record, role: str) -> str:
        return cell(record.cells, self._columns[role]).strip() if role in self._columns else ""

    def _id(self, record: Record) -> str:
        if names.ID not in self._columns:
            return ""
        text = self._text(record, names.ID)
        plain = id_of(text, self._index.stems)
        if not plain:
            raise NotTaken(Reason.EMPTY_ID, f"a row needs an id{f'; {text!r} is read as none' if text else ''}")
        row_id = _file_name(plain)
        if is_rounded(plain):
            self.rows.changes.note(ROUNDED, f"{record.place}: {text!a}")
        if row_id != text:
            self.rows.changes.note("id in its normal form", f"{record.place}: {text!a} → {row_id!r}")
        return row_id

    def _labels(self, record: Record, row_id: str) -> dict[str, str]:
        labels = {column: self._label(record, column) for column in self._levels}
        self._note_further_categories(record)
        article_type = labels[names.ARTICLE_TYPE_LABEL]
        if row_id and row_id in self._taken and not article_type:
            raise NotTaken(Reason.FURTHER_ROW, f"of the product in {self._taken[row_id]}, without a label of its own")
        above = self._taxonomy.get(key(article_type), {})
        labels = {column: label or above.get(column, "") for column, label in labels.items()}
        empty = [column for column, label in labels.items() if not label]
        if empty and article_type and self._taxonomy and not above:
            raise NotTaken(Reason.EMPTY_LABEL, f"no {', '.join(empty)}: the taxonomy does not know {article_type!r}")
        if empty:
            raise NotTaken(Reason.EMPTY_LABEL, f"no {', '.join(empty)}")
        return labels

    def _note_further_categories(self, record: Record) -> None:
        column = self._columns[names.ARTICLE_TYPE_LABEL]
        path = "" if column in record.cells else record.cells.get(base_of(column), "")
        if further := further_paths(path):
            self.rows.changes.note("further categories of a row, not taken", f"{record.place}: {', '.join(further)}")

    def _label(self, record: Record, role: str) -> str:
        text = self._text(record, role)
        label = label_of(text)
        if label != text:
            what = "characters and white space in their normal form" if label else "word for nothing, read as empty"
            self.rows.changes.note(what, f"{record.place}, {role}: {text!a}{f' → {label!r}' if label else ''}")
        return label

    def _others(self, record: Record) -> dict[str, str]:
        """Attributes, year and name; what is empty is left out."""
        roles = (*heads_table.columns(heads_table.attributes()), names.YEAR, names.PRODUCT_NAME)
        return {role: text for role in roles if role in self._columns and (text := self._label(record, role))}

    def _split(self, record: Record) -> dict[str, str]:
        written = self._text(record, names.SPLIT_COLUMN) or record.split
        if not written:
            return {}
        split = split_of(written)
        if not split:
            raise NotTaken(Reason.UNKNOWN_SPLIT, f"{written!r}; one of {', '.join(names.SPLITS)}")
        return {names.SPLIT_COLUMN: split}

    def _picture(self, record: Record) -> Located:
        column = self._columns.get(PICTURE, "")
        text, more = first_of(self._text(record, PICTURE))
        if more:
            self.rows.changes.note("further pictures of a row, not taken", f"{record.place}: {more} more")
        if column in record.embedded:
            return Located(Kind.CELL, record.place, PurePosixPath(text.replace("\\", "/")).stem or f"{record.line:06d}")
        # The row's id is one that any file may have; the file may have the one that was written.
        written = id_of(self._text(record, names.ID), self._index.stems)
        if is_empty(text):
            if not written:
                raise NotTaken(Reason.MISSING_IMAGE, "the row names no picture")
            file, is_alike = self._index.by_id(written, self._ids)
            if is_alike:
                self.rows.changes.note(
                    "picture of a name that is only alike", f"{record.place}: {written!a} → {file!r}"
                )
            return self._file(file)
        if url := url_of(text):
            return self._of_url(url, written)
        file = self._index.by_path(text, record.folder or self._folder)
        if is_end_alone(text, file):
            self.rows.changes.note("picture found by the end of its path alone", f"{record.place}: {text!a} → {file!r}")
        return self._file(file)

    def _of_url(self, url: str, row_id: str) -> Located:
        """A file of the URL's name or of the id, where there is one, spares the fetching."""
        name = name_in_url(url)
        if file := self._found(self._index.by_path, name) or self._found(
            lambda wanted: self._index.by_id(wanted, self._ids)[0], row_id
        ):
            return self._file(file)
        require_fetched(url)
        if not self._fetch:
            raise NotTaken(Reason.NOT_FETCHED, f"{url[:200]!r} is a URL; give --fetch to fetch it")
        return Located(Kind.URL, url, PurePosixPath(name).stem)

    def _found(self, find: Callable[[str], str], wanted: str) -> str:
        try:
            return find(wanted) if wanted else ""
        except NotTaken:
            return ""

    def _file(self, name: str) -> Located:
        return Located(Kind.FILE, name, PurePosixPath(name).stem)


def _file_name(row_id: str) -> str:
    """An id that can be the name of a file; what it cannot hold becomes an underscore."""
    plain = _NO_FILE_NAME.sub("_", row_id)
    plain = f"_{plain[1:]}" if plain.startswith(".") else plain
    if len(plain) <= _LONGEST_ID:
        return plain
    return f"{plain[: _LONGEST_ID - 9]}-{hashlib.sha256(row_id.encode()).hexdigest()[:8]}"


def _name_by_picture(rows: Rows) -> None:
    """Gives rows without an id the name of their picture, or its whole path where names come more than once."""
    pictures = {row.picture for row in rows.wanted}
    stems = Counter(folded(picture.stem) for picture in pictures)
    is_told = all(count == 1 for count in stems.values())
    for row in rows.wanted:
        row.cells[names.ID] = _file_name(tidy(row.picture.stem if is_told else _whole_name(row)))
    _tell_apart(rows.wanted)
    if rows.wanted:
        way = "its picture's name" if is_told else "its picture's path, for names come more than once"
        rows.changes.note(f"id that is {way}", f"{rows.wanted[0].place}: {rows.wanted[0].id!r}")


def _tell_apart(rows: Sequence[Wanted]) -> None:
    """Adds to ids that were made, and are of different pictures, what these differ in: ``1.jpg`` beside ``1.png``."""
    pictures: dict[str, set[Located]] = {}
    for row in rows:
        pictures.setdefault(folded(row.id), set()).add(row.picture)
    for row in rows:
        if len(pictures[folded(row.id)]) > 1:
            digest = hashlib.sha256(row.picture.where.encode("utf-8", "surrogateescape")).hexdigest()
            row.cells[names.ID] = f"{row.id}-{digest[:8]}"


def _whole_name(row: Wanted) -> str:
    picture = row.picture
    if picture.kind is Kind.FILE:
        return "_".join(PurePosixPath(picture.where).with_suffix("").parts)
    if picture.kind is Kind.URL:
        return f"{picture.stem}-{hashlib.sha256(picture.where.encode()).hexdigest()[:8]}"
    return f"{picture.stem}-{row.line:06d}"


def _keep_first_of_each_id(rows: Rows) -> None:
    first: dict[str, Wanted] = {}
    for row in rows.wanted:
        before = first.setdefault(row.id, row)
        if before is not row:
            detail = f"an earlier row, {before.place}, has this id; the first one is taken"
            rows.reject(row, Reason.DUPLICATE_ID, detail)
    rows.wanted = list(first.values())


def _note_shared_pictures(rows: Rows) -> None:
    first: dict[Located, Wanted] = {}
    for row in rows.wanted:
        before = first.setdefault(row.picture, row)
        if before is not row and row.picture.kind is not Kind.CELL:
            rows.changes.note("picture of more than one row", f"{row.picture.where}: ids {before.id!r} and {row.id!r}")
