"""Pictures as the models will see them: supported, decodable, upright; and a thumbnail of each to compare by."""

import io
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import tensorflow as tf
from PIL import ExifTags, Image, ImageOps

from components.catalogue.reading.findings import Finding, Reason
from components.catalogue.reading.rows import Row, Rows
from components.catalogue.reading.source import MAX_IMAGE_BYTES, Catalogue, FileTooLarge

THUMBNAIL: Final = (32, 24)  # height, width; pixels
FORMATS: Final = ("JPEG", "PNG")
MAX_PIXELS: Final = 50_000_000
BLANK_DEVIATION: Final = 2.0  # of 255; a thumbnail whose pixels vary less shows next to nothing
BATCH: Final = 256


class PictureFault(Exception):
    """A picture that no model can be taught with: why, and the particulars."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason, self.detail = reason, detail


@dataclass(frozen=True)
class Picture:
    """Encoded bytes, JPEG or PNG; ``turned`` if they were re-encoded upright, as the Exif orientation asked for."""

    content: bytes
    turned: bool = False


@dataclass
class CheckedRows:
    """Rows whose pictures were looked at.

    Attributes:
        taken: rows with a picture that decodes.
        thumbnails: uint8[len(taken), 32, 24, 3], RGB.
        rejected: the other rows, and those that were rejected before.
        repaired: what was mended, and rows whose picture must be turned upright.
        blank: ids of pictures that show next to nothing.
    """

    taken: list[Row] = field(default_factory=list)
    thumbnails: np.ndarray = field(default_factory=lambda: np.empty((0, *THUMBNAIL, 3), np.uint8))
    rejected: list[Finding] = field(default_factory=list)
    repaired: list[Finding] = field(default_factory=list)
    blank: list[str] = field(default_factory=list)


def load_picture(catalogue: Catalogue, row_id: str) -> Picture:
    """Reads the picture of a row and looks at its header; turns it upright if need be.

    Raises:
        PictureFault: there is none, it is neither JPEG nor PNG, or it is too large.
    """
    if row_id not in catalogue.images:
        raise PictureFault(Reason.MISSING_IMAGE, f"no images/{row_id}.jpg, .jpeg or .png")
    name = catalogue.images[row_id]
    try:
        content = catalogue.read(name, MAX_IMAGE_BYTES)
    except FileTooLarge as error:
        raise PictureFault(Reason.IMAGE_TOO_LARGE, str(error)) from error
    except (OSError, zipfile.BadZipFile, zlib.error) as error:
        raise PictureFault(Reason.UNREADABLE_IMAGE, f"{name}: {error}") from error
    return _upright(name, content)


def check_pictures(catalogue: Catalogue, rows: Rows) -> CheckedRows:
    """Loads and decodes the pictures of ``rows``, by the op that decodes them in training and serving."""
    checked = CheckedRows(rejected=list(rows.rejected), repaired=list(rows.repaired))
    pictures = [_load(catalogue, row.id) for row in rows.taken]
    loaded = [(row, picture) for row, picture in zip(rows.taken, pictures, strict=True) if isinstance(picture, Picture)]
    thumbnails = thumbnails_of([picture.content for _, picture in loaded])
    for row, outcome in zip(rows.taken, pictures, strict=True):
        if isinstance(outcome, PictureFault):
            checked.rejected.append(Finding(row.id, row.line, outcome.reason, outcome.detail))
    for (row, picture), thumbnail in zip(loaded, thumbnails, strict=True):
        if isinstance(thumbnail, str):
            checked.rejected.append(Finding(row.id, row.line, Reason.UNDECODABLE_IMAGE, thumbnail))
            continue
        checked.taken.append(row)
        if picture.turned:
            checked.repaired.append(Finding(row.id, row.line, Reason.TURNED_UPRIGHT, "as its Exif orientation says"))
    good = [thumbnail for thumbnail in thumbnails if not isinstance(thumbnail, str)]
    if good:
        checked.thumbnails = np.stack(good)
        deviations = checked.thumbnails.reshape(len(good), -1).std(axis=1)
        checked.blank = [checked.taken[index].id for index in np.flatnonzero(deviations < BLANK_DEVIATION)]
    return checked


def thumbnails_of(images: Sequence[bytes]) -> list[np.ndarray | str]:
    """Thumbnails uint8[32, 24, 3] of encoded pictures; for one that does not decode, what the decoder said."""
    thumbnails: list[np.ndarray | str] = []
    for start in range(0, len(images), BATCH):
        batch = images[start : start + BATCH]
        try:
            thumbnails += list(_thumbnails(tf.constant(batch, tf.string)).numpy())
        except tf.errors.InvalidArgumentError:  # one bad picture fails its batch
            thumbnails += [_thumbnail_or_fault(image) for image in batch]
    return thumbnails


def _load(catalogue: Catalogue, row_id: str) -> Picture | PictureFault:
    try:
        return load_picture(catalogue, row_id)
    except PictureFault as fault:
        return fault


def _upright(name: str, content: bytes) -> Picture:
    try:
        with Image.open(io.BytesIO(content)) as image:
            if image.format not in FORMATS:
                raise PictureFault(Reason.UNSUPPORTED_IMAGE, f"{name} is {image.format}; give JPEG or PNG")
            if image.width * image.height > MAX_PIXELS:
                size = f"{image.width}×{image.height}"
                raise PictureFault(Reason.IMAGE_TOO_LARGE, f"{name} has {size} pixels, at most {MAX_PIXELS:,} in all")
            if "exif" in image.info and image.getexif().get(ExifTags.Base.Orientation, 1) in range(2, 9):
                return Picture(_png(ImageOps.exif_transpose(image)), turned=True)
    except PictureFault:
        raise
    except Image.DecompressionBombError as error:
        raise PictureFault(Reason.IMAGE_TOO_LARGE, f"{name}: {error}") from error
    except Image.UnidentifiedImageError as error:
        raise PictureFault(Reason.UNDECODABLE_IMAGE, f"{name} is no picture, {len(content):,} bytes") from error
    except Exception as error:  # Pillow's parsers raise what they meet: OSError, SyntaxError, struct.error, …
        raise PictureFault(Reason.UNDECODABLE_IMAGE, f"{name}: {error!r}") from error
    return Picture(content)


def _png(image: Image.Image) -> bytes:
    encoded = io.BytesIO()
    image.convert("L" if image.mode == "L" else "RGB").save(encoded, "PNG")
    return encoded.getvalue()


def _thumbnail_or_fault(image: bytes) -> np.ndarray | str:
    try:
        return _thumbnails(tf.constant([image], tf.string)).numpy()[0]
    except tf.errors.InvalidArgumentError as error:
        return str(error.message).split("\n")[0]


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
def _thumbnails(images: tf.Tensor) -> tf.Tensor:
    """Encoded pictures string[N] → uint8[N, 32, 24, 3], each pixel the mean of its area."""
    return tf.map_fn(_thumbnail, images, fn_output_signature=tf.TensorSpec((*THUMBNAIL, 3), tf.uint8))


def _thumbnail(image: tf.Tensor) -> tf.Tensor:
    pixels = tf.io.decode_image(image, channels=3, expand_animations=False)
    pixels.set_shape([None, None, 3])
    small = tf.image.resize(pixels[None], THUMBNAIL, tf.image.ResizeMethod.AREA)[0]
    return tf.cast(tf.round(small), tf.uint8)
