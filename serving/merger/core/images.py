"""The gate for pictures in the merger: what :mod:`schema.pictures` takes, made ready for the models.

Two steps, so that a picture is refused before any work is spent on it: :func:`inspect` reads the header alone,
:func:`prepare` decodes everything, once.

The models resize any picture to a fixed height × width with an antialiased bilinear filter and round to whole numbers.
A picture that is much larger than that is resized here in the same way (:mod:`serving.merger.core.resizing`), once for
both models, and travels as a small lossless PNG. What a model sees then is what it sees of the file itself, but for at
most 2 of 1,000 values, which are 1 of 255 levels off. Only a JPEG for which memory does not suffice is decoded at half
of its size, or less: that moves the scores of one of 27 megapixels by up to .008.

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
    to_stored_pixels,
    turned_upright,
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
from serving.merger.core.resizing import resized, resizing_bytes

REDUCE_ABOVE: Final = 4
"""A picture with more than so many times the pixels that the model sees is reduced here."""

JPEG_SCALES: Final = (1, 2, 4, 8)
"""What a JPEG's sides may be divided by while it is decoded. Only 1 gives what the models see of the file itself."""

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


def prepare(inspected: Inspected, sizes: Collection[Size], most_bytes: int | None = None) -> Picture:
    """Decodes all of the picture and makes it ready for models that see ``sizes``.

    Args:
        inspected: the picture.
        sizes: what the models see.
        most_bytes: of memory; a JPEG that would take more is decoded at a smaller scale. None: any amount.

    Raises:
        ImageUndecodable: the pixels are broken or cut short.
        ImageUnsupported: they are of a kind that cannot be shown.
    """
    started = time.perf_counter()
    data, header = inspected.data, inspected.header
    is_large = _is_large(header, sizes)
    is_as_it_was = header.is_plain and not is_large
    try:
        pixels, orientation = to_stored_pixels(header, _scale(inspected, sizes, most_bytes))
    except PictureFault as fault:
        raise _error(fault) from fault
    if is_large:
        encoded = {size: encode_png(_seen(pixels, orientation, size)) for size in set(sizes)}
    else:
        whole = plain_bytes(data, header) if is_as_it_was else encode_png(turned_upright(pixels, orientation))
        encoded = dict.fromkeys(sizes, whole)
    # A JPEG may have been decoded at a smaller scale; of what others are, only the pixels tell.
    stored = (header.width, header.height) if header.format == "JPEG" else pixels.size
    width, height = upright_size(*stored, orientation)
    seconds = inspected.seconds + time.perf_counter() - started
    return Picture(encoded, header.format, width, height, len(data), not is_as_it_was, seconds)


def decoding_bytes(inspected: Inspected, sizes: Collection[Size], most_bytes: int | None = None) -> int:
    """Bytes of memory that :func:`prepare` takes at most."""
    return _bytes_at(_scale(inspected, sizes, most_bytes), inspected, sizes)


def _scale(inspected: Inspected, sizes: Collection[Size], most_bytes: int | None) -> int:
    """1, or what a large JPEG's sides are divided by so that it takes no more memory than that."""
    if inspected.header.format != "JPEG" or most_bytes is None or not _is_large(inspected.header, sizes):
        return 1
    return next((scale for scale in JPEG_SCALES if _bytes_at(scale, inspected, sizes) <= most_bytes), JPEG_SCALES[-1])


def _bytes_at(scale: int, inspected: Inspected, sizes: Collection[Size]) -> int:
    header, is_large = inspected.header, _is_large(inspected.header, sizes)
    sides = header.width, header.height
    resizing = max(resizing_bytes(*sides, size.width, size.height) for size in sizes) if is_large else 0
    return header.decoded_bytes(scale, as_stored=is_large) + resizing + FILE_COPIES * len(inspected.data)


def _is_large(header: Header, sizes: Collection[Size]) -> bool:
    return all(header.pixels > REDUCE_ABOVE * size.height * size.width for size in sizes)


def _seen(pixels: Image.Image, orientation: int, size: Size) -> Image.Image:
    """What a model that sees ``size`` sees. It is turned once it is small, so that nothing large is copied."""
    across, down = upright_size(size.width, size.height, orientation)  # turning swaps back what turning swaps
    return turned_upright(resized(pixels, across, down), orientation)


def _error(fault: PictureFault) -> ImageError:
    return _ERRORS[fault.problem](f"The picture {fault.detail}.")
