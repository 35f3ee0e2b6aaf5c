"""The files of a source, a folder or a zip: their names, their bytes, and never one that lies outside."""

import hashlib
import io
import os
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final

from components.catalogue.reading.errors import CatalogueError
from components.catalogue.reading.remote_folder import listing
from components.catalogue.reading.source import (
    MAX_IMAGE_BYTES,
    ZIP_DAMAGE,
    FileTooLarge,
    expect_entry,
    open_zip,
    safe_entries,
)
from components.storage.errors import Missing
from components.storage.location import Location, Remote
from schema.file_names import is_of_a_system
from schema.names import STYLES_CSV

MAX_SHEET_BYTES: Final = 512 << 20
MARKER: Final = ".lookbook-import"
"""In a folder that an import made: what it holds is nobody's source."""


class Files(ABC):
    """Files below one place.

    Attributes:
        path: the folder or zip, here or in a store.
        names: of all files, relative to it, with slashes, sorted; hidden ones are left out.
        refused: links to folders, and to files out of the folder; they are not followed.
        replaced: names of files of a zip that a later, different one of the same name replaces.
    """

    path: Location
    names: list[str]
    refused: list[str]
    replaced: Sequence[str] = ()

    @abstractmethod
    def read(self, name: str, limit: int = MAX_IMAGE_BYTES) -> bytes:
        """The bytes of a file.

        Raises:
            FileTooLarge: it has more than ``limit`` bytes.
            OSError, zipfile.BadZipFile: it cannot be read.
        """

    def read_sheet(self, name: str) -> bytes:
        """The bytes of a sheet.

        Raises:
            CatalogueError: it is too large or cannot be read.
        """
        try:
            return self.read(name, MAX_SHEET_BYTES)
        except (FileTooLarge, OSError, zipfile.BadZipFile) as error:
            raise CatalogueError(f"{name} of {self.path} cannot be read: {error}") from error

    def open_sheet(self, name: str) -> BinaryIO:
        """A sheet as a file in which one can go back and forth."""
        return io.BytesIO(self.read_sheet(name))

    @abstractmethod
    def facts(self) -> Iterator[str]:
        """A line for each file that changes when the file does."""


class FolderFiles(Files):
    """Files of a folder and of all folders below it."""

    path: Path

    def __init__(self, path: Path, only: str = "") -> None:
        """Looks a folder through.

        Args:
            path: the folder.
            only: the name of the one file of it that counts; empty for all, also those below it.
        """
        self.path = path
        self.refused = []
        self.names = [only] if only else sorted(self._walk())

    def _walk(self) -> Iterator[str]:
        inside = f"{self.path.resolve()}{os.sep}"
        for folder, folders, files in os.walk(self.path):
            if MARKER in files:
                folders.clear()
                continue
            folders[:] = [name for name in folders if not is_of_a_system([name])]
            links = [path for name in folders if (path := Path(folder, name)).is_symlink()]  # os.walk passes by
            self.refused += [f"{path.relative_to(self.path).as_posix()}/" for path in links]
            for name in files:
                path = Path(folder, name)
                relative = path.relative_to(self.path).as_posix()
                if is_of_a_system([name]) or not path.is_file():
                    continue
                if path.is_symlink() and not str(path.resolve()).startswith(inside):
                    self.refused.append(relative)
                else:
                    yield relative

    def read(self, name: str, limit: int = MAX_IMAGE_BYTES) -> bytes:
        """See :meth:`Files.read`."""
        with (self.path / name).open("rb") as file:
            content = file.read(limit + 1)
        if len(content) > limit:
            raise FileTooLarge(f"{name} has more than {limit:,} bytes")
        return content

    def open_sheet(self, name: str) -> BinaryIO:
        """See :meth:`Files.open_sheet`; nothing is read before it is asked for."""
        return (self.path / name).open("rb")

    def facts(self) -> Iterator[str]:
        """See :meth:`Files.facts`: size and time of change."""
        for name in self.names:
            status = (self.path / name).stat()
            yield f"{name}\0{status.st_size}\0{status.st_mtime_ns}\n"


class ZipFiles(Files):
    """Files of a zip."""

    def __init__(self, path: Location) -> None:
        self.path = path
        self.refused = []
        self._archive = open_zip(path)
        self._entries, self.replaced = safe_entries(self._archive, path)
        self.names = sorted(name for name in self._entries if not is_of_a_system(name.split("/")))

    def read(self, name: str, limit: int = MAX_IMAGE_BYTES) -> bytes:
        """See :meth:`Files.read`."""
        entry = self._entries[name]
        if entry.file_size > limit:
            raise FileTooLarge(f"{name} has {entry.file_size:,} bytes, at most {limit:,} are read")
        expect_entry(self._archive, entry)
        try:
            with self._archive.open(entry) as file:
                return file.read(entry.file_size)
        except ZIP_DAMAGE as error:
            raise zipfile.BadZipFile(f"{name} is damaged: {error}") from error

    def facts(self) -> Iterator[str]:
        """See :meth:`Files.facts`: size and checksum."""
        return (f"{name}\0{self._entries[name].file_size}\0{self._entries[name].CRC}\n" for name in self.names)


class RemoteFiles(Files):
    """Objects of a store below a URI."""

    def __init__(self, path: Remote, only: str = "") -> None:
        """As of a folder; a web server is asked for ``only`` and lists nothing."""
        self.path = path
        self.refused = []
        self._store = path.store
        self._listing = {only: (Remote(f"{path}/{only}").size or 0, "")} if only else listing(path)
        self.names = sorted(name for name in self._listing if not is_of_a_system(name.split("/")))

    def read(self, name: str, limit: int = MAX_IMAGE_BYTES) -> bytes:
        """See :meth:`Files.read`; that the store cannot be read is a ``StorageError``, and no fault of a file."""
        if self._listing[name][0] > limit:
            raise FileTooLarge(f"{name} has more than {limit:,} bytes")
        try:
            return self._store.read(name)
        except Missing as error:
            raise FileNotFoundError(str(error)) from error

    def facts(self) -> Iterator[str]:
        """See :meth:`Files.facts`: size, and what the store tells of the content; of a lone sheet its content."""
        for name in self.names:
            size, version = self._listing[name]
            yield f"{name}\0{size}\0{version or hashlib.sha256(self._store.read(name)).hexdigest()}\n"


def open_files(path: Location) -> Files:
    """The files of a folder, or of a zip.

    Raises:
        CatalogueError: it is neither, or not to be trusted.
        StorageError: it lies in a store that cannot be read.
    """
    if isinstance(path, Path) and (path / MARKER).is_file():
        is_whole = (path / STYLES_CSV).is_file()
        what = "take it as it is: lookbook data check" if is_whole else "it did not end: run it again, with --out"
        raise CatalogueError(f"{path} is of an import, and no source; {what} {path}")
    return folder_files(path) if path.is_dir() else ZipFiles(path)


def folder_files(path: Location, only: str = "") -> Files:
    """The files of a folder, or the one that is called ``only``."""
    return RemoteFiles(path, only) if isinstance(path, Remote) else FolderFiles(path, only)
