"""Pictures for tests: photo-like ones, and files of every kind that a stranger may send."""

import io
from typing import Any

import numpy as np
from PIL import ExifTags, Image


def photo(width: int, height: int, seed: int = 0) -> Image.Image:
    """Smooth colours, sharp edges and some noise, as a photo of a product has."""
    rng = np.random.default_rng(seed)
    coarse = rng.normal(128, 60, (height // 8 + 1, width // 8 + 1, 3)).clip(0, 255).astype(np.uint8)
    pixels = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)).astype(float)
    pixels += rng.normal(0, 6, pixels.shape)
    pixels[height // 3 : height // 2, width // 4 : width // 2] = (250, 10, 10)
    pixels[:: max(height // 10, 1)] = 0
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def encode(image: Image.Image, image_format: str, **options: Any) -> bytes:
    """The picture as a file."""
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def with_orientation(image: Image.Image, orientation: int, image_format: str = "JPEG") -> bytes:
    """A file whose EXIF says how the pixels must be turned to be upright."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return encode(image, image_format, exif=exif, **({"quality": 95} if image_format == "JPEG" else {}))


def sixteen_bits(image: Image.Image) -> Image.Image:
    """Grey with 16 bits a pixel."""
    return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)


def animated(image_format: str, count: int = 2) -> bytes:
    """So many frames."""
    frames = [photo(60, 80, seed) for seed in range(1, count + 1)]
    return encode(frames[0], image_format, save_all=True, append_images=frames[1:], duration=100)
