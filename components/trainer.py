"""Trains one of the two models: TFX's ``run_fn``, the same for both, told by ``custom_config`` which one it is."""

import logging
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from components import augmentation, calibration, plots, training_data
from components.card import write_card
from components.hyperparameters import HyperParameters
from components.losses import SparseCategoricalFocalLoss, class_weights
from components.model import build_classifier
from components.signatures import ServedClassifier
from schema import names

_log = logging.getLogger("lookbook.trainer")

JOINT_EXPONENTS = {names.ARTICLE_TYPE: 1.0, names.SUB_CATEGORY: 0.5, names.MASTER_CATEGORY: 0.5, "path": 0.5}
"""How much each part counts in the joint answer. See ``serving/merge.py`` for the formula."""

Dataset = tf.data.Dataset


def run_fn(fn_args: Any) -> None:
    """TFX's entry point.

    ``custom_config`` holds ``model`` (a key of :data:`schema.names.MODEL_HEADS`), ``hyperparameters`` (what
    :meth:`HyperParameters.to_dict` gives) and ``provenance`` (free-form, ends up in the model's card).

    Writes the SavedModel to ``fn_args.serving_model_dir`` and checkpoints, metrics, plots and TensorBoard logs to
    ``fn_args.model_run_dir``.
    """
    config = fn_args.custom_config
    parameters = HyperParameters.from_dict(config["hyperparameters"])
    heads = names.MODEL_HEADS[config["model"]]
    keras.utils.set_random_seed(parameters.seed)
    transform_output = tft.TFTransformOutput(fn_args.transform_output)
    run_dir = Path(fn_args.model_run_dir)
    run_dir.mkdir(parents=True, exist_ok=True)

    train = training_data.read_split(fn_args.train_files, transform_output, heads)
    evaluation = training_data.read_split(fn_args.eval_files, transform_output, heads).batch(parameters.batch_size)
    model = train_model(config["model"], train, evaluation, transform_output, parameters, run_dir)
    plots.plot_training(run_dir / "metrics.csv", list(heads), run_dir)
    card = make_card(config["model"], model, evaluation, transform_output, parameters, config["provenance"])
    ServedClassifier(model, transform_output, card).save(fn_args.serving_model_dir)
    write_card(Path(fn_args.serving_model_dir), card)


def train_model(
    name: str,
    train: Dataset,
    evaluation: Dataset,
    transform_output: tft.TFTransformOutput,
    parameters: HyperParameters,
    run_dir: Path,
) -> keras.Model:
    """Fits the model of that name; the weights of its best epoch win.

    Args:
      name: a key of :data:`schema.names.MODEL_HEADS`.
      train: rows ``(uint8[H, W, 3], {head: int64[]})``.
      evaluation: batches of the same; may be empty, and then the last epoch wins.
      transform_output: for labels and class counts.
      parameters: of the training.
      run_dir: for ``best.keras``, ``final.keras``, ``metrics.csv`` and ``tensorboard/``.
    """
    heads = names.MODEL_HEADS[name]
    paths = training_data.label_counts(transform_output)
    labels = {head: training_data.head_labels(transform_output, head) for head in heads}
    classes = {head: len(labels[head]) for head in heads}
    shape = (parameters.height, parameters.width, 3)
    model = build_classifier(classes, shape, parameters.backbone, parameters.dropout)
    steps = -(-sum(paths.values()) // parameters.batch_size) * parameters.epochs
    model.compile(
        optimizer=_optimizer(parameters, steps),
        loss={head: _loss(parameters, _class_counts(paths, head, labels[head])) for head in heads},
        loss_weights={head: parameters.head_weights.get(head, 1.0) for head in heads},
        metrics={head: ["accuracy"] for head in heads},
    )
    batches = training_data.training_batches(train, parameters.batch_size, parameters.seed)
    batches = augmentation.augment(batches, parameters.augmentation, parameters.seed)
    # A full pass, since a broken-off one would not fill the cache.
    has_evaluation = bool(evaluation.reduce(np.int64(0), lambda count, _: count + 1))
    model.fit(
        batches.prefetch(tf.data.AUTOTUNE),
        validation_data=evaluation if has_evaluation else None,
        epochs=parameters.epochs,
        callbacks=_callbacks(name, parameters, run_dir, has_evaluation),
        verbose=0,
    )
    model.save(run_dir / "final.keras")
    return keras.models.load_model(run_dir / "best.keras", compile=False)


def _optimizer(parameters: HyperParameters, steps: int) -> keras.optimizers.Optimizer:
    warmup = max(1, round(steps * parameters.warmup))
    schedule = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        warmup_target=parameters.learning_rate,
        warmup_steps=warmup,
        decay_steps=max(1, steps - warmup),
        alpha=0.01,
    )
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=parameters.weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def _loss(parameters: HyperParameters, counts: list[int]) -> keras.losses.Loss:
    gamma = parameters.gamma if parameters.loss == "focal" else 0.0
    return SparseCategoricalFocalLoss(gamma=gamma, alpha=class_weights(counts, parameters.class_balance))


