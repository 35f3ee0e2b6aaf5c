"""Weights and optimizer after each epoch, for a training of several workers that goes on after one of them has died."""

import csv
import math
import re
from pathlib import Path

import keras

_NAME = "backup-{stage}-{epoch:05}.weights.h5"


class Backup(keras.callbacks.Callback):
    """Keeps the last epoch of a stage, whole at any time.

    Args:
        folder: that all workers see.
        stage: the epoch at which it ends.
        is_chief: whether this worker writes; the others only read.
    """

    def __init__(self, folder: Path, stage: int, is_chief: bool) -> None:
        super().__init__()
        self._folder, self._stage, self._is_chief = folder, stage, is_chief

    def restore(self, model: keras.Model, start: int) -> int:
        """Puts a compiled model back to where it was; gives the epoch to go on with, ``start`` where there is none."""
        done = self._done()
        if not done:
            return start
        model.optimizer.build(model.trainable_variables)
        model.load_weights(done[max(done)])
        return max(done) + 1

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Writes this epoch, then forgets the one before."""
        if not self._is_chief:
            return
        before = self._done()
        whole = self._folder / _NAME.format(stage=self._stage, epoch=epoch)
        part = whole.with_name(f"part-{whole.name}")
        self.model.save_weights(part)
        part.replace(whole)
        for other, path in before.items():
            if other != epoch:
                path.unlink(missing_ok=True)

    def _done(self) -> dict[int, Path]:
        found = {path: re.fullmatch(r"backup-(\d+)-(\d+)\.weights\.h5", path.name) for path in self._folder.iterdir()}
        return {int(match[2]): path for path, match in found.items() if match and int(match[1]) == self._stage}


def forget_backups(folder: Path) -> None:
    """Removes all that is left of them, once a training is done."""
    for path in folder.glob("*backup-*.weights.h5"):
        path.unlink()


def best_before(metrics: Path, monitor: str) -> float:
    """The least number in a column of the log of epochs; infinity where there is none."""
    if not metrics.exists():
        return math.inf
    with metrics.open(encoding="utf-8", newline="") as file:
        values = [float(row[monitor]) for row in csv.DictReader(file) if row.get(monitor)]
    return min((value for value in values if not math.isnan(value)), default=math.inf)
