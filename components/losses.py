"""Losses over logits."""

from collections.abc import Sequence

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
      ignore_class: label of rows that count for nothing (their loss is 0).

    Call with labels int[N] or int[N, 1] and logits float32[N, C]; a loss per row float32[N] before reduction.
    """

    def __init__(
        self,
        gamma: float = 2.0,
        alpha: float | Sequence[float] = 1.0,
        label_smoothing: float = 0.0,
        ignore_class: int = -1,
        name: str = "sparse_categorical_focal_loss",
        **kwargs,
    ):
        super().__init__(name=name, **kwargs)
        if gamma < 0:
            raise ValueError(f"gamma is {gamma}; it must be 0 or more")
        self.gamma = float(gamma)
        self.alpha = np.asarray(alpha, np.float32)
        if self.alpha.ndim > 1 or (self.alpha < 0).any():
            raise ValueError(f"alpha is {alpha}; it must be a number or one number a class, none below 0")
        self.label_smoothing = float(label_smoothing)
        self.ignore_class = ignore_class

    def call(self, y_true, y_pred):
        labels = ops.reshape(ops.cast(y_true, "int32"), (-1,))
        counts = ops.cast(ops.not_equal(labels, self.ignore_class), y_pred.dtype)
        labels = ops.maximum(labels, 0)
        log_softmax = ops.log_softmax(y_pred, axis=-1)
        log_p = ops.take_along_axis(log_softmax, labels[:, None], axis=-1)[:, 0]
        alpha = ops.take(ops.convert_to_tensor(np.atleast_1d(self.alpha)), labels if self.alpha.ndim else labels * 0)
        # 1 - p by expm1: exact where p is near 1, and finite in its gradient where p is 1.
        hardness = ops.power(ops.maximum(-ops.expm1(log_p), 1e-7), self.gamma) if self.gamma else 1.0
        smoothing = self.label_smoothing
        return -counts * alpha * ((1 - smoothing) * hardness * log_p + smoothing * ops.mean(log_softmax, axis=-1))

    def get_config(self):
        config = super().get_config()
        return {
            **config,
            "gamma": self.gamma,
            "alpha": self.alpha.tolist(),
            "label_smoothing": self.label_smoothing,
            "ignore_class": self.ignore_class,
        }


def class_weights(counts: Sequence[int], balance: float) -> np.ndarray:
    """Weights float32[C] that rise as classes get rarer: ``count^-balance``, scaled so that the mean row weighs 1.

    Args:
      counts: rows of each class in training, at least 1 each.
      balance: 0 leaves every class at 1; 1 gives every class the same total weight.
    """
    frequency = np.maximum(np.asarray(counts, np.float64), 1.0)
    weights = frequency**-balance
    return (weights * frequency.sum() / (weights * frequency).sum()).astype(np.float32)
