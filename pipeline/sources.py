"""Whatever a command is given as its data: a catalogue as it is, anything else through an import below the root."""

import fcntl
import hashlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from tqdm import tqdm

from components.catalogue.importing.columns.mapping import Mapping, read_mapping
from components.catalogue.importing.columns.words import OPTIONS
from components.catalogue.importing.sources.questions import Ask, Question, nobody
from components.catalogue.importing.taxonomy import levels_of
from components.catalogue.reading.errors import CatalogueError
from components.catalogue.reading.source import is_catalogue
from components.storage.location import Location
from pipeline.config import Layout

if TYPE_CHECKING:
    from components.catalogue.importing.importer import Outcome, Source

_SHOWN: Final = 10
_FINGERPRINT: Final = ".fingerprint"


@dataclass(frozen=True)
class Data:
    """What a command is given, and where the catalogue of it lies.

    Attributes:
        given: a catalogue, or what one can be made from.
        catalogue: the same, or a folder below the root.
        mapping: how to read what is given.
    """

    given: Location
    catalogue: Location
    mapping: Mapping

    @property
    def is_foreign(self) -> bool:
        """Whether the catalogue has to be made."""
        return self.given != self.catalogue

    def require_root_elsewhere(self) -> None:
        """Refuses foreign data that holds the root.

        Raises:
            CatalogueError: what a run writes there would be read as data the next time.
        """
        given, made = self.given, self.catalogue
        if isinstance(given, Path) and isinstance(made, Path) and given in made.parents and self.is_foreign:
            raise CatalogueError(
                f"the root lies in the data, {given}: what is written to {made.parents[1]} would be read as data the "
                "next time; give a --root elsewhere"
            )


def place(layout: Layout, given: Location, mapping_file: Path | None = None) -> Data:
    """Where the catalogue of some data lies or will lie; makes nothing.

    Raises:
        CatalogueError: a zip or the mapping cannot be read.
    """
    given = given.resolve()
    mapping = read_mapping(mapping_file) if mapping_file else Mapping()
    if not mapping_file and is_catalogue(given):
        return Data(given, given, mapping)
    name = hashlib.sha256(str(given).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return Data(given, layout.imports / name, mapping)


def bring_in(data: Data, say: Callable[[str], object] = click.echo) -> "Outcome | None":
    """Makes the catalogue of foreign data, unless it is there and nothing has changed.

    Args:
        data: what was given.
        say: is told what was done.

    Returns:
        What the import took and what not; None where the data is a catalogue.

    Raises:
        CatalogueError: it cannot be read, or something about it is left open.
    """
    if not data.is_foreign or not isinstance(data.catalogue, Path):
        return None
    data.require_root_elsewhere()
    from components.catalogue.importing.importer import Outcome, fingerprint, import_source, open_source

    with _locked(data.catalogue):
        now, noted = fingerprint(data.given, data.mapping), data.catalogue / _FINGERPRINT
        if noted.exists() and noted.read_text() == now:
            outcome = Outcome.of_catalogue(data.catalogue)
            say(f"{data.given} was imported before: {outcome.taken:,} of {outcome.rows:,} rows in {data.catalogue}")
            return outcome
        noted.unlink(missing_ok=True)
        source = open_source(data.given, data.mapping, ask_on_terminal())
        say("\n".join(mapping_lines(source)))
        with tqdm(desc="importing", unit=" pictures", disable=None, leave=False) as progress:
            outcome = import_source(source, data.catalogue, progress=progress.update)
        if fingerprint(data.given, data.mapping) != now:
            raise CatalogueError(f"{data.given} changed while it was imported; run again, once nobody writes there")
        noted.write_text(now)
    say("\n".join(outcome_lines(outcome, data.catalogue)))
    return outcome


def require_few_rejected(outcome: "Outcome | None", max_bad: float) -> None:
    """Refuses data of which an import took too little.

    Raises:
        CatalogueError: more than the share ``max_bad`` of the rows is faulty.
    """
    if outcome:
        from components.catalogue.report import report

        faulty = [one.finding for one in outcome.faulty]
        report.require_few_rejected(faulty, outcome.taken + len(faulty), outcome.source, max_bad)


def mapping_lines(source: "Source") -> list[str]:
    """Which column is what, and how that was found, for a person."""
    lines = [f"{source.path}: {', '.join(source.mapping.sheets) or source.table.name}"]
    for role, column in source.mapping.columns.items():
        if column:
            lines.append(f"  {role:<19} {column!r}, {source.why[role]}: {source.examples.get(role, '')}")
    told = (one for one in sorted(levels_of(source.taxonomy)) if not source.mapping.columns.get(one))
    lines += [f"  {one:<19} by the taxonomy" for one in told]
    # The options are those of `lookbook import`; what they say goes into the mapping that other commands take.
    ways = (f"  {one:<19} none: left out; give {OPTIONS[one]} COLUMN or --taxonomy FILE" for one in source.untold)
    return [*lines, *ways]


def outcome_lines(outcome: "Outcome", out: Path) -> list[str]:
    """What an import took, changed and left, for a person."""
    lines = [f"{outcome.taken:,} of {outcome.rows:,} rows are in {out}"]
    lines += [f"  not taken: {count:,} × {reason}" for reason, count in outcome.reasons.items()]
    for one in outcome.rejected[:_SHOWN]:
        lines.append(f"    {one.place}, id {one.finding.id!r}: {one.finding.reason.value}: {one.finding.detail}")
    if len(outcome.rejected) > _SHOWN:
        lines.append(f"    … all of them are in {out / 'rejected.csv'}")
    lines += [f"  {change}" for change in outcome.changes]
    if outcome.pictures_without_row:
        some = ", ".join(outcome.pictures_without_row[:3])
        lines.append(f"  pictures without a row: {len(outcome.pictures_without_row):,} ({some}, …)")
    if outcome.links_not_followed:
        lines.append(f"  links out of the source, not followed: {len(outcome.links_not_followed):,}")
    return lines


def ask_on_terminal() -> Ask:
    """Asks the person at the terminal; where there is none, a question is an error."""
    return _ask if sys.stdin.isatty() and sys.stderr.isatty() else nobody


def _ask(question: Question) -> str:
    click.echo(f"What is {question.what}? ({question.option} answers it too)", err=True)
    for number, line in enumerate(question.lines(), 1):
        click.echo(f"  {number}  {line}", err=True)
    chosen = click.prompt("Number", type=click.IntRange(1, len(question.candidates)), err=True)
    return question.candidates[chosen - 1][0]


@contextmanager
def _locked(catalogue: Path) -> Iterator[None]:
    """One import of the same data at a time; the second one waits."""
    catalogue.parent.mkdir(parents=True, exist_ok=True)
    with catalogue.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
