"""Measures the phases of a training by what each takes of the processor for a picture.

Command: ``make bench-training``; ``build/bench/training.json`` has the same. Pictures are noise of the profile's size,
for no phase asks what is on them. What counts is pictures a second of CPU: seconds on the wall tell as much of what
else the machine does. Not a test: machines differ.
"""

import json
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import click
import keras
import numpy as np
import tensorflow as tf

from components.model.classifier import with_features, with_mirror
from components.training import augmentation, training_data
from components.training.hyperparameters import HyperParameters
from components.training.loop import train_classifier
from pipeline.profiles import PROFILES

_HEAD: Final = "article_type"
_CLASSES: Final = 142


def _now() -> tuple[float, float]:
    """Seconds of CPU of this process, and on the wall."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime, time.monotonic()


def _timed(work: Callable[[], Any]) -> tuple[float, float]:
    (cpu, wall), _, (cpu_after, wall_after) = _now(), work(), _now()
    return cpu_after - cpu, wall_after - wall


def _read(batches: tf.data.Dataset) -> None:
    for _ in batches:
        pass


class Phases:
    """What a training of one model does, with drawn pictures in place of a catalogue's."""

    def __init__(self, parameters: HyperParameters, pictures: int) -> None:
        # The first epoch of each stage compiles it, and what follows the last is no epoch.
        self._parameters = parameters.with_settings(["head_epochs=3", "epochs=3", "patience=3"])
        random = np.random.default_rng(parameters.seed)
        shape = (pictures, parameters.height, parameters.width, 3)
        self._images = random.integers(0, 256, shape, np.uint8)
        labels = random.integers(0, _CLASSES, pictures)
        self._rows = tf.data.Dataset.from_tensor_slices((self._images, {_HEAD: labels}))
        self._counts = {_HEAD: np.bincount(labels, minlength=_CLASSES).tolist()}
        self._begun: list[tuple[float, float]] = []

    def measured(self) -> Iterator[tuple[str, float, float]]:
        """Phase, and seconds of CPU and on the wall of one pass over the pictures in it."""
        batches = training_data.training_batches(self._rows, self._parameters.batch_size, 0)
        changed = augmentation.augment(
            training_data.one_hot(batches, {_HEAD: _CLASSES}), self._parameters.augmentation, 0
        )
        _read(changed.take(1))
        yield "augmentation alone", *_timed(lambda: _read(changed))
        model, backbone = self._trained()
        # Keras may begin a pass of its own before each stage, to see what rows look like.
        heads = (len(self._begun) - 6) // 2 + 1
        yield "epoch of the heads", *self._between(heads, heads + 1)
        yield "epoch of all that learns", *self._between(-2, -1)
        seeing = with_features(model, backbone, self._parameters.neighbour_layer_names())
        yield "features to remember", *self._answering(seeing)
        yield "answers with the mirror image", *self._answering(with_mirror(seeing))

    def _trained(self) -> tuple[keras.Model, keras.Model]:
        rows = self._marks().concatenate(self._rows)
        with tempfile.TemporaryDirectory() as folder:
            empty = self._rows.take(0).batch(1)
            return train_classifier("bench", rows, empty, self._counts, self._parameters, Path(folder))

    def _marks(self) -> tf.data.Dataset:
        """No rows; notes when a pass over them begins."""

        def begin() -> Iterator[Any]:
            self._begun.append(_now())
            yield from ()

        return tf.data.Dataset.from_generator(begin, output_signature=self._rows.element_spec)

    def _between(self, first: int, last: int) -> tuple[float, float]:
        cpu, wall = (end - begin for begin, end in zip(self._begun[first], self._begun[last], strict=True))
        return cpu, wall

    def _answering(self, model: keras.Model) -> tuple[float, float]:
        size = self._parameters.batch_size
        batches = [self._images[start : start + size] for start in range(0, len(self._images), size)]
        model.predict_on_batch(batches[0])
        return _timed(lambda: [model.predict_on_batch(batch) for batch in batches])


@click.command()
@click.option("--profile", type=click.Choice([*PROFILES]), default="standard", show_default=True)
@click.option("--pictures", type=int, default=2048, show_default=True, help="In a pass.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("build/bench/training.json"), show_default=True)
def main(profile: str, pictures: int, out: Path) -> None:
    """Measure pictures a second of CPU, and on the wall, of each phase of a training."""
    keras.utils.set_random_seed(0)
    found = {
        name: {"per_cpu_s": pictures / cpu, "per_s": pictures / wall, "ms_of_cpu": 1000 * cpu / pictures}
        for name, cpu, wall in Phases(PROFILES[profile], pictures).measured()
    }
    for name, values in found.items():
        click.echo(f"{name:<32}" + "".join(f"{value:>10,.2f} {unit}" for unit, value in values.items()))
    out.parent.mkdir(parents=True, exist_ok=True)
    told = {"profile": profile, "pictures": pictures, "cores": os.cpu_count(), "phases": found}
    out.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
