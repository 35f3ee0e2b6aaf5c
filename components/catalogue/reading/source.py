"""Where a catalogue lies: a folder or a zip with ``styles.csv`` and ``images/<id>.jpg``, read where it is."""

import lzma
import os
import re
import struct
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from components.catalogue.reading.cells import tidy
from components.catalogue.reading.errors import CatalogueError, no_images, no_pictures
from components.storage.location import Location, Remote
from components.storage.packed import PackedMap, Texts
from components.storage.ranged import RangedFile
from components.storage.zip_entries import Entries, names_of
from schema import names
from schema.file_names import PICTURE_SUFFIXES, as_written, is_of_a_system, preference

MAX_CSV_BYTES: Final = 512 << 20
MAX_IMAGE_BYTES: Final = 32 << 20
MAX_ZIP_RATIO: Final = 100  # unpacked ÷ packed size; pictures hardly pack, text 20 times at most
MAX_ZIP_BYTES_UNASKED: Final = 1 << 30  # up to here any ratio will do

_MOST_HEADER: Final = 1024  # of an entry: 30 bytes, its name, and what else the packer noted
MAX_DEPTH: Final = 3  # folders between a folder that is given and its styles.csv: Kaggle nests its large set by two

# What zipfile raises for a damaged archive besides BadZipFile; RuntimeError covers packing methods that it lacks.
ZIP_DAMAGE: Final = (EOFError, RuntimeError, ValueError, struct.error, zlib.error, lzma.LZMAError)


class FileTooLarge(Exception):
    """A file is larger than any honest one."""


class Catalogue(ABC):
    """A readable catalogue.

    Attributes:
        path: the folder or zip, as given.
        images: id → path of its picture, relative to the catalogue.
        spare_files: files under ``images/`` that no id can mean, since another file has the same stem, or in a zip the
            very same name.
    """

    def __init__(self, path: Location, image_names: Iterable[str]) -> None:
        self.path = path
        self.spare_files: list[str] = []
        found: dict[str, str] = {}
        for name in sorted(image_names, key=preference):
            stem = _stem(name)
            if found.setdefault(stem, name) != name:
                self.spare_files.append(name)
        self.images: Mapping[str, str] = PackedMap(list(found), Texts(found.values()).at)

    @abstractmethod
    def read(self, name: str, limit: int = MAX_IMAGE_BYTES) -> bytes:
        """The bytes of a file of the catalogue.

        Raises:
            FileTooLarge: it has more than ``limit`` bytes.
            OSError, zipfile.BadZipFile: it cannot be read.
        """

    def styles(self) -> bytes:
        """The bytes of ``styles.csv``.

        Raises:
            CatalogueError: it is too large or cannot be read.
        """
        try:
            return self.read(names.STYLES_CSV, MAX_CSV_BYTES)
        except (FileTooLarge, OSError, zipfile.BadZipFile) as error:
            raise CatalogueError(f"{names.STYLES_CSV} of {self.path} cannot be read: {error}") from error


class Folder(Catalogue):
    """A catalogue in a folder, or in the folder below it whose ``styles.csv`` lies nearest."""

    def __init__(self, path: Path) -> None:
        self.root = find_root(path)
        images = self.root / names.IMAGES_DIR
        if not images.is_dir():
            raise CatalogueError(no_images(self.root))
        with os.scandir(images) as entries:
            shown = [entry for entry in entries if not is_of_a_system([entry.name])]
            found = [entry.name for entry in shown if _is_file(entry)]
        if shown and not found:
            raise CatalogueError(no_pictures(self.root, "", [f"{names.IMAGES_DIR}/{entry.name}/" for entry in shown]))
        super().__init__(path, (f"{names.IMAGES_DIR}/{name}" for name in found))

    def read(self, name: str, limit: int = MAX_IMAGE_BYTES) -> bytes:
        """See :meth:`Catalogue.read`."""
        with open(os.path.join(self.root, name), "rb") as file:  # noqa: PTH118, PTH123 - thousands of times
            content = file.read(limit + 1)
        if len(content) > limit:
            raise FileTooLarge(f"{name} has more than {limit:,} bytes")
        return content


