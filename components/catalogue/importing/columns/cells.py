"""The text of a role in a row: of a column, or of one part of a column that holds a path."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from components.catalogue.reading.cells import without_entities

SIGNS: Final = ("/", "|", ",")
"""What stands between the parts of a path where a column's cells show that it does; an arrow always does."""
LISTED: Final = ">"
"""In place of a sign: an arrow stands between the parts, and each comma between paths, as no name holds one."""
_PART: Final = re.compile(r"(.+)\[([/|,>]?)(-?[1-9])\]")
# Each looks at a run of spaces once, from where it begins.
_BETWEEN: Final = re.compile(r"(?:(?<!\s)\s+)?(?:[-=]{0,2}>|[»›→⇒▸►＞]|/{2,}|\s/\s)\s*")
_SURELY_BETWEEN_PATHS: Final = re.compile(r"\s?(?<!\\)[;|]\s?")
_BETWEEN_PATHS: Final = re.compile(r"(?:(?<!\s)\s+)?(?<!\\)[,;|]\s*")
"""Signs of a name may be written behind a backslash: WooCommerce writes a comma as ``\\,``."""
_OF_NAME: Final = re.compile(r"\\([,;|])")


def is_known(column: str, columns: Collection[str]) -> bool:
    """Whether a sheet has the column, or the one that a part is asked of."""
    return column in columns or base_of(column) in columns


def base_of(column: str) -> str:
    """The column of a part: ``Category`` of ``Category[1]``."""
    part = _PART.fullmatch(column)
    return part.group(1) if part else column


def sign_of(column: str) -> str:
    """The sign of a part: ``/`` of ``Category[/1]``; "" where it is an arrow."""
    part = _PART.fullmatch(column)
    return part.group(2) if part else ""


def members_of(text: str) -> list[str]:
    """The members of a list in a cell, by signs that no name holds; one of a text that is none."""
    return [one.strip() for one in _SURELY_BETWEEN_PATHS.split(without_entities(text)) if one.strip()]


def cell(cells: Mapping[str, str], column: str) -> str:
    """The text of a column; of a part, as in ``Category[-1]``, that part of the path, "" where it is not as long."""
    if column in cells:
        return cells[column]
    part = _PART.fullmatch(column)
    if not part:
        return ""
    parts, number = parts_of(cells.get(part.group(1), ""), part.group(2)), int(part.group(3))
    if abs(number) > len(parts):
        return ""
    return parts[number - 1] if number > 0 else parts[number]


def parts_of(path: str, sign: str = "") -> list[str]:
    """The parts of a path like ``Clothing > Shirts``; of several paths those of the longest, of which the first."""
    return max(paths_of(path, sign), key=len)


def further_paths(path: str, sign: str = "") -> list[str]:
    """Of several paths those that do not lead to the one that counts."""
    paths = paths_of(path, sign)
    counts = max(paths, key=len)
    return [" > ".join(one) for one in paths if one != counts[: len(one)]]


def paths_of(path: str, sign: str = "") -> list[list[str]]:
    """The paths in a cell: several where all are of more than one part, or from one root; a name may hold a comma.

    Args:
        path: the cell.
        sign: between the parts of a path, or :data:`LISTED`; "" for an arrow.
    """
    plain = without_entities(path)
    if sign:
        between = rf"(?<!\\)[{''.join(other for other in ',;|' if other != sign)}]"
        return [_split(one, sign) for one in re.split(between, plain) if one.strip(f" {sign}")] or [[]]
    listed = members_of(path)
    if len(listed) > 1 and any(len(_split(one)) > 1 for one in listed):
        return [one for member in listed for one in paths_of(member)]
    several = list(filter(None, map(_split, _BETWEEN_PATHS.split(plain))))
    are_paths = all(len(one) > 1 for one in several) or len({one[0] for one in several}) == 1
    return several if several and are_paths else [_split(plain)]


def _split(path: str, sign: str = "") -> list[str]:
    if sign not in ("", LISTED):
        return [part.strip() for part in path.split(sign) if part.strip()]
    return [_OF_NAME.sub(r"\1", part) for part in _BETWEEN.split(path.strip()) if part]


def joined_path(parts: Sequence[str]) -> str:
    """The text of a path of these parts, as :func:`paths_of` takes it apart."""
    plain = (re.sub(r"\s+/\s+", "/", part.strip()) for part in parts if part.strip())
    return " > ".join(re.sub(r"[,;|]", r"\\\g<0>", part) for part in plain)
