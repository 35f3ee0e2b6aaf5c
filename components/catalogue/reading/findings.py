"""What the import has to say about single rows."""

from dataclasses import dataclass
from enum import Enum


class Reason(str, Enum):
    """Why a row was not taken, or what was mended in one that was."""

    UNREADABLE_ROW = "unreadable row"
    WRONG_FIELD_COUNT = "wrong number of fields"
    EMPTY_ID = "empty id"
    DUPLICATE_ID = "duplicate id"
    EMPTY_LABEL = "empty label"
    UNKNOWN_SPLIT = "unknown split"
    MISSING_IMAGE = "missing image"
    UNREADABLE_IMAGE = "unreadable image"
    UNSUPPORTED_IMAGE = "unsupported image"
    UNDECODABLE_IMAGE = "undecodable image"
    IMAGE_TOO_LARGE = "image too large"

    UNQUOTED_COMMA = "unquoted comma in the name"
    STRAY_QUOTE = "stray quote"
    BAD_YEAR = "year is not a number"
    TURNED_UPRIGHT = "turned upright"
    OVER_WHITE = "shown over white"
    END_ADDED = "end added"


@dataclass(frozen=True)
class Finding:
    """One row that was not taken, or was mended: its id, its line in ``styles.csv``, why, and the particulars."""

    id: str
    line: int
    reason: Reason
    detail: str
