"""The folder that a bulk classification fills, shard by shard, and how it is gone on with.

::

    results.parquet.partial/            until all is there; then it is renamed to results.parquet
      _plan.json                        release, pictures and format: another call must mean the same
      _shards/00003.pictures.json       the pictures of a shard
      _shards/00003.done.json           its counts: it is written when the shard is there, whole
      00003-of-00010.parquet
      _summary.json                     last

A store renames nothing: there the folder has its name from the start, and ``_summary.json`` says that it is whole.
Names that begin with an underscore are no data to Arrow, Spark and DuckDB.
"""

import fcntl
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from components.storage.location import Location, Remote
from pipeline.bulk.files import TEMPORARY, Files, files_at
from pipeline.bulk.sources import Entry
from pipeline.errors import RunError

PLAN: Final = "_plan.json"
SUMMARY: Final = "_summary.json"
_SHARDS: Final = "_shards"
_DONE: Final = ".done.json"
_LOCK: Final = ".lock"
PARTIAL: Final = ".partial"


@dataclass(frozen=True)
class Output:
    """Where the results go.

    Attributes:
        place: folder to be, with the suffix of its format.
    """

    place: Location

    @property
    def suffix(self) -> str:
        """Of the format."""
        return os.path.splitext(self.place.name)[1].lower()  # noqa: PTH122 - a location may be a URI

    @property
    def working(self) -> Location:
        """Where it is filled."""
        place = self.place
        return place if isinstance(place, Remote) else place.with_name(place.name + PARTIAL)

    def files(self) -> Files:
        """Those in the working folder."""
        return files_at(self.working)

    def require_ours(self) -> None:
        """Refuses a place where something else is, or that could not be had when all is done.

        Raises:
            RunError: so it is.
        """
        try:
            for place in dict.fromkeys((self.place, self.working)):
                _require_ours(place)
            self._require_replaceable()
        except OSError as error:
            raise RunError(f"{self.working} cannot be written: {error.strerror}; give another --output") from error

    def plan(self) -> tuple[Location, dict[str, Any]] | None:
        """Where an output is, whole or begun, and what it is of; None where there is none."""
        for place in (self.place, self.working):
            if (found := files_at(place).document(PLAN)) is not None:
                return place, found
        return None

    def is_whole(self, shards: int) -> bool:
        """Whether all of so many tables are there, and the summary that says so."""
        files = files_at(self.place)
        summary = files.document(SUMMARY) or {}
        return summary.get("shards") == shards and done_shards(files) >= set(range(shards))

    def reopen(self) -> None:
        """Makes an output that was whole, and is no more, one that was begun.

        Raises:
            RunError: it cannot be made one.
        """
        if not (isinstance(self.place, Path) and isinstance(self.working, Path) and (self.place / PLAN).is_file()):
            return
        try:
            self.place.rename(self.working)
        except OSError as error:
            raise RunError(
                f"{self.place} is not whole, and cannot be gone on with as {self.working}: {error.strerror}; remove it"
            ) from error

    def finish(self) -> None:
        """Gives the folder its name."""
        if isinstance(self.working, Path) and isinstance(self.place, Path):
            (self.working / _LOCK).unlink(missing_ok=True)
            self.working.rename(self.place)

    def leave(self) -> None:
        """Ends the work on the folder that is filled; one in which nothing was begun goes."""
        if isinstance(self.working, Path) and self.working.is_dir():
            (self.working / _LOCK).unlink(missing_ok=True)
            if not any(self.working.iterdir()):
                self.working.rmdir()

    def _require_replaceable(self) -> None:
        place = self.place
        if isinstance(place, Path) and (place.is_symlink() or os.path.ismount(place)) and not (place / PLAN).is_file():
            raise RunError(
                f"{place} is a link or a mount point, and cannot be replaced by the folder that is filled beside it; "
                f"give a folder in it, as {place / f'labels{self.suffix}'}"
            )


def _require_ours(place: Location) -> None:
    """Lets pass nothing at all, an output, and one that ended before its plan was written."""
    there = files_at(place).all()
    if PLAN not in there and not all(one in (_SHARDS, _LOCK) or one.endswith(TEMPORARY) for one in there):
        raise RunError(f"{place} is there already, and is no output of this command; give another --output")


def lock(working: Location) -> IO[bytes] | None:
    """Holds a folder of this machine until the result is closed, which the end of the process does too.

    Raises:
        RunError: another process works on it, or it cannot be written.
    """
    if isinstance(working, Remote):
        return None
    try:
        working.mkdir(parents=True, exist_ok=True)
        file = (working / _LOCK).open("wb")
    except OSError as error:
        raise RunError(f"{working} cannot be written: {error.strerror}; give another --output") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise RunError(f"another process fills {working}; wait for it, or give another --output") from error
    return file


def write_shards(files: Files, shards: Mapping[int, Sequence[Entry]]) -> None:
    """Notes the pictures of shards by their numbers, for the workers."""
    for number, entries in shards.items():
        files.write(f"{_SHARDS}/{number:05}.pictures.json", json.dumps(entries).encode("ascii"))


def read_shard(files: Files, number: int) -> list[Entry]:
    """The pictures of a shard.

    Raises:
        RunError: nobody noted them here.
    """
    content = files.read(f"{_SHARDS}/{number:05}.pictures.json")
    if content is None:
        raise RunError("the output's folder is not the same here: workers need it under the same path, or as a URI")
    return [Entry(*entry) for entry in json.loads(content)]


def write_done(files: Files, number: int, counts: dict[str, Any]) -> None:
    """Notes that a shard is there."""
    files.write(f"{_SHARDS}/{number:05}{_DONE}", json.dumps(counts).encode("utf-8"))


def done_shards(files: Files) -> set[int]:
    """Those that are there: with their note, and with the table that it speaks of, which somebody may have removed."""
    there = {name.partition("-of-")[0] for name in files.names()}
    notes = {name.removesuffix(_DONE) for name in files.names(_SHARDS) if name.endswith(_DONE)}
    return {int(number) for number in notes & there}


def read_done(files: Files, number: int) -> dict[str, Any]:
    """The counts of a shard that is there.

    Raises:
        RunError: its note is damaged.
    """
    name = f"{_SHARDS}/{number:05}{_DONE}"
    found = files.document(name) or {}
    counts = [found.get(key) for key in ("pictures", "answered", "failed")]
    codes = found.get("failed_by")
    if not isinstance(codes, dict) or not all(isinstance(count, int) for count in (*counts, *codes.values())):
        raise RunError(f"{files.place}/{name} is damaged; remove it, and run the same command again")
    return found
