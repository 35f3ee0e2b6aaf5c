"""What calibrating needs of a training: the model's word on the eval split, kept beside the SavedModel."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

_FILE = "eval_outputs.npz"


@dataclass(frozen=True)
class EvalOutputs:
    """The eval split as a trained model sees it that does not know its pictures.

    Attributes:
        ids: str[N], of the rows.
        labels: head → int64[N]; below 0 for a label that training lacks.
        logits: head → float32[N, C], of the network.
        votes: head → float32[N, C], of the nearest pictures; empty where the model remembers none.
        counts: head → int64[C], rows of each class in the training split.
        signals: of familiarity and of drift (:data:`components.model.looks.TOLD`) → float32[N] or float32[N, K]; those
            that are no logits or votes.
        names: head → float32[N, C], evidence of the rows' names (:mod:`components.naming.model`); empty where
            there is none.
    """

    ids: np.ndarray
    labels: Mapping[str, np.ndarray]
    logits: Mapping[str, np.ndarray]
    counts: Mapping[str, np.ndarray]
    votes: Mapping[str, np.ndarray] = field(default_factory=dict)
    signals: Mapping[str, np.ndarray] = field(default_factory=dict)
    names: Mapping[str, np.ndarray] = field(default_factory=dict)

    def save(self, directory: Path) -> None:
        """Writes them into a folder."""
        arrays: dict[str, Any] = dict(_flat(asdict(self)))  # numpy 2 types the options beside them
        np.savez(directory / _FILE, **arrays)

    @classmethod
    def load(cls, directory: Path) -> "EvalOutputs":
        """Reads what :meth:`save` wrote into that folder."""
        parts: dict[str, dict[str, np.ndarray]] = {one.name: {} for one in fields(cls) if one.name != "ids"}
        with np.load(directory / _FILE, allow_pickle=False) as file:
            for key in file.files:
                part, _, head = key.partition("/")
                if head:
                    parts[part][head] = file[key]
            return cls(ids=file["ids"], **parts)


def _flat(values: Mapping[str, np.ndarray | Mapping[str, np.ndarray]]) -> Iterable[tuple[str, np.ndarray]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from ((f"{name}/{head}", array) for head, array in value.items())
        else:
            yield name, value
