"""JSON in TensorFlow Serving's REST format to and from tensors."""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis.predict_pb2 import PredictRequest, PredictResponse

from serving.model_server.errors import invalid_argument
from serving.model_server.models.tensors import dtype_name

Json = Any
BYTES_SUFFIX: Final = "_bytes"
"""Outputs with this ending are binary and come as base64."""
MAX_DEPTH: Final = 32
"""Levels of lists and objects in a request; NumPy's arrays have no more dimensions."""
_BRACKETS: Final = re.compile(r'"(?:[^"\\]+|\\.)*"?|[\[\]{}]', re.DOTALL)
"""Strings as a whole, since brackets in them are text, and brackets. One without an end is text to the end: were it no
match, each quote in it would be tried as a beginning, in quadratic time."""


def parse_body(body: bytes) -> dict[str, Json]:
    """The JSON object of a request.

    Raises:
        ServingError: INVALID_ARGUMENT, it is none.
    """
    if not body:
        raise invalid_argument("JSON Parse error: The document is empty")
    try:
        document = _parse(body.decode())  # json itself would guess UTF-16 and UTF-32, in which brackets can be hidden
    except ValueError as error:
        raise invalid_argument(f"JSON Parse error: {error}") from error
    if not isinstance(document, dict):
        raise invalid_argument(f"JSON Value: {_brief(document)} Is not object")
    if not isinstance(document.get("signature_name", ""), str):
        raise invalid_argument("'signature_name' key must be a string value.")
    return document


def _parse(text: str) -> Json:
    check_depth(text)
    document = json.loads(text)
    if "\\u" in text:
        json.dumps(document, ensure_ascii=False).encode()  # half of a surrogate pair is no text
    return document


def check_depth(text: str) -> None:
    """Look at the brackets before anything recurses into them.

    TensorFlow Serving 2.16.1's parser has no such limit, and ends by a stack overflow (CVE-2025-0649).

    Raises:
        ServingError: INVALID_ARGUMENT, the JSON is nested deeper than any tensor.
    """
    depth = 0
    for match in _BRACKETS.finditer(text):
        mark = match[0]
        depth += (mark in "[{") - (mark in "]}")
        if depth > MAX_DEPTH:
            raise invalid_argument(f"JSON Parse error: nested deeper than {MAX_DEPTH} levels")


def fill_inputs(request: PredictRequest, document: Mapping[str, Json], infos: Mapping[str, Any]) -> None:
    """Fill the inputs of ``request`` from ``instances`` (by row) or ``inputs`` (by column).

    Args:
        request: gets one tensor for each input.
        document: the request's JSON object.
        infos: the signature's TensorInfo by input name.

    Raises:
        ServingError: INVALID_ARGUMENT, the JSON doesn't fit the signature.
    """
    if ("instances" in document) == ("inputs" in document):
        if "inputs" in document:
            raise invalid_argument(
                "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist"
            )
        raise invalid_argument("Missing 'inputs' or 'instances' key")
    columns = _rows_to_columns(document["instances"], infos) if is_row_format(document) else document["inputs"]
    if not isinstance(columns, dict) or _is_base64(columns):
        columns = {_only_name(infos, "inputs"): columns}
    for name, info in infos.items():
        if name not in columns:
            raise invalid_argument(f"Missing named input: {name} in 'inputs' object.")
        request.inputs[name].CopyFrom(tf.make_tensor_proto(_array(columns[name], info.dtype)))


def is_row_format(document: Mapping[str, Json]) -> bool:
    """Whether the request came by row, and so must the answer."""
    return "instances" in document


def _rows_to_columns(instances: Json, infos: Mapping[str, Any]) -> dict[str, list[Json]]:
    if not isinstance(instances, list):
        raise invalid_argument("Excepting 'instances' to be an list/array")
    if not instances:
        raise invalid_argument("No values in 'instances' array")
    if not _is_named(instances[0]):
        return {_only_name(infos, "instances"): instances}
    for number, row in enumerate(instances):
        if not _is_named(row) or row.keys() != infos.keys():
            raise invalid_argument(
                f"Failed to process element: {number} of 'instances' list. JSON object: {_brief(row)} "
                f"keys must be equal to: {','.join(sorted(infos))}"
            )
    return {name: [row[name] for row in instances] for name in infos}


