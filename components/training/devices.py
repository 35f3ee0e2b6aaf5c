"""What a training runs on: this process, several GPUs, or workers that ``TF_CONFIG`` names.

Keras 3 fits as it should on one device alone: its loop reads batches of several inputs, and averages metrics, in ways
that TensorFlow's strategy for several workers refuses. So the steps are ours (:func:`use_steps`), in Keras's loop.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import keras
import tensorflow as tf

from components.training.worker import index, workers

Dataset: TypeAlias = tf.data.Dataset


@dataclass(frozen=True)
class Devices:
    """The devices of one process, and its place among others.

    Attributes:
        strategy: of TensorFlow; None for one device, which needs none.
        index: of this worker.
        has_gpu: whether there is one at least.
    """

    strategy: tf.distribute.Strategy | None = None
    index: int = 0
    has_gpu: bool = False

    @property
    def is_chief(self) -> bool:
        """Whether this worker writes what all share."""
        return self.index == 0

    def scope(self) -> Any:
        """The context in which variables are made."""
        return self.strategy.scope() if self.strategy else contextlib.nullcontext()


def wants_own_process() -> bool:
    """Whether a training is for a process of its own.

    With several workers their strategy must be TensorFlow's first act. With a GPU numbers are of half the width, which
    the rest of the pipeline's must not be.
    """
    return workers() > 1 or bool(tf.config.list_physical_devices("GPU"))


def open_devices() -> Devices:
    """The devices of this process, before TensorFlow did anything else in it."""
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        keras.mixed_precision.set_global_policy("mixed_float16")
    if workers() > 1:
        return Devices(tf.distribute.MultiWorkerMirroredStrategy(), index(), bool(gpus))
    return Devices(tf.distribute.MirroredStrategy() if len(gpus) > 1 else None, 0, bool(gpus))


def shared_out(devices: Devices, batches: Dataset, change: Callable[[Dataset, int], Dataset]) -> Any:
    """Batches of all replicas → those of this worker, each row in exactly one of them.

    Every worker goes through the same batches in the same order, and takes its own rows of each. A batch whose rows
    cannot be shared out evenly gets blank ones without a label, which count for nothing.

    Args:
        devices: of this process.
        batches: ``(images[N, …], {head: float32[N, C]})``, the same on each worker.
        change: what is done to a worker's own, with a number that no other worker has.
    """
    if devices.strategy is None:
        return change(batches, 0)

    def own(context: tf.distribute.InputContext) -> Dataset:
        replicas, here = context.num_replicas_in_sync, context.num_replicas_in_sync // context.num_input_pipelines
        first = context.input_pipeline_id * here
        parts = batches.map(
            lambda *batch: tf.nest.map_structure(lambda rows: _parts(rows, replicas)[first : first + here], batch)
        )
        return change(parts.unbatch(), context.input_pipeline_id)

    return devices.strategy.distribute_datasets_from_function(own)


def use_steps(devices: Devices, model: keras.Model, sample: Any) -> None:
    """Has a compiled model fit and evaluate by steps that all replicas take together.

    Args:
        devices: of this process.
        model: compiled.
        sample: a batch, by whose shapes metrics are made.
    """
    strategy = devices.strategy
    if strategy is None:
        return

    def together(step: Callable[[Any], Any]) -> Callable[[Any], Any]:
        @tf.function
        def one(iterator: Any) -> Any:
            outputs = strategy.run(step, args=(next(iterator),))
            # Alike on all workers, who would stop at different epochs otherwise, and wait for each other for ever.
            return tf.nest.map_structure(lambda value: strategy.reduce("MEAN", value, axis=None), outputs)

        return one

    with strategy.scope():
        model._symbolic_build(data_batch=sample)  # what Keras does of its own, and cannot with a distributed batch
    model._maybe_symbolic_build = lambda **_: None
    model.train_function, model.test_function = together(model.train_step), together(model.test_step)


class SharedStatistics(keras.callbacks.Callback):
    """Averages over the replicas what each counts for itself (the statistics of batch normalisation), once an epoch."""

    def __init__(self, devices: Devices) -> None:
        super().__init__()
        self._strategy = devices.strategy

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Averages them."""
        if self._strategy is None:
            return
        for variable in self.model.non_trainable_variables:
            if variable.dtype.startswith("float"):
                own = self._strategy.run(lambda one=variable: tf.identity(one.value))
                variable.assign(self._strategy.reduce("MEAN", own, axis=None))


def _parts(rows: tf.Tensor, count: int) -> tf.Tensor:
    """[N, …] → [count, ceil(N / count), …], with blank rows where they are not enough."""
    shape, blank = tf.shape(rows), -tf.shape(rows)[0] % count
    rows = tf.concat([rows, tf.zeros(tf.concat([[blank], shape[1:]], 0), rows.dtype)], 0)
    parts = tf.reshape(rows, tf.concat([[count, -1], shape[1:]], 0))
    return tf.ensure_shape(parts, [count, None, *rows.shape[1:]])
