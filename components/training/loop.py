"""Fits a classifier in stages: first the heads on a backbone that stays as it is, then everything that may learn.

Where nothing of the backbone may learn and no picture is changed, it is run once a picture, and the heads learn from
what it saw.
"""

import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import keras
import numpy as np
import tensorflow as tf

from components.errors import GateError
from components.model import backbones
from components.model.classifier import build_classifier, heads_alone
from components.training import augmentation, training_data
from components.training.backups import Backup, best_before, forget_backups
from components.training.devices import Devices, SharedStatistics, shared_out, use_steps
from components.training.hyperparameters import HyperParameters
from components.training.losses import LabelledAccuracy, SparseCategoricalFocalLoss, class_weights
from components.training.memory import release_memory
from components.training.optimizers import make_optimizer

_log = logging.getLogger("lookbook.trainer")

Dataset: TypeAlias = tf.data.Dataset
Counts: TypeAlias = Mapping[str, list[int]]
"""Head → rows of each class in the training split, by class id."""

BEST, FINAL, METRICS = "best.keras", "final.keras", "metrics.csv"


def train_classifier(
    name: str,
    train: Dataset,
    evaluation: Dataset,
    counts: Counts,
    parameters: HyperParameters,
    run_dir: Path,
    backbone_weights: Path | None = None,
    devices: Devices = Devices(),  # noqa: B008 - frozen
) -> tuple[keras.Model, keras.Model]:
    """Fits a classifier; the weights of its best epoch win.

    Args:
      name: of the model, for its progress.
      train: rows ``(uint8[H, W, 3], {head: int64[]})``.
      evaluation: batches of the same; may be empty, and then the last epoch wins.
      counts: rows of each class of each head in training.
      parameters: of the training.
      run_dir: for :data:`BEST`, :data:`FINAL`, :data:`METRICS` and ``tensorboard/``.
      backbone_weights: of an earlier model's backbone, to start from.
      devices: to train on. With several workers, ``run_dir`` is one folder for all, and a training that was broken off
        goes on with the last epoch that is whole.

    Returns:
      The classifier and its backbone.

    Raises:
      GateError: the loss was no number in any epoch.
    """
    classes = {head: len(rows) for head, rows in counts.items()}
    with devices.scope():
        model, backbone = built_classifier(classes, parameters, backbone_weights)
    learner, stages = model, _stages(parameters)
    if learns_heads_alone(backbone, parameters):
        learner, stages = heads_alone(model), [stages[-1]]
        train = training_data.seen_by(backbone, train.batch(parameters.batch_size)).unbatch().cache()
        evaluation = training_data.seen_by(backbone, evaluation).cache()
    batches = _training_batches(train, classes, parameters, devices)
    evaluation = training_data.one_hot(evaluation, classes)
    # A full pass, since a broken-off one would not fill the cache.
    has_evaluation = bool(evaluation.reduce(np.int64(0), lambda count, _: count + 1))
    sample = next(iter(training_data.one_hot(train.batch(1), classes))) if devices.strategy else None
    evaluation = shared_out(devices, evaluation, lambda own, _: own)
    progress, start = EpochProgress(name, stages[-1]), 0
    for end in stages:
        with devices.scope():
            _prepare(learner, backbone, counts, parameters, end - start, end < stages[-1], devices.has_gpu)
        use_steps(devices, learner, sample)
        backup = Backup(run_dir, end, devices.is_chief)
        if devices.strategy:
            start = backup.restore(learner, start)
        learner.fit(
            batches,
            validation_data=evaluation if has_evaluation else None,
            initial_epoch=start,
            epochs=end,
            callbacks=_callbacks(parameters, run_dir, has_evaluation, progress, devices, backup),
            shuffle=False,
            verbose=0,
        )
        start = end
    if devices.is_chief:
        _require_best(run_dir, name, parameters)
        forget_backups(run_dir)
        model.save(run_dir / FINAL)
        learner.optimizer = None  # that of another stage has other variables than the best epoch's
        learner.load_weights(run_dir / BEST)
    return model, backbone


def _require_best(run_dir: Path, name: str, parameters: HyperParameters) -> None:
    if not (run_dir / BEST).is_file():
        raise GateError(
            f"the training of {name} diverged: its loss was no number in any epoch; lower learning_rate, which is "
            f"{parameters.learning_rate:g}"
        )


def built_classifier(
    classes: Mapping[str, int], parameters: HyperParameters, backbone_weights: Path | None = None
) -> tuple[keras.Model, keras.Model]:
    """A classifier as its training begins, and its backbone; see :func:`train_classifier`."""
    shape = (parameters.height, parameters.width, 3)
    model, backbone = build_classifier(dict(classes), shape, parameters.backbone, parameters.dropout)
    # Here, since it is read after the training only, which may take an hour.
    for layer in parameters.neighbour_layer_names():
        backbones.layer_index(backbone, layer, "neighbour_layers")
    if backbone_weights:
        backbone.load_weights(backbone_weights)
    backbones.freeze(backbone, parameters.frozen_to, parameters.frozen_depthwise)
    return model, backbone


