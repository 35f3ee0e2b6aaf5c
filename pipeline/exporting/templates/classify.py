"""What is in a photo, without a server: ``python classify.py shoe.jpg``; needs ``ai-edge-litert numpy pillow``."""

import json
import math
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

try:
    from ai_edge_litert.interpreter import Interpreter
except ImportError:  # TensorFlow, where it is installed, brings its own
    from tensorflow.lite.python.interpreter import Interpreter

FOLDER = Path(__file__).parent
MANIFEST = json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))
LEVELS, HEADS, JOINT, PATHS = (MANIFEST[key] for key in ("levels", "heads", "joint", "taxonomy"))
OF_TYPE = Counter(path[LEVELS[-1]] for path in PATHS for _ in range(path["count"]))
MODELS = {
    name: Interpreter(str(FOLDER / one["file"])).get_signature_runner() for name, one in MANIFEST["models"].items()
}


def shown(file: Any) -> np.ndarray:
    """A picture file → float32[H, W, 3]: upright by Exif, transparent pixels white, no colour profile applied."""
    image: Image.Image = Image.open(file)
    image.load()  # what a PNG says behind its pixels, too
    image.info = {key: value for key, value in image.info.items() if "xmp" not in key}  # turns nothing
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):  # of 16 bits the upper 8 count
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    return np.asarray(image.convert("RGB"), np.float32)


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
    inputs = {name: resized(pixels, *one["input"]["shape"][1:3]) for name, one in MANIFEST["models"].items()}
    return {head: values[0] for name, run in MODELS.items() for head, values in run(image=inputs[name]).items()}


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


if __name__ == "__main__":
    for name in sys.argv[1:]:
        path, confidence = joint(scores(shown(name)))
        print(f"{name}: {' › '.join(path)} ({confidence:.2f})")
