"""From a silhouette to a product photo: pattern, light, pose, background, grain, JPEG."""

import io
import itertools

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from components.catalogue.sample.apparel import Vary
from components.catalogue.sample.canvas import HEIGHT, OVERSAMPLE, WIDTH, Canvas, Colour
from components.catalogue.sample.products import Kind

GREY_SHARE = 0.02  # catalogues of this trade hold a few grey-scale pictures
SIZE = (WIDTH * OVERSAMPLE, HEIGHT * OVERSAMPLE)


def photograph(kind: Kind, body: Colour, trim: Colour, rng: np.random.Generator) -> bytes:
    """One 60×80 JPEG of a product of ``kind``; the same generator state gives the same bytes."""
    canvas = Canvas()
    kind.silhouette(canvas, body, trim, _varying(rng))
    layer = canvas.layer
    if kind.patterned:
        layer = _patterned(layer, trim, rng)
    posed = _posed(_lit(layer, rng), kind.tilt, rng)
    small = _on_backdrop(posed, rng).resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    return _jpeg(_grainy(small, rng), rng)


def _varying(rng: np.random.Generator) -> Vary:
    return lambda low, high: float(rng.uniform(low, high))


def _patterned(layer: Image.Image, ink: Colour, rng: np.random.Generator) -> Image.Image:
    """Stripes, checks, dots or a print on the product's own pixels; plain half of the time."""
    overlay = Image.new("RGBA", layer.size)
    draw = ImageDraw.Draw(overlay)
    fill = (*ink, int(rng.integers(90, 200)))
    pattern = rng.choice(["plain", "across", "down", "checks", "dots", "print"], p=[0.5, 0.12, 0.1, 0.1, 0.08, 0.1])
    step, width = (int(units * OVERSAMPLE) for units in (rng.uniform(4, 9), rng.uniform(1, 2.2)))
    across, down = range(0, SIZE[0], step), range(0, SIZE[1], step)
    if pattern in ("across", "checks"):
        for y in down:
            draw.rectangle((0, y, SIZE[0], y + width), fill=fill)
    if pattern in ("down", "checks"):
        for x in across:
            draw.rectangle((x, 0, x + width, SIZE[1]), fill=fill)
    if pattern == "dots":
        for x, y in itertools.product(across, down):
            draw.ellipse((x, y, x + width, y + width), fill=fill)
    if pattern == "print":
        x, y, r = (int(rng.uniform(*span) * OVERSAMPLE) for span in ((24, 36), (30, 45), (3.5, 7.5)))
        draw.ellipse((x - r, y - r, x + r, y + r), fill=fill)
    overlay.putalpha(ImageChops.multiply(overlay.getchannel("A"), layer.getchannel("A")))
    return Image.alpha_composite(layer, overlay)


def _lit(layer: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Light from one side: brightness falls by up to a third across the product."""
    corners = 255 * (1 - rng.uniform(0.1, 0.33) * rng.permutation([[0.0, 0.3], [0.7, 1.0]]))
    light = Image.fromarray(corners.astype(np.uint8)).resize(SIZE, Image.Resampling.BILINEAR)
    return ImageChops.multiply(layer, Image.merge("RGBA", (light, light, light, Image.new("L", SIZE, 255))))


def _posed(layer: Image.Image, tilt: float, rng: np.random.Generator) -> Image.Image:
    """Mirrored, turned by up to ``tilt`` degrees, scaled and moved."""
    if rng.random() < 0.5:
        layer = layer.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    layer = layer.rotate(rng.uniform(-tilt, tilt), Image.Resampling.BILINEAR)
    width, height = (int(side) for side in np.array(SIZE) * rng.uniform(0.68, 1.0) * rng.uniform(0.92, 1, 2))
    small = layer.resize((width, height), Image.Resampling.BILINEAR)
    slack = np.array([SIZE[0] - width, SIZE[1] - height])
    at = slack / 2 + slack / 2 * rng.uniform(-0.8, 0.8, 2)
    posed = Image.new("RGBA", SIZE)
    posed.paste(small, (int(at[0]), int(at[1])))
    return posed


def _on_backdrop(layer: Image.Image, rng: np.random.Generator) -> Image.Image:
    """On white or nearly white, with a soft shadow."""
    white = int(rng.choice([255, 255, 252, 246, 238]))
    backdrop = Image.new("RGB", SIZE, (white, white, min(255, white + 1)))
    shadow = layer.getchannel("A").filter(ImageFilter.GaussianBlur(2 * OVERSAMPLE)).point(lambda alpha: alpha * 0.35)
    right, down = (int(shift) for shift in rng.integers(-4, 8, 2))
    backdrop.paste((150, 150, 155), (right, down), shadow)
    backdrop.paste(layer, (0, 0), layer)
    return backdrop


def _grainy(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Sensor noise and a slight change of exposure."""
    pixels = np.asarray(picture, np.float32) * rng.uniform(0.93, 1.0)
    pixels += rng.normal(0, rng.uniform(0.5, 4), pixels.shape)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def _jpeg(picture: Image.Image, rng: np.random.Generator) -> bytes:
    if rng.random() < GREY_SHARE:
        picture = picture.convert("L")
    encoded = io.BytesIO()
    picture.save(encoded, "JPEG", quality=int(rng.integers(75, 93)))
    return encoded.getvalue()
