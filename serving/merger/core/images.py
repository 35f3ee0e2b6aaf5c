"""The gate for pictures in the merger: what :mod:`schema.pictures` takes, made ready for the models.

Two steps, so that a picture is refused before any work is spent on it: :func:`inspect` reads the header alone,
:func:`prepare` decodes everything, once.

The models resize any picture to a fixed height × width with an antialiased bilinear filter and round to whole numbers.
A picture that is much larger than that is resized here in the same way, once for both models, and travels as a small
lossless PNG. Against the file's own bytes, what a model sees then differs by at most 1 of 255 levels for a PNG, and for
a JPEG, where two decoders never agree, by 1 level on average and up to 4 in 99.9 % of the values.

Small pictures travel in the normal form that training stores them in.
"""

import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, NamedTuple

from PIL import Image

from schema.model_card import ModelCard
from schema.pictures import (
    Header,
    Limits,
    PictureFault,
    Problem,
    encode_png,
    plain_bytes,
    read_header,
    require_size,
    to_pixels,
    upright_size,
)
from serving.merger.core.errors import (
    ImageError,
    ImageMissing,
    ImageTooLarge,
    ImageTooManyPixels,
    ImageUndecodable,
    ImageUnsupported,
)

REDUCE_ABOVE: Final = 4
"""A picture with more than so many times the pixels that the model sees is reduced here."""

DRAFT_MARGIN: Final = 4
"""A JPEG is decoded at 1/2, 1/4 or 1/8 of its size as long as that is still so many times the model's size."""

JPEG_SCALES: Final = (8, 4, 2)
FILE_COPIES: Final = 3
"""The file, the same without its metadata, and what a decoder makes of it for itself."""

COMMON_FORMATS: Final = ("JPEG", "PNG")
"""The others' decoders are seldom used, so that more may be wrong with them; and a small WebP may have many frames."""
SMALL_PIXELS: Final = 40_000
SMALL_BYTES: Final = 40_000

_ERRORS: Final[dict[Problem, type[ImageError]]] = {
    Problem.EMPTY: ImageMissing,
    Problem.TOO_LARGE: ImageTooLarge,
    Problem.TOO_MANY_PIXELS: ImageTooManyPixels,
    Problem.UNSUPPORTED: ImageUnsupported,
    Problem.NO_PICTURE: ImageUnsupported,
    Problem.BROKEN: ImageUndecodable,
}


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
    header: Header
    seconds: float

    @property
    def is_small(self) -> bool:
        """Whether decoding is so quick, and its decoder so well tried, that it needs no process of its own."""
        is_common = self.header.format in COMMON_FORMATS
        return is_common and self.header.pixels <= SMALL_PIXELS and len(self.data) <= SMALL_BYTES


@dataclass(frozen=True)
class Picture:
    """A picture that is ready for the models: its bytes by what the model sees, and what it was (upright, pixels).

    Its product's name goes with it, "" for none.
    """

    encoded: dict[Size, bytes]
    format: str
    width: int
    height: int
    size_bytes: int
    reencoded: bool
    seconds: float
    name: str = ""

    def bytes_for(self, size: Size) -> bytes:
        """The file for a model that sees ``size``; any other is as good, if not as quick, since models resize."""
        return self.encoded.get(size) or next(iter(self.encoded.values()))


def warm() -> None:
    """Imports the usual decoders: else the first picture does, and holds the event loop up by it."""
    Image.preinit()


def require_bytes(size: int, max_bytes: int) -> None:
    """Refuses a file by its number of bytes, before it is read.

    Raises:
        ImageError: there are none, or too many.
    """
    try:
        require_size(size, Limits(max_bytes))
    except PictureFault as fault:
        raise _error(fault) from fault


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
    try:
        header = read_header(data, Limits(max_bytes, max_pixels))
    except PictureFault as fault:
        raise _error(fault) from fault
    return Inspected(data, header, time.perf_counter() - started)


def prepare(inspected: Inspected, sizes: Collection[Size]) -> Picture:
    """Decodes all of the picture and makes it ready for models that see ``sizes``.

    Raises:
        ImageUndecodable: the pixels are broken or cut short.
        ImageUnsupported: they are of a kind that cannot be shown.
    """
    started = time.perf_counter()
    data, header = inspected.data, inspected.header
    side = _at_least(header, sizes)
    is_large = side > 0
    try:
        pixels = to_pixels(header, at_least=side)
    except PictureFault as fault:
        raise _error(fault) from fault
    is_as_it_was = header.is_plain and not is_large
    if is_large:
        encoded = {size: _reduced(pixels, size) for size in set(sizes)}
    else:
        whole = plain_bytes(data, header) if is_as_it_was else encode_png(pixels)
        encoded = dict.fromkeys(sizes, whole)
    # A JPEG may have been decoded at a smaller scale; of what others are, only the pixels tell.
    width, height = upright_size(header) if header.format == "JPEG" else pixels.size
    seconds = inspected.seconds + time.perf_counter() - started
    return Picture(encoded, header.format, width, height, len(data), not is_as_it_was, seconds)


def decoding_bytes(inspected: Inspected, sizes: Collection[Size]) -> int:
    """Bytes of memory that :func:`prepare` takes at most."""
    header = inspected.header
    side = _at_least(header, sizes)
    scale = min(header.width // side, header.height // side) if side and header.format == "JPEG" else 1
    return header.decoded_bytes(next((s for s in JPEG_SCALES if scale >= s), 1)) + FILE_COPIES * len(inspected.data)


def _at_least(header: Header, sizes: Collection[Size]) -> int:
    """The side that a large JPEG must still have after decoding; 0 for pictures that are not large."""
    is_large = all(header.pixels > REDUCE_ABOVE * size.height * size.width for size in sizes)
    return DRAFT_MARGIN * max(max(size) for size in sizes) if is_large else 0


def _error(fault: PictureFault) -> ImageError:
    return _ERRORS[fault.problem](f"The picture {fault.detail}.")


def _reduced(pixels: Image.Image, size: Size) -> bytes:
    """The picture as a model that sees ``size`` should get it, as PNG."""
    # Small first: turning all of it into RGB would copy all of it, RGB too.
    return encode_png(pixels.resize((size.width, size.height), Image.Resampling.BILINEAR).convert("RGB"))
