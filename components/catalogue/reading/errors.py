"""Errors of catalogues, and the words of those that say where the pictures are instead."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from components.storage.location import Location
from schema import names

_NAMED: Final = 10


class CatalogueError(ValueError):
    """The catalogue cannot be read, or too much of it is faulty: what, where, and what would be right."""


def no_images(root: Path) -> str:
    """The words for a folder without ``images/``, with the folders that it has instead."""
    beside = ", ".join(f"{entry.name}/" for entry in sorted(root.iterdir()) if entry.is_dir())
    return (
        f"{root} has no folder {names.IMAGES_DIR}/ beside {names.STYLES_CSV}{f'; it has {beside}' if beside else ''}: "
        f"name the one with the pictures {names.IMAGES_DIR}"
    )


def no_pictures(place: Location, folder: str, entries: Iterable[str]) -> str:
    """The words for a catalogue without pictures in ``images/``, with what lies in it or beside it instead."""
    images = f"{folder}{names.IMAGES_DIR}/"
    below = [name.removeprefix(folder) for name in entries if name.startswith(folder)]
    first = sorted({name.partition("/")[0] + "/" for name in below if "/" in name})
    if f"{names.IMAGES_DIR}/" in first:
        inside = sorted({name.split("/")[1] for name in below if name.startswith(f"{names.IMAGES_DIR}/")})
        return (
            f"{place} has no pictures right in {images}, which has {', '.join(inside[:_NAMED])}: lay them into it "
            "without folders between, or take `lookbook import`"
        )
    packed = sorted(name for name in below if name.lower().endswith(".zip"))
    instead = ", ".join([*first, *packed][:_NAMED])
    return (
        f"{place} has no pictures under {images}{f'; it has {instead}' if instead else ''}: name the folder with the "
        f"pictures {names.IMAGES_DIR}"
    )
