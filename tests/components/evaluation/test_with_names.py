"""What the report says names are worth: worked out by hand, with models of names that are made by hand."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from components.evaluation.quality_report.with_names import judge_names
from components.naming.model import DOUBT, factors_key
from schema import heads, names
from tests.components.evaluation.test_quality_report import LABELS, predictions

KNOWN = ("tshirt", "belt", "tie")


class _Names(tf.Module):
    """Knows a word a label of the article type, and takes every other head as it is."""

    def __init__(self, model):
        super().__init__()
        self._heads = [head.name for head in heads.of_model(model)]

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name=names.NAME)])
    def told(self, name):
        found = tf.stack([tf.strings.regex_full_match(name, f".*{word}.*") for word in KNOWN], axis=1)
        is_known = tf.reduce_any(found, axis=1)
        answers = {names.NAME_KNOWN: is_known}
        for head in self._heads:
            said = tf.cast(found, tf.float32)[:, : len(LABELS[head])]
            answers[head] = said
            answers[factors_key(head)] = DOUBT + said if head == names.ARTICLE_TYPE else tf.ones_like(said)
        return answers


@pytest.fixture
def hearing(tmp_path):
    paths = {model: tmp_path / model for model in heads.MODELS}
    for model, path in paths.items():
        module = _Names(model)
        tf.saved_model.save(module, str(path), signatures={names.NAME_SCORES: module.told})
    return paths


@pytest.fixture
def two():
    """A T-shirt taken for a belt, which its name makes good, and a belt that is seen and named; the second has kin."""
    truths = {names.ARTICLE_TYPE: [0, 1], names.SUB_CATEGORY: [0, 1], names.MASTER_CATEGORY: [0, 1]}
    given = predictions(
        [[0.3, 0.6, 0.1], [0.05, 0.9, 0.05]], [[0.9, 0.1, 0], [0.1, 0.9, 0]], [[0.9, 0.1], [0.1, 0.9]], truths
    )
    given.rows[names.PRODUCT_NAME] = ["Fine T-shirt's tshirt", "Brown Belts"]
    given.rows[names.GROUP] = ["new", "old"]
    weights = {model: dict.fromkeys(card.heads, 1.0) for model, card in given.cards.items()}
    cards = {model: dataclasses.replace(one, name_weights=weights[model]) for model, one in given.cards.items()}
    return dataclasses.replace(given, cards=cards)


def test_figures(hearing, two):
    """Picture, name and both, of all rows and of new ones; without the type's words a name is worth nothing here."""
    found = judge_names(hearing, two, {"old"}).set_index("by")
    types = found[names.ARTICLE_TYPE].to_dict()
    assert types["picture alone"] == 0.5
    assert types["name alone"] == types["picture and name"] == 1.0
    assert types["picture and name without its type's words"] == 0.5
    assert found.loc["picture alone", f"{names.ARTICLE_TYPE}, no relative"] == 0.0
    assert found.loc["picture and name", "all right, no relative"] == 1.0
    # The belt that is called T-shirt: .05 times 1.1, and .95 times the doubt, are less than twice the doubt.
    another = {"picture and another product's name": 0.5}
    assert found["flagged"].to_dict() == dict.fromkeys(found.index, 0.0) | another


def test_nothing_to_tell(hearing, two):
    """Without names in the rows, or a model that hears them, there is no table."""
    silent = dataclasses.replace(two, rows=two.rows.assign(**{names.PRODUCT_NAME: ["", "!"]}))
    assert judge_names(hearing, silent, set()) is None
    deaf = {model: dataclasses.replace(one, name_weights={}) for model, one in two.cards.items()}
    assert judge_names(hearing, dataclasses.replace(two, cards=deaf), set()) is None
    assert not np.isnan(judge_names(hearing, two, set())[names.ARTICLE_TYPE]).any()
