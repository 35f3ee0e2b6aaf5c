"""Answers to be reviewed, and decisions about them, without a merger."""

import hashlib
import time
from typing import Any

from schema.corrections import CORRECTED, REVIEW, UNKNOWN, Correction, now, picture_name
from serving.merger.review.records import Card, Limits, Offered
from serving.merger.review.store import ReviewStore

PLENTY = Limits(1_000, 10**8)


def offered(
    name: str,
    *,
    release: str = "1",
    confidence: float = 0.5,
    reason: str = "low_confidence",
    size: int = 100,
    age_s: float = 0,
) -> Offered:
    """An answer about a picture of that name."""
    picture = name.encode().ljust(size, b".")
    answer: dict[str, Any] = {
        "release": release,
        "joint": {"confidence": confidence},
        "image": {"format": "JPEG"},
        "review": {"reasons": [{"code": reason}]},
        "path": ["Footwear", "Shoes"],
    }
    return Offered(picture, hashlib.sha256(picture).hexdigest(), answer, "anna", time.time() - age_s)


def keep(store: ReviewStore, *names: str, limits: Limits = PLENTY, **how: Any) -> None:
    """Keeps answers about pictures of these names."""
    store.keep([offered(name, **how) for name in names], limits)


def name_of(store: ReviewStore, card: Card) -> str:
    """The name that the card's picture was kept by."""
    return store.picture(card.id)[0].rstrip(b".").decode()


def claimed(store: ReviewStore, lease_s: float = 60.0) -> Card:
    """The next card of any reason."""
    card = store.claim("", "least_sure", lease_s)
    assert card is not None
    return card


def heels(card: Card, by: str = "anna") -> Correction:
    """It shows heels, whatever was answered."""
    return Correction(
        sha256=card.sha256,
        picture=picture_name(card.sha256, card.extension),
        labels={"master_category": "Footwear", "sub_category": "Shoes", "article_type": "Heels"},
        decision=CORRECTED,
        answered="Footwear / Shoes",
        by=by,
        at=now(),
        release=card.release,
        source=REVIEW,
    )


def unknown(card: Card) -> Correction:
    """Nobody can tell what it shows."""
    picture = picture_name(card.sha256, card.extension)
    return Correction(sha256=card.sha256, picture=picture, decision=UNKNOWN, by="anna", at=now(), release=card.release)
