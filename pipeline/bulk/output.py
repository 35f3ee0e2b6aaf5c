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
import tempfile
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from components.storage.errors import Missing
from components.storage.location import Location, Remote
from pipeline.bulk.sources import Entry
from pipeline.errors import RunError

PLAN: Final = "_plan.json"
SUMMARY: Final = "_summary.json"
_SHARDS: Final = "_shards"
_DONE: Final = ".done.json"
_LOCK: Final = ".lock"
PARTIAL: Final = ".partial"


class Files(ABC):
    """Files below one folder, each of which is there whole or not at all."""

    @abstractmethod
    def read(self, name: str) -> bytes | None:
        """The content of a file; None where there is none."""

    @abstractmethod
    def write(self, name: str, content: bytes) -> None:
        """Makes a file, or replaces it."""

    @abstractmethod
    def names(self, folder: str = "") -> set[str]:
        """Of the files in a folder, relative to it."""


class LocalFiles(Files):
    """On this machine, or on a volume that all workers have."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self, name: str) -> bytes | None:
        """See :meth:`Files.read`."""
        path = self.root / name
        return path.read_bytes() if path.is_file() else None

    def write(self, name: str, content: bytes) -> None:
        """See :meth:`Files.write`."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(descriptor)
            Path(temporary).chmod(0o666 & ~_umask())
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise

    def names(self, folder: str = "") -> set[str]:
        """See :meth:`Files.names`."""
        path = self.root / folder
        return {one.name for one in path.iterdir() if one.is_file()} if path.is_dir() else set()


class StoredFiles(Files):
    """In a store."""

    def __init__(self, root: Remote) -> None:
        self._store = root.store

    def read(self, name: str) -> bytes | None:
        """See :meth:`Files.read`."""
        try:
            return self._store.read(name)
        except Missing:
            return None

    def write(self, name: str, content: bytes) -> None:
        """See :meth:`Files.write`."""
        self._store.write(name, content)

    def names(self, folder: str = "") -> set[str]:
        """See :meth:`Files.names`."""
        return {name for name in self._store.sizes(folder) if "/" not in name}


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

    def summary(self) -> dict[str, Any] | None:
        """That of an output that is whole; None where there is none.

        Raises:
            RunError: what is there is not ours.
        """
        if isinstance(self.place, Path) and os.path.lexists(self.place) and not self._is_ours(self.place):
            raise RunError(f"{self.place} is there already, and is no output of this command; give another --output")
        content = files_at(self.place).read(SUMMARY)
        return json.loads(content) if content else None

    def plan(self) -> dict[str, Any] | None:
        """What the output that is there, whole or begun, is of; None where there is none."""
        done = files_at(self.place).read(PLAN)
        content = done or self.files().read(PLAN)
        return json.loads(content) if content else None

    def finish(self) -> None:
        """Gives the folder its name."""
        if isinstance(self.working, Path) and isinstance(self.place, Path):
            (self.working / _LOCK).unlink(missing_ok=True)
            self.working.rename(self.place)

    @staticmethod
    def _is_ours(place: Path) -> bool:
        return (place / SUMMARY).is_file() or (place.is_dir() and not any(place.iterdir()))


def files_at(place: Location) -> Files:
    """The files of a folder, here or in a store."""
    return StoredFiles(place) if isinstance(place, Remote) else LocalFiles(place)


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


def write_shards(files: Files, shards: list[list[Entry]]) -> None:
    """Notes the pictures of each shard, for the workers."""
    for number, entries in enumerate(shards):
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
    """The counts of a shard that is there."""
    return dict(json.loads(files.read(f"{_SHARDS}/{number:05}{_DONE}") or b"{}"))


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
