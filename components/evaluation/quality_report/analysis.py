"""What the predictions on a split tell, as tables. Pure: arrays in, tables out."""

import math
from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd
from scipy import special

from components.calibration.joint_answer import JointAnswer
from components.evaluation.classification_metrics import ClassificationTally
from components.evaluation.familiarity import LEFT_OUT, FamiliarityCheck
from components.evaluation.quality_report.files import AS_RELEASED
from components.evaluation.quality_report.predictions import SplitPredictions
from components.evaluation.results import NOT_LEARNED
from components.model.calibration import Calibration
from schema import names
from schema.model_card import CONTRADICTION


def joint_table(predictions: SplitPredictions) -> pd.DataFrame:
    """Ways to one answer a head, side by side: top-1 and macro-F1 of each, and how often every level is right."""
    card = predictions.cards[names.ARTICLE_TYPE]
    alone = {level: predictions.best(level) for level in card.levels}
    joint = JointAnswer(card.taxonomy, predictions.labels)
    ways = {
        "each model alone": alone,
        "looked up from the article type": joint.looked_up(alone[names.ARTICLE_TYPE]),
        "joint, all exponents 1": joint.best(predictions.scores, dict.fromkeys(card.joint, 1.0)),
        AS_RELEASED: joint.best(predictions.scores, card.joint),
    }
    truths = {head: predictions.truths[head] for head in alone}
    return pd.DataFrame([{"answer": way, **_joint_row(truths, answer)} for way, answer in ways.items()])


def _joint_row(truths: Mapping[str, np.ndarray], answers: Mapping[str, np.ndarray]) -> dict[str, float]:
    row: dict[str, float] = {}
    for head, truth in truths.items():
        tally = ClassificationTally()
        for one, answer in zip(truth.tolist(), answers[head].tolist(), strict=True):
            tally.add(one, [answer], 1.0)
        figures = tally.figures()
        row |= {f"{head} top-1": figures["top_1"], f"{head} macro-F1": figures["macro_f1"]}
    is_right = all_right(truths, answers)
    return {**row, "all right": float(is_right.mean()) if len(is_right) else math.nan}


def all_right(truths: Mapping[str, np.ndarray], answers: Mapping[str, np.ndarray]) -> np.ndarray:
    """bool[N], whether a row's answers, head → int[N], are right on every level."""
    return np.all([truths[head] == answers[head] for head in truths], axis=0)


def joint_confidence(predictions: SplitPredictions) -> dict[str, tuple[float, pd.DataFrame]]:
    """How sure the joint answer is and how often it is wholly right, with what contradiction takes away and without.

    Each with its ECE and its bins, as :class:`ClassificationTally` counts them.
    """
    card = predictions.cards[names.ARTICLE_TYPE]
    joint = JointAnswer(card.taxonomy, predictions.labels)
    truths = joint.paths_of({level: predictions.truths[level] for level in joint.levels})
    ways = {"contradiction ignored": {**card.joint, CONTRADICTION: 0.0}, "as released": card.joint}
    curves = {}
    for name, exponents in ways.items():
        tally = ClassificationTally()
        paths, sure = joint.answers(predictions.scores, exponents)
        for truth, path, confidence in zip(truths.tolist(), paths.tolist(), sure.tolist(), strict=True):
            tally.add(truth, [path], confidence)
        curves[name] = tally.figures()["ece"], tally.reliability()
    return curves


def familiarity_check(predictions: SplitPredictions) -> FamiliarityCheck | None:
    """How well known article types are told from what is unfamiliar; None where the models do not tell it."""
    card = predictions.cards[names.ARTICLE_TYPE].familiarity
    if card is None or predictions.familiarity is None:
        return None
    is_known = predictions.truths[names.ARTICLE_TYPE] >= 0
    left_out = predictions.familiarity[~is_known]
    strange = {**predictions.drawn, **({LEFT_OUT: left_out} if len(left_out) else {})}
    return FamiliarityCheck(predictions.familiarity[is_known], strange, card.review_threshold)


def risk_coverage(scores: np.ndarray, truths: np.ndarray) -> pd.DataFrame:
    """Share right among the most confident answers (El-Yaniv and Wiener, 2010).

    Columns ``coverage``, ``accuracy``, ``threshold``; a row an answer, from the most confident on.
    """
    confidences = scores.max(axis=1)
    order = np.argsort(-confidences, kind="stable")
    right = np.cumsum(scores.argmax(axis=1)[order] == truths[order])
    counts = np.arange(1, len(order) + 1)
    return pd.DataFrame(
        {"coverage": counts / max(len(order), 1), "accuracy": right / counts, "threshold": confidences[order]}
    )


