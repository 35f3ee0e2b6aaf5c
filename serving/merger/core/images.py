"""The gate for pictures: nothing goes to a model that is not one whole, upright picture of a bearable size.

Two steps, so that a picture is refused before any work is spent on it: :func:`inspect` reads the header alone,
:func:`prepare` decodes everything, once.

The models resize any picture to a fixed height × width with an antialiased bilinear filter and round to whole numbers.
A picture that is much larger than that is resized here in the same way, once for both models, and travels as a small
lossless PNG. Against the file's own bytes, what a model sees then differs by at most 1 of 255 levels for a PNG, and for
a JPEG, where two decoders never agree, by 1 level on average and up to 4 in 99.9 % of the values.

Small upright JPEGs and PNGs pass as they are. WebP, which the models cannot read, and pictures with an EXIF orientation
are rewritten the same way: training turned its pictures upright too.
"""

import io
import time
import warnings
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, NamedTuple

from PIL import ExifTags, Image, ImageOps

from schema.model_card import ModelCard
from serving.merger.core.errors import (
    ImageAnimated,
    ImageMissing,
    ImageTooLarge,
    ImageTooManyPixels,
    ImageUndecodable,
    ImageUnsupported,
)

FORMATS: Final = ("JPEG", "PNG", "WEBP")
MODEL_FORMATS: Final = ("JPEG", "PNG")

REDUCE_ABOVE: Final = 4
"""A picture with more than so many times the pixels that the model sees is reduced here."""

DRAFT_MARGIN: Final = 4
"""A JPEG is decoded at 1/2, 1/4 or 1/8 of its size as long as that is still so many times the model's size."""

SMALL_PIXELS: Final = 40_000
SMALL_BYTES: Final = 40_000

FIRST_SIDEWAYS: Final = 5
"""EXIF orientations from here on swap width and height."""

# What Pillow warns of (large pictures, broken metadata) is refused or borne here; strangers must not fill our log.
warnings.filterwarnings("ignore", module=r"PIL\.")


class Size(NamedTuple):
    """What a model sees, in pixels."""

    height: int
    width: int

    @classmethod
    def of(cls, card: ModelCard) -> "Size":
        """What the model of ``card`` sees."""
        return cls(card.height, card.width)


@dataclass(frozen=True)
class Inspected:
    """A picture whose header is fine; its pixels have not been looked at."""

    data: bytes
    image: Image.Image
    format: str
    seconds: float

    @property
    def is_small(self) -> bool:
        """Whether decoding is so quick that a thread would cost more than it frees."""
        return self.image.width * self.image.height <= SMALL_PIXELS and len(self.data) <= SMALL_BYTES


@dataclass(frozen=True)
class Picture:
    """A picture that is ready for the models: its bytes by what the model sees, and what it was (upright, pixels)."""

    encoded: dict[Size, bytes]
    format: str
    width: int
    height: int
    size_bytes: int
    reencoded: bool
    seconds: float

    def bytes_for(self, size: Size) -> bytes:
        """The file for a model that sees ``size``; any other is as good, if not as quick, since models resize."""
        return self.encoded.get(size) or next(iter(self.encoded.values()))


def inspect(data: bytes, max_bytes: int, max_pixels: int) -> Inspected:
    """Checks size and header.

    Args:
        data: the file.
        max_bytes: largest file.
        max_pixels: largest width × height.

    Raises:
        ImageError: which subclass says what is wrong.
    """
    started = time.perf_counter()
    if not data:
        raise ImageMissing("The picture is empty; send the bytes of a JPEG, PNG or WebP file.")
    if len(data) > max_bytes:
        raise ImageTooLarge(f"The picture has {len(data)} bytes; at most {max_bytes} are allowed.")
    image = _open(data)
    if image.width * image.height > max_pixels:
        raise ImageTooManyPixels(f"The picture has {image.width} × {image.height} pixels; {_at_most(max_pixels)}")
    # An MPO file is a JPEG with more pictures behind it, as phones write them: its first picture is the photo.
    file_format = "JPEG" if image.format == "MPO" else str(image.format)
    frames = 1 if file_format == "JPEG" else getattr(image, "n_frames", 1)
    if frames > 1:
        raise ImageAnimated(f"The picture has {frames} frames; send a picture with one.")
    return Inspected(data, image, file_format, time.perf_counter() - started)


def prepare(inspected: Inspected, sizes: Collection[Size]) -> Picture:
    """Decodes all of the picture and makes it ready for models that see ``sizes``.

    Raises:
        ImageUndecodable: the pixels are broken or cut short.
    """
    started = time.perf_counter()
    image, (width, height) = inspected.image, inspected.image.size
    is_large = _is_large(width * height, sizes)
    try:
        _decode(inspected, sizes, is_large)
        orientation = _orientation(image)
        is_passed_on = inspected.format in MODEL_FORMATS and orientation == 1 and not is_large
        rgb = None if is_passed_on else to_rgb(ImageOps.exif_transpose(image))
    except Exception as error:  # Pillow raises nearly anything on a broken file
        raise ImageUndecodable(f"The {inspected.format} picture is broken: {error}.") from error
    encoded = {size: inspected.data if rgb is None else _encode(rgb, size, is_large) for size in set(sizes)}
    if orientation >= FIRST_SIDEWAYS:
        width, height = height, width
    seconds = inspected.seconds + time.perf_counter() - started
    return Picture(encoded, inspected.format, width, height, len(inspected.data), rgb is not None, seconds)


def _open(data: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.UnidentifiedImageError:
        raise ImageUnsupported("The file starts like no JPEG, PNG or WebP; send one of these.") from None
    except Image.DecompressionBombError as error:
        raise ImageTooManyPixels(f"{error}") from None
    except Exception as error:  # Pillow raises nearly anything on a broken file
        raise ImageUndecodable(f"The picture's header is broken: {error}.") from error


def _at_most(max_pixels: int) -> str:
    return f"at most {max_pixels} in all are allowed."


def _is_large(pixels: int, sizes: Collection[Size]) -> bool:
    return all(pixels > REDUCE_ABOVE * size.height * size.width for size in sizes)


def _decode(inspected: Inspected, sizes: Collection[Size], is_large: bool) -> None:
    if inspected.format == "JPEG" and is_large:
        side = DRAFT_MARGIN * max(max(size) for size in sizes)
        inspected.image.draft(inspected.image.mode, (side, side))
    inspected.image.load()


def _orientation(image: Image.Image) -> int:
    """EXIF orientation 1 to 8. Metadata that cannot be read turns nothing: viewers show such a picture too."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # the same as with pixels
        return 1
    return orientation if orientation in range(1, 9) else 1


def to_rgb(image: Image.Image) -> Image.Image:
    """RGB the way TensorFlow makes it: alpha is dropped, of 16 bits the upper 8 stay."""
    if image.mode == "I;16":
        image = image.point(lambda level: level / 256, "L")
    return image.convert("RGB")


def _encode(rgb: Image.Image, size: Size, is_large: bool) -> bytes:
    """The picture as a model that sees ``size`` should get it, as PNG."""
    if is_large:
        rgb = rgb.resize((size.width, size.height), Image.Resampling.BILINEAR)
    buffer = io.BytesIO()
    rgb.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
