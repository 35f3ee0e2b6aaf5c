"""What is in a photo, without a server: ``python classify.py shoe.jpg``; needs ``ai-edge-litert numpy pillow``."""

import io
import json
import math
import struct
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

try:
    from ai_edge_litert.interpreter import Interpreter
except ImportError:  # TensorFlow, where it is installed, brings its own
    from tensorflow.lite.python.interpreter import Interpreter

FOLDER = Path(__file__).parent
MANIFEST = json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))
LEVELS, HEADS, JOINT, PATHS = (MANIFEST[key] for key in ("levels", "heads", "joint", "taxonomy"))
OF_TYPE = Counter(path[LEVELS[-1]] for path in PATHS for _ in range(path["count"]))
SIZES = {one["file"]: one["input"]["shape"][1:3] for one in MANIFEST["models"].values()}  # both may be in one file
RUNNERS = {file: Interpreter(str(FOLDER / file)).get_signature_runner() for file in SIZES}
KINDS = ("JPEG", "MPO", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")
WHOLE = {1: "B", 3: "H", 4: "I"}  # kinds of whole numbers in Exif
TURNS = dict(zip(range(2, 9), (Image.Transpose(way) for way in (0, 3, 1, 5, 4, 6, 2)), strict=True))


def shown(file: bytes) -> np.ndarray:
    """A picture file → float32[H, W, 3]: upright by Exif, transparent pixels white, no colour profile applied."""
    content = bytearray(file)
    if content[12:16] == b"VP8X" and content[20] & 2:  # an animation: what its first frame leaves free is transparent
        content[20] |= 16
    image: Any = Image.open(io.BytesIO(content))
    if image.format not in KINDS:
        raise ValueError(f"is {image.format}; give one of {', '.join(KINDS)}")
    frame = image.tile[0][1] if image.format == "GIF" else None
    image.load()  # what a PNG says behind its pixels, too
    require_counted(image)
    image = upright(image)
    if image.mode.startswith("I"):  # of 16 bits the upper 8 count
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.has_transparency_data or frame:  # a GIF's frame may be smaller than its picture
        sheet = Image.new("RGBA", image.size, "white")
        sheet.alpha_composite(image.convert("RGBA").crop(frame), (frame or (0, 0))[:2])
        image = sheet
    return np.asarray(image.convert("RGB"), np.float32)


def require_counted(image: Any) -> None:
    """Refuses a TIFF that is shown in more ways than one: its samples are whole numbers from 0, mostly for black."""
    said = image.tag_v2 if image.format == "TIFF" else {}
    if said.get(339, (1,))[0] not in (1, 4) or image.mode == "F" or (image.mode == "I" and said):
        raise ValueError("is a TIFF of samples of 32 bits, below 0 or with fractions; give 8 or 16 bits from 0")
    if image.mode.startswith("I") and said.get(262) == 0:
        raise ValueError("is a TIFF of 16 bits a sample of which 0 is white; save it with 0 for black")


def upright(image: Any) -> Any:
    """Turned as Exif says; Pillow itself would ask XMP and texts beside the pixels, too, and has turned a TIFF."""
    try:
        turn = TURNS.get(orientation(image.info.get("exif") or b""))
    except struct.error:  # it ends before it says so
        return image
    return image if turn is None else image.transpose(turn)


def orientation(exif: bytes) -> int:
    """1 to 8, as Exif counts; 1 where that cannot be read, as viewers show it."""
    exif = exif.removeprefix(b"Exif\0\0").removeprefix(b"Exif\0\0")  # Pillow puts one before a PNG's own
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if not order:
        return 1
    start = 2 + struct.unpack_from(f"{order}I", exif, 4)[0]
    for at in range(start, start + 12 * struct.unpack_from(f"{order}H", exif, start - 2)[0], 12):
        tag, kind = struct.unpack_from(f"{order}HH", exif, at)
        if tag == 0x0112 and kind in WHOLE:
            return int(struct.unpack_from(f"{order}{WHOLE[kind]}", exif, at + 8)[0])
    return 1


def resized(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """float32[H, W, 3] → whole numbers float32[1, height, width, 3], as TensorFlow's antialiased resize gives them."""
    down, across = triangles(pixels.shape[0], height), triangles(pixels.shape[1], width)
    return np.round(across @ np.tensordot(down, pixels, 1))[np.newaxis]


def triangles(pixels: int, size: int) -> np.ndarray:
    """Weights float32[size, pixels]: triangles as wide as two pixels of the larger picture of both."""
    centres = (np.arange(size)[:, np.newaxis] + 0.5) * pixels / size
    weights = np.maximum(0, 1 - np.abs(np.arange(pixels) + 0.5 - centres) / max(pixels / size, 1))
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def scores(pixels: np.ndarray) -> dict[str, np.ndarray]:
    """float32[H, W, 3] → head → probabilities of its labels, float32[C]; also ``familiarity`` where it is told."""
    answers = [run(image=resized(pixels, *SIZES[file])) for file, run in RUNNERS.items()]
    return {head: values[0] for answer in answers for head, values in answer.items()}


def joint(told: dict[str, np.ndarray]) -> tuple[list[str], float]:
    """Scores → the likeliest known path from the top down, and how sure it is."""
    logs = {level: dict(zip(HEADS[level]["labels"], np.log(told[level] + 1e-12), strict=True)) for level in LEVELS}
    shares = [JOINT["path"] * math.log(path["count"] / OF_TYPE[path[LEVELS[-1]]]) for path in PATHS]
    of_heads = [sum(JOINT[level] * logs[level][path[level]] for level in LEVELS) for path in PATHS]
    weights = np.exp(np.add(shares, of_heads) - np.max(np.add(shares, of_heads)))
    best = PATHS[int(weights.argmax())]
    given_up = sum(max(logs[level].values()) - logs[level][best[level]] for level in LEVELS)
    trust = math.exp(-JOINT.get("contradiction", 0) * given_up)  # less where the heads contradict each other
    return [best[level] for level in LEVELS], float(trust * weights.max() / weights.sum())


def main(names: list[str]) -> int:
    """Answers about each file; one that is no picture is told on stderr, and keeps no other from its answer."""
    if not names:
        print(f"usage: python {Path(__file__).name} PICTURE...", file=sys.stderr)
        return 2
    code = 0
    for name in names:
        try:
            pixels = shown(Path(name).read_bytes())
        except Exception as error:  # Pillow raises nearly anything on a broken file
            print(f"{name}: {error}", file=sys.stderr)
            code = 1
            continue
        path, confidence = joint(scores(pixels))
        print(f"{name}: {' › '.join(path)} ({confidence:.2f})")
    return code


if __name__ == "__main__":
    if isinstance(sys.stdout, io.TextIOWrapper):  # names of files are bytes, and not each terminal has a ›
        sys.stdout.reconfigure(errors="backslashreplace")
    sys.exit(main(sys.argv[1:]))
