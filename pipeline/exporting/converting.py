"""Released models → a LiteRT model of pixels.

A SavedModel's ``scores`` take a file's bytes, and decode and resize them by operations that LiteRT does not have. What
lies behind these is converted as it is, memory of known pictures and calibration included, so that nothing of an answer
is written a second time.

Models that share their features become one LiteRT model, which looks once: what the first tells of a picture is wired
to the others, as a merger hands it on. Their signatures hear names, where the release does, by operations on texts that
LiteRT does not have either. So scores are taken from before that, where they are what ``scores`` tells.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

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


class _Part(NamedTuple):
    """A signature as a graph (a ``GraphDef``), names of its inputs, and of each output the name of its tensor."""

    graph: Any
    inputs: Sequence[str]
    outputs: dict[str, str]


def convert(models: Sequence[tuple[Any, ModelCard]], *, prepare: Callable[[Any], None] = lambda graph: None) -> bytes:
    """A LiteRT model of builtin operations alone.

    Args:
        models: SavedModels of a release, each with its card; if more than one, they answer from features of the first.
        prepare: changes the constants of a graph (a ``GraphDef``) in place, before it is converted.

    Returns:
        It, with the outputs of all of them.

    Raises:
        RunError: a model was not made by Lookbook's training.
    """
    (first, card), *others = models
    parts = [_looking(first, card, names.SCORES_WITH_MEMORY if others else names.SCORES)]
    parts += [_answering(loaded, its_card) for loaded, its_card in others]
    for part in parts:
        prepare(part.graph)
    wanted = {name for loaded, _ in models for name in loaded.signatures[names.SCORES].structured_outputs}
    outputs: dict[str, str] = {}

    def of_pixels() -> None:
        told = {INPUT: tf.compat.v1.placeholder(tf.float32, (1, card.height, card.width, 3), name=INPUT)}
        for part in parts:
            told |= _imported(part, told)
        outputs.update({name: told[name].name for name in wanted.difference(_LEFT_OUT)})

    whole = tf.compat.v1.wrap_function(of_pixels, [])
    converter = tf.lite.TFLiteConverter.from_concrete_functions([whole.prune(f"{INPUT}:0", outputs)], tf.Module())
    return bytes(converter.convert())


def _imported(part: _Part, told: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    inputs = {name: told[name] for name in part.inputs}
    tensors = tf.graph_util.import_graph_def(part.graph, inputs, return_elements=[*part.outputs.values()])
    return dict(zip(part.outputs, tensors, strict=True))


def _looking(loaded: Any, card: ModelCard, signature: str) -> _Part:
    graph, outputs = _frozen(loaded, card, signature)
    return _Part(_behind_decoding(graph, (1, card.height, card.width, 3), card.model), [INPUT], outputs)


def _answering(loaded: Any, card: ModelCard) -> _Part:
    graph, outputs = _frozen(loaded, card, names.SCORES_FROM_FEATURES)
    return _Part(_rewired(graph), names.OF_FEATURES, outputs)


def _frozen(loaded: Any, card: ModelCard, signature: str) -> tuple[tf.Graph, dict[str, str]]:
    """A signature's graph without variables, and of each output the name of its tensor, before names are heard."""
    called = loaded.signatures[signature]
    frozen = convert_variables_to_constants_v2(called)  # else TensorFlow 2.16 aborts the process while it converts
    heard = () if signature == names.SCORES else card.name_weights
    tensors = dict(zip(sorted(called.structured_outputs), frozen.outputs, strict=True))
    return frozen.graph, {name: (_unnamed(one) if name in heard else one).name for name, one in tensors.items()}


def _unnamed(scores: tf.Tensor) -> tf.Tensor:
    """A head's scores by the picture alone: of a choice between two, what is taken where no word of a name is known."""
    while scores.op.type == "Identity":
        scores = scores.op.inputs[0]
    _, _, by_picture = scores.op.inputs  # of a SelectV2
    return by_picture


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
    document = _rewired(graph, calls[0].name, {used[tf.float32]: INPUT, used[tf.int64]: names.IMAGE_OK})
    document.node.extend(instead.as_graph_def().node)
    return document


def _rewired(graph: tf.Graph, without: str = "", swapped: Mapping[str, str] = MappingProxyType({})) -> Any:
    """The graph less the node ``without``, whose outputs are swapped.

    And less control inputs, which lead back to decoding and names: nothing in a model has an effect to wait for.
    """
    document = tf.compat.v1.GraphDef()
    for node in graph.as_graph_def().node:
        if node.name != without:
            inputs = [swapped.get(one, one) for one in node.input if not one.startswith("^")]
            node.ClearField("input")
            node.input.extend(inputs)
            document.node.append(node)
    return document


def _reference(tensor: tf.Tensor) -> str:
    """How nodes of a graph name a tensor as their input."""
    return tensor.op.name if tensor.value_index == 0 else f"{tensor.op.name}:{tensor.value_index}"