def _is_named(row: Json) -> bool:
    return isinstance(row, dict) and not _is_base64(row)


def _is_base64(value: Json) -> bool:
    return isinstance(value, dict) and value.keys() == {"b64"} and isinstance(value["b64"], str)


def _only_name(infos: Mapping[str, Any], key: str) -> str:
    if len(infos) != 1:
        raise invalid_argument(
            f"{key} is a plain value/list, but expecting an object as multiple input tensors required"
        )
    return next(iter(infos))


def _array(value: Json, dtype: int) -> np.ndarray:
    shape: list[int] = []
    inner = value
    while isinstance(inner, list):
        shape.append(len(inner))
        inner = inner[0] if inner else None
    kind = tf.as_dtype(dtype)
    flat = [_leaf(leaf, kind) for leaf in _leaves(value, shape, 0)]
    array = np.empty(len(flat), kind.as_numpy_dtype)
    try:
        if kind.is_integer and flat and not kind.min <= min(flat) <= max(flat) <= kind.max:
            raise OverflowError  # NumPy 1 would wrap it round
        array[:] = flat
    except OverflowError as error:
        raise invalid_argument(f"A JSON number is out of range for type {dtype_name(dtype)}") from error
    return array.reshape(shape)


def _leaves(value: Json, shape: list[int], level: int) -> Iterator[Json]:
    if level == len(shape):
        if isinstance(value, list):
            raise invalid_argument(f"Encountered list at unexpected level: {level} expected < {len(shape)}")
        yield value
        return
    if not isinstance(value, list):
        raise invalid_argument(
            f"JSON Value: {_brief(value)} found at incorrect level: {level + 1} in the JSON DOM. "
            f"Expected at level: {len(shape)}"
        )
    if len(value) != shape[level]:
        raise invalid_argument(
            f"Encountered list at unexpected size: {len(value)} at level: {level} expected size: {shape[level]}"
        )
    for element in value:
        yield from _leaves(element, shape, level + 1)


def _leaf(value: Json, dtype: tf.DType) -> Any:
    if dtype is tf.string and _is_base64(value):
        return _decode_base64(value["b64"])
    if dtype is tf.string and isinstance(value, str):
        return value.encode()
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if (dtype.is_floating and is_number) or (dtype.is_integer and is_number and isinstance(value, int)):
        return value
    if dtype.is_bool and isinstance(value, bool):
        return value
    raise invalid_argument(f"JSON Value: {_brief(value)} is not of expected type: {dtype.name}")


def _decode_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:  # binascii's own is one; what isn't ASCII is another
        raise invalid_argument("Unable to base64 decode") from error


def _brief(value: Json) -> str:
    text = json.dumps(value)
    return text if len(text) <= 100 else f"{text[:100]}…"


def answer(response: PredictResponse, by_row: bool) -> dict[str, Json]:
    """The JSON object that answers a request: ``predictions`` by row or ``outputs`` by column.

    Raises:
        ServingError: INVALID_ARGUMENT, the outputs don't have a row each and can only be asked for by column.
    """
    arrays = {name: tf.make_ndarray(tensor) for name, tensor in sorted(response.outputs.items())}
    sizes = {len(array) if array.ndim else None for array in arrays.values()}
    if by_row and (len(sizes) > 1 or None in sizes):
        raise invalid_argument("The outputs have inconsistent batch size; ask for them by 'inputs', not 'instances'")
    columns = {name: _to_json(name, array) for name, array in arrays.items()}
    if len(columns) == 1:
        return {"predictions" if by_row else "outputs": next(iter(columns.values()))}
    if not by_row:
        return {"outputs": columns}
    return {"predictions": [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]}


def _to_json(name: str, array: np.ndarray) -> Json:
    if array.dtype == object:
        texts = [_text(name, value) for value in array.ravel()]
        array = np.array([*texts, None], dtype=object)[:-1].reshape(
            array.shape
        )  # None keeps dicts from being looked into
    elif array.dtype == np.float32:
        array = array.astype(str).astype(
            np.float64
        )  # the shortest digits that mean this number: 0.1, not 0.10000000149
    return array.tolist()


def _text(name: str, value: bytes) -> Json:
    if name.endswith(BYTES_SUFFIX):
        return {"b64": base64.b64encode(value).decode()}
    return value.decode(errors="replace")
