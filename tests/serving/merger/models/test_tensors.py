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


def test_writes_bytes() -> None:
    """Pictures travel as string[N]."""
    proto = tensor_pb2.TensorProto()
    tensors.put_bytes(proto, [b"a", b"\xff"])
    assert proto == tensor(types_pb2.DT_STRING, [2], string_val=[b"a", b"\xff"])
    assert tensors.to_text(tensor(types_pb2.DT_STRING, [1], string_val=["{…}".encode()])) == "{…}"
