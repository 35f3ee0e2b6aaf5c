"""Where the pictures of a bulk classification lie, and how one of them is read."""

import threading
import zipfile
from abc import ABC, abstractmethod
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from components.catalogue.reading.source import ZIP_DAMAGE, expect_entry, open_zip
from components.storage.errors import Archived, Missing
from components.storage.location import Location, Remote
from components.storage.store import Store
from serving.merger.core.images import require_bytes


class Entry(NamedTuple):
    """A picture of a source.

    Attributes:
        name: unique in its source, as text.
        address: by which the source finds it; "" for a row of a sheet without a picture.
        size: in bytes, when it was listed.
        product_name: what its product is called, as a hint; "" where nobody said.
    """

    name: str
    address: str
    size: int
    product_name: str = ""


class Unreadable(Exception):
    """One picture cannot be read; why, in words."""


class Source(ABC):
    """Reads pictures; may be asked by several threads.

    Attributes:
        is_far: whether it takes its time, so that several pictures should be waited for at once.
    """

    is_far = False

    def read(self, entry: Entry, max_bytes: int) -> bytes:
        """The bytes of a picture.

        Raises:
            ImageError: it has none or too many; it is not read then.
            Unreadable: it is not there, or may not be read.
            StorageError: the store cannot be read at all.
        """
        if not entry.address:
            raise Unreadable("The sheet has a row for it, and there is no picture.")
        require_bytes(entry.size, max_bytes)
        return self._read(entry.address, max_bytes)

    @abstractmethod
    def _read(self, address: str, max_bytes: int) -> bytes: ...


class Folder(Source):
    """Files below a folder of this machine."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def _read(self, address: str, max_bytes: int) -> bytes:
        try:
            with (self._root / address).open("rb") as file:
                return file.read(max_bytes + 1)  # it may have grown
        except OSError as error:
            raise Unreadable(f"The file cannot be read: {error.strerror or error}.") from error


class Bucket(Source):
    """Objects below a URI."""

    is_far = True

    def __init__(self, root: Remote) -> None:
        self._root = root

    @cached_property
    def _store(self) -> Store:
        return self._root.store

    def _read(self, address: str, max_bytes: int) -> bytes:
        try:
            return self._store.read(address)
        except (Missing, Archived) as error:
            raise Unreadable(f"The object cannot be read: {error}.") from error


class Zip(Source):
    """Entries of a zip, here or in a store, by their place in its directory: two may have one name."""

    def __init__(self, path: Location) -> None:
        self._path, self._lock, self.is_far = path, threading.Lock(), isinstance(path, Remote)

    @cached_property
    def _archive(self) -> zipfile.ZipFile:
        return open_zip(self._path)

    def _read(self, address: str, max_bytes: int) -> bytes:
        with self._lock:
            entry = self._archive.infolist()[int(address)]
            expect_entry(self._archive, entry)
            try:
                with self._archive.open(entry) as file:
                    # No more than was claimed, whatever there is.
                    return file.read(min(entry.file_size, max_bytes + 1))
            except (zipfile.BadZipFile, OSError, *ZIP_DAMAGE) as error:
                raise Unreadable(f"The zip is damaged here: {error}.") from error


def source_at(place: Location, is_zip: bool) -> Source:
    """The source that a zip, or else a folder, here or in a store, is."""
    if is_zip:
        return Zip(place)
    return Bucket(place) if isinstance(place, Remote) else Folder(place)
