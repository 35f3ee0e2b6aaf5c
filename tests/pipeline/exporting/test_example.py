"""The example of an export sees files as the merger does, and tells what it cannot read; its models are left out."""

import json
import runpy
import shutil
import struct
import sys
import types
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.exporting.exporting import EXAMPLE
from schema.pictures import PictureFault, read_header, to_pixels
from tests.pictures.corpus import drawn, encoded, exif_of, taken
from tests.pictures.frames import small_frames
from tests.pictures.png_writer import chunk
from tests.pictures.refused import REFUSED

EMPTY: dict[str, object] = {"levels": [], "taxonomy": [], "heads": {}, "joint": {}, "models": {}}
LOSSY = 4
"""By how much decoders of JPEG and WebP may differ."""


@pytest.fixture
def example(tmp_path, monkeypatch):
    """The names in the example as it lies in an export without models; LiteRT is not needed."""
    return run_example(tmp_path, monkeypatch, EMPTY)


def run_example(folder, monkeypatch, manifest, interpreter=None):
    """The names in the example beside that manifest; ``interpreter`` stands in for LiteRT's."""
    (folder / "manifest.json").write_text(json.dumps(manifest))
    shutil.copy(EXAMPLE, folder)
    module = types.ModuleType("ai_edge_litert.interpreter")
    module.Interpreter = interpreter
    monkeypatch.setitem(sys.modules, "ai_edge_litert", types.ModuleType("ai_edge_litert"))
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", module)
    return runpy.run_path(str(folder / EXAMPLE.name))


def exif(*entries):
    """A block of Exif with these entries: tag, type, count, value of four bytes."""
    packed = b"".join(struct.pack("<HHI", *entry[:3]) + entry[3] for entry in entries)
    return b"Exif\0\0II*\0" + struct.pack("<IH", 8, len(entries)) + packed + bytes(4)


def odd_exif():
    """Files whose Exif says how to turn them, and much else that is wrong, or cannot be read at all."""
    turn, outside = (0x0112, 3, 1, struct.pack("<HH", 6, 0)), struct.pack("<I", 10**9)
    blocks = {
        "junk": b"Exif\0\0junkjunkjunk",
        "outside": exif(turn, (0x9286, 7, 9999, outside), (0x8769, 4, 1, outside)),
        "cut": exif(turn, (0x0110, 2, 1, b"a\0\0\0"))[:-14],
        "beyond": b"Exif\0\0II*\0\xff\xff\0\0",
        "no turn": exif((0x0112, 3, 1, struct.pack("<HH", 9, 0))),
        "a byte": exif((0x0112, 1, 1, b"\6\0\0\0")),
        "long": exif((0x0112, 4, 1, b"\6\0\0\0")),
        "below 0": exif((0x0112, 8, 1, b"\6\0\0\0")),
        "a fraction": exif((0x0112, 5, 1, outside)),
        "twice": exif(turn, (0x0112, 3, 1, struct.pack("<HH", 8, 0))),
        "none of it": exif((0x0112, 3, 0, struct.pack("<HH", 6, 0))),
        "of another kind": exif(turn).replace(b"II*", b"II+"),
    }
    return {name: encoded(drawn(), "JPEG", exif=block) for name, block in blocks.items()}


def odd_pngs():
    """Exif in a text beside the pixels, as some tools put it there, which turns nothing; and where it belongs."""
    whole, says = encoded(drawn(), "PNG"), exif_of(6)
    text = f"\nexif\n{len(says):8}\n{says.hex()}".encode()
    chunks = {
        "text": chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(text)),
        "prefix": chunk(b"eXIf", b"Exif\0\0" + says),
    }
    return {name: whole[:33] + one + whole[33:] for name, one in chunks.items()}


