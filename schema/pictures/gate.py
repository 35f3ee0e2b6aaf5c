"""The picture gate: what a file is, whether it is taken, its pixels, and the form in which the models get it.

Training and serving both ask here, so that one file gets one verdict and one look from either.
"""

import io
import warnings
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageFile

from schema.pictures import kinds
from schema.pictures.colours import frame_over_white
from schema.pictures.formats import jpeg, png
from schema.pictures.formats.exif import FIRST_SIDEWAYS, orientation_of
from schema.pictures.header import UPRIGHT, Header, Limits, PictureFault, Problem, broken

# What Pillow warns of (large pictures, broken metadata) is refused or borne here; strangers must not fill our log.
warnings.filterwarnings("ignore", module=r"PIL\.")

_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read_header(data: bytes, limits: Limits = Limits()) -> Header:  # noqa: B008 - frozen
    """Looks at a file without decoding any pixel, in one bounded pass.

    Raises:
        PictureFault: it is not taken; its words say what is wrong with it.
    """
    require_size(len(data), limits)
    header = kinds.reader(data)(data)
    if header.pixels > limits.max_pixels:
        raise PictureFault(
            Problem.TOO_MANY_PIXELS,
            f"is {header.width:,}×{header.height:,} pixels, at most {limits.max_pixels:,} in all are allowed",
        )
    return header


def require_size(size: int, limits: Limits) -> None:
    """Looks at the number of a file's bytes alone.

    Raises:
        PictureFault: there are none, or too many.
    """
    if not size:
        raise PictureFault(Problem.EMPTY, "is empty")
    if size > limits.max_bytes:
        raise PictureFault(Problem.TOO_LARGE, f"has {size:,} bytes, at most {limits.max_bytes:,} are allowed")


def to_pixels(header: Header) -> Image.Image:
    """Decodes a picture: upright, RGB or grey, transparent pixels white.

    Raises:
        PictureFault: the pixels are broken or cut short; its words say how much is there.
    """
    return turned_upright(*to_stored_pixels(header))


def to_stored_pixels(header: Header, scale: int = 1) -> tuple[Image.Image, int]:
    """The same but not turned, which takes no second copy; and the orientation for :func:`turned_upright`.

    Args:
        header: of the file, by :func:`read_header`.
        scale: 2, 4 or 8: a JPEG is decoded at that part of its size; of other formats it counts for nothing.

    Raises:
        PictureFault: the pixels are broken or cut short; its words say how much is there.
    """
    pixels, orientation, _ = _decoded(header, scale)
    return pixels, orientation


def turned_upright(pixels: Image.Image, orientation: int) -> Image.Image:
    """Pixels as they are shown; ``orientation`` is 1 to 8, as Exif counts."""
    return pixels.transpose(_TURNS[orientation]) if orientation in _TURNS else pixels


def _decoded(header: Header, scale: int = 1) -> tuple[Image.Image, int, bool]:
    """The pixels as they are stored, their orientation, and whether white shows through anywhere."""
    scan = header.scan()
    _require_pixels(header, scan)
    try:
        with _open(header, scan) as image:
            if scale > 1 and header.format == "JPEG":
                image.draft(image.mode, (header.width // scale, header.height // scale))
            frame = image.tile[0][1] if header.format == "GIF" else None
            image.load()
            _mend_transparency(header, scan, image)
            shown, is_composed = frame_over_white(image, frame)
            return shown, _orientation(header, image), is_composed
    except PictureFault:
        raise
    except Exception as error:  # Pillow raises nearly anything on a broken file
        raise _fault(header, error) from error


def upright_size(width: int, height: int, orientation: int) -> tuple[int, int]:
    """Width and height as :func:`turned_upright` makes them."""
    return (height, width) if orientation >= FIRST_SIDEWAYS else (width, height)


def plain_bytes(data: bytes, header: Header) -> bytes:
    """What models get of a picture that is plain and whole: nothing is encoded anew, and nothing follows its end."""
    return jpeg.plain(data) if header.format == "JPEG" else header.scan()


@dataclass(frozen=True)
class NormalForm:
    """A picture as the models are taught and asked with it: JPEG or PNG, upright, opaque, one picture.

    Attributes:
        content: the file.
        is_composed: white shows where the picture was transparent.
        orientation: 1 to 8, as Exif counts: how it was turned.
    """

    content: bytes
    is_composed: bool = False
    orientation: int = UPRIGHT


def normal_form(data: bytes, header: Header) -> NormalForm:
    """The normal form of a file. What a model can read as it is stays as it is: a plain JPEG keeps every byte.

    Raises:
        PictureFault: the pixels are broken or cut short. Those of a plain and whole JPEG are not looked at.
    """
    if header.is_plain:
        _require_pixels(header)
        return NormalForm(plain_bytes(data, header))
    pixels, orientation, is_composed = _decoded(header)
    if header.format == "PNG" and not is_composed and header.orientation == UPRIGHT and not header.repairs:
        return NormalForm(header.scan())  # its alpha is opaque everywhere
    return NormalForm(encode_png(turned_upright(pixels, orientation)), is_composed, orientation)


def encode_png(image: Image.Image) -> bytes:
    """A small and quick lossless file."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _require_pixels(header: Header, scan: bytes | None = None) -> None:
    """Refuses what its decoder would show although pixels are missing, or that the models' decoder would not show."""
    require = {"PNG": png.require_pixels, "JPEG": jpeg.require_pixels}.get(header.format)
    if require is None:
        return
    try:
        require(header.scan() if scan is None else scan, is_whole=not header.repairs)
    except PictureFault:
        raise
    except Exception as error:  # Pillow raises nearly anything on a broken file
        raise _fault(header, error) from error


def _open(header: Header, scan: bytes) -> ImageFile.ImageFile:
    if header.format == "HEIC":
        from pillow_heif import register_heif_opener  # an extra; its reader found it installed

        register_heif_opener()
    return Image.open(io.BytesIO(scan), formats=("HEIF" if header.format == "HEIC" else header.format,))


def _orientation(header: Header, image: Image.Image) -> int:
    """AVIF and HEIC turn by boxes of their own, which their libraries read and put in the words of Exif."""
    if header.format in ("AVIF", "HEIC"):
        return orientation_of(image.info.get("exif"))
    return header.orientation


def _mend_transparency(header: Header, scan: bytes, image: Image.Image) -> None:
    if header.format == "PNG" and (colour := png.transparent_colour(scan)) is not None:
        image.info["transparency"] = colour


def _fault(header: Header, error: Exception) -> PictureFault:
    """The refusal in words about the file."""
    if isinstance(error, Image.DecompressionBombError):
        return PictureFault(Problem.TOO_MANY_PIXELS, f"is {header.width:,}×{header.height:,} pixels, which is too many")
    if "truncated" in str(error).lower() or isinstance(error, EOFError):
        return broken(f"is cut short: a {header.format} whose pixels end too early")
    return broken(f"is a broken {header.format}: its pixels cannot be decoded; save it anew")
