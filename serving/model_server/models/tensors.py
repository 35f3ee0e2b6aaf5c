"""TensorProto in, arrays; arrays out, TensorProto."""

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import tensorflow as tf
from google.protobuf.message import Message
from tensorflow.core.framework import tensor_pb2, types_pb2

from serving.model_server.errors import invalid_argument

MAX_ELEMENTS: Final = 1 << 26
"""Largest tensor that a request may announce: a shape is free to send, but memory for it is not."""

_VALUE_FIELDS: Final = {
    types_pb2.DT_FLOAT: "float_val",
    types_pb2.DT_DOUBLE: "double_val",
    types_pb2.DT_INT8: "int_val",
    types_pb2.DT_UINT8: "int_val",
    types_pb2.DT_INT16: "int_val",
    types_pb2.DT_UINT16: "int_val",
    types_pb2.DT_INT32: "int_val",
    types_pb2.DT_INT64: "int64_val",
    types_pb2.DT_UINT32: "uint32_val",
    types_pb2.DT_UINT64: "uint64_val",
    types_pb2.DT_BOOL: "bool_val",
    types_pb2.DT_STRING: "string_val",
}


def dtype_name(dtype: int) -> str:
    """The name of a DataType as TensorFlow prints it, ``float`` for DT_FLOAT; a number that names none as it is."""
    if dtype not in types_pb2.DataType.values():
        return str(dtype)
    return types_pb2.DataType.Name(dtype).removeprefix("DT_").lower()


def check_inputs(given: Mapping[str, Message], wanted: Mapping[str, Any]) -> None:
    """Compare the names of a request's inputs with the signature's.

    Raises:
        ServingError: INVALID_ARGUMENT, one is missing or too many.
    """
    if given.keys() == wanted.keys():
        return
    sent, required = sorted(given), sorted(wanted)
    raise invalid_argument(
        f"input size does not match signature: {len(sent)}!={len(required)} "
        f"len({{{','.join(sent)}}}) != len({{{','.join(required)}}}). "
        f"Sent extra: {{{','.join(sorted(given.keys() - wanted.keys()))}}}. "
        f"Missing but required: {{{','.join(sorted(wanted.keys() - given.keys()))}}}."
    )


def to_array(name: str, proto: Any, info: Any) -> np.ndarray:
    """The array of one input, checked against the signature's TensorInfo.

    Raises:
        ServingError: INVALID_ARGUMENT, wrong dtype or shape, or values that don't fill the shape.
    """
    if proto.dtype != info.dtype:
        raise invalid_argument(
            f"Expected input {name} to be {dtype_name(info.dtype)} but get {dtype_name(proto.dtype)}."
        )
    shape = [dimension.size for dimension in proto.tensor_shape.dim]
    check_shape(name, shape, info)
    try:
        return tf.make_ndarray(proto)
    except (TypeError, ValueError) as error:
        raise invalid_argument(f"tensor parsing error: {name}") from error


def check_shape(name: str, shape: list[int], info: Any) -> None:
    """Compare a shape with the signature's TensorInfo, -1 there standing for any size.

    Raises:
        ServingError: INVALID_ARGUMENT, it doesn't fit, is negative or too large.
    """
    wanted = [dimension.size for dimension in info.tensor_shape.dim]
    fits = len(shape) == len(wanted) and all(w in (-1, s) for s, w in zip(shape, wanted, strict=True))
    if not info.tensor_shape.unknown_rank and not fits:
        raise invalid_argument(f"Expected input {name} to have shape {wanted} but get {shape}.".replace("-1", "?"))
    if min(shape, default=0) < 0 or math.prod(shape) > MAX_ELEMENTS:
        raise invalid_argument(f"Input {name} has shape {shape}; at most {MAX_ELEMENTS} elements are allowed.")


def fill_proto(proto: tensor_pb2.TensorProto, array: np.ndarray, dtype: int) -> None:
    """Fill the TensorProto of an output; numbers one by one, as TensorFlow Serving does."""
    field = _VALUE_FIELDS.get(dtype)
    if field is None:
        proto.CopyFrom(tf.make_tensor_proto(array))
        return
    proto.dtype = dtype
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    getattr(proto, field).extend(array.ravel().tolist())
