"""How known pictures vote, as a card tells it: read whole or not at all."""

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest

from schema.card_parts import MemoryCard
from schema.model_card import CardError, ModelCard
from tests.schema.test_model_card import CARD

MEMORY = MemoryCard(neighbours=20, sharpness=30.0, share=0.5, discount=0.999)


def test_it_is_written_and_read() -> None:
    """A card with it comes back as it was; one from before it has none, and its release serves on."""
    card = dataclasses.replace(CARD, memory=MEMORY)
    assert ModelCard.from_json(card.to_json()) == card
    older = json.loads(card.to_json()) | {"format": 6}
    del older["memory"]
    assert ModelCard.from_json(json.dumps(older)).memory is None


def test_before_format_8_nothing_comes_off_a_weight() -> None:
    """Corrections join the vote of an older release by the formula that is inside it."""
    older = json.loads(dataclasses.replace(CARD, memory=MEMORY).to_json()) | {"format": 7}
    del older["memory"]["discount"]
    assert ModelCard.from_json(json.dumps(older)).memory == MemoryCard(neighbours=20, sharpness=30.0, share=0.5)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda one: one.update(neighbours=0), r"memory\.neighbours is 0; it must be a whole number of at least 1"),
        (lambda one: one.update(sharpness=0), r"memory\.sharpness is 0; it must be a number above 0"),
        (lambda one: one.update(share=0), r"memory\.share is 0; it must be a number above 0 and at most 1"),
        (lambda one: one.update(share=1.5), r"memory\.share is 1\.5"),
        (lambda one: one.pop("share"), r"has no memory\.share"),
        (lambda one: one.update(discount=1), r"memory\.discount is 1; it must be a number of at least 0 and below 1"),
        (lambda one: one.update(discount=-0.5), r"memory\.discount is -0\.5"),
    ],
)
def test_nonsense_is_named(change: Callable[[dict[str, Any]], Any], told: str) -> None:
    """Numbers by which no picture could vote are refused by their names."""
    card = json.loads(dataclasses.replace(CARD, memory=MEMORY).to_json())
    change(card["memory"])
    with pytest.raises(CardError, match=told):
        ModelCard.from_json(json.dumps(card))
