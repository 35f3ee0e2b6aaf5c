"""What ``--input`` means: which pictures, in which order, and a digest that changes when any of them does."""

import hashlib
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

from components.catalogue.reading.errors import CatalogueError
from components.catalogue.reading.remote_folder import listing as objects_of
from components.catalogue.reading.rows import read_rows
from components.catalogue.reading.source import ZIP_DAMAGE, open_catalogue, open_zip, safe_files
from components.storage.errors import Archived, Missing
from components.storage.location import Location, Remote, location
from components.storage.uri import is_uri
from pipeline.bulk.globbing import MAGIC, globbed, matches
from pipeline.bulk.sources import Entry
from schema import names
from schema.file_names import as_text
from schema.product_names import MOST_CHARACTERS
from serving.client.listing import HEAD_BYTES, Listing, add_files, free_name, list_folder, why_no_picture
from serving.client.product_names import names_of

_PARTS_OF_A_BUCKET: Final = 3  # s3:, nothing, and its name


@dataclass
class Input:
    """Pictures to classify.

    Attributes:
        place: folder or zip that they are in.
        entries: the pictures, in order.
        skipped: name of each other file → why it is no picture.
        unreadable: name of each folder that cannot be looked into → why.
        is_zip: whether the place is a zip; a store may have an object of the name of a folder, so nobody asks it again.
    """

    place: Location
    entries: list[Entry] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    versions: list[str] = field(default_factory=list)
    is_zip: bool = False

    @property
    def digest(self) -> str:
        """SHA-256 of the names, places and versions of all pictures, and of what their products are called."""
        digest = hashlib.sha256()
        for entry, version in zip(self.entries, self.versions, strict=True):
            digest.update(f"{entry}\0{version}\n".encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    def add(self, entry: Entry, version: str) -> None:
        """Adds a picture; ``version`` is a text that changes when its content does."""
        self.entries.append(entry)
        self.versions.append(version)

    def call(self, product_names: Mapping[str, str]) -> None:
        """Says what products are called, by the files' names or the keys of a sheet; others stay as they are.

        Raises:
            ValueError: there are names, and none is of any picture.
        """
        found = names_of([entry.name for entry in self.entries], product_names)
        self.entries = [
            entry._replace(product_name=found.get(entry.name, entry.product_name)) for entry in self.entries
        ]


def list_input(text: str) -> Input:
    """The pictures of a folder, a zip, a glob, a catalogue's ``styles.csv``, or one picture; here or by its URI.

    Raises:
        CatalogueError: there is nothing, or it cannot be read.
        StorageError: it lies in a store that cannot be read.
    """
    place, pattern = split_glob(text)
    if isinstance(place, Remote):
        return _remote(place, pattern)
    place = Path(os.path.abspath(place))  # noqa: PTH100 - resolve() would follow links, and workers have this path
    return _local(place, pattern)


def _local(place: Path, pattern: str) -> Input:
    if pattern:
        listing = Listing()
        add_files(listing, place, globbed(place, [part for part in pattern.split("/") if part], listing))
        return _of_files(place, listing)
    if place.is_dir():
        return _of_files(place, list_folder(place))
    if not place.exists():
        raise CatalogueError(f"there is nothing at {place}")
    if place.name == names.STYLES_CSV:
        return _of_sheet(place.parent, _version_here)
    if place.is_file() and (_is_called_zip(place) or zipfile.is_zipfile(place)):
        return _of_zip(place)
    listing = Listing()
    add_files(listing, place.parent, [place])
    return _of_files(place.parent, listing)


def _is_called_zip(place: Location) -> bool:
    """Whether it means to be one: a download that was cut short is not told by its content."""
    return place.name.lower().endswith(".zip")


def _remote(place: Remote, pattern: str) -> Input:
    if pattern or place.is_dir():
        return _of_objects(place, objects_of(place), pattern)
    if place.name == names.STYLES_CSV:
        objects = objects_of(place.parent)
        return _of_sheet(place.parent, lambda address: objects.get(address, (0, "")))
    if _is_called_zip(place) or zipfile.is_zipfile(place.open()):
        return _of_zip(place)
    return _of_objects(place.parent, {place.name: (place.size or 0, "")}, "")


def _of_files(place: Path, listing: Listing) -> Input:
    found = Input(place, skipped=listing.skipped, unreadable=listing.unreadable)
    for name, path in listing.pictures.items():
        address = os.path.relpath(path, place)
        size, version = _version_here(str(path))
        found.add(Entry(name, address, size), version)
    return found


def _version_here(path: str) -> tuple[int, str]:
    try:
        facts = os.stat(path)  # noqa: PTH116 - a million times
    except OSError as error:
        return 1, str(error.errno)  # its own error comes when it is read
    return facts.st_size, str(facts.st_mtime_ns)


def _of_zip(place: Location) -> Input:
    found, listing = Input(place, is_zip=True), Listing()
    with open_zip(place) as archive:
        numbers = {id(info): number for number, info in enumerate(archive.infolist())}
        for name, info in sorted(safe_files(archive, place), key=lambda one: (one[0], one[1].header_offset)):
            free, why = free_name(as_text(name), listing), why_no_picture(PurePosixPath(name), _head(archive, info))
            if why:
                listing.skipped[free] = why
                continue
            listing.pictures[free] = Path(name)
            found.add(Entry(free, str(numbers[id(info)]), info.file_size), f"{info.CRC:08x}")
    found.skipped = listing.skipped
    return found


def _head(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], bytes]:
    def head() -> bytes:
        try:
            with archive.open(info) as file:
                return file.read(HEAD_BYTES)
        except (zipfile.BadZipFile, *ZIP_DAMAGE) as error:
            raise OSError(str(error)) from error

    return head


