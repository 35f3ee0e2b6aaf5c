"""Cards and releases made by hand, for tests of what is pure."""

import json
from collections.abc import Iterable
from typing import Any

from schema import heads as table
from serving.merger.core.release import Release, make_release, parse_card
from tests.serving.fake_model_server import make_card


def release(version: int = 1, attributes: Iterable[str] = (), **changes: Any) -> Release:
    """The release of the tiny models with ``attributes``; ``changes`` replace parts of both cards."""
    cards = {model: parse_card(json.dumps(make_card(model, attributes) | changes), model) for model in table.MODELS}
    return make_release(version, cards, {})


def certain(release_: Release, sure: float = 0.94, **labels: str) -> dict[str, list[float]]:
    """Head → scores with ``sure`` for the given label and the rest for the others."""
    return {
        head: [sure if one == label else (1 - sure) / (len(card.labels) - 1) for one in card.labels]
        for head, label in labels.items()
        for card in [release_.heads[head]]
    }
