"""Networks that turn pictures into features, by name."""

from collections.abc import Callable

import keras
from keras import layers

from components.errors import WeightsError
from components.model.efficientnet_lite0 import efficientnet_lite0
from components.model.layer_names import SMALL_CNN_CONVOLUTIONS

Backbone = Callable[[tuple[int, int, int]], keras.Model]


def small_cnn(input_shape: tuple[int, int, int]) -> keras.Model:
    """A plain convolutional network, trained from scratch: the honest baseline.

    Args:
        input_shape: (height, width, 3), each side at least 16 pixels.

    Returns:
        float32[N, H, W, 3] in [0, 255] → features float32[N, 256].
    """
    images = keras.Input(input_shape, name="image")
    x = layers.Rescaling(1 / 127.5, offset=-1, name="scaling")(images)
    for block in range(SMALL_CNN_CONVOLUTIONS):
        x = layers.Conv2D(32 << block, 3, strides=2, padding="same", use_bias=False, name=f"block{block}_conv")(x)
        x = layers.BatchNormalization(momentum=0.9, name=f"block{block}_norm")(x)
        x = layers.Activation("relu", name=f"block{block}_relu")(x)
    return keras.Model(images, layers.GlobalAveragePooling2D(name="pool")(x), name="small_cnn")


def mobilenet_v2(input_shape: tuple[int, int, int]) -> keras.Model:
    """MobileNetV2 (Sandler et al., 2018) with ImageNet weights, which Keras fetches once into its cache.

    Args:
        input_shape: (height, width, 3), each side at least 32 pixels.

    Returns:
        float32[N, H, W, 3] in [0, 255] → features float32[N, 1280].

    Raises:
        WeightsError: the weights are not in Keras's cache and cannot be fetched.
    """
    images = keras.Input(input_shape, name="image")
    scaled = layers.Rescaling(1 / 127.5, offset=-1, name="scaling")(images)
    try:
        network = keras.applications.MobileNetV2(input_tensor=scaled, include_top=False, weights="imagenet")
    except Exception as error:  # Keras raises a bare Exception where a download fails
        raise WeightsError(
            f"backbone mobilenet_v2: its ImageNet weights cannot be fetched ({error}); run once where the network "
            "reaches storage.googleapis.com, or take efficientnet_lite0, whose weights are installed with Lookbook"
        ) from error
    # Pooled here: Keras would number its layer by how many there were before.
    pooled = layers.GlobalAveragePooling2D(name="pool")(network.output)
    return keras.Model(images, pooled, name="mobilenet_v2")


BACKBONES: dict[str, Backbone] = {
    "small_cnn": small_cnn,
    "efficientnet_lite0": efficientnet_lite0,
    "mobilenet_v2": mobilenet_v2,
}


def build_backbone(name: str, input_shape: tuple[int, int, int]) -> keras.Model:
    """The backbone of that name for pictures of that shape.

    Raises:
        ValueError: there is no backbone of that name.
        WeightsError: its weights cannot be had.
    """
    if name not in BACKBONES:
        raise ValueError(f"backbone is {name!r}; it must be one of {', '.join(BACKBONES)}")
    return BACKBONES[name](input_shape)


def freeze(backbone: keras.Model, frozen_to: str, depthwise_from: int) -> None:
    """Marks what training leaves as it is, for speed; everything else is marked trainable.

    Args:
        backbone: of :func:`build_backbone`.
        frozen_to: name of the last layer that stays frozen, with all before it; empty for none.
        depthwise_from: depthwise convolutions of that kernel size or more stay frozen; 0 for none. TF's gradient
          of their filters takes 20 times as long as their forward pass on a CPU.

    Raises:
        ValueError: there is no layer of that name.
    """
    first_free = layer_index(backbone, frozen_to, "frozen_to") + 1 if frozen_to else 0
    backbone.trainable = True
    for index, layer in enumerate(backbone.layers):
        is_slow = isinstance(layer, layers.DepthwiseConv2D) and 0 < depthwise_from <= layer.kernel_size[0]
        layer.trainable = index >= first_free and not is_slow


def layer_index(backbone: keras.Model, name: str, knob: str) -> int:
    """Where the layer of that name stands among the backbone's layers, from the picture on.

    Raises:
        ValueError: there is none; says which ``knob`` named it, and which there are.
    """
    layer_names = [layer.name for layer in backbone.layers]
    if name not in layer_names:
        raise ValueError(f"{knob} is {name!r}; {backbone.name} has the layers {', '.join(layer_names)}")
    return layer_names.index(name)