def learns_heads_alone(backbone: keras.Model, parameters: HyperParameters) -> bool:
    """Whether nothing of the backbone may learn, and no picture is changed."""
    return not backbone.trainable_variables and not parameters.augmentation.changes()


def _stages(parameters: HyperParameters) -> list[int]:
    """The epochs at which the stages end."""
    whole = parameters.head_epochs + parameters.epochs
    return [parameters.head_epochs, whole] if parameters.head_epochs else [whole]


def _training_batches(
    train: Dataset, classes: dict[str, int], parameters: HyperParameters, devices: Devices
) -> Dataset:
    batches = training_data.training_batches(train, parameters.batch_size, parameters.seed)
    batches = training_data.one_hot(batches, classes)

    def changed(own: Dataset, worker: int) -> Dataset:
        if parameters.augmentation.changes():
            own = augmentation.augment(own, parameters.augmentation, parameters.seed + worker)
        return own.prefetch(tf.data.AUTOTUNE)

    return shared_out(devices, batches, changed)


def _prepare(
    model: keras.Model,
    backbone: keras.Model,
    counts: Counts,
    parameters: HyperParameters,
    epochs: int,
    is_head_stage: bool,
    has_gpu: bool,
) -> None:
    if is_head_stage:
        backbone.trainable = False
    else:
        backbones.freeze(backbone, parameters.frozen_to, parameters.frozen_depthwise)
    # The largest, since rows may have no label of an attribute.
    rows = max(sum(of_head) for of_head in counts.values())
    steps = -(-rows // parameters.batch_size) * epochs
    model.compile(
        optimizer=make_optimizer(parameters, steps, backbone),
        loss={head: _loss(parameters, counts[head]) for head in counts},
        loss_weights={head: parameters.head_weights.get(head, 1.0) for head in counts},
        metrics={head: [LabelledAccuracy()] for head in counts},
        # Keras turns XLA on by itself, and XLA's convolutions on a CPU take several times as long.
        jit_compile=has_gpu,
    )


def _loss(parameters: HyperParameters, counts: list[int]) -> keras.losses.Loss:
    gamma = parameters.gamma if parameters.loss == "focal" else 0.0
    alpha = class_weights(counts, parameters.class_balance)
    return SparseCategoricalFocalLoss(gamma=gamma, alpha=alpha, label_smoothing=parameters.label_smoothing)


def _callbacks(
    parameters: HyperParameters,
    run_dir: Path,
    has_evaluation: bool,
    progress: keras.callbacks.Callback,
    devices: Devices,
    backup: Backup,
) -> list[keras.callbacks.Callback]:
    monitor = "val_loss" if has_evaluation else "loss"
    # Before the checkpoint, which is to hold the averaged weights; after the backup, which is to hold the others.
    averaging = [keras.callbacks.SwapEMAWeights(swap_on_epoch=True)] if parameters.ema else []
    stopping = keras.callbacks.EarlyStopping(monitor=monitor, patience=parameters.patience)
    shared = [SharedStatistics(devices), backup] if devices.strategy else []
    if not devices.is_chief:
        return [*shared, *averaging, stopping]
    # Of the stage before too, and of a training that goes on; and never None, which a NaN would be better than.
    best = best_before(run_dir / METRICS, monitor)
    return [
        *shared,
        *averaging,
        keras.callbacks.ModelCheckpoint(
            str(run_dir / BEST), monitor=monitor, save_best_only=True, initial_value_threshold=best
        ),
        stopping,
        keras.callbacks.CSVLogger(str(run_dir / METRICS), append=True),
        keras.callbacks.TensorBoard(str(run_dir / "tensorboard"), write_graph=False),
        progress,
    ]


class EpochProgress(keras.callbacks.Callback):
    """Says, an epoch a line, how training goes and how long it may still take, and keeps the memory from growing."""

    def __init__(self, name: str, epochs: int):
        super().__init__()
        self._name, self._epochs = name, epochs
        self._start = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Logs the epoch's line."""
        logs = logs or {}
        split = "eval" if any(key.startswith("val_") for key in logs) else "train"
        figures = {
            key.removeprefix("val_"): value
            for key, value in logs.items()
            if (split == "eval") == key.startswith("val_")
        }
        shown = ", ".join(f"{key} {value:.3f}" for key, value in figures.items() if key.endswith("accuracy"))
        release_memory()
        spent = time.monotonic() - self._start
        left = spent / (epoch + 1) * (self._epochs - epoch - 1)
        _log.info(
            "%s epoch %d/%d: %s %s, loss %.3f; %.0f s, at most %.0f s left",
            *(self._name, epoch + 1, self._epochs, split, shown, figures["loss"], spent, left),
        )