def uncalibrated(scores: np.ndarray, calibration: Calibration) -> np.ndarray:
    """The scores as they were before calibration."""
    logs = np.log(np.maximum(scores.astype(np.float64), 1e-300))
    return special.softmax(-calibration.gaps(logs - logs.max(axis=1, keepdims=True)), axis=1)


def expected_calibration_error(scores: np.ndarray, truths: np.ndarray) -> tuple[float, pd.DataFrame]:
    """ECE and the bins it comes from, as :class:`ClassificationTally` counts them."""
    tally = ClassificationTally()
    for row, truth in zip(scores, truths.tolist(), strict=True):
        best = int(row.argmax())
        tally.add(truth, [best], float(row[best]))
    return tally.figures()["ece"], tally.reliability()


def confident_mistakes(predictions: SplitPredictions, head: str, most: int) -> pd.DataFrame:
    """The wrong answers of which the model was surest: ``position, id, truth, answer, confidence, of_truth``."""
    scores, truths, best = predictions.scores[head], predictions.truths[head], predictions.best(head)
    wrong = np.flatnonzero((best != truths) & predictions.labelled(head))
    chosen = wrong[np.argsort(-scores[wrong, best[wrong]], kind="stable")[:most]]
    labels = predictions.labels[head]
    return pd.DataFrame(
        {
            "position": chosen,
            "id": predictions.rows[names.ID].to_numpy()[chosen],
            "truth": predictions.true_labels(head)[chosen],
            "answer": [labels[i] for i in best[chosen]],
            "confidence": scores[chosen, best[chosen]],
            "of_truth": np.where(truths[chosen] >= 0, scores[chosen, truths[chosen]], 0.0),
        }
    )


def examples_of_pair(predictions: SplitPredictions, head: str, truth: str, answer: str, most: int) -> list[int]:
    """Positions of rows of one confusion, surest first; ``truth`` is a label, or :data:`NOT_LEARNED`."""
    answers = np.array(predictions.labels[head])[predictions.best(head)]
    is_learned = predictions.truths[head] != names.UNKNOWN_LABEL
    truths = np.where(is_learned, predictions.true_labels(head), NOT_LEARNED)
    is_pair = (truths == truth) & (answers == answer)
    found = np.flatnonzero(is_pair)
    return found[np.argsort(-predictions.scores[head][found].max(axis=1), kind="stable")[:most]].tolist()


def by_year(predictions: SplitPredictions) -> pd.DataFrame:
    """Top-1 of each head by year of the product; products without a year are left out."""
    years = predictions.rows[names.YEAR].to_numpy()
    return _top_1_of(predictions, "year", {str(year): years == year for year in sorted(set(years[years > 0]))})


def by_relatives(predictions: SplitPredictions, known: Collection[str]) -> pd.DataFrame:
    """Top-1 of each head of all rows, of those with a relative in train or eval, and of those without.

    Relatives share a name or nearly the same pixels. It sets the splits by row and by group side by side.

    Args:
      predictions: on the test split.
      known: groups of the other splits; the models remember pictures of both.
    """
    is_known = predictions.rows[names.GROUP].isin(list(known)).to_numpy(bool)
    return _top_1_of(
        predictions,
        "test pictures",
        {"all": np.ones_like(is_known), "with a relative in train or eval": is_known, "without one": ~is_known},
    )


def _top_1_of(predictions: SplitPredictions, title: str, parts: Mapping[str, np.ndarray]) -> pd.DataFrame:
    # Rows without a label of a head are NaN, which a frame's mean leaves out.
    right = pd.DataFrame(
        {
            head: np.where(predictions.labelled(head), predictions.best(head) == truths, np.nan)
            for head, truths in predictions.truths.items()
        }
    )
    lines = [
        {title: name, "count": int(chosen.sum()), **right[chosen].mean().to_dict()}
        for name, chosen in parts.items()
        if chosen.any()
    ]
    return pd.DataFrame(lines, columns=[title, "count", *right])


def contradicting_groups(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of one group (one name, or nearly the same pixels) that carry different article types.

    They are suspected label errors, or names too general to tell. Columns ``group``, ``ids``, ``labels``, ``name``.
    """
    found = []
    for group, members in rows.groupby(names.GROUP, sort=True):
        if members[names.ARTICLE_TYPE_LABEL].nunique() > 1:
            found.append(
                {
                    "group": group,
                    "ids": ", ".join(members[names.ID]),
                    "labels": ", ".join(sorted(set(members[names.ARTICLE_TYPE_LABEL]))),
                    "name": members[names.PRODUCT_NAME].iloc[0],
                }
            )
    return pd.DataFrame(found, columns=["group", "ids", "labels", "name"])
