"""The classifier: one backbone, one head of logits per label."""

from collections.abc import Sequence

import keras
from keras import layers, ops

from components.model.backbones import build_backbone

FEATURES = "features"
"""Key beside the heads' logits: the features by which pictures are near, float32[N, F]."""

POOLED = "pooled"
"""Key beside the heads' logits: the features that these are made of, float32[N, P]."""


CONTRAST = "contrast"
"""Key beside the heads' logits: ``log(1 + σ)`` of all of a picture's values, float32[N]; 0 for a plain one.

It grows no further from :data:`_SHOWN` on: how much a product stands out against its background is no matter.
"""

BRIGHTNESS = "brightness"
"""Key beside the heads' logits: mean of all of a picture's values, 0 for black to 1 for white, float32[N]."""

_SHOWN = 8.0
"""Standard deviation, of 255, with which a picture shows something."""


def build_classifier(
    heads: dict[str, int], input_shape: tuple[int, int, int], backbone: str, dropout: float
) -> tuple[keras.Model, keras.Model]:
    """Builds a classifier with any number of heads on one backbone.

    Args:
        heads: head → number of its classes.
        input_shape: (height, width, 3) of the pictures.
        backbone: a name of :data:`components.model.backbones.BACKBONES`.
        dropout: share of the features left out in each training step.

    Returns:
        A model uint8 or float32[N, H, W, 3] in [0, 255] → {head: logits float32[N, classes]}, and its backbone, which
        shares its layers.
    """
    images = keras.Input(input_shape, name="image")
    network = build_backbone(backbone, input_shape)
    features = layers.Dropout(dropout, name="dropout")(network(images))
    logits = {head: layers.Dense(classes, name=head)(features) for head, classes in heads.items()}
    return keras.Model(images, logits, name="classifier"), network


def heads_alone(model: keras.Model) -> keras.Model:
    """The heads of :func:`build_classifier`'s model, sharing their layers: features float32[N, F] → its logits."""
    dropout = model.get_layer("dropout")
    features = keras.Input(dropout.output.shape[1:], name=FEATURES)
    dropped = dropout(features)
    return keras.Model(features, {head: model.get_layer(head)(dropped) for head in model.output}, name="heads")


def with_features(model: keras.Model, backbone: keras.Model, layer_names: Sequence[str]) -> keras.Model:
    """The same model, sharing its layers, that also tells what it saw.

    Args:
        model: of :func:`build_classifier`.
        backbone: the same.
        layer_names: layers of the backbone to read; none: its pooled features.

    Returns:
        A model uint8 or float32[N, H, W, 3] → {head: logits float32[N, classes], :data:`POOLED`: float32[N, P],
        :data:`FEATURES`: float32[N, F]}. The latter are the channels of all these layers side by side, of each its mean
        over the picture and its standard deviation, which tells a pattern from a plain surface.
    """
    seen = [moment for name in layer_names for moment in _moments(backbone.get_layer(name).output)]
    seen = seen or [backbone.output]
    network = keras.Model(backbone.input, [backbone.output, *seen])
    pooled, *features = network(model.input)
    logits = {head: model.get_layer(head)(pooled) for head in model.output}
    told = {POOLED: pooled, FEATURES: ops.concatenate(features, axis=-1)}
    return keras.Model(model.input, {**logits, **told}, name=model.name)


def _moments(activations: keras.KerasTensor) -> list[keras.KerasTensor]:
    """Mean and standard deviation over the picture; a layer that is pooled already stays as it is."""
    if len(activations.shape) != 4:
        return [activations]
    return [ops.mean(activations, axis=(1, 2)), ops.std(activations, axis=(1, 2))]


def with_mirror(model: keras.Model) -> keras.Model:
    """The same model, sharing its layers, answering with the mean of the logits of a picture and of its mirror image.

    A product and its mirror image are the same product, so the mean errs less than either. The features, where the
    model tells them, stay those of the picture: which way a shoe points is part of what tells a series of photographs
    from another. Those that the logits are made of are the mean too, of which linear heads make the same logits.
    """
    # One batch of both, since the model is called most often with a single picture, which leaves cores idle.
    both = model(ops.concatenate([model.input, ops.flip(model.input, axis=2)]))
    halves = {key: ops.split(values, 2) for key, values in both.items()}
    answers = {key: pair[0] if key == FEATURES else sum(pair) / 2 for key, pair in halves.items()}
    return keras.Model(model.input, answers, name=model.name)


def with_light(model: keras.Model) -> keras.Model:
    """The same model, sharing its layers, that also tells :data:`CONTRAST` and :data:`BRIGHTNESS`.

    Nothing else tells a white picture from a product: white is what most of a product's photo is.
    """
    pixels = ops.cast(model.input, "float32")
    contrast = ops.log1p(ops.minimum(ops.std(pixels, axis=(1, 2, 3)), _SHOWN))
    brightness = ops.mean(pixels, axis=(1, 2, 3)) / 255.0
    return keras.Model(model.input, {**model.output, CONTRAST: contrast, BRIGHTNESS: brightness}, name=model.name)