class Zip(Catalogue):
    """A catalogue in a zip, at its top or in a folder of it."""

    def __init__(self, path: Location) -> None:
        self._archive = open_zip(path)
        self._entries, replaced = safe_entries(self._archive, path)
        self._prefix = prefix_of(path, self._entries)
        images = f"{self._prefix}{names.IMAGES_DIR}/"
        found = [name for name in self._entries if name.startswith(images) and "/" not in name[len(images) :]]
        shown = (name for name in found if not is_of_a_system([name[len(images) :]]))
        super().__init__(path, (name.removeprefix(self._prefix) for name in shown))
        if not self.images:
            raise CatalogueError(no_pictures(path, self._prefix, self._entries))
        self.spare_files += [name.removeprefix(self._prefix) for name in replaced if name.startswith(images)]

    def read(self, name: str, limit: int = MAX_IMAGE_BYTES) -> bytes:
        """See :meth:`Catalogue.read`."""
        entry = self._entries[self._prefix + name]
        if entry.file_size > limit:
            raise FileTooLarge(f"{name} has {entry.file_size:,} bytes, at most {limit:,} are read")
        expect_entry(self._archive, entry)
        try:
            with self._archive.open(entry) as file:
                # ZipFile.read unpacks all that is there, and only then looks at how much was claimed.
                content = file.read(entry.file_size)
        except ZIP_DAMAGE as error:
            raise zipfile.BadZipFile(f"{name} is damaged: {error}") from error
        if len(content) != entry.file_size:
            raise zipfile.BadZipFile(f"{name} unpacks to {len(content):,} bytes, not to {entry.file_size:,}")
        return content


def open_catalogue(path: Location) -> Catalogue:
    """Opens the folder or zip at ``path``.

    Raises:
        CatalogueError: there is none, it has no ``styles.csv`` or no ``images/``, or the zip is not to be trusted.
        StorageError: it lies in a store that cannot be read.
    """
    if path.is_dir():
        if isinstance(path, Remote):
            from components.catalogue.reading.remote_folder import RemoteFolder  # which is a Catalogue of this module

            return RemoteFolder(path)
        return Folder(path)
    if path.is_file():
        return Zip(path)
    raise CatalogueError(f"{path} does not exist; give a folder or zip with {names.STYLES_CSV} and {names.IMAGES_DIR}/")


def is_catalogue(path: Location) -> bool:
    """Whether a folder or zip has a ``styles.csv`` where a catalogue has it, be it a good one or not.

    Raises:
        CatalogueError: a zip cannot be read, or is not to be trusted.
    """
    if path.is_dir():
        if isinstance(path, Remote):
            return any(name.name == names.STYLES_CSV for name in sheets_of(path.store.sizes("")))
        return any(_styles_at(path, depth) for depth in range(MAX_DEPTH + 1))
    if path.is_file() and not zipfile.is_zipfile(opened(path)):
        return False
    with open_zip(path) as archive:
        return any(PurePosixPath(name).name == names.STYLES_CSV for name, _ in safe_files(archive, path))


def find_root(path: Path) -> Path:
    """The folder that holds ``styles.csv``: ``path``, else the one that lies nearest below it, as in a zip."""
    for depth in range(MAX_DEPTH + 1):
        roots = [file.parent for file in _styles_at(path, depth)]
        if len(roots) == 1:
            return roots[0]
        if roots:
            raise CatalogueError(_no_single_csv(path, roots))
    raise CatalogueError(_no_single_csv(path, ()))


def _styles_at(path: Path, depth: int) -> list[Path]:
    pattern = "/".join([*["*"] * depth, names.STYLES_CSV])
    files = (file for file in sorted(path.glob(pattern)) if file.is_file())
    return [file for file in files if not is_of_a_system(file.relative_to(path).parts)]


def opened(path: Location) -> Path | RangedFile:
    """What zipfile reads from: the path, or a file of a store."""
    return path.open() if isinstance(path, Remote) else path


def expect_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """Fetches an entry of a zip in a store by one request; how long its own header is stands there alone."""
    if isinstance(archive.fp, RangedFile):
        archive.fp.expect(entry.header_offset, _MOST_HEADER + entry.compress_size)