def turned():
    """A picture for each way of turning, in each format that keeps Exif."""
    found = {}
    for way in range(1, 9):
        says = Image.Exif()
        says[0x0112] = way
        found |= {f"{kind} {way}": encoded(drawn(), kind, exif=says) for kind in ("JPEG", "PNG", "WEBP", "TIFF")}
    return found


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_pictures_look_as_the_merger_sees_them(example):
    """However they are turned, and where nobody can read how."""
    others = {
        name: one.data
        for name, one in (taken() | small_frames()).items()
        if "bad exif" in name or name.startswith("gif") or name in small_frames()
    }
    files = turned() | odd_exif() | odd_pngs() | others
    assert len(files) == 53
    for name, file in files.items():
        seen = np.asarray(to_pixels(read_header(file)).convert("RGB"), np.float32)
        shown = example["shown"](file)
        assert shown.shape == seen.shape, name
        assert np.abs(shown - seen).max() <= LOSSY, name


@pytest.mark.parametrize("kind", ["ICO", "PPM", "TGA", "PCX", "EPS", "DIB", "float", "32 bits", "below 0", "negative"])
def test_what_the_merger_refuses_is_refused(example, kind):
    """By its kind, before its pixels are read: there is no answer that a server would not give."""
    odd = {"float": np.zeros((9, 9), np.float32), "32 bits": np.full((9, 9), 70_000, np.int32)}
    odd_files = {name: encoded(Image.fromarray(one), "TIFF") for name, one in odd.items()}
    odd_files |= {name: REFUSED[f"tiff {name}"][0] for name in ("below 0", "negative")}
    file = odd_files.get(kind) or encoded(drawn(), kind)
    with pytest.raises(PictureFault):
        read_header(file)
    with pytest.raises(ValueError, match=r"give one of JPEG, MPO, PNG|give 8 or 16|0 for black"):
        example["shown"](file)


def test_one_bad_file_keeps_no_other_from_its_answer(example, tmp_path, capsys, monkeypatch):
    """Each is told by its name, on stderr; the exit code says that there were such."""
    inside = example["main"].__globals__
    monkeypatch.setitem(inside, "scores", lambda pixels: {})
    monkeypatch.setitem(inside, "joint", lambda told: (["Footwear", "Shoes"], 0.5))
    contents = {"empty": b"", "text": b"hello", "cut": encoded(drawn(), "JPEG")[:200], "good": encoded(drawn(), "PNG")}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    names = [str(tmp_path / name) for name in ("missing", "", *contents)]
    assert example["main"](names) == 1
    told = capsys.readouterr()
    assert told.out == f"{tmp_path / 'good'}: Footwear › Shoes (0.50)\n"
    assert [line.partition(": ")[0] for line in told.err.splitlines()] == names[:-1]
    assert example["main"](names[-1:]) == 0


@pytest.mark.parametrize("files", [("both", "both"), ("one", "other")])
def test_each_file_is_opened_once_and_asked_once(tmp_path, monkeypatch, files):
    """Whether both models are in one or not, an answer has the heads of both."""
    heads, calls = {"both": ["a", "b"], "one": ["a"], "other": ["b"]}, []

    class Interpreter:
        def __init__(self, path):
            self.file = Path(path).name
            calls.append(f"open {self.file}")

        def get_signature_runner(self):
            return self.answer

        def answer(self, image):
            calls.append(f"ask {self.file} {image.shape}")
            return {head: np.ones((1, 2)) for head in heads[self.file]}

    models = {name: {"file": file, "input": {"shape": [1, 4, 3, 3]}} for name, file in zip("xy", files, strict=True)}
    example = run_example(tmp_path, monkeypatch, EMPTY | {"models": models}, Interpreter)
    told = example["scores"](np.zeros((8, 8, 3), np.float32))
    assert {head: values.shape for head, values in told.items()} == {"a": (2,), "b": (2,)}
    once = dict.fromkeys(files)
    assert calls == [*(f"open {file}" for file in once), *(f"ask {file} (1, 4, 3, 3)" for file in once)]


def test_without_a_picture_it_tells_how_it_is_called(example, capsys):
    """Silence and success would look like an answer."""
    assert example["main"]([]) == 2
    assert "usage: python classify.py PICTURE" in capsys.readouterr().err
