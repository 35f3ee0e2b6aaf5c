"""Parts of a model card: how familiarity is told, and how known pictures have their say."""

from collections.abc import Mapping
from dataclasses import dataclass

from schema.card_fields import MOST, Field


@dataclass(frozen=True)
class Signal:
    """What is usual of one of the numbers that familiarity is made of: its mean and standard deviation on eval."""

    mean: float
    deviation: float


@dataclass(frozen=True)
class FamiliarityCard:
    """How a model tells whether a picture is like those that it learnt from; ``components/model/familiarity.py``.

    Attributes:
        review_threshold: familiarity below which a person should look.
        false_alarms: share of the eval split that is below it.
        scale: above 0; the strangeness of a picture of that familiarity; already applied, and so are the signals.
        signals: name → what is usual of it; at least one.
    """

    review_threshold: float
    false_alarms: float
    scale: float
    signals: Mapping[str, Signal]


def read_familiarity(familiarity: Field) -> FamiliarityCard | None:
    """Reads that part of a card; None where there is none.

    Raises:
        CardError: it lacks a field, or has a value that makes no sense.
    """
    if familiarity.value is None:
        return None
    signals = familiarity["signals"]
    if not signals.fields():
        raise signals.wrong("an object of at least one signal")
    return FamiliarityCard(
        review_threshold=familiarity["review_threshold"].number(0, 1),
        false_alarms=familiarity["false_alarms"].number(0, 1),
        scale=familiarity["scale"].positive(),
        signals={
            name: Signal(signal["mean"].number(-MOST), signal["deviation"].positive())
            for name, signal in signals.fields().items()
        },
    )


@dataclass(frozen=True)
class MemoryCard:
    """How a model's known pictures vote, and corrected ones beside them; ``components/model/nearest_pictures.py``.

    Attributes:
        neighbours: how many of the nearest vote, at least 1.
        sharpness: above 0; a picture of similarity s has the weight ``e^(sharpness · s)`` among them.
        share: above 0 and at most 1; say of the corrected ones in an answer where nobody else is near.
        discount: at least 0 and below 1; share of the weight of the next one, nearest of those that do not vote, that
          comes off the weight of each that does.
    """

    neighbours: int
    sharpness: float
    share: float
    discount: float = 0.0


def read_memory(memory: Field) -> MemoryCard | None:
    """Reads that part of a card; None where there is none.

    Raises:
        CardError: it lacks a field, or has a value that makes no sense.
    """
    if memory.value is None:
        return None
    share = memory["share"]
    if share.number(0, 1) == 0:
        raise share.wrong("a number above 0 and at most 1")
    discount = memory.get("discount", 0.0)
    if discount.number(0, 1) == 1:
        raise discount.wrong("a number of at least 0 and below 1")
    return MemoryCard(
        neighbours=memory["neighbours"].whole(at_least=1),
        sharpness=memory["sharpness"].positive(),
        share=share.number(0, 1),
        discount=discount.number(0, 1),
    )
