"""Reads a PyTorch checkpoint without PyTorch, and without running anything that it says.

A checkpoint is a pickle, and a pickle may name any function to call. The reader here admits the four names that a
dictionary of tensors needs, and refuses a file with any other.

The format is the one that ``torch.save`` wrote before PyTorch 1.6: five pickles (magic number, protocol version, facts
about the machine, the object, the keys of its storages), then for each storage its length (int64) and its raw values.
"""

import io
import math
import pickle
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from components.errors import WeightsError

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_DTYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}
_MOST_BYTES = 1 << 30


class _Storage(NamedTuple):
    key: str
    dtype: np.dtype
    length: int


class _View(NamedTuple):
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def read_state_dict(path: Path) -> dict[str, np.ndarray]:
    """The tensors of a checkpoint by name: float32 or int64, in the shapes that PyTorch gave them.

    Raises:
        WeightsError: the file is no such checkpoint, is damaged, or names anything but tensors.
    """
    data = path.read_bytes()
    if len(data) > _MOST_BYTES:
        raise WeightsError(f"{path} has {len(data)} bytes; at most {_MOST_BYTES} are read")
    try:
        return _read(io.BytesIO(data))
    except WeightsError as error:
        raise WeightsError(f"{path}: {error}") from error
    except (pickle.UnpicklingError, EOFError, ValueError, TypeError, AttributeError, LookupError, MemoryError) as error:
        raise WeightsError(f"{path} is not a dictionary of tensors as PyTorch saves it: {error!r}") from error


def _read(file: BinaryIO) -> dict[str, np.ndarray]:
    magic, protocol, _machine = (_TensorUnpickler(file).load() for _ in range(3))
    if (magic, protocol) != (_MAGIC, _PROTOCOL):
        raise WeightsError(f"magic number {magic!r} and protocol {protocol!r}; wanted {_MAGIC} and {_PROTOCOL}")
    views = _TensorUnpickler(file).load()
    if not isinstance(views, dict) or not all(isinstance(view, _View) for view in views.values()):
        raise WeightsError("holds something else than tensors by name")
    storages = {view.storage.key: view.storage for view in views.values()}
    keys = _TensorUnpickler(file).load()
    if sorted(keys) != sorted(storages):
        raise WeightsError("the storages in the file are not those of its tensors")
    values = {key: _read_values(file, storages[key]) for key in keys}
    return {name: _tensor(view, values[view.storage.key]) for name, view in views.items()}


def _read_values(file: BinaryIO, storage: _Storage) -> np.ndarray:
    length = int.from_bytes(file.read(8), "little")
    if length != storage.length:
        raise WeightsError(f"storage {storage.key} has {length} values; its tensors want {storage.length}")
    raw = file.read(length * storage.dtype.itemsize)
    return np.frombuffer(raw, storage.dtype, count=length)


def _tensor(view: _View, values: np.ndarray) -> np.ndarray:
    size = values.dtype.itemsize
    reach = view.offset + sum((n - 1) * stride for n, stride in zip(view.shape, view.strides, strict=True))
    numbers = (view.offset, *view.shape, *view.strides)
    # as_strided looks at no bound: a view that reaches out of its storage would read foreign memory.
    if min(numbers) < 0 or reach >= len(values) or math.prod(view.shape) > len(values):
        raise WeightsError(f"a tensor of shape {view.shape} reaches out of its storage of {len(values)} values")
    strides = [stride * size for stride in view.strides]
    return np.lib.stride_tricks.as_strided(values[view.offset :], view.shape, strides, writeable=False).copy()


class _TensorUnpickler(pickle.Unpickler):
    """Admits tensors, and nothing that could act."""

    def find_class(self, module: str, name: str) -> Any:
        known = {("collections", "OrderedDict"): OrderedDict, ("torch._utils", "_rebuild_tensor_v2"): _view}
        if (module, name) in known:
            return known[module, name]
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        raise WeightsError(f"names {module}.{name}, which a dictionary of tensors does not need")

    def persistent_load(self, pid: Any) -> _Storage:
        kind, dtype, key, _device, length, _view_metadata = pid
        if kind != "storage" or not isinstance(dtype, np.dtype) or not isinstance(length, int):
            raise WeightsError(f"a storage is described as {pid!r}")
        return _Storage(str(key), dtype, length)


def _view(storage: _Storage, offset: int, shape: Sequence[int], strides: Sequence[int], *_gradient: Any) -> _View:
    return _View(storage, offset, tuple(shape), tuple(strides))
