"""The text of a role in a row: of a column, or of one part of a column that holds a path."""

import re
from collections.abc import Collection, Mapping
from typing import Final

_PART: Final = re.compile(r"(.+)\[(-?[1-9])\]")
_BETWEEN: Final = re.compile(r"\s*(?:>|»|›|/{2}|\s/\s)\s*")


def is_known(column: str, columns: Collection[str]) -> bool:
    """Whether a sheet has the column, or the one that a part is asked of."""
    return column in columns or base_of(column) in columns


def base_of(column: str) -> str:
    """The column of a part: ``Category`` of ``Category[1]``."""
    part = _PART.fullmatch(column)
    return part.group(1) if part else column


def cell(cells: Mapping[str, str], column: str) -> str:
    """The text of a column; of a part, as in ``Category[-1]``, that part of the path, "" where it is not as long."""
    if column in cells:
        return cells[column]
    part = _PART.fullmatch(column)
    if not part:
        return ""
    parts, number = parts_of(cells.get(part.group(1), "")), int(part.group(2))
    if abs(number) > len(parts):
        return ""
    return parts[number - 1] if number > 0 else parts[number]


def parts_of(path: str) -> list[str]:
    """The parts of a path like ``Clothing > Shirts``; of several paths from one root the longest."""
    one = path
    several = re.split(r"\s*[,;|]\s*", path)
    if len(several) > 1 and len({_BETWEEN.split(each)[0] for each in several}) == 1:
        one = max(several, key=lambda each: len(_BETWEEN.split(each)))
    return [part for part in _BETWEEN.split(one.strip()) if part]
