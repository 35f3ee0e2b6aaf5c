"""Names of folders and files that every file system takes, none of which is taken twice."""

import hashlib
import os
import unicodedata
from pathlib import Path
from typing import Final

REVIEW: Final = "review"
"""Folder of the photos that a person should look at."""
JOURNAL: Final = "undo"
"""How the names of journals begin."""

_MOST_BYTES: Final = 200
"""Of the 255 that a name may have; a number may be added before it and behind it."""


def folder_name(label: str) -> str:
    """A folder for a label: no separator, no hidden name, and none of ours."""
    name = "".join("_" if one in '/\\:*?"<>|' or ord(one) < 32 else one for one in label).strip(". ")
    name = cut(name or "_")
    return f"{name}_" if name.casefold() == REVIEW or name.casefold().startswith(JOURNAL) else name


def cut(name: str) -> str:
    """The name with so much of its stem that it fits, by bytes; its suffix stays."""
    if len(os.fsencode(name)) <= _MOST_BYTES:
        return name
    stem, suffix = os.path.splitext(name)  # noqa: PTH122 - a name, not a path
    if len(os.fsencode(suffix)) > _MOST_BYTES // 2:
        stem, suffix = name, ""
    whole = os.fsencode(stem)[: _MOST_BYTES - len(os.fsencode(suffix))]
    try:
        # A name that was UTF-8 must not end within a letter.
        return whole.decode("utf-8", "ignore" if _is_text(stem) else "surrogateescape") + suffix
    except UnicodeDecodeError:
        return os.fsdecode(whole) + suffix


def part_of(target: Path) -> Path:
    """Where a copy lies until it is whole, beside its place."""
    return target.with_name(f".{hashlib.sha256(os.fsencode(target.name)).hexdigest()[:16]}.lookbook-part")


def _is_text(name: str) -> bool:
    return not any("\udc80" <= one <= "\udcff" for one in name)


class FreeNames:
    """Gives each file a name that neither another has nor a file that is there.

    Neither case nor the form of an accent tells two apart: on some file systems they do not.
    """

    def __init__(self) -> None:
        self._taken: dict[Path, set[str]] = {}
        self._numbers: dict[Path, int] = {}

    def take(self, folder: Path, name: str) -> Path:
        """``name`` in ``folder``, with a number where it is taken: ``shoe (2).jpg``."""
        taken = self._taken.get(folder)
        if taken is None:
            there = os.listdir(folder) if folder.is_dir() else []  # noqa: PTH208 - names of any bytes
            taken = self._taken[folder] = set(map(_same, there))
        name = cut(name)
        stem, suffix = os.path.splitext(name)  # noqa: PTH122
        wanted = folder / _same(name)
        free, number = name, self._numbers.get(wanted, 2)
        # A part of that name is of a run that was killed; its own undo removes it.
        while _same(free) in taken or part_of(folder / free).name in taken:
            free, number = f"{stem} ({number}){suffix}", number + 1
        self._numbers[wanted] = number
        taken.add(_same(free))
        return folder / free


def _same(name: str) -> str:
    return unicodedata.normalize("NFD", name).casefold()
