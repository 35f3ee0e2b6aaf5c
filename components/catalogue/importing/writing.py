"""The folder that an import makes: pictures first, ``styles.csv`` last, so that half of it is taken by nobody."""

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from components.catalogue.importing.addresses import NotTaken
from components.catalogue.importing.sources.files import MARKER
from components.catalogue.importing.wanted import Rejected, Wanted
from components.catalogue.reading.errors import CatalogueError
from components.catalogue.reading.findings import OF_PICTURES, Finding, Reason
from components.catalogue.reading.source import MAX_IMAGE_BYTES
from schema import heads as table
from schema import names, pictures
from schema.spreadsheets import inert

MAPPING: Final = "mapping.toml"
REJECTED: Final = "rejected.csv"
REPORT: Final = "import.json"
_REJECTED_COLUMNS: Final = ("where", "line", "id", "reason", "detail")
_FETCHED: Final = "fetched.jsonl"
_LIMITS: Final = pictures.Limits(max_bytes=MAX_IMAGE_BYTES)
_SUFFIXES: Final = {"JPEG": ".jpg", "WEBP": ".webp", "TIFF": ".tif"}


class CatalogueFolder:
    """A catalogue that is being written."""

    def __init__(self, path: Path) -> None:
        """Claims a folder: a new or empty one, or one that an earlier import made.

        Raises:
            CatalogueError: it holds something else.
        """
        if path.exists() and not path.is_dir():
            raise CatalogueError(f"{path} is a file; give a folder to write the catalogue to")
        if path.is_dir() and any(path.iterdir()) and not (path / MARKER).exists():
            raise CatalogueError(f"{path} holds files that no import made; give a new or an empty folder")
        self.path, self._images = path, path / names.IMAGES_DIR
        self._images.mkdir(parents=True, exist_ok=True)
        (path / MARKER).write_text(
            "Made by `lookbook import`, which may write here again: keep nothing of yours here.\n"
        )
        self._fetched = self._read_fetched()
        self._written: set[str] = set()

    def begin(self) -> None:
        """Takes the rows of an earlier import away, before pictures are written: half of it is no catalogue."""
        (self.path / names.STYLES_CSV).unlink(missing_ok=True)

    def put(self, row: Wanted, content: bytes) -> None:
        """Writes the picture of a row, named by its id and what it is.

        Raises:
            NotTaken: the picture gate refuses it.
        """
        try:
            header = pictures.read_header(content, _LIMITS)
        except pictures.PictureFault as fault:
            raise NotTaken(OF_PICTURES[fault.problem], f"{row.picture.where} {fault.detail}") from fault
        name = row.id + _SUFFIXES.get(header.format, f".{header.format.lower()}")
        unfinished = self.path / "unfinished"
        unfinished.write_bytes(content)
        unfinished.replace(self._images / name)
        self._written.add(name)

    def put_fetched(self, row: Wanted, content: bytes) -> None:
        """Writes a picture that was fetched, and notes where from: it is not fetched again.

        Raises:
            NotTaken: the picture gate refuses it.
        """
        self.put(row, content)
        with (self.path / _FETCHED).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"id": row.id, "url": row.picture.where}) + "\n")

    def has_fetched(self, row: Wanted) -> bool:
        """Whether an earlier import has fetched the picture of a row."""
        found = self._fetched.get((row.id, row.picture.where), "")
        self._written |= {found} - {""}
        return bool(found)

    def finish(
        self, rows: Sequence[Wanted], rejected: Iterable[Rejected], mapping: str, report: dict[str, Any]
    ) -> None:
        """Writes everything else, and removes pictures of an earlier import."""
        for image in list(self._images.iterdir()):
            if image.name not in self._written:
                image.unlink()
        # Names of files are bytes: what is no text is written escaped.
        (self.path / MAPPING).write_text(mapping, encoding="utf-8", errors="backslashreplace")
        (self.path / REPORT).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        with (self.path / REJECTED).open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(_REJECTED_COLUMNS)
            found = ((one.place, str(one.finding.line), *_words(one.finding)) for one in rejected)
            writer.writerows(map(inert, cells) for cells in found)
        self._write_styles(rows)

    def _write_styles(self, rows: Sequence[Wanted]) -> None:
        columns = (names.ID, *table.columns(table.HEADS), names.YEAR, names.PRODUCT_NAME, names.SPLIT_COLUMN)
        used = [column for column in dict.fromkeys(columns) if any(column in row.cells for row in rows)]
        unfinished = self.path / "unfinished"
        with unfinished.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, used, restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(row.cells for row in rows)
        unfinished.replace(self.path / names.STYLES_CSV)

    def _read_fetched(self) -> dict[tuple[str, str], str]:
        """Id and URL → the file of it that is still there."""
        there = {file.stem: file.name for file in self._images.iterdir()}
        noted = self.path / _FETCHED
        lines = noted.read_text(encoding="utf-8").splitlines() if noted.exists() else []
        last = {one["id"]: one["url"] for one in map(json.loads, filter(_is_whole, lines))}
        return {(row_id, url): there[row_id] for row_id, url in last.items() if row_id in there}


def read_rejected(path: Path) -> tuple[Rejected, ...]:
    """The rows that the import which made a catalogue did not take."""
    with (path / REJECTED).open(encoding="utf-8", newline="") as file:
        return tuple(
            Rejected(row["where"], Finding(row["id"], int(row["line"]), Reason(row["reason"]), row["detail"]))
            for row in csv.DictReader(file)
        )


def _words(finding: Finding) -> tuple[str, str, str]:
    return finding.id, finding.reason.value, finding.detail


def _is_whole(line: str) -> bool:
    """A killed import may leave half a line."""
    return line.startswith("{") and line.endswith("}")
