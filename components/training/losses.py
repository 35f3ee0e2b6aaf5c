"""Losses over logits, and the accuracy beside them."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable(package="lookbook")
class SparseCategoricalFocalLoss(keras.losses.Loss):
    """Focal loss for integer labels: ``-alpha[y] · (1 - p[y])^gamma · log p[y]``.

    Lin et al., "Focal Loss for Dense Object Detection", 2017, equation 5, carried over to the softmax. With ``gamma``
    0 and ``alpha`` 1 it is the ordinary cross-entropy. With a label smoothing of ε the loss of the label counts 1 - ε
    and ``-alpha[y] · mean(log p)`` counts ε.

    Args:
      gamma: how much well-classified examples are discounted; 0 or more.
      alpha: weight of each class, a number or one number a class.
      label_smoothing: ε, at least 0 and below 1.

    Call with labels int[N] or int[N, 1], or with shares of the classes float32[N, C] where rows are blends of several,
    for which the losses of the classes are added up by their shares. A label below 0, and a row without shares, counts
    for nothing: its loss is 0. With them go logits float32[N, C]; a loss per row float32[N] before reduction.
    """

    def __init__(
        self,
        gamma: float = 2.0,
        alpha: float | Sequence[float] | np.ndarray = 1.0,
        label_smoothing: float = 0.0,
        name: str = "sparse_categorical_focal_loss",
        **kwargs: Any,
    ):
        super().__init__(name=name, **kwargs)
        if gamma < 0:
            raise ValueError(f"gamma is {gamma}; it must be 0 or more")
        self.gamma = float(gamma)
        self.alpha = np.asarray(alpha, np.float32)
        if self.alpha.ndim > 1 or (self.alpha < 0).any():
            raise ValueError(f"alpha is {alpha}; it must be a number or one number a class, none below 0")
        self.label_smoothing = float(label_smoothing)

    def call(self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor) -> keras.KerasTensor:
        """The loss of each row."""
        classes = y_pred.shape[-1]
        is_shares = len(y_true.shape) == 2 and y_true.shape[-1] == classes and classes > 1
        shares = y_true if is_shares else _one_hot(y_true, classes)
        log_p = ops.log_softmax(y_pred, axis=-1)
        # 1 - p by expm1: exact where p is near 1, and finite in its gradient where p is 1.
        hardness = ops.power(ops.maximum(-ops.expm1(log_p), 1e-7), self.gamma) if self.gamma else 1.0
        weights = shares * ops.convert_to_tensor(self.alpha)
        smoothing = self.label_smoothing
        sharp = ops.sum(weights * hardness * log_p, axis=-1)
        return -(1 - smoothing) * sharp - smoothing * ops.sum(weights, axis=-1) * ops.mean(log_p, axis=-1)

    def get_config(self) -> dict[str, Any]:
        """What Keras saves of it."""
        config = super().get_config()
        return {
            **config,
            "gamma": self.gamma,
            "alpha": self.alpha.tolist(),
            "label_smoothing": self.label_smoothing,
        }


@keras.saving.register_keras_serializable(package="lookbook")
class LabelledAccuracy(keras.metrics.CategoricalAccuracy):
    """Share right among the rows that have a label, by shares of the classes float32[N, C]; each counts by their sum.

    A row without shares has no best class: the ordinary accuracy would take it for one of the first.
    """

    def __init__(self, name: str = "accuracy", dtype: str | None = None):
        super().__init__(name=name, dtype=dtype)

    def update_state(self, y_true: keras.KerasTensor, y_pred: keras.KerasTensor, sample_weight: Any = None) -> None:
        """Counts a batch; weights of rows are not asked for here, and play no part."""
        del sample_weight
        super().update_state(y_true, y_pred, sample_weight=ops.sum(y_true, axis=-1))

    def get_config(self) -> dict[str, Any]:
        """What a checkpoint needs to make it anew."""
        return {"name": self.name, "dtype": self.dtype}


def _one_hot(labels: keras.KerasTensor, classes: int) -> keras.KerasTensor:
    # Keras hands labels over as float32; one_hot makes a row of zeros of a label below 0.
    return ops.one_hot(ops.reshape(ops.cast(labels, "int32"), (-1,)), classes)


def class_weights(counts: Sequence[int], balance: float) -> np.ndarray:
    """Weights float32[C] that rise as classes get rarer: ``count^-balance``, scaled so that the mean row weighs 1.

    Args:
      counts: rows of each class in training, at least 1 each.
      balance: 0 leaves every class at 1; 1 gives every class the same total weight.
    """
    frequency = np.maximum(np.asarray(counts, np.float64), 1.0)
    weights = frequency**-balance
    return (weights * frequency.sum() / (weights * frequency).sum()).astype(np.float32)
