"""Model cards and the release they make: everything the merger knows about a version, read from the models."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from schema import names
from serving.merger.core.errors import ReleaseError
from serving.merger.core.images import Size

PATH: Final = "path"
"""Key of the exponent of P(path | article type) in the card's ``joint``."""

MAX_EXPONENT: Final = 100.0
"""Largest exponent in the card's ``joint``; much larger ones would make the joint answer's logarithms infinite."""


@dataclass(frozen=True, order=True)
class TaxonomyPath:
    """A path seen in training; sorts from the master category down."""

    master_category: str
    sub_category: str
    article_type: str
    count: int

    @property
    def labels(self) -> tuple[str, str, str]:
        """The labels from the master category down."""
        return self.master_category, self.sub_category, self.article_type


@dataclass(frozen=True)
class HeadCard:
    """One head: its labels in the order of its scores, and the confidence from which nobody needs to look."""

    labels: tuple[str, ...]
    review_threshold: float
    review_precision: float
    temperature: float


@dataclass(frozen=True)
class Card:
    """What travels inside one model: see :data:`schema.names.CARD_KEY`."""

    model: str
    size: Size
    heads: Mapping[str, HeadCard]
    taxonomy: tuple[TaxonomyPath, ...]
    joint: Mapping[str, float]
    training: Mapping[str, Any]


@dataclass(frozen=True)
class Release:
    """A version of the models, with the cards of both, or of the only one that can be reached.

    Args:
        version: the number that both calls of an answer name.
        cards: by model.
        absent: model without a card → why, in words.
    """

    version: int
    cards: Mapping[str, Card]
    absent: Mapping[str, str]

    @property
    def taxonomy(self) -> tuple[TaxonomyPath, ...]:
        """Every path seen in training, in order."""
        return self._any.taxonomy

    @property
    def joint(self) -> Mapping[str, float]:
        """Exponents of the joint answer, by head and :data:`PATH`."""
        return self._any.joint

    @cached_property
    def heads(self) -> dict[str, HeadCard]:
        """The heads of all models that have a card."""
        return {head: card for model in self.cards.values() for head, card in model.heads.items()}

    @cached_property
    def sizes(self) -> tuple[Size, ...]:
        """What the models see."""
        return tuple({card.size for card in self.cards.values()})

    @property
    def _any(self) -> Card:
        return next(iter(self.cards.values()))


def make_release(version: int, cards: Mapping[str, Card], absent: Mapping[str, str]) -> Release:
    """Puts a release together.

    Raises:
        ReleaseError: the models were not made for each other.
    """
    first, *others = cards.values()
    for other in others:
        if (other.taxonomy, other.joint) != (first.taxonomy, first.joint):
            raise ReleaseError(
                f"version {version} of {first.model} and {other.model} are no pair: their cards differ in "
                "taxonomy or joint exponents; release both from one run"
            )
    return Release(version, dict(cards), dict(absent))


def parse_card(text: str, model: str) -> Card:
    """Reads the card of ``model``.

    Raises:
        ReleaseError: it is missing, no JSON, lacks something, or contradicts itself.
    """
    try:
        document = json.loads(text)
        card = _read(document)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ReleaseError(f"the card of {model} cannot be read ({error!r}): {text[:80]!r}") from error
    _check(card, model)
    return card


def _read(document: Mapping[str, Any]) -> Card:
    return Card(
        model=document["model"],
        size=Size(int(document["image"]["height"]), int(document["image"]["width"])),
        heads={name: _read_head(head) for name, head in document["heads"].items()},
        taxonomy=tuple(sorted(_read_path(path) for path in document["taxonomy"])),
        joint={key: float(document["joint"][key]) for key in (*names.HEAD_LABELS, PATH)},
        training=dict(document["training"]),
    )


def _read_head(head: Mapping[str, Any]) -> HeadCard:
    return HeadCard(
        labels=tuple(map(str, head["labels"])),
        review_threshold=float(head["review_threshold"]),
        review_precision=float(head["review_precision"]),
        temperature=float(head["temperature"]),
    )


def _read_path(path: Mapping[str, Any]) -> TaxonomyPath:
    return TaxonomyPath(
        master_category=str(path[names.MASTER_CATEGORY]),
        sub_category=str(path[names.SUB_CATEGORY]),
        article_type=str(path[names.ARTICLE_TYPE]),
        count=int(path["count"]),
    )


def _check(card: Card, model: str) -> None:
    wanted, exponents = set(names.MODEL_HEADS.get(model, ())), card.joint.values()
    problems = {
        f"it is the card of {card.model!r}": card.model != model,
        f"its heads are {sorted(card.heads)}, not {sorted(wanted)}": set(card.heads) != wanted,
        f"the image size is {card.size}": min(card.size) < 1,
        "the taxonomy is empty": not card.taxonomy,
        "a count of the taxonomy is below 1": any(path.count < 1 for path in card.taxonomy),
        "the taxonomy names a path twice": len({path.labels for path in card.taxonomy}) != len(card.taxonomy),
        f"a joint exponent is outside 0 to {MAX_EXPONENT:g}": any(not 0 <= e <= MAX_EXPONENT for e in exponents),
        "a head names a label twice": any(len(set(h.labels)) != len(h.labels) for h in card.heads.values()),
        f"a review threshold is neither within 0 to 1 nor {names.ALWAYS_REVIEW}": not all(
            0 <= h.review_threshold <= 1 or h.review_threshold == names.ALWAYS_REVIEW for h in card.heads.values()
        ),
    }
    found = [problem for problem, holds in problems.items() if holds] or _unknown_labels(card)
    if found:
        raise ReleaseError(f"the card of {model} makes no sense: {'; '.join(found)}")


def _unknown_labels(card: Card) -> list[str]:
    return [
        f"the taxonomy has the {name} {label!r}, which the head cannot give"
        for name, head in card.heads.items()
        for label in sorted({getattr(path, name) for path in card.taxonomy} - set(head.labels))
    ]
