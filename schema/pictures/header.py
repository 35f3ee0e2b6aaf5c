"""What a picture's header tells, and the fault that each refusal is. No pixel is looked at here."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

UPRIGHT: Final = 1
"""The orientation, as Exif counts them, of a picture that is not turned."""

MAX_BYTES: Final = 32 << 20
MAX_PIXELS: Final = 50_000_000


class Problem(Enum):
    """Kinds of faults, so that each side can map them to its own codes."""

    EMPTY = "empty"
    TOO_LARGE = "too large"
    TOO_MANY_PIXELS = "too many pixels"
    UNSUPPORTED = "unsupported"
    NO_PICTURE = "no picture"
    BROKEN = "broken"


class PictureFault(ValueError):
    """A file that is not taken.

    Attributes:
        problem: which kind of fault.
        detail: the rest of a sentence that begins with the file: "is cut short at 50 %".
    """

    def __init__(self, problem: Problem, detail: str) -> None:
        super().__init__(detail)
        self.problem, self.detail = problem, detail


TURNED_BYTES: Final = 4
"""Of a pixel's copy where the picture is turned upright."""
LINE_BYTES: Final = 32
"""What a row or a column takes beside its pixels, in pointers and tables: more than they do, where they are many."""


@dataclass(frozen=True)
class Limits:
    """Largest file in bytes, and largest picture in pixels (width × height)."""

    max_bytes: int = MAX_BYTES
    max_pixels: int = MAX_PIXELS


@dataclass(frozen=True)
class Header:
    """What is known before any pixel is decoded.

    Attributes:
        format: ``JPEG``, ``PNG``, ``WEBP``, ``GIF``, ``BMP``, ``TIFF``, ``AVIF`` or ``HEIC``.
        width: pixels as they are stored; turning it upright may swap it with ``height``.
        height: the same.
        pixel_bytes: bytes of memory that decoding takes for each pixel, all copies counted but that of turning it.
        kept_pixel_bytes: those of them that decoding at a smaller scale does not spare.
        scan: the file without what is no pixels: metadata, further frames and pictures. Pillow reads this, so that no
            parser of metadata ever meets a stranger's bytes.
        orientation: 1 to 8, as Exif counts; 1 is upright.
        is_plain: the models read ``scan`` as it is: JPEG or PNG, upright, without transparency, complete.
        repairs: what was mended in ``scan``, in words.
    """

    format: str
    width: int
    height: int
    pixel_bytes: int
    scan: Callable[[], bytes]
    orientation: int = UPRIGHT
    is_plain: bool = False
    kept_pixel_bytes: int = 0
    repairs: tuple[str, ...] = ()

    @property
    def pixels(self) -> int:
        """Width × height."""
        return self.width * self.height

    def decoded_bytes(self, scale: int = 1, *, as_stored: bool = False) -> int:
        """Bytes of memory that decoding takes at most.

        Args:
            scale: 2, 4 or 8 for a JPEG that is decoded smaller.
            as_stored: it is not turned upright.
        """
        turned = 0 if as_stored or self.orientation == UPRIGHT else TURNED_BYTES
        spared = self.pixel_bytes + turned - self.kept_pixel_bytes
        lines = LINE_BYTES * (self.width + self.height)
        return self.pixels * self.kept_pixel_bytes + self.pixels * spared // scale**2 + lines


def broken(detail: str) -> PictureFault:
    """The fault of a file that is damaged or breaks the rules of its format."""
    return PictureFault(Problem.BROKEN, detail)


def cut_short(there: float) -> PictureFault:
    """The fault of a file that ends too early, after the share ``there`` of it."""
    # 99.9 % is not all, and neither is what rounds to it.
    return broken(f"is cut short at {min(max(round(100 * there), 0), 99)} %: the rest of its pixels is missing")


def unsupported(detail: str) -> PictureFault:
    """The fault of a file that is no picture, or one of a kind that is not taken."""
    return PictureFault(Problem.UNSUPPORTED, detail)
