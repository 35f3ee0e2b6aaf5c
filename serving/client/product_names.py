"""Which name of a product belongs to which of the pictures that are asked about."""

import itertools
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Final

_SHOWN: Final = 3
_BELOW: Final = "…/"


def names_of(files: Collection[str], found: Mapping[str, str]) -> dict[str, str]:
    """File → its product's name, where it has one.

    The key is the file, or that without folders, or suffix; else the one that differs only as spreadsheets and systems
    make it differ: in leading zeros, in large and small letters, in how accents and folders are written, in folders
    above.

    Args:
        files: all that are asked about.
        found: key → name.

    Raises:
        ValueError: there are names, and none is of any file.
    """
    exact = {file: next((key for key in _keys(file) if key in found), "") for file in files}
    taken = set(exact.values())
    free = _only(key for key in found if key not in taken)
    alike = {file: next((free[like] for like in _looked_for(file) if like in free), "") for file in files}
    claims = Counter(alike[file] for file, key in exact.items() if not key)
    whose = {file: key or (alike[file] if claims[alike[file]] == 1 else "") for file, key in exact.items()}
    named = {file: found[key] for file, key in whose.items() if key}
    if files and found and not named:
        raise ValueError(
            f"none of the {len(found):,} names is of a picture: they are of {_some(found)}, the pictures are "
            f"{_some(files)}"
        )
    return named


def _keys(file: str) -> tuple[str, str, str]:
    return file, PurePosixPath(file).name, PurePosixPath(file).stem


def _only(keys: Iterable[str]) -> dict[str, str]:
    """What keys are like → the key, where one alone is like that."""
    sorted_by: dict[str, list[str]] = {}
    for key in keys:
        for like in _forms(key):
            sorted_by.setdefault(like, []).append(key)
    return {like: same[0] for like, same in sorted_by.items() if len(same) == 1}


def _looked_for(file: str) -> list[str]:
    return [*map(_alike, _keys(file)), _BELOW + _alike(file)]


def _forms(key: str) -> Iterator[str]:
    """What a file may be like that the key is of: the key, and what it is called from each of the folders above it."""
    parts = key.replace("\\", "/").split("/")
    yield _alike("/".join(parts))
    yield from (_BELOW + _alike("/".join(parts[at:])) for at in range(1, len(parts)))


def _alike(key: str) -> str:
    return unicodedata.normalize("NFC", key).casefold().lstrip("0") or key


def _some(names: Collection[str]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return f"{', '.join(map(repr, itertools.islice(names, _SHOWN)))}{more}"