def _class_counts(paths: dict[tuple[str, str, str], int], head: str, labels: list[str]) -> list[int]:
    position = list(names.HEAD_LABELS).index(head)
    counts = dict.fromkeys(labels, 0)
    for path, count in paths.items():
        counts[path[position]] += count
    return list(counts.values())


def _callbacks(
    name: str, parameters: HyperParameters, run_dir: Path, has_evaluation: bool
) -> list[keras.callbacks.Callback]:
    monitor = "val_loss" if has_evaluation else "loss"
    return [
        keras.callbacks.ModelCheckpoint(str(run_dir / "best.keras"), monitor=monitor, save_best_only=True),
        keras.callbacks.EarlyStopping(monitor=monitor, patience=parameters.patience),
        keras.callbacks.CSVLogger(str(run_dir / "metrics.csv")),
        keras.callbacks.TensorBoard(str(run_dir / "tensorboard"), write_graph=False),
        EpochProgress(name, parameters.epochs),
    ]


class EpochProgress(keras.callbacks.Callback):
    """Says, an epoch a line, how training goes and how long it may still take."""

    def __init__(self, name: str, epochs: int):
        super().__init__()
        self._name, self._epochs = name, epochs
        self._start = 0.0

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:
        self._start = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        logs = logs or {}
        split = "eval" if any(key.startswith("val_") for key in logs) else "train"
        figures = {
            key.removeprefix("val_"): value
            for key, value in logs.items()
            if (split == "eval") == key.startswith("val_")
        }
        shown = ", ".join(f"{key} {value:.3f}" for key, value in figures.items() if key.endswith("accuracy"))
        spent = time.monotonic() - self._start
        left = spent / (epoch + 1) * (self._epochs - epoch - 1)
        _log.info(
            "%s epoch %d/%d: %s %s, loss %.3f; %.0f s, at most %.0f s left",
            *(self._name, epoch + 1, self._epochs, split, shown, figures["loss"], spent, left),
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
    paths = training_data.label_counts(transform_output)
    heads = {
        head: {
            "labels": training_data.head_labels(transform_output, head),
            **_fit_confidence(logits.get(head), truths.get(head), parameters.review_precision),
        }
        for head in names.MODEL_HEADS[name]
    }
    return {
        "model": name,
        "image": {"height": parameters.height, "width": parameters.width},
        "heads": heads,
        "taxonomy": [
            {**dict(zip(names.HEAD_LABELS, path, strict=True)), "count": paths[path]} for path in sorted(paths)
        ],
        "joint": JOINT_EXPONENTS,
        "training": {**provenance, "hyperparameters": parameters.to_dict()},
    }


def _predict(model: keras.Model, batches: Dataset) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    predictions = [(model.predict_on_batch(images), labels) for images, labels in batches.as_numpy_iterator()]
    if not predictions:
        return {}, {}
    heads = list(predictions[0][0])
    logits = {head: np.concatenate([outputs[head] for outputs, _ in predictions]) for head in heads}
    return logits, {head: np.concatenate([labels[head] for _, labels in predictions]) for head in heads}


def _fit_confidence(logits: np.ndarray | None, labels: np.ndarray | None, precision: float) -> dict[str, float]:
    if logits is None or labels is None:
        # Nothing to fit on: no confidence can be promised, so every answer asks for a look.
        return {"temperature": 1.0, "review_threshold": 1.01, "review_precision": 0.0}
    temperature = calibration.fit_temperature(logits, labels)
    scores = tf.nn.softmax(logits / temperature).numpy()
    threshold, reached = calibration.review_threshold(scores.max(axis=1), scores.argmax(axis=1) == labels, precision)
    return {"temperature": temperature, "review_threshold": threshold, "review_precision": reached}
