"""TensorProto ↔ plain Python, as much of it as the models' signatures need, without numpy (300 ms of import)."""

import math
from array import array
from collections.abc import Sequence

from serving.stubs.tensorflow.core.framework import tensor_pb2, types_pb2


def put_bytes(tensor: tensor_pb2.TensorProto, values: Sequence[bytes]) -> None:
    """Makes an empty ``tensor`` string[N]."""
    tensor.dtype = types_pb2.DT_STRING
    tensor.tensor_shape.dim.add(size=len(values))
    tensor.string_val.extend(values)


def put_rows(tensor: tensor_pb2.TensorProto, rows: Sequence[array]) -> None:
    """Makes an empty ``tensor`` float32[N, columns], or int32 of arrays of these; N is at least 1."""
    tensor.dtype = types_pb2.DT_INT32 if rows[0].typecode == "i" else types_pb2.DT_FLOAT
    for size in (len(rows), len(rows[0])):
        tensor.tensor_shape.dim.add(size=size)
    tensor.tensor_content = b"".join(rows)


def to_rows(tensor: tensor_pb2.TensorProto, rows: int, columns: int) -> list[array]:
    """float32[rows, columns] → a float array per row.

    Raises:
        ValueError: another type or shape, or a value that is no probability.
    """
    _expect(tensor, types_pb2.DT_FLOAT, [rows, columns])
    values = _shares(tensor, rows * columns)
    return [values[start : start + columns] for start in range(0, rows * columns, columns)]


def to_numbers(tensor: tensor_pb2.TensorProto, rows: int, columns: int | None = None) -> list[array]:
    """float32[rows, columns] → a float array per row; None: as many columns as there are, at least one.

    Raises:
        ValueError: another type or shape, or a value that is no number.
    """
    columns = columns or _columns(tensor)
    _expect(tensor, types_pb2.DT_FLOAT, [rows, columns])
    values = _floats(tensor, rows * columns)
    if not math.isfinite(sum(values)):  # the sum of float32s is too small for a double to overflow
        raise ValueError("there are values that are no numbers")
    return [values[start : start + columns] for start in range(0, rows * columns, columns)]


def to_integers(tensor: tensor_pb2.TensorProto, rows: int) -> list[array]:
    """int32[rows, columns] → an int array per row, of as many columns as there are, at least one.

    Raises:
        ValueError: another type or shape.
    """
    columns = _columns(tensor)
    _expect(tensor, types_pb2.DT_INT32, [rows, columns])
    values = array("i", tensor.tensor_content) if tensor.tensor_content else array("i", tensor.int_val)
    _fill(values, rows * columns)
    return [values[start : start + columns] for start in range(0, rows * columns, columns)]


def to_shares(tensor: tensor_pb2.TensorProto, rows: int) -> array:
    """float32[rows] → a float array.

    Raises:
        ValueError: another type or shape, or a value outside 0 to 1.
    """
    _expect(tensor, types_pb2.DT_FLOAT, [rows])
    return _shares(tensor, rows)


def _shares(tensor: tensor_pb2.TensorProto, count: int) -> array:
    values = _floats(tensor, count)
    if values and not (math.isfinite(sum(values)) and min(values) >= 0 and max(values) <= 1.0001):
        raise ValueError("there are scores that are no probabilities")
    if values and max(values) > 1:  # a model's rounding; callers are promised shares
        values = array("f", [min(value, 1.0) for value in values])
    return values


def _floats(tensor: tensor_pb2.TensorProto, count: int) -> array:
    values = array("f", tensor.tensor_content) if tensor.tensor_content else array("f", tensor.float_val)
    return _fill(values, count)


def to_texts(tensor: tensor_pb2.TensorProto, rows: int, columns: int) -> list[list[str]]:
    """string[rows, columns] → a list of texts per row.

    Raises:
        ValueError: another type or shape, or no UTF-8.
    """
    _expect(tensor, types_pb2.DT_STRING, [rows, columns])
    texts = [text.decode("utf-8") for text in tensor.string_val]
    if 0 < len(texts) < rows * columns:
        texts += texts[-1:] * (rows * columns - len(texts))
    if len(texts) != rows * columns:
        raise ValueError(f"a tensor has {len(texts)} values, not {rows * columns}")
    return [texts[start : start + columns] for start in range(0, rows * columns, columns)]


def to_bools(tensor: tensor_pb2.TensorProto, rows: int) -> list[bool]:
    """bool[rows] → a list.

    Raises:
        ValueError: another type or shape.
    """
    _expect(tensor, types_pb2.DT_BOOL, [rows])
    values = array("b", tensor.tensor_content) if tensor.tensor_content else array("b", tensor.bool_val)
    return [bool(value) for value in _fill(values, rows)]


def to_text(tensor: tensor_pb2.TensorProto) -> str:
    """string[1] → text.

    Raises:
        ValueError: another type or shape, or no UTF-8.
    """
    _expect(tensor, types_pb2.DT_STRING, [1])
    return tensor.string_val[0].decode("utf-8")


def _columns(tensor: tensor_pb2.TensorProto) -> int:
    return max(1, tensor.tensor_shape.dim[-1].size) if tensor.tensor_shape.dim else 1


def _expect(tensor: tensor_pb2.TensorProto, dtype: int, shape: list[int]) -> None:
    found = [dim.size for dim in tensor.tensor_shape.dim]
    if tensor.dtype != dtype or found != shape:
        kinds = types_pb2.DataType
        raise ValueError(f"a tensor is {kinds.Name(tensor.dtype)}{found}, not {kinds.Name(dtype)}{shape}")


def _fill(values: array, count: int) -> array:
    """The protocol lets a sender leave out the repetitions of the last value."""
    if 0 < len(values) < count:
        values.extend(values[-1:] * (count - len(values)))
    if len(values) != count:
        raise ValueError(f"a tensor has {len(values)} values, not {count}")
    return values
