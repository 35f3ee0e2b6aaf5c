"""Pictures as vectors, by a network that has learnt nothing of the catalogue: what it finds odd, no label taught it."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import tensorflow as tf

from components.model.backbones import build_backbone
from components.model.efficientnet_lite0 import NAME
from components.model.preprocessing import decode_images

SIZE: Final = (128, 96)
"""Height and width in pixels to which pictures are scaled, as the standard profile does."""


class FrozenEmbedding:
    """EfficientNet-Lite0 with the weights of ImageNet, up to its pooled features."""

    def __init__(self) -> None:
        self._network = build_backbone(NAME, (*SIZE, 3))
        self._embed = tf.function(self._traced, input_signature=[tf.TensorSpec([None], tf.string)])

    def __call__(self, images: Sequence[bytes]) -> np.ndarray:
        """Encoded pictures that decode → float32[N, 1280]."""
        return self._embed(tf.constant(list(images), tf.string)).numpy()

    def _traced(self, images: tf.Tensor) -> tf.Tensor:
        pixels, _ = decode_images(images, *SIZE)
        return self._network(pixels, training=False)
