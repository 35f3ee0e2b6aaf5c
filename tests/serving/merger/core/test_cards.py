"""A card is read whole or not at all, and two cards make a release only if they are a pair."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from schema import names
from serving.merger.core.cards import make_release, parse_card
from serving.merger.core.errors import ReleaseError
from serving.merger.core.images import Size
from tests import tiny_models
from tests.serving.fake_model_server import make_card
from tests.serving.releases_for_tests import release

Change = Callable[[dict[str, Any]], Any]


def test_reads_a_card() -> None:
    """Everything of the card arrives, the taxonomy in order."""
    card = parse_card(json.dumps(make_card(names.CATEGORY)), names.CATEGORY)
    assert card.size == Size(tiny_models.HEIGHT, tiny_models.WIDTH)
    assert card.heads[names.SUB_CATEGORY].labels == tuple(tiny_models.head_labels(names.SUB_CATEGORY))
    assert card.heads[names.SUB_CATEGORY].review_threshold == 0.6
    assert [path.labels for path in card.taxonomy] == sorted(
        (product.master_category, product.sub_category, product.article_type) for product in tiny_models.PRODUCTS
    )


def test_a_head_that_is_never_sure_can_be_served() -> None:
    """A model trained on too few pictures says of every answer that a person should look, which is no fault of it."""
    document = make_card(names.CATEGORY)
    document["heads"][names.SUB_CATEGORY]["review_threshold"] = names.ALWAYS_REVIEW
    assert parse_card(json.dumps(document), names.CATEGORY).heads[names.SUB_CATEGORY].review_threshold > 1


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda card: card.pop("heads"), "heads"),
        (lambda card: card.update(model="other"), "'other'"),
        (lambda card: card["heads"].pop("sub_category"), "its heads are"),
        (lambda card: card["image"].update(height=0), "image size"),
        (lambda card: card.update(taxonomy=[]), "taxonomy is empty"),
        (lambda card: card["taxonomy"].append(card["taxonomy"][0]), "path twice"),
        (lambda card: card["taxonomy"][0].update(count=0), "below 1"),
        (lambda card: card["taxonomy"][0].update(sub_category="Hats"), "the sub_category 'Hats'"),
        (lambda card: card["joint"].update(path=-1), "joint exponent"),
        (lambda card: card["joint"].update(path=float("nan")), "joint exponent"),
        (lambda card: card["joint"].update(path=1e308), "joint exponent"),
        (lambda card: card["heads"]["sub_category"]["labels"].append("Shoes"), "label twice"),
        (lambda card: card["heads"]["sub_category"].update(review_threshold=1.2), "review threshold"),
    ],
)
def test_refuses(change: Change, why: str) -> None:
    """A card that lacks something or contradicts itself is refused, and the reason says where."""
    card = make_card(names.CATEGORY)
    change(card)
    with pytest.raises(ReleaseError, match=why):
        parse_card(json.dumps(card), names.CATEGORY)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"model": 3}'])
def test_refuses_other_text(text: str) -> None:
    """A model without a card, or with anything else in its place, is refused."""
    with pytest.raises(ReleaseError):
        parse_card(text, names.CATEGORY)


def test_refuses_cards_that_are_no_pair() -> None:
    """Models of different runs are no release, even under one version."""
    mine = release().cards[names.ARTICLE_TYPE]
    other = release(taxonomy=make_card(names.CATEGORY)["taxonomy"][1:]).cards[names.CATEGORY]
    with pytest.raises(ReleaseError, match="no pair"):
        make_release(4, {names.ARTICLE_TYPE: mine, names.CATEGORY: other}, {})
