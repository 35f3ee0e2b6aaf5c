"""Networks that turn pictures into features, by name."""

from collections.abc import Callable

import keras
from keras import layers

Backbone = Callable[[tuple[int, int, int]], keras.Model]


def small_cnn(input_shape: tuple[int, int, int]) -> keras.Model:
    """A plain convolutional network, trained from scratch: the honest baseline.

    Args:
      input_shape: (height, width, 3), each side at least 16 pixels.

    Returns:
      float32[N, H, W, 3] in [0, 255] → features float32[N, 256].
    """
    images = keras.Input(input_shape, name="image")
    x = layers.Rescaling(1 / 127.5, offset=-1)(images)
    for filters, stride in ((32, 2), (64, 2), (128, 2), (256, 2)):
        x = layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.Activation("relu")(x)
    return keras.Model(images, layers.GlobalAveragePooling2D()(x), name="small_cnn")


BACKBONES: dict[str, Backbone] = {"small_cnn": small_cnn}


def build_backbone(name: str, input_shape: tuple[int, int, int]) -> keras.Model:
    """The backbone of that name for pictures of that shape.

    Raises:
      ValueError: there is no backbone of that name.
    """
    if name not in BACKBONES:
        raise ValueError(f"backbone is {name!r}; it must be one of {', '.join(BACKBONES)}")
    return BACKBONES[name](input_shape)
