"""The files of a source, a folder or a zip: their names, their bytes, and never one that lies outside."""

import io
import os
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from components.catalogue.reading.errors import CatalogueError
from components.catalogue.reading.source import MAX_IMAGE_BYTES, ZIP_DAMAGE, FileTooLarge, open_zip, safe_entries

MAX_SHEET_BYTES: Final = 512 << 20
MARKER: Final = ".lookbook-import"
"""In a folder that an import made: what it holds is nobody's source."""


class Files(ABC):
    """Files below one place.

    Attributes:
        path: the folder or zip.
        names: of all files, relative to it, with slashes, sorted; hidden ones are left out.
        refused: links to folders, and to files out of the folder; they are not followed.
    """

    path: Path
    names: list[str]
    refused: list[str]

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
            folders[:] = [name for name in folders if not _is_hidden(name)]
            links = [path for name in folders if (path := Path(folder, name)).is_symlink()]  # os.walk passes by
            self.refused += [f"{path.relative_to(self.path).as_posix()}/" for path in links]
            for name in files:
                path = Path(folder, name)
                relative = path.relative_to(self.path).as_posix()
                if _is_hidden(name) or not path.is_file():
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

    def __init__(self, path: Path) -> None:
        self.path = path
        self.refused = []
        self._archive = open_zip(path)
        self._entries = safe_entries(self._archive, path)
        self.names = sorted(name for name in self._entries if not any(map(_is_hidden, name.split("/"))))

    def read(self, name: str, limit: int = MAX_IMAGE_BYTES) -> bytes:
        """See :meth:`Files.read`."""
        entry = self._entries[name]
        if entry.file_size > limit:
            raise FileTooLarge(f"{name} has {entry.file_size:,} bytes, at most {limit:,} are read")
        try:
            with self._archive.open(entry) as file:
                return file.read(entry.file_size)
        except ZIP_DAMAGE as error:
            raise zipfile.BadZipFile(f"{name} is damaged: {error}") from error

    def facts(self) -> Iterator[str]:
        """See :meth:`Files.facts`: size and checksum."""
        return (f"{name}\0{self._entries[name].file_size}\0{self._entries[name].CRC}\n" for name in self.names)


def open_files(path: Path) -> Files:
    """The files of a folder, or of a zip.

    Raises:
        CatalogueError: it is neither, or not to be trusted.
    """
    return FolderFiles(path) if path.is_dir() else ZipFiles(path)


def _is_hidden(name: str) -> bool:
    return name.startswith((".", "__MACOSX"))
