"""What the Calibrator does: from what both trainings left behind to one model that knows how sure it may be."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from components.calibration import fitting
from components.calibration.contradiction import fit_contradiction
from components.calibration.eval_histograms import count_eval
from components.calibration.familiarity import fit_familiarity
from components.calibration.joint_answer import JointAnswer
from components.calibration.joint_exponents import JointFit, fit_exponents
from components.calibration.served_model import ServedClassifier
from components.model.calibration import combined, logit_offsets
from components.model.familiarity import familiarity, signals
from components.model.looks import looks
from components.naming.model import shares
from components.naming.weighing import fit_name_weight
from components.training.eval_outputs import EvalOutputs
from schema import model_card, names
from schema.card_parts import FamiliarityCard
from schema.eval_histograms import EvalHistograms
from schema.model_card import CONTRADICTION, HeadCard, ModelCard

JOINT_CURVE = "joint_exponents.csv"
"""Beside the SavedModel: :attr:`components.calibration.joint_exponents.JointFit.curve`."""


@dataclass(frozen=True)
class Settings:
    """What is asked of a calibration.

    Attributes:
        review_precision: share that has to be right at or above the review threshold.
        logit_adjustment: τ of :func:`components.model.calibration.logit_offsets`.
    """

    review_precision: float
    logit_adjustment: float


@dataclass(frozen=True)
class HeadFit:
    """One head, fitted.

    Attributes:
        card: its part of the model card.
        offsets: float32[C], what comes off its logits.
        scores: float32[N, C], of the eval split, calibrated.
    """

    card: HeadCard
    offsets: np.ndarray
    scores: np.ndarray


def calibrate(name: str, trained: Mapping[str, Path], settings: Settings, output: Path, trial: bool = False) -> None:
    """Writes the calibrated SavedModel of one model.

    The joint exponents rest on both models, and both cards must tell the same. Each model is calibrated from the same
    files by the same arithmetic, so they do.

    Args:
        name: of the model to write.
        trained: model name → SavedModel of training, with :class:`EvalOutputs` beside it; of both models.
        settings: of both.
        output: of the SavedModel; :data:`JOINT_CURVE` goes beside it.
        trial: what the card is to say of it.

    Raises:
        ValueError: the models were not trained on the same rows.
    """
    cards = {model: model_card.read_file(path) for model, path in trained.items()}
    outputs = {model: EvalOutputs.load(path.parent) for model, path in trained.items()}
    _require_same_rows(outputs)
    heads = {
        head: fit_head(description, outputs[model], head, settings)
        for model, card in cards.items()
        for head, description in card.heads.items()
    }
    joint = _fit_joint(cards, outputs, heads)
    familiar = _fit_familiarity(outputs[name], heads) if name == names.ARTICLE_TYPE else None
    card = _calibrated_card(cards[name], heads, joint, settings)
    seen = _count_eval(outputs[name], {head: heads[head].scores for head in card.heads}, familiar)
    weights = _fit_names(outputs[name], card, heads)
    card = dataclasses.replace(card, trial=trial, familiarity=familiar, eval_histograms=seen, name_weights=weights)
    priors = {head: shares(counts) for head, counts in outputs[name].counts.items()}
    ServedClassifier(trained[name], card, {head: heads[head].offsets for head in card.heads}, priors).save(output)
    joint.curve.to_csv(output.parent / JOINT_CURVE, index=False)


def fit_head(card: HeadCard, outputs: EvalOutputs, head: str, settings: Settings) -> HeadFit:
    """Fits one head on the eval split: first its scores, then the confidence from which nobody needs to look."""
    labels = outputs.labels[head]
    offsets = logit_offsets(outputs.counts[head], settings.logit_adjustment)
    logits = combined(outputs.logits[head], outputs.votes.get(head), offsets).numpy()
    calibration = fitting.fit_calibration(logits, labels)
    scores = calibration.scores(logits).numpy()
    # A row whose label training lacks is answered wrong; one that has none proves nothing.
    counted = labels != names.UNLABELLED
    threshold, reached = fitting.review_threshold(
        scores.max(axis=1)[counted], (scores.argmax(axis=1) == labels)[counted], settings.review_precision
    )
    fitted = dataclasses.replace(
        card, **dataclasses.asdict(calibration), review_threshold=threshold, review_precision=reached
    )
    return HeadFit(fitted, offsets, scores)


def _fit_familiarity(outputs: EvalOutputs, heads: Mapping[str, HeadFit]) -> FamiliarityCard | None:
    """Of the article type's model alone: the other one starts from its backbone and sees the same."""
    values = _signals(outputs, heads[names.ARTICLE_TYPE].scores)
    return fit_familiarity({name: rows.numpy() for name, rows in values.items()})


def _signals(outputs: EvalOutputs, scores: np.ndarray) -> Mapping[str, tf.Tensor]:
    head = names.ARTICLE_TYPE
    return signals({head: outputs.logits[head], **outputs.signals}, head, scores)


def _count_eval(
    outputs: EvalOutputs, scores: Mapping[str, np.ndarray], card: FamiliarityCard | None
) -> EvalHistograms | None:
    told = familiarity(_signals(outputs, scores[names.ARTICLE_TYPE]), card).numpy() if card else None
    # Of the model alone that tells familiarity: both see the same pictures.
    seen = looks(outputs.signals) if names.ARTICLE_TYPE in scores else {}
    return count_eval(scores, told, {name: rows.numpy() for name, rows in seen.items()})


def _fit_names(outputs: EvalOutputs, card: ModelCard, heads: Mapping[str, HeadFit]) -> dict[str, float]:
    return {
        head: fit_name_weight(
            heads[head].scores, outputs.names[head], shares(outputs.counts[head]), outputs.labels[head]
        )
        for head in card.heads
        if head in outputs.names
    }


def _fit_joint(
    cards: Mapping[str, ModelCard], outputs: Mapping[str, EvalOutputs], heads: Mapping[str, HeadFit]
) -> JointFit:
    labels = {head: ids for one in outputs.values() for head, ids in one.labels.items()}
    taxonomy = next(iter(cards.values())).taxonomy
    joint = JointAnswer(taxonomy, {head: fit.card.labels for head, fit in heads.items()})
    scores = {head: fit.scores for head, fit in heads.items()}
    fit = fit_exponents(joint, scores, labels)
    contradiction = fit_contradiction(joint, scores, joint.paths_of(labels), fit.exponents)
    return dataclasses.replace(fit, exponents={**fit.exponents, CONTRADICTION: contradiction})


def _calibrated_card(card: ModelCard, heads: Mapping[str, HeadFit], joint: JointFit, settings: Settings) -> ModelCard:
    hyperparameters = {**card.training.get("hyperparameters", {}), **dataclasses.asdict(settings)}
    return dataclasses.replace(
        card,
        heads={head: heads[head].card for head in card.heads},
        joint=joint.exponents,
        training={**card.training, "hyperparameters": hyperparameters},
    )


def _require_same_rows(outputs: Mapping[str, EvalOutputs]) -> None:
    (first, one), *others = outputs.items()
    for other, two in others:
        if not np.array_equal(one.ids, two.ids):
            raise ValueError(
                f"{first} and {other} saw other rows in eval ({len(one.ids)} and {len(two.ids)}); train both on the "
                "same examples"
            )
