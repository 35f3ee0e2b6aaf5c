"""From records to rows of a catalogue: each taken with its picture, or rejected with the reason."""

from collections.abc import Callable, Collection, Mapping
from pathlib import PurePosixPath

from components.catalogue.importing.addresses import NotTaken, address_of, first_of, require_fetched
from components.catalogue.importing.columns.cells import base_of, cell, further_paths, members_of, sign_of
from components.catalogue.importing.columns.words import PICTURE, key
from components.catalogue.importing.naming import (
    file_name,
    keep_first_of_each_id,
    keep_pictures_of_variants,
    name_by_picture,
    note_shared_pictures,
)
from components.catalogue.importing.pictures import (
    Kind,
    Located,
    PictureIndex,
    folded,
    is_end_alone,
)
from components.catalogue.importing.sources.splits import split_of
from components.catalogue.importing.sources.table import Record, Table
from components.catalogue.importing.taxonomy import Taxonomy, levels_of
from components.catalogue.importing.wanted import Rows, Wanted
from components.catalogue.reading.cells import ROUNDED, id_of, is_empty, is_rounded, label_of
from components.catalogue.reading.findings import Reason
from schema import heads as heads_table
from schema import names


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
        self._alone: Collection[str] = ()  # article types that a row has as its only one
        self._beside: dict[str, set[str]] = {}  # what stands in lists → which of those stand beside it
        self._labelled = ""  # place of the last row that has a label
        self._taken: dict[str, str] = {}  # id → place of its row

    def read(self, table: Table) -> Rows:
        """All rows of a table."""
        self._look_ahead(table)
        for record in table.records():
            self._read(record)
        keep_pictures_of_variants(self.rows)
        if names.ID not in self._columns:
            name_by_picture(self.rows)
        keep_first_of_each_id(self.rows)
        note_shared_pictures(self.rows)
        return self.rows

    def _look_ahead(self, table: Table) -> None:
        """What one row must know of all others, in one pass; a table with pictures inside is read for ids alone."""
        has_ids, ids, kinds = names.ID in self._columns, set(), set()
        for record in table.records() if has_ids or not table.embedded_columns else ():
            if has_ids:
                ids.add(folded(id_of(cell(record.cells, self._columns[names.ID]), self._index.stems)))
            if not table.embedded_columns:
                kinds.add(self._text(record, names.ARTICLE_TYPE_LABEL))
        self._ids = ids
        self._look_at_lists(kinds)

    def _look_at_lists(self, kinds: Collection[str]) -> None:
        lists = [[label_of(one) for one in members_of(kind)] for kind in kinds]
        self._alone = {labels[0] for labels in lists if len(labels) == 1}
        for labels in lists:
            for label in labels:
                self._beside.setdefault(label, set()).update(self._alone.intersection(labels) - {label})

    def _read(self, record: Record) -> None:
        row = Wanted(record.place, record.line, {names.ID: ""}, Located(Kind.FILE, ""), record.parent)
        try:
            if record.error:
                raise NotTaken(record.reason, record.error)
            for column in map(base_of, self._columns.values() if record.faults else ()):
                if column in record.faults:
                    raise NotTaken(record.reason, f"{column}: {record.faults[column]}")
            row.cells[names.ID] = self._id(record)
            row.cells |= self._labels(record, row.id) | self._others(record) | self._split(record)
            row.picture = self._picture(record)
        except NotTaken as fault:
            self.rows.reject(row, fault.reason, fault.detail)
            return
        finally:
            self._labelled = record.place if self._text(record, names.ARTICLE_TYPE_LABEL) else self._labelled
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
            product = f"of the product in {record.parent}" if record.parent else self._product_above(record)
            if product:
                raise NotTaken(Reason.FURTHER_ROW, f"{product}, without an id of its own")
            raise NotTaken(Reason.EMPTY_ID, f"a row needs an id{f'; {text!r} is read as none' if text else ''}")
        row_id = file_name(plain)
        if is_rounded(plain):
            self.rows.changes.note(ROUNDED, f"{record.place}: {text!a}")
        if row_id != text:
            self.rows.changes.note("id in its normal form", f"{record.place}: {text!a} → {row_id!r}")
        return row_id

    def _labels(self, record: Record, row_id: str) -> dict[str, str]:
        labels = {column: self._label(record, column) for column in self._levels}
        if record.parent:
            self.rows.changes.note(
                "label and name of a variant, which its product tells", f"{record.place}: {record.parent}"
            )
        else:
            self._note_further_categories(record)
        article_type = labels[names.ARTICLE_TYPE_LABEL]
        if row_id and row_id in self._taken and (record.parent or not article_type):
            raise NotTaken(Reason.FURTHER_ROW, f"of the product in {self._taken[row_id]}, without a label of its own")
        above = self._taxonomy.get(key(article_type), {})
        labels = {column: label or above.get(column, "") for column, label in labels.items()}
        empty = [column for column, label in labels.items() if not label]
        if empty and article_type and self._taxonomy and not above:
            raise NotTaken(Reason.EMPTY_LABEL, f"no {', '.join(empty)}: the taxonomy does not know {article_type!r}")
        if empty and not article_type and (above_it := self._product_above(record)):
            raise NotTaken(Reason.FURTHER_ROW, f"{above_it}, without a label and a picture of its own")
        if empty:
            raise NotTaken(Reason.EMPTY_LABEL, f"no {', '.join(empty)}")
        return labels

    def _product_above(self, record: Record) -> str:
        """The product that a row goes on with: it has no label, no picture, and no name or no id, where others have."""
        lacks = {role for role in self._columns if is_empty(self._text(record, role))}
        goes_on = {names.ARTICLE_TYPE_LABEL, PICTURE} <= lacks and lacks & {names.PRODUCT_NAME, names.ID}
        if not (goes_on and self._labelled) or self._index.has_id(self._text(record, names.ID)):
            return ""
        return f"below the product in {self._labelled}"

    def _note_further_categories(self, record: Record) -> None:
        column = self._columns[names.ARTICLE_TYPE_LABEL]
        path = "" if column in record.cells else record.cells.get(base_of(column), "")
        if further := further_paths(path, sign_of(column)):
            self.rows.changes.note("further categories of a row, not taken", f"{record.place}: {', '.join(further)}")

    def _of_several(self, record: Record, text: str) -> str:
        """Of a list of labels, ``Shirts;Sale``, the one that other rows have alone, if the rest stands beside more.

        Else the whole: ``Clothing|Shirts`` beside ``Clothing`` is what it is.
        """
        labels = list(dict.fromkeys(map(label_of, members_of(text))))
        known = [label for label in labels if label and label in self._alone]
        if len(labels) < 2 or not known:
            return text
        if len(known) == 1 and any(len(self._beside[label]) < 2 for label in labels if label not in known):
            return text
        if len(known) > 1:
            raise NotTaken(Reason.SEVERAL_LABELS, f"{text!r}, of which other rows have alone {', '.join(known)}")
        others = ", ".join(label for label in labels if label not in known)
        if not record.parent:
            self.rows.changes.note("further categories of a row, not taken", f"{record.place}: {others}")
        return known[0]

    def _label(self, record: Record, role: str) -> str:
        text = self._text(record, role)
        text = self._of_several(record, text) if role == names.ARTICLE_TYPE_LABEL else text
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
            file, is_alike = self._by_id(written, record)
            if is_alike:
                self.rows.changes.note(
                    "picture of a name that is only alike", f"{record.place}: {written!a} → {file!r}"
                )
            return self._file(file)
        name, url = address_of(text)
        if url:
            return self._of_url(url, name, written)
        file = self._index.by_path(text, record.folder or self._folder)
        if is_end_alone(text, file):
            self.rows.changes.note("picture found by the end of its path alone", f"{record.place}: {text!a} → {file!r}")
        return self._file(file)

    def _by_id(self, written: str, record: Record) -> tuple[str, bool]:
        try:
            return self._index.by_id(written, self._ids)
        except NotTaken as fault:
            if record.parent and fault.reason is Reason.MISSING_IMAGE:
                why = f"of the product in {record.parent}, without a picture of its own"
                raise NotTaken(Reason.FURTHER_ROW, why) from fault
            raise

    def _of_url(self, url: str, name: str, row_id: str) -> Located:
        """A file of the picture's name or of the id, where there is one, spares the fetching."""
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
