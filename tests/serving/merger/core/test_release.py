"""A card belongs to its model or is refused, and two cards make a release only if they are a pair."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from schema import names
from serving.merger.core.errors import ReleaseError
from serving.merger.core.images import Size
from serving.merger.core.release import make_release, parse_card
from tests import tiny_models
from tests.serving.fake_model_server import MEMORY, make_card
from tests.serving.releases_for_tests import release

Change = Callable[[dict[str, Any]], Any]


def test_knows_its_heads() -> None:
    """A release has the heads of both models, whose they are, and what the models see."""
    found = release(attributes=["gender", "pattern"])
    assert set(found.heads) == {"article_type", "master_category", "sub_category", "gender", "pattern"}
    assert found.model_of["sub_category"] == names.CATEGORY and found.model_of["article_type"] == names.ARTICLE_TYPE
    assert found.sizes == (Size(tiny_models.HEIGHT, tiny_models.WIDTH),)


@pytest.mark.parametrize(
    ("digests", "found"),
    [
        (("one", "one"), {names.CATEGORY: names.ARTICLE_TYPE}),
        (("one", "two"), {}),
        (("one", ""), {}),
        (("", "one"), {}),
        (("", ""), {}),
    ],
)
@pytest.mark.parametrize("remembers", [True, False])
def test_whose_features_a_model_takes(digests: tuple[str, str], found: dict[str, str], remembers: bool) -> None:
    """Features are taken from the model that has a memory and the same digest, and from no other."""
    cards = {}
    for model, digest in zip((names.ARTICLE_TYPE, names.CATEGORY), digests, strict=True):
        memory = MEMORY if remembers and model == names.ARTICLE_TYPE else None
        cards[model] = parse_card(json.dumps(make_card(model) | {"shared_features": digest, "memory": memory}), model)
    assert make_release(1, cards, {}).features_from == (found if remembers else {})
    assert make_release(1, {names.CATEGORY: cards[names.CATEGORY]}, {}).features_from == {}


def test_attributes_need_no_row_in_the_table() -> None:
    """What an attribute is stands in the card alone, and the card's order is that of the release."""
    found = release(attributes=["pattern", "gender"])
    assert found.attributes == ("pattern", "gender")
    assert found.heads["pattern"].labels == tuple(tiny_models.head_labels("pattern"))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"model": 3}'])
def test_refuses_what_is_no_card(text: str) -> None:
    """A model without a card, or with anything else in its place, is refused with its name and the reason."""
    with pytest.raises(ReleaseError, match="the card of category cannot be read: the card"):
        parse_card(text, names.CATEGORY)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda card: card.update(model="other"), "is the card of 'other'"),
        (lambda card: card["heads"].pop("sub_category"), "sub_category"),
        (lambda card: card["heads"]["sub_category"].update(level=2), "'sub_category': 2"),
        (lambda card: card["heads"]["sub_category"].update(level=None), "'sub_category': None"),
        (lambda card: card["heads"].update(season=card["heads"]["sub_category"] | {"level": 3}), "'season': 3"),
        (lambda card: card["heads"].update(article_type=card["heads"]["sub_category"]), "article_type"),
    ],
)
def test_refuses_other_levels(change: Change, why: str) -> None:
    """The taxonomy's heads are the contract's: a model with more, fewer or other ones of them is refused."""
    card = make_card(names.CATEGORY)
    change(card)
    with pytest.raises(ReleaseError, match=why):
        parse_card(json.dumps(card), names.CATEGORY)


def test_refuses_cards_that_are_no_pair() -> None:
    """Models of different runs are no release, even under one version."""
    mine = release().cards[names.ARTICLE_TYPE]
    other = release(taxonomy=make_card(names.CATEGORY)["taxonomy"][1:]).cards[names.CATEGORY]
    with pytest.raises(ReleaseError, match="no pair"):
        make_release(4, {names.ARTICLE_TYPE: mine, names.CATEGORY: other}, {})


@pytest.mark.parametrize(
    ("name", "column", "why"), [("gender", "other", "name 'gender'"), ("kind", "gender", "column 'gender'")]
)
def test_refuses_a_head_that_two_models_have(name: str, column: str, why: str) -> None:
    """An answer could not tell two heads of one name apart, nor a table two columns."""
    cards = release(attributes=["gender"]).cards
    document = make_card(names.ARTICLE_TYPE)
    document["heads"][name] = document["heads"]["article_type"] | {"level": None, "column": column}
    twin = parse_card(json.dumps(document), names.ARTICLE_TYPE)
    with pytest.raises(ReleaseError, match=f"two heads with the {why}"):
        make_release(1, {names.ARTICLE_TYPE: twin, names.CATEGORY: cards[names.CATEGORY]}, {})
