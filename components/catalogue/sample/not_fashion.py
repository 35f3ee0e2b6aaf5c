"""Draws pictures of no product at all: what a classifier of fashion should hand to a person."""

import random
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image, ImageDraw, ImageFont

_SIZE = (240, 320)
_WORDS = (
    "the",
    "order",
    "of",
    "and",
    "number",
    "total",
    "delivery",
    "invoice",
    "page",
    "with",
    "date",
    "address",
    "you",
)


def draw_not_fashion(kind: str, count: int, seed: int = 0) -> Iterator[Image.Image]:
    """Pictures of one of :data:`KINDS`, the same ones for the same seed; 240 by 320 pixels, RGB."""
    chance = random.Random(f"{kind} {seed}")  # noqa: S311 - no secret
    return (KINDS[kind](chance) for _ in range(count))


def _noise(chance: random.Random) -> Image.Image:
    """Grains of one pixel, or of many; coloured or grey."""
    grain = chance.choice([1, 1, 4, 16, 40])
    width, height = (max(2, side // grain) for side in _SIZE)
    channels = chance.choice([1, 3])
    pixels = np.frombuffer(chance.randbytes(width * height * channels), np.uint8).reshape(height, width, channels)
    grains = Image.fromarray(np.repeat(pixels, 3 // channels, axis=2))
    return grains.resize(_SIZE, chance.choice([Image.Resampling.NEAREST, Image.Resampling.BILINEAR]))


def _plain(chance: random.Random) -> Image.Image:
    """One colour; black, white and grey above all."""
    usual = chance.choice([(0, 0, 0), (255, 255, 255), (128, 128, 128), None, None, None])
    return Image.new("RGB", _SIZE, usual or _colour(chance))


def _gradient(chance: random.Random) -> Image.Image:
    """From one colour to another, at any angle."""
    ramp = Image.linear_gradient("L").rotate(chance.choice([0, 90, 180, 270])).resize(_SIZE)
    return Image.composite(Image.new("RGB", _SIZE, _colour(chance)), Image.new("RGB", _SIZE, _colour(chance)), ramp)


def _text(chance: random.Random) -> Image.Image:
    """A page of writing."""
    page = Image.new("RGB", _SIZE, _colour(chance, 215))
    _write(page, (14, 14, 226, 306), chance, chance.randint(8, 20))
    return page


def _screenshot(chance: random.Random) -> Image.Image:
    """Bars, boxes and writing in them, as of a program."""
    width, height = _SIZE
    screen = Image.new("RGB", _SIZE, _colour(chance, 215))
    draw = ImageDraw.Draw(screen)
    draw.rectangle((0, 0, width, 24), fill=_colour(chance))
    draw.rectangle((0, 24, chance.randint(30, 70), height), fill=_colour(chance, 160))
    for _ in range(chance.randint(4, 14)):
        left, top = chance.randint(30, width - 60), chance.randint(30, height - 30)
        box = (left, top, left + chance.randint(30, 140), top + chance.randint(14, 60))
        draw.rounded_rectangle(box, 4, fill=_colour(chance))
        _write(screen, box, chance, 9)
    return screen


def _landscape(chance: random.Random) -> Image.Image:
    """A photograph of hills under a sky, with the grain of a camera."""
    width, height = _SIZE
    sky = Image.linear_gradient("L").resize(_SIZE)
    scene = Image.composite(Image.new("RGB", _SIZE, (225, 230, 240)), Image.new("RGB", _SIZE, _colour(chance, 60)), sky)
    draw = ImageDraw.Draw(scene)
    for hill in range(3):
        turns, shift, top = chance.uniform(0.01, 0.05), chance.uniform(0, 6), 150 + 50 * hill
        ridge = [(x, top + 22 * np.sin(turns * x + shift) + chance.uniform(-4, 4)) for x in range(0, width + 8, 8)]
        green = (chance.randint(20, 90), chance.randint(70, 150) - 20 * hill, chance.randint(20, 80))
        draw.polygon([(0, height), *ridge, (width, height)], fill=green)
    grain = np.frombuffer(chance.randbytes(width * height * 3), np.uint8).reshape(height, width, 3) / 255 - 0.5
    return Image.fromarray(np.clip(np.asarray(scene) + 24 * grain, 0, 255).astype(np.uint8))


KINDS: dict[str, Callable[[random.Random], Image.Image]] = {
    "noise": _noise,
    "plain colour": _plain,
    "gradient": _gradient,
    "text": _text,
    "screenshot": _screenshot,
    "landscape": _landscape,
}
"""Kind of picture → what draws one."""


def _colour(chance: random.Random, at_least: int = 0) -> tuple[int, int, int]:
    return chance.randint(at_least, 255), chance.randint(at_least, 255), chance.randint(at_least, 255)


def _write(page: Image.Image, box: tuple[int, int, int, int], chance: random.Random, size: int) -> None:
    left, top, right, bottom = box
    font = ImageFont.load_default(size)
    draw, ink = ImageDraw.Draw(page), tuple(chance.randint(0, 90) for _ in range(3))
    for y in range(top, bottom - size, size + size // 3):
        words = " ".join(chance.choices(_WORDS, k=2 + (right - left) // (4 * size)))
        draw.text((left, y), words, fill=ink, font=font)
