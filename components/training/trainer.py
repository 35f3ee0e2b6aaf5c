"""Trains one of the two models: TFX's ``run_fn``, the same for both, told by ``custom_config`` which one it is."""

import dataclasses
import tempfile
from pathlib import Path
from typing import Any, TypeAlias

import keras
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from components import plots
from components.calibration import fitting
from components.model import nearest_pictures
from components.model.card import write_card
from components.model.classifier import FEATURES, adjust_logits, with_features, with_mirror
from components.model.signatures import ServedClassifier
from components.training import training_data
from components.training.hyperparameters import HyperParameters
from components.training.loop import METRICS, train_classifier
from components.training.memory import release_memory
from schema import heads as table
from schema import names

BACKBONE_WEIGHTS = "backbone.weights.h5"

JOINT_EXPONENTS = {names.ARTICLE_TYPE: 1.0, names.SUB_CATEGORY: 0.3, names.MASTER_CATEGORY: 0.3, "path": 0.5}
"""How much each part counts in the joint answer; the formula is in ``serving/merger/core/merge.py``. Chosen on
eval, where most choices near it do as well."""

Dataset: TypeAlias = tf.data.Dataset


def run_fn(fn_args: Any) -> None:
    """TFX's entry point.

    ``custom_config`` holds ``model`` (one of :data:`schema.heads.MODELS`), ``hyperparameters`` (what
    :meth:`HyperParameters.to_dict` gives) and ``provenance`` (free-form, ends up in the model's card). Where there is a
    ``base_model``, the backbone starts from its weights.

    Writes the SavedModel to ``fn_args.serving_model_dir``, :data:`BACKBONE_WEIGHTS` beside it, and checkpoints,
    metrics, plots and TensorBoard logs to ``fn_args.model_run_dir``.
    """
    config = fn_args.custom_config
    parameters = HyperParameters.from_dict(config["hyperparameters"])
    heads = [head.name for head in table.of_model(config["model"])]
    # The other model may have been trained in this process before.
    keras.backend.clear_session()
    release_memory()
    keras.utils.set_random_seed(parameters.seed)
    transform_output = tft.TFTransformOutput(fn_args.transform_output)
    run_dir = Path(fn_args.model_run_dir)
    run_dir.mkdir(parents=True, exist_ok=True)

    base = Path(fn_args.base_model).parent / BACKBONE_WEIGHTS if fn_args.base_model else None
    counts = training_data.class_counts(transform_output, heads)
    # 40,000 pictures of 128×96 are 1.5 GB: on disk they are read fast enough, and the memory stays free.
    with tempfile.TemporaryDirectory(prefix="cache-", dir=run_dir) as cache:
        train, evaluation = (
            training_data.read_split(files, transform_output, heads, f"{cache}/{split}")
            for split, files in ((names.TRAIN, fn_args.train_files), (names.EVAL, fn_args.eval_files))
        )
        evaluation = evaluation.batch(parameters.batch_size)
        model, backbone = train_classifier(config["model"], train, evaluation, counts, parameters, run_dir, base)
        adjust_logits(model, counts, parameters.logit_adjustment)
        fitted, model = answering_models(model, backbone, train, evaluation, parameters)
        card = make_card(config["model"], fitted, evaluation, transform_output, parameters, config["provenance"])
    plots.plot_training(run_dir / METRICS, heads, run_dir)
    ServedClassifier(model, transform_output, card).save(fn_args.serving_model_dir)
    write_card(Path(fn_args.serving_model_dir), card)
    backbone.save_weights(Path(fn_args.serving_model_dir).parent / BACKBONE_WEIGHTS)


def answering_models(
    model: keras.Model, backbone: keras.Model, train: Dataset, evaluation: Dataset, parameters: HyperParameters
) -> tuple[keras.Model, keras.Model]:
    """The model as its confidence is fitted, and as it is served: with its mirror image and its memory, where wanted.

    The served one remembers the eval split too. The other must not: it would know each picture that it is fitted on.
    What was fitted holds for both, a little on the careful side, since the served one errs less.

    Args:
      model: of :func:`components.model.classifier.build_classifier`, trained.
      backbone: the same.
      train: rows ``(uint8[H, W, 3], {head: int64[]})``.
      evaluation: batches of the same; may be empty.
      parameters: of the training.
    """
    seeing = with_features(model, backbone, parameters.neighbour_layer_names()) if parameters.neighbours else model
    answering = with_mirror(seeing) if parameters.mirror else seeing
    if not parameters.neighbours:
        return answering, answering
    splits = [rows.take(nearest_pictures.MOST_PICTURES) for rows in (train, evaluation.unbatch())]
    seen = [_predict(seeing, rows.batch(parameters.batch_size)) for rows in splits]
    known = [nearest_pictures.Known(outputs[FEATURES], labels) for outputs, labels in seen if outputs]
    return tuple(
        nearest_pictures.with_neighbours(answering, nearest_pictures.joined(*parts), parameters.neighbours)
        for parts in (known[:1], known)
    )


def make_card(
    name: str,
    model: keras.Model,
    evaluation: Dataset,
    transform_output: tft.TFTransformOutput,
    parameters: HyperParameters,
    provenance: dict[str, Any],
) -> dict[str, Any]:
    """The document that travels in the SavedModel; see :data:`schema.names.CARD_KEY`."""
    logits, truths = _predict(model, evaluation)
    paths = training_data.path_counts(transform_output)
    heads = {
        head.name: {
            "labels": training_data.head_labels(transform_output, head.name),
            "column": head.column,
            "level": head.level,
            **_fit_confidence(logits.get(head.name), truths.get(head.name), parameters.review_precision),
        }
        for head in table.of_model(name)
    }
    return {
        "model": name,
        "image": {"height": parameters.height, "width": parameters.width},
        "heads": heads,
        "taxonomy": [
            {**{head.name: label for head, label in zip(table.taxonomy(), path, strict=True)}, "count": paths[path]}
            for path in sorted(paths)
        ],
        "joint": JOINT_EXPONENTS,
        "training": {**provenance, "hyperparameters": parameters.to_dict()},
    }


def _predict(model: keras.Model, batches: Dataset) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    predictions = [(model.predict_on_batch(images), labels) for images, labels in batches.as_numpy_iterator()]
    if not predictions:
        return {}, {}
    outputs, labels = (
        {key: np.concatenate([batch[key] for batch in batches]) for key in batches[0]}
        for batches in zip(*predictions, strict=True)
    )
    return outputs, labels


def _fit_confidence(logits: np.ndarray | None, labels: np.ndarray | None, precision: float) -> dict[str, float]:
    if logits is None or labels is None:
        # Nothing to fit on: no confidence can be promised, so every answer asks for a look.
        never = {"review_threshold": names.ALWAYS_REVIEW, "review_precision": 0.0}
        return {**dataclasses.asdict(fitting.Calibration()), **never}
    fitted = fitting.fit_calibration(logits, labels)
    scores = fitting.calibrated_scores(logits, fitted)
    threshold, reached = fitting.review_threshold(scores.max(axis=1), scores.argmax(axis=1) == labels, precision)
    return {**dataclasses.asdict(fitted), "review_threshold": threshold, "review_precision": reached}
