"""A released model → a LiteRT model of pixels.

A SavedModel's ``scores`` take a file's bytes, and decode and resize them by operations that LiteRT does not have. What
lies behind these is converted as it is, memory of known pictures and calibration included, so that nothing of an answer
is written a second time.
"""

from collections.abc import Callable
from typing import Any, Final

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from pipeline.errors import RunError
from schema import names
from schema.model_card import ModelCard

INPUT: Final = "image"
"""Of a converted model: float32[1, height, width, 3], whole numbers from 0 to 255; its outputs bear the names of
``scores``, less those of :data:`_LEFT_OUT`."""

_LEFT_OUT: Final = (names.IMAGE_OK, names.LOOKS)
"""What only a decoder can tell, and what only a merger counts."""


def convert(loaded: Any, card: ModelCard, *, prepare: Callable[[Any], None] = lambda graph: None) -> bytes:
    """A LiteRT model of builtin operations alone.

    Args:
        loaded: a SavedModel of a release.
        card: its own.
        prepare: changes the constants of the graph (a ``GraphDef``) in place, before it is converted.

    Raises:
        RunError: the model was not made by Lookbook's training.
    """
    scores = loaded.signatures[names.SCORES]
    frozen = convert_variables_to_constants_v2(scores)  # else TensorFlow 2.16 aborts the process while it converts
    tensors = zip(sorted(scores.structured_outputs), frozen.outputs, strict=True)
    outputs = {name: tensor.name for name, tensor in tensors if name not in _LEFT_OUT}
    graph = _behind_decoding(frozen.graph, (1, card.height, card.width, 3), card.model)
    prepare(graph)
    wrapped = tf.compat.v1.wrap_function(lambda: tf.graph_util.import_graph_def(graph, name=""), [])
    of_pixels = wrapped.prune(f"{INPUT}:0", outputs)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([of_pixels], tf.Module())
    return bytes(converter.convert())


def _behind_decoding(graph: tf.Graph, shape: tuple[int, ...], model: str) -> Any:
    """The graph without its decoding, which takes :data:`INPUT` of that shape instead.

    Freezing inlines every function but one, the transform graph's, since a data set in it does the decoding. It has two
    outputs that are used: pictures float32[N, H, W, 3], and whether each could be decoded, int64[N].
    """
    calls = [op for op in graph.get_operations() if op.type.endswith("PartitionedCall")]
    used = {tensor.dtype: _reference(tensor) for call in calls for tensor in call.outputs if tensor.consumers()}
    if len(calls) != 1 or set(used) != {tf.float32, tf.int64}:
        raise RunError(
            f"the {model} model cannot be exported: its graph has {len(calls)} functions that cannot be inlined, and "
            "must have one, Lookbook's own decoding, that gives pictures; release it anew with: lookbook run"
        )
    instead = tf.Graph()
    with instead.as_default():
        tf.compat.v1.placeholder(tf.float32, shape, name=INPUT)
        tf.ones(shape[:1], tf.int64, name=names.IMAGE_OK)
    return _rewired(graph, calls[0].name, {used[tf.float32]: INPUT, used[tf.int64]: names.IMAGE_OK}, instead)


def _rewired(graph: tf.Graph, without: str, swapped: dict[str, str], instead: tf.Graph) -> Any:
    """The graph and ``instead`` in one, without the node ``without``, whose outputs are swapped."""
    document = instead.as_graph_def()
    for node in graph.as_graph_def().node:
        if node.name != without:
            # Without control inputs, which lead back to the decoding: nothing in a model has an effect to wait for.
            inputs = [swapped.get(one, one) for one in node.input if not one.startswith("^")]
            node.ClearField("input")
            node.input.extend(inputs)
            document.node.append(node)
    return document


def _reference(tensor: tf.Tensor) -> str:
    """How nodes of a graph name a tensor as their input."""
    return tensor.op.name if tensor.value_index == 0 else f"{tensor.op.name}:{tensor.value_index}"
