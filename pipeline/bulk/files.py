"""Files of a folder, here or in a store, each of which is there whole or not at all."""

import json
import os
import tempfile
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Final

from components.storage.errors import Missing
from components.storage.location import Location, Remote

TEMPORARY: Final = ".tmp"
"""Ends the name of a file that is not whole yet."""


class Files(ABC):
    """Files below one folder, each of which is there whole or not at all.

    Attributes:
        place: the folder.
    """

    place: Location

    @abstractmethod
    def read(self, name: str) -> bytes | None:
        """The content of a file; None where there is none."""

    @abstractmethod
    def write(self, name: str, content: bytes) -> None:
        """Makes a file, or replaces it."""

    def document(self, name: str) -> dict[str, Any] | None:
        """The JSON object in a file; None where there is no file, and empty where that is damaged."""
        content = self.read(name)
        if content is None:
            return None
        try:
            found = json.loads(content)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @abstractmethod
    def names(self, folder: str = "") -> set[str]:
        """Of the files in a folder that hold anything, relative to it: an empty one was emptied, and none of ours."""

    @abstractmethod
    def all(self) -> set[str]:
        """Names of files and folders right below; an empty name where there is a file in place of the folder."""


class LocalFiles(Files):
    """On this machine, or on a volume that all workers have."""

    def __init__(self, root: Path) -> None:
        self.place = self.root = root

    def read(self, name: str) -> bytes | None:
        """See :meth:`Files.read`."""
        path = self.root / name
        return path.read_bytes() if path.is_file() else None

    def write(self, name: str, content: bytes) -> None:
        """See :meth:`Files.write`."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(prefix=".", suffix=TEMPORARY, dir=path.parent)
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
        return {one.name for one in path.iterdir() if one.is_file() and one.stat().st_size} if path.is_dir() else set()

    def all(self) -> set[str]:
        """See :meth:`Files.all`."""
        try:
            return {one.name for one in self.root.iterdir()}
        except (FileNotFoundError, NotADirectoryError):
            return {""} if os.path.lexists(self.root) else set()


class StoredFiles(Files):
    """In a store."""

    def __init__(self, root: Remote) -> None:
        self.place, self._store = root, root.store

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
        return {name for name, size in self._store.sizes(folder).items() if size and "/" not in name}

    def all(self) -> set[str]:
        """See :meth:`Files.all`."""
        below = {name.partition("/")[0] for name in self._store.sizes("")}
        try:
            return below if self._store.size() is None else below | {""}
        except Missing:
            return below


def files_at(place: Location) -> Files:
    """The files of a folder, here or in a store."""
    return StoredFiles(place) if isinstance(place, Remote) else LocalFiles(place)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
