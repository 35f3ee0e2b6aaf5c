"""Models for a browser: weights of fewer bits, in a file that gzip can make much of.

Half-width floats would be as small, with ten bits behind the point. That moves a picture that several known ones are
equally like by up to .05, since others are then the nearest. Fourteen bits do not, and cost a tenth more.
"""

import gzip
from typing import Any, Final

import numpy as np
import tensorflow as tf

BITS: Final = 14
"""Of the 23 of a float32 that stand behind the point."""
FEWEST: Final = 2_000
"""Numbers of a constant that loses bits: fewer make .6 % of a model."""
PLANES: Final = 4
PACKING: Final = (
    "By gzip, the bytes of a LiteRT model, filled up to a multiple of four: each first of four, then each second, "
    "third and fourth. Weights are float32 of which 14 bits behind the point are kept."
)
"""As the manifest tells it."""
_BEHIND_THE_POINT: Final = 23


def round_weights(graph: Any) -> None:
    """Rounds every large constant of a graph, in place."""
    for node in graph.node:
        if node.op != "Const" or node.attr["dtype"].type != tf.float32.as_datatype_enum:
            continue
        values = tf.make_ndarray(node.attr["value"].tensor)
        if values.size >= FEWEST:
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(rounded(values), shape=values.shape))


def rounded(values: np.ndarray) -> np.ndarray:
    """float32, each the nearest with :data:`BITS` bits; infinities and NaN stay as they are."""
    dropped = _BEHIND_THE_POINT - BITS
    bits = np.ascontiguousarray(values).view(np.uint32)
    nearest = ((bits + np.uint32(1 << (dropped - 1))) >> dropped << dropped).astype(np.uint32).view(np.float32)
    return np.where(np.isfinite(values), nearest.reshape(values.shape), values)


def packed(model: bytes) -> bytes:
    """First bytes of all numbers, then second ones, and so on, by gzip: bytes of one kind are alike."""
    padded = model + bytes(-len(model) % PLANES)
    planes = np.frombuffer(padded, np.uint8).reshape(-1, PLANES).T
    return gzip.compress(planes.tobytes(), compresslevel=9, mtime=0)