def _of_objects(place: Remote, objects: dict[str, tuple[int, str]], pattern: str) -> Input:
    found, listing, store = Input(place), Listing(), place.store
    for address, (size, version) in sorted(objects.items()):
        if pattern and not matches(address.split("/"), pattern.split("/")):
            continue

        # By its name in the store: a key may have what no URI that is typed may have.
        def head(address: str = address, size: int = size) -> bytes:
            try:
                return store.read_range(0, min(HEAD_BYTES, size), address) if size else b""
            except (Missing, Archived) as error:
                raise OSError(str(error)) from error

        name, why = free_name(as_text(address), listing), why_no_picture(PurePosixPath(address), head)
        if why:
            listing.skipped[name] = why
        else:
            listing.pictures[name] = Path(address)
            found.add(Entry(name, address, size), version)
    found.skipped = listing.skipped
    return found


def _of_sheet(place: Location, look: Callable[[str], tuple[int, str]]) -> Input:
    """The pictures of the rows, in their order, with their products' names; rows that repeat an id have one picture."""
    catalogue, found = open_catalogue(place), Input(place)
    rows = read_rows(catalogue)
    lines = {finding.id: finding.line for finding in rows.rejected} | {row.id: row.line for row in rows.taken}
    called = {row.id: row.cells.get(names.PRODUCT_NAME, "").strip()[:MOST_CHARACTERS] for row in rows.taken}
    for row_id in sorted(lines, key=lines.__getitem__):
        address = catalogue.images.get(row_id, "") if row_id else ""
        if not row_id:
            found.skipped[f"line {lines[row_id]} of {names.STYLES_CSV}"] = "has no id"
            continue
        size, version = look(str(place / address) if isinstance(place, Path) else address) if address else (0, "")
        name = as_text(address or f"{names.IMAGES_DIR}/{row_id}")
        found.add(Entry(name, address, size, called.get(row_id, "")), version)
    return found


def split_glob(text: str) -> tuple[Location, str]:
    """The folder before the first part with a magic character, and the rest; a path that is there has none.

    Raises:
        CatalogueError: the magic character is in the name of a bucket.
        StorageError: it is a URI, and a bad one.
    """
    if not any(one in text for one in MAGIC) or (not is_uri(text) and os.path.lexists(text)):
        return location(text), ""
    parts = text.split("/")
    first = next(index for index, part in enumerate(parts) if any(one in part for one in MAGIC))
    if is_uri(text):
        if "=" in text.partition("?")[2]:
            return location(text), ""  # a query, which may be a secret, is refused there
        if first < _PARTS_OF_A_BUCKET:
            raise CatalogueError("the URI has a pattern in place of its bucket; name that, and give a pattern below it")
    return location("/".join(parts[:first]) or ("/" if text.startswith("/") else ".")), "/".join(parts[first:])


def shards_of(entries: list[Entry], size: int) -> Iterator[list[Entry]]:
    """The pictures, ``size`` at a time."""
    for start in range(0, len(entries), size):
        yield entries[start : start + size]
