"""One short text that changes when a catalogue does: its rows or any of its pictures."""

import hashlib
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

from components.catalogue.reading.errors import CatalogueError, no_images
from components.catalogue.reading.remote_folder import facts
from components.catalogue.reading.source import ZIP_DAMAGE, find_root, opened
from components.storage.location import Location, Remote
from schema import names


def fingerprint(path: Location) -> str:
    """SHA-256 over what tells a changed file: in a zip its name, CRC and size; in a folder its name, size and mtime.

    In a folder of a store, what the store tells instead of a time. No picture is opened.
    A folder and a zip of it have different fingerprints.

    Raises:
        CatalogueError: there is no catalogue at ``path``.
    """
    digest = hashlib.sha256()
    for fact in sorted(_facts(path)):
        digest.update(fact.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def require_unchanged(path: Location, before: str) -> None:
    """Raises CatalogueError where a catalogue no longer has the fingerprint that it had when it began to be read."""
    if fingerprint(path) != before:
        raise CatalogueError(f"{path} changed while it was read; run again, once nobody writes there")


def _facts(path: Location) -> Iterator[str]:
    if not path.is_dir():
        return _zip_facts(path)
    return facts(path) if isinstance(path, Remote) else _folder_facts(find_root(path))


def _folder_facts(root: Path) -> Iterator[str]:
    styles = (root / names.STYLES_CSV).stat()
    yield f"{names.STYLES_CSV}\0{styles.st_size}\0{styles.st_mtime_ns}\n"
    if not (root / names.IMAGES_DIR).is_dir():
        raise CatalogueError(no_images(root))
    with os.scandir(root / names.IMAGES_DIR) as entries:
        for entry in entries:
            # A link to nothing is no picture: what it links to will be, and has other facts.
            facts = entry.stat(follow_symlinks=Path(entry.path).exists())
            yield f"{entry.name}\0{facts.st_size}\0{facts.st_mtime_ns}\n"


def _zip_facts(path: Location) -> Iterator[str]:
    try:
        with zipfile.ZipFile(opened(path)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, OSError, *ZIP_DAMAGE) as error:
        raise CatalogueError(f"{path} is neither a folder nor a zip that can be read: {error}") from error
    return (f"{entry.filename}\0{entry.file_size}\0{entry.CRC}\n" for entry in entries)
