"""What the fake model server answers: scores by colour, and what goes beside them."""

from array import array
from typing import Any

from schema import names
from serving.stubs.tensorflow.core.framework import types_pb2
from tests import tiny_models
from tests.tiny_models import PRODUCTS, colour_of, head_labels

SURE = 0.94


def put(reply: Any, name: str, dtype: int, shape: list[int]) -> Any:
    """A new output of that type and shape, for its values."""
    tensor = reply.outputs[name]
    tensor.dtype = dtype
    for size in shape:
        tensor.tensor_shape.dim.add(size=size)
    return tensor


def score_row(head: str, image: bytes, weights: int, sure: float = SURE) -> list[float]:
    """Scores of one head for a picture of one colour; a colour of no product gets them all alike."""
    labels = head_labels(head)
    colour = colour_of(image)
    if colour is None:
        return [1 / len(labels)] * len(labels)
    best = labels.index(tiny_models.expected(colour, weights, [head])[head])
    return [sure if i == best else (1 - sure) / (len(labels) - 1) for i in range(len(labels))]


def hear(reply: Any, heads: list[str], version: int, images: list[bytes], given: list[str]) -> None:
    """A picture of no product is what its name says; any other stays what it is, however its name fits."""
    said = [next((word for word in one.split() if word in tiny_models.COLOURS), None) for one in given]
    for head in heads:
        rows = [
            score_row(head, tiny_models.picture(word) if word and not colour_of(image) else image, version)
            for image, word in zip(images, said, strict=True)
        ]
        reply.outputs[head].tensor_content = array("f", [score for row in rows for score in row]).tobytes()
    fits = [
        0.04 if word and colour_of(image) not in (word, None) else 0.96
        for image, word in zip(images, said, strict=True)
    ]
    put(reply, names.NAME_KNOWN, types_pb2.DT_BOOL, [len(images)]).bool_val.extend(word is not None for word in said)
    put(reply, names.NAME_FITS, types_pb2.DT_FLOAT, [len(images)]).float_val.extend(fits)


def place(reply: Any, images: list[bytes]) -> None:
    """Where the colours lie; the known pictures are none of them near."""
    rows = [tiny_models.embedding(image) for image in images]
    tensor = put(reply, names.EMBEDDING, types_pb2.DT_FLOAT, [len(images), len(rows[0])])
    tensor.tensor_content = array("f", [value for row in rows for value in row]).tobytes()
    near = put(reply, names.NEIGHBOUR_SIMILARITIES, types_pb2.DT_FLOAT, [len(images), len(PRODUCTS)])
    near.float_val.extend([0.6] * len(images) * len(PRODUCTS))


def tell_features(reply: Any, images: list[bytes], is_read: bool) -> None:
    """The colours as features, and them again, as levels, as those who vote: both are needed to know what was seen."""
    rows = [tiny_models.pixel(image) if is_read else (0, 0, 0) for image in images]
    values = put(reply, names.FEATURES, types_pb2.DT_FLOAT, [len(images), 3])
    values.tensor_content = array("f", [level / 255 for row in rows for level in row]).tobytes()
    voters = put(reply, names.VOTERS, types_pb2.DT_INT32, [len(images), 3])
    voters.int_val.extend(level for row in rows for level in row)
    weights = put(reply, names.VOTER_WEIGHTS, types_pb2.DT_FLOAT, [len(images), 3])
    weights.float_val.extend([float(is_read)] * 3 * len(images))


def images_of(request: Any) -> tuple[list[bytes], list[bool]]:
    """The pictures that a request is about, painted where it has features, and which of them can be read."""
    if names.FEATURES not in request.inputs:
        images = list(request.inputs[names.IMAGE].string_val)
        return images, [True] * len(images)
    assert names.IMAGE not in request.inputs
    values, voters, weights = (
        array(code, request.inputs[name].tensor_content)
        for name, code in ((names.FEATURES, "f"), (names.VOTERS, "i"), (names.VOTER_WEIGHTS, "f"))
    )
    assert [round(255 * value) for value in values] == list(voters), "who votes is of the same picture"
    colours = [bytes(voters[start : start + 3].tolist()).hex() for start in range(0, len(voters), 3)]
    is_read = [any(weights[start : start + 3]) for start in range(0, len(weights), 3)]
    return [tiny_models.picture(f"#{colour}", image_format="PNG") for colour in colours], is_read
