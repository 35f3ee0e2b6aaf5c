"""Rows that are taken and rows that are not, as an import holds them before it writes."""

from dataclasses import dataclass, field

from components.catalogue.importing.pictures import Located
from components.catalogue.reading.changes import Changes
from components.catalogue.reading.findings import Finding, Reason
from schema import names


@dataclass
class Wanted:
    """A row that is taken if its picture is.

    Attributes:
        place: of the row, for a person.
        line: counted from 1.
        cells: those of ``styles.csv``.
        picture: where it is.
        parent: place of the row whose label it has; empty if that is its own.
    """

    place: str
    line: int
    cells: dict[str, str]
    picture: Located
    parent: str = ""

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
