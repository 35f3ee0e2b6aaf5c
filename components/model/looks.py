"""What a model tells of a picture beside its labels, for drift to be seen: numbers that need nobody's label."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from components.model.classifier import BRIGHTNESS, CONTRAST
from components.model.nearest_pictures import CENTRALITY, COMPONENTS, COMPONENTS_TOLD, NEARNESS, SIMILARITY

TOLD = (*NEARNESS, COMPONENTS, CONTRAST, BRIGHTNESS)
"""Keys of an uncalibrated model's outputs that are neither logits nor votes."""

MORE_IS_USUAL = (SIMILARITY, CENTRALITY)
"""Looks of which a picture that was learnt from has more than one of eval."""


def looks(outputs: Mapping[str, Any]) -> dict[str, tf.Tensor]:
    """Name → float32[N], of what these outputs of an uncalibrated model tell; without a memory that is less."""
    told = {key: tf.convert_to_tensor(outputs[key]) for key in (BRIGHTNESS, *NEARNESS) if key in outputs}
    if COMPONENTS in outputs:
        columns = tf.convert_to_tensor(outputs[COMPONENTS])
        told |= {f"component_{i + 1}": columns[:, i] for i in range(min(COMPONENTS_TOLD, columns.shape[1]))}
    return told
