"""What goes into the store and what comes out of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

EXTENSIONS: Final = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp"}
"""Format → ending of a picture's file; of others the format in small letters."""

LEAST_SURE: Final = "least_sure"
SUREST: Final = "surest"
OLDEST: Final = "oldest"
ORDERS: Final = (LEAST_SURE, SUREST, OLDEST)
"""By the confidence of the whole path, or by when a card was first seen."""


@dataclass(frozen=True)
class Offered:
    """An answer to be kept.

    Args:
        picture: its bytes as they were sent.
        sha256: of them.
        answer: the answer as JSON has it.
        caller: name of the API key, or the address, that it came with.
        at: when, in seconds since 1970.
    """

    picture: bytes
    sha256: str
    answer: Mapping[str, Any]
    caller: str
    at: float


@dataclass(frozen=True)
class Card:
    """An answer that waits for a decision, or has one.

    Args:
        id: of the card.
        sha256: of the picture.
        release: that answered.
        answer: as JSON has it.
        format: of the picture, as JPEG.
        caller: who asked first.
        count: how often the same picture was answered by the release.
        first_at: when first, in seconds since 1970.
        touched_at: when it was last asked about or decided.
        reasons: why it is here.
        lease_until: until when somebody has it; 0: nobody.
        decided: version of the decision in force; None: it is open.
        lease: what whoever has it decides by; empty where that is nobody's business.
    """

    id: int
    sha256: str
    release: str
    answer: Mapping[str, Any]
    format: str
    caller: str
    count: int
    first_at: float
    touched_at: float
    reasons: Sequence[str]
    lease_until: float
    decided: int | None
    lease: str = ""

    @property
    def extension(self) -> str:
        """Of the picture's file, without a dot."""
        return EXTENSIONS.get(self.format, self.format.lower() or "bin")


@dataclass(frozen=True)
class Limits:
    """How much is kept.

    Args:
        cards: most that are undecided.
        size_bytes: most of the pictures of those.
    """

    cards: int
    size_bytes: int


@dataclass(frozen=True)
class Kept:
    """What became of offered answers: new cards, cards that were there, and undecided ones that made room."""

    new: int
    repeated: int
    dropped: int


@dataclass(frozen=True)
class Counts:
    """How the queue is.

    Args:
        open: cards without a decision.
        leased: of those, how many somebody has.
        decided: cards with one.
        dropped: cards that made room undecided, ever.
        reasons: reason → open cards that have it, commonest first.
    """

    open: int
    leased: int
    decided: int
    dropped: int
    reasons: Mapping[str, int]
