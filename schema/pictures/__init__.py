"""What a picture file may be, and what is seen of it: the one gate of training and serving.

:func:`read_header` → is it taken, how large is it; :func:`to_pixels` → what is seen; :func:`normal_form` → what the
models get. The rules:

* The content decides, never a name or a content type.
* Taken: JPEG, PNG, WebP, GIF, BMP, TIFF, AVIF, and HEIC where ``pillow-heif`` is installed. Of several frames the first
  is the picture.
* Upright by Exif (PNG: eXIf, TIFF: its own entry), wherever the format may keep it. What XMP says counts for nothing,
  and Exif that cannot be read turns nothing: so do browsers.
* Transparent pixels show white, whoever asks. Colour profiles are not applied. Of 16 bits the upper 8 count.
* A file without its end is taken if no pixel is missing.
* Whatever is not pixels is bounded, and never given to a decoder.
"""

from schema.pictures.gate import (
    NormalForm,
    encode_png,
    normal_form,
    plain_bytes,
    read_header,
    require_size,
    to_pixels,
    to_stored_pixels,
    turned_upright,
    upright_size,
)
from schema.pictures.header import UPRIGHT, Header, Limits, PictureFault, Problem

__all__ = [
    "UPRIGHT",
    "Header",
    "Limits",
    "NormalForm",
    "PictureFault",
    "Problem",
    "encode_png",
    "normal_form",
    "plain_bytes",
    "read_header",
    "require_size",
    "to_pixels",
    "to_stored_pixels",
    "turned_upright",
    "upright_size",
]
