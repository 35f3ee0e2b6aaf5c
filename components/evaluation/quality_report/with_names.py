"""What products' names are worth beside their pictures, on a split; with the type's own words left out, too.

A name mostly has its type in it. That is reading, not seeing, so what is left without those words is told beside it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tensorflow as tf

from components.calibration.joint_answer import JointAnswer
from components.evaluation.quality_report.analysis import all_right
from components.evaluation.quality_report.predictions import SplitPredictions
from components.naming.model import DOUBT, factors_key
from components.naming.own_words import without_own_words
from schema import names
from schema.product_names import plain

_CONTRADICTS = 0.5
"""As the merger has it."""

Told = Mapping[str, np.ndarray]


def judge_names(
    models: Mapping[str, Path], predictions: SplitPredictions, known: Collection[str]
) -> pd.DataFrame | None:
    """How often picture, name, and both are right.

    Args:
        models: model name → its SavedModel.
        predictions: of the pictures alone, on the test split.
        known: groups of the other splits.

    Returns:
        A row a way to answer: ``by``, top-1 of the article type and share with every level right, of all rows and of
        those without a relative in the other splits, and ``flagged``, the share whose name contradicts the picture.
        None where the models hear no names, or no row has one.
    """
    given = [plain(name) for name in predictions.rows[names.PRODUCT_NAME]]
    if not all(predictions.cards[model].name_weights for model in models if predictions.cards[model].heads) or not any(
        given
    ):
        return None
    is_new = ~predictions.rows[names.GROUP].isin(list(known)).to_numpy(bool)
    ask = _asking(models, predictions)
    bare = [without_own_words(name, labels) for name, labels in zip(given, _labels(predictions), strict=True)]
    others = given[len(given) // 2 :] + given[: len(given) // 2]
    ways: dict[str, tuple[Told, np.ndarray]] = {"picture alone": (predictions.scores, np.zeros(len(given), bool))}
    for words, texts in (("name", given), ("name without its type's words", bare)):
        alone, both, flagged = ask(texts)
        ways[f"{words} alone"] = (alone, np.zeros(len(given), bool))
        ways[f"picture and {words}"] = (both, flagged)
    ways["picture and another product's name"] = ask(others)[1:]
    return pd.DataFrame(
        [
            {"by": way, **_row(predictions, scores, is_new), "flagged": float(flagged.mean())}
            for way, (scores, flagged) in ways.items()
        ]
    )


def _asking(
    models: Mapping[str, Path], predictions: SplitPredictions
) -> Callable[[Sequence[str]], tuple[Told, Told, np.ndarray]]:
    """A function of names: scores by them alone, by picture and name, and where they contradict each other."""
    # Kept whole: a signature alone does not keep its model's variables alive.
    loaded = {model: tf.saved_model.load(str(path)) for model, path in models.items() if predictions.cards[model].heads}

    def ask(texts: Sequence[str]) -> tuple[Told, Told, np.ndarray]:
        alone: dict[str, np.ndarray] = {}
        both, fits = {}, np.ones(len(texts))
        for model, saved in loaded.items():
            told = {
                key: one.numpy()
                for key, one in saved.signatures[names.NAME_SCORES](name=tf.constant(list(texts))).items()
            }
            is_known = told[names.NAME_KNOWN]
            for head, description in predictions.cards[model].heads.items():
                scores = predictions.scores[head]
                weighted = np.where(is_known[:, np.newaxis], scores * told[factors_key(head)], scores)
                total = weighted.sum(axis=1)
                alone[head], both[head] = told[head], weighted / np.maximum(total, DOUBT)[:, np.newaxis]
                if description.level is not None:
                    fits = np.minimum(fits, np.where(is_known, 1 - DOUBT / np.maximum(total, DOUBT), 1.0))
        return alone, both, fits < _CONTRADICTS

    return ask


def _row(predictions: SplitPredictions, scores: Mapping[str, Any], is_new: np.ndarray) -> dict[str, float]:
    card = predictions.cards[names.ARTICLE_TYPE]
    joint = JointAnswer(card.taxonomy, predictions.labels)
    truths = {level: predictions.truths[level] for level in card.levels}
    right = {
        names.ARTICLE_TYPE: scores[names.ARTICLE_TYPE].argmax(axis=1) == truths[names.ARTICLE_TYPE],
        "all right": all_right(truths, joint.best(scores, card.joint)),
    }
    parts = {"": np.ones_like(is_new), ", no relative": is_new}
    return {
        f"{what}{which}": float(values[chosen].mean()) if chosen.any() else np.nan
        for which, chosen in parts.items()
        for what, values in right.items()
    }


def _labels(predictions: SplitPredictions) -> list[tuple[str, ...]]:
    """Of each row its labels on every level."""
    levels = predictions.cards[names.ARTICLE_TYPE].levels
    return list(zip(*(predictions.true_labels(level).tolist() for level in levels), strict=True))