def open_zip(path: Location) -> zipfile.ZipFile:
    """The zip at ``path``.

    Raises:
        CatalogueError: it cannot be read.
    """
    # A pipe would be waited for, a device read for ever.
    if isinstance(path, Path) and path.exists() and not path.is_file():
        raise CatalogueError(f"{path} is no file that can be read from end to end; give a folder, a zip or a sheet")
    try:
        return zipfile.ZipFile(opened(path))
    except (zipfile.BadZipFile, OSError, *ZIP_DAMAGE) as error:
        raise CatalogueError(
            f"{path} is not a zip that can be read: {error}; give a folder, a zip or a sheet"
        ) from error


def safe_entries(archive: zipfile.ZipFile, path: Location) -> tuple[Mapping[str, zipfile.ZipInfo], list[str]]:
    """Name → entry of every file in the archive, and the names of those that a later, different file replaces.

    They are held small, and the archive forgets its own directory: .7 kB an entry. Raises as :func:`safe_files`.
    """
    files = safe_files(archive, path)
    entries = dict(files)
    replaced = [name for name, entry in files if entry.CRC != entries[name].CRC]
    archive.filelist.clear()
    archive.NameToInfo.clear()
    return PackedMap(list(entries), Entries(list(entries.values())).at), replaced


def safe_files(archive: zipfile.ZipFile, path: Location) -> list[tuple[str, zipfile.ZipInfo]]:
    """Name and entry of every file in the archive, in its order.

    Raises:
        CatalogueError: an entry points outside the archive or is encrypted, or the archive unpacks to far too much.
    """
    files = [entry for entry in archive.infolist() if not entry.filename.endswith(("/", "\\"))]  # those are folders
    entries = list(zip(names_of(files), files, strict=True))
    for name, entry in entries:
        if name.startswith("/") or re.match("[A-Za-z]:", name) or ".." in name.split("/"):
            raise CatalogueError(f"{path}: entry {name!r} points outside the archive; not read")
        if entry.flag_bits & 1:
            raise CatalogueError(f"{path}: entry {name!r} is encrypted; give a zip without a password")
    packed = (path.size or 0) if isinstance(path, Remote) else path.stat().st_size
    unpacked = sum(entry.file_size for _, entry in entries)
    if unpacked > max(MAX_ZIP_BYTES_UNASKED, MAX_ZIP_RATIO * packed):
        raise CatalogueError(
            f"{path} has {packed:,} bytes and claims to unpack to {unpacked:,}: a zip bomb, not a catalogue; not read"
        )
    return entries


def sheets_of(entries: Iterable[str]) -> list[PurePosixPath]:
    """Those that are a ``styles.csv``."""
    sheets = (PurePosixPath(name) for name in entries if name.endswith(names.STYLES_CSV))
    return [name for name in sheets if name.name == names.STYLES_CSV and not is_of_a_system(name.parts)]


def prefix_of(path: Location, entries: Iterable[str]) -> str:
    """The folder of the one ``styles.csv`` that lies nearest to the top."""
    found = sheets_of(entries)
    shallowest = min((len(name.parts) for name in found), default=0)
    roots = [name.parent for name in found if len(name.parts) == shallowest]
    if len(roots) != 1:
        raise CatalogueError(_no_single_csv(path, roots))
    return "" if roots[0] == PurePosixPath() else f"{roots[0]}/"


def _no_single_csv(path: Location, roots: Iterable[Path | PurePosixPath]) -> str:
    choices = ", ".join(str(root) for root in roots)
    if choices:
        return f"{path} has more than one {names.STYLES_CSV}, in {choices}; give one of these"
    return (
        f"{path} has no {names.STYLES_CSV}; give a folder or zip with {names.STYLES_CSV} and {names.IMAGES_DIR}/; "
        "`lookbook import` makes one of other layouts"
    )


def _stem(name: str) -> str:
    """The id that the name of a picture means: macOS takes letters and accents apart, Windows hides ``.jpg.jpg``."""
    stem = os.path.splitext(name.rpartition("/")[2])[0]  # noqa: PTH122 - thousands of times
    while stem.lower().endswith(PICTURE_SUFFIXES) and not stem.startswith("."):
        stem = stem[: stem.rindex(".")]
    return tidy(as_written(stem))


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a link in a circle: the picture of its row is missing, as behind a link to nothing
        return False
