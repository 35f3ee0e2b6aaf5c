"""Tensors are read in both forms that model servers send, and nonsense is refused."""

from array import array
from typing import Any

import pytest

from serving.merger.models import tensors
from serving.stubs.tensorflow.core.framework import tensor_pb2, types_pb2


def tensor(dtype: int, shape: list[int], **values: Any) -> tensor_pb2.TensorProto:
    proto = tensor_pb2.TensorProto(dtype=dtype, **values)
    for size in shape:
        proto.tensor_shape.dim.add(size=size)
    return proto


VALUES = [0.25, 0.75, 0.5, 0.5, 1.0, 0.0]


@pytest.mark.parametrize(
    "values", [{"float_val": VALUES}, {"tensor_content": array("f", VALUES).tobytes()}], ids=["fields", "bytes"]
)
def test_reads_rows(values: dict[str, Any]) -> None:
    """TensorFlow Serving sends repeated fields or raw bytes, by its flags; both mean the same."""
    rows = tensors.to_rows(tensor(types_pb2.DT_FLOAT, [3, 2], **values), 3, 2)
    assert [list(row) for row in rows] == [[0.25, 0.75], [0.5, 0.5], [1.0, 0.0]]


def test_what_rounding_puts_over_one_is_one() -> None:
    """A share that a model's rounding puts a little over 1 arrives as 1: no caller ever sees a confidence above it."""
    rows = tensors.to_rows(tensor(types_pb2.DT_FLOAT, [1, 2], float_val=[1.00005, 0.0]), 1, 2)
    assert [list(row) for row in rows] == [[1.0, 0.0]]


def test_repeats_the_last_value() -> None:
    """A sender may leave out repetitions of the last value."""
    rows = tensors.to_rows(tensor(types_pb2.DT_FLOAT, [2, 2], float_val=[0.5]), 2, 2)
    assert [list(row) for row in rows] == [[0.5, 0.5], [0.5, 0.5]]
    assert tensors.to_bools(tensor(types_pb2.DT_BOOL, [3], bool_val=[True]), 3) == [True, True, True]


@pytest.mark.parametrize(
    ("dtype", "shape", "values", "why"),
    [
        (types_pb2.DT_FLOAT, [2, 3], VALUES, r"DT_FLOAT\[2, 3\], not DT_FLOAT\[3, 2\]"),
        (types_pb2.DT_DOUBLE, [3, 2], VALUES, "DT_DOUBLE"),
        (types_pb2.DT_FLOAT, [3, 2], [], "0 values, not 6"),
        (types_pb2.DT_FLOAT, [3, 2], [*VALUES, 0.0], "7 values, not 6"),
        (types_pb2.DT_FLOAT, [3, 2], [*VALUES[:5], float("nan")], "no probabilities"),
        (types_pb2.DT_FLOAT, [3, 2], [*VALUES[:5], -0.5], "no probabilities"),
        (types_pb2.DT_FLOAT, [3, 2], [*VALUES[:5], 7.0], "no probabilities"),
    ],
)
def test_refuses_nonsense(dtype: int, shape: list[int], values: list[float], why: str) -> None:
    """Another type, shape or number of values, or values that are no probabilities, never become an answer."""
    with pytest.raises(ValueError, match=why):
        tensors.to_rows(tensor(dtype, shape, float_val=values), 3, 2)


@pytest.mark.parametrize(
    "values",
    [{"int_val": [3, 1, 4, 1]}, {"tensor_content": array("i", [3, 1, 4, 1]).tobytes()}],
    ids=["fields", "bytes"],
)
def test_reads_integers(values: dict[str, Any]) -> None:
    """Whole numbers come in both forms too, in as many columns as there are."""
    rows = tensors.to_integers(tensor(types_pb2.DT_INT32, [2, 2], **values), 2)
    assert [row.tolist() for row in rows] == [[3, 1], [4, 1]]


@pytest.mark.parametrize("shape", [[], [2], [2, 0], [2, -1], [2, 1], [1, 2], [2, 2, 1]])
def test_refuses_integers_of_another_shape(shape: list[int]) -> None:
    """A shape that is not that of the values, or of so many rows, never becomes an answer."""
    with pytest.raises(ValueError, match=r"a tensor (is|has)"):
        tensors.to_integers(tensor(types_pb2.DT_INT32, shape, int_val=[3, 1, 4, 1]), 2)


def test_writes_rows() -> None:
    """Rows travel as raw bytes, and arrive as they were."""
    numbers, whole = [array("f", [0.5, -2.0]), array("f", [7.5, 0.0])], [array("i", [3, 1]), array("i", [-4, 1])]
    protos = [tensor_pb2.TensorProto(), tensor_pb2.TensorProto()]
    tensors.put_rows(protos[0], numbers)
    tensors.put_rows(protos[1], whole)
    assert tensors.to_numbers(protos[0], 2) == numbers and tensors.to_integers(protos[1], 2) == whole


def test_writes_bytes() -> None:
    """Pictures travel as string[N]."""
    proto = tensor_pb2.TensorProto()
    tensors.put_bytes(proto, [b"a", b"\xff"])
    assert proto == tensor(types_pb2.DT_STRING, [2], string_val=[b"a", b"\xff"])
    assert tensors.to_text(tensor(types_pb2.DT_STRING, [1], string_val=["{…}".encode()])) == "{…}"
