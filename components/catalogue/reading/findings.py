"""What the import has to say about single rows."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from schema.pictures import Problem


class Reason(str, Enum):
    """Why a row was not taken, or what was mended in one that was."""

    UNREADABLE_ROW = "unreadable row"
    WRONG_FIELD_COUNT = "wrong number of fields"
    EMPTY_ID = "empty id"
    DUPLICATE_ID = "duplicate id"
    FURTHER_ROW = "further row of a product"
    EMPTY_LABEL = "empty label"
    SEVERAL_LABELS = "several labels"
    UNKNOWN_SPLIT = "unknown split"
    MISSING_IMAGE = "missing image"
    UNREADABLE_IMAGE = "unreadable image"
    UNSUPPORTED_IMAGE = "unsupported image"
    UNDECODABLE_IMAGE = "undecodable image"
    IMAGE_TOO_LARGE = "image too large"
    SEVERAL_IMAGES = "several images"
    OUTSIDE = "path out of the source"
    NOT_FETCHED = "image not fetched"

    UNQUOTED_COMMA = "unquoted comma in the name"
    STRAY_QUOTE = "stray quote"
    BAD_YEAR = "year is not a number"
    TURNED_UPRIGHT = "turned upright"
    OVER_WHITE = "shown over white"
    END_ADDED = "end added"


OF_PICTURES: Final = {
    Problem.EMPTY: Reason.UNDECODABLE_IMAGE,
    Problem.TOO_LARGE: Reason.IMAGE_TOO_LARGE,
    Problem.TOO_MANY_PIXELS: Reason.IMAGE_TOO_LARGE,
    Problem.UNSUPPORTED: Reason.UNSUPPORTED_IMAGE,
    Problem.NO_PICTURE: Reason.UNDECODABLE_IMAGE,
    Problem.BROKEN: Reason.UNDECODABLE_IMAGE,
}
"""What the picture gate says, as a reason."""


@dataclass(frozen=True)
class Finding:
    """One row that was not taken, or was mended: its id, its line in ``styles.csv``, why, and the particulars."""

    id: str
    line: int
    reason: Reason
    detail: str
