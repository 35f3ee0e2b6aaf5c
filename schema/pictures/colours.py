"""From whatever a format stores to RGB: transparency over white, 16 bits cut to their upper 8."""

from typing import Final

from PIL import Image, ImageCms, ImageMath

from schema.pictures.header import unsupported

WHITE: Final = (255, 255, 255)

_GREY_16: Final = ("I;16", "I;16L", "I;16B", "I;16N", "I")
_SHOWN: Final = ("1", "L", "P", "RGB", "RGBX", "CMYK", "YCbCr", "HSV")
_WITH_ALPHA: Final = ("LA", "PA", "La", "RGBA", "RGBa")


def over_white(image: Image.Image) -> tuple[Image.Image, bool]:
    """A decoded picture → RGB, or L where it is grey, white where it is transparent; has it any?

    Colour profiles are not applied, as TensorFlow applies none.

    Raises:
        PictureFault: its pixels are of a kind that has no colours to show.
    """
    if image.mode in _GREY_16:
        return _grey_16(image)
    if image.mode in _WITH_ALPHA or "transparency" in image.info:
        return _composed(image.convert("RGBA"))
    if image.mode == "LAB":
        return _from_lab(image), False
    if image.mode not in _SHOWN:
        raise unsupported(f"holds pixels of kind {image.mode}, which have no colours to show; save it as RGB")
    shown = image if image.mode in ("L", "RGB") else image.convert("L" if image.mode == "1" else "RGB")
    return shown, False


def frame_over_white(image: Image.Image, frame: tuple[int, int, int, int] | None) -> tuple[Image.Image, bool]:
    """The same of a picture whose pixels fill a part of it: what lies beside it is transparent, whatever was put there.

    Args:
        image: decoded.
        frame: left, top, right and bottom (excluded) of its pixels; None: all of it.
    """
    shown, is_composed = over_white(image)
    if frame in (None, (0, 0, *image.size)):
        return shown, is_composed
    sheet = Image.new("RGB", image.size, WHITE)
    sheet.paste(shown.crop(frame), frame)
    return sheet, True


def _from_lab(image: Image.Image) -> Image.Image:
    """Lab, as Photoshop writes it into TIFFs: colours of a standard of their own, whatever profile comes with them."""
    lab, srgb = (ImageCms.createProfile(name) for name in ("LAB", "sRGB"))
    shown = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
    if shown is None:
        raise AssertionError("profileToProfile makes a new picture unless it is told to change the old one")
    shown.info.clear()  # of the profile, which would be stored with the pixels
    return shown


def _composed(image: Image.Image) -> tuple[Image.Image, bool]:
    alpha = image.getchannel("A")
    if alpha.getextrema() == (255, 255):
        return image.convert("RGB"), False
    rgb = Image.new("RGB", image.size, WHITE)
    rgb.paste(image, mask=alpha)
    return rgb, True


def _grey_16(image: Image.Image) -> tuple[Image.Image, bool]:
    """Grey of 16 bits: the upper 8 stay, as in TensorFlow."""
    levels = image.convert("I")
    grey = ImageMath.lambda_eval(lambda bands: bands["convert"](bands["levels"] / 256, "L"), levels=levels)
    transparent = image.info.get("transparency")
    if not isinstance(transparent, int):
        return grey, False
    # Comparing gives 1 where equal; the mask wants 255.
    mask = ImageMath.lambda_eval(
        lambda bands: bands["convert"]((bands["levels"] == transparent) * 255, "L"), levels=levels
    )
    rgb = grey.convert("RGB")
    rgb.paste(WHITE, mask=mask)
    return rgb, mask.getbbox() is not None
