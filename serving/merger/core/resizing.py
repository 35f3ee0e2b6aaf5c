"""A picture as a model's own resize would leave it: antialiased, computed in floats, rounded once, at the end.

The models' graph makes two passes in float32 with triangles that are widened where the picture shrinks
(``tf.image.resize(antialias=True)``). Pillow's filter is the same, but of 8 bits a sample it rounds between the passes,
which moves scores by up to .05. In its mode ``F``, one float for each pixel of one colour, it does not.
"""

from collections.abc import Iterator
from typing import Final

from PIL import Image

STRIP_PIXELS: Final = 60_000
"""So many pixels become floats at a time, or one line. All at once would take four times the memory of the picture, and
larger strips would leave the processor's cache, and the blocks that the C library keeps for the next."""
STRIP_BYTES: Final = 15
"""Of each of them: cut out, parted into colours, one colour in floats, and what comes of it."""
HALFWAY_BYTES: Final = 12
"""Three floats."""
ROW_BYTES: Final = 48
"""Pointers to a row, in each of the pictures that a strip becomes."""


def resized(pixels: Image.Image, width: int, height: int) -> Image.Image:
    """What a model of that size sees: the graph's own result, but for some .1 % of values that are 1 of 255 off.

    Args:
        pixels: RGB, or L where it is grey.
        width: of the result, in pixels.
        height: the same.

    Returns:
        RGB.
    """
    is_down_first = _is_down_first(pixels.width, pixels.height, width, height)
    halfway = (pixels.width, height) if is_down_first else (width, pixels.height)
    colours = [Image.new("F", halfway) for _ in pixels.getbands()]
    for box in _strips(pixels.width, pixels.height, is_down_first):
        strip = pixels.crop(box)
        size = (strip.width, height) if is_down_first else (width, strip.height)
        for colour, levels in zip(colours, strip.split(), strict=True):
            colour.paste(levels.convert("F").resize(size, Image.Resampling.BILINEAR), box[:2])
    seen = [_rounded(colour.resize((width, height), Image.Resampling.BILINEAR)) for colour in colours]
    return Image.merge(pixels.mode, seen).convert("RGB")


def resizing_bytes(width: int, height: int, to_width: int, to_height: int) -> int:
    """Bytes of memory, beside the picture, that :func:`resized` takes at most."""
    is_down_first = _is_down_first(width, height, to_width, to_height)
    halfway = width * to_height if is_down_first else to_width * height
    strip = STRIP_BYTES * max(STRIP_PIXELS, height if is_down_first else width)
    return HALFWAY_BYTES * halfway + ROW_BYTES * height + strip


def _is_down_first(width: int, height: int, to_width: int, to_height: int) -> bool:
    """Whether that leaves less halfway: of a picture of 1 × 1,000,000, as wide as the model sees it, much would be."""
    return width * to_height < to_width * height


def _strips(width: int, height: int, is_down_first: bool) -> Iterator[tuple[int, int, int, int]]:
    """Left, top, right and bottom (excluded) of whole columns where they come first, else of whole rows."""
    lines = max(STRIP_PIXELS // (height if is_down_first else width), 1)
    for start in range(0, width if is_down_first else height, lines):
        if is_down_first:
            yield start, 0, min(start + lines, width), height
        else:
            yield 0, start, width, min(start + lines, height)


def _rounded(colour: Image.Image) -> Image.Image:
    """F → L, which by itself cuts off what is behind the point."""
    return colour.point(lambda level: level * 1 + 0.5).convert("L")
