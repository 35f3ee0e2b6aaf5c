"""The classifier: one backbone, one head of logits per label."""

import keras
from keras import layers

from components.backbones import build_backbone


def build_classifier(
    heads: dict[str, int], input_shape: tuple[int, int, int], backbone: str, dropout: float
) -> keras.Model:
    """Builds a classifier with any number of heads on one backbone.

    Args:
      heads: head → number of its classes.
      input_shape: (height, width, 3) of the pictures.
      backbone: a name of :data:`components.backbones.BACKBONES`.
      dropout: share of the features left out in each training step.

    Returns:
      A model uint8 or float32[N, H, W, 3] in [0, 255] → {head: logits float32[N, classes]}.
    """
    images = keras.Input(input_shape, name="image")
    features = layers.Dropout(dropout, name="dropout")(build_backbone(backbone, input_shape)(images))
    logits = {head: layers.Dense(classes, name=head)(features) for head, classes in heads.items()}
    return keras.Model(images, logits, name="classifier")
