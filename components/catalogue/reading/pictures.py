"""Pictures as the models will see them, by the gate that serving asks too; and a thumbnail of each to compare by."""

import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import tensorflow as tf

from components.catalogue.reading.findings import OF_PICTURES, Finding, Reason
from components.catalogue.reading.rows import Row, Rows
from components.catalogue.reading.source import MAX_IMAGE_BYTES, Catalogue, FileTooLarge
from schema import pictures
from schema.file_names import as_text, as_written

THUMBNAIL: Final = (32, 24)  # height, width; pixels
LIMITS: Final = pictures.Limits(max_bytes=MAX_IMAGE_BYTES)
BLANK_DEVIATION: Final = 2.0  # of 255; a thumbnail whose pixels vary less shows next to nothing
BATCH: Final = 256


class UnusablePicture(Exception):
    """A picture that no model can be taught with: why, and the particulars."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason, self.detail = reason, detail


@dataclass(frozen=True)
class Picture:
    """Encoded bytes in the gate's normal form, JPEG or PNG; ``changes``: what is seen otherwise than it is stored."""

    name: str
    content: bytes
    changes: tuple[tuple[Reason, str], ...] = ()


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
    """Reads the picture of a row in the form in which models are taught with it.

    Raises:
        UnusablePicture: there is none, or the gate refuses it.
    """
    if row_id not in catalogue.images:
        raise UnusablePicture(Reason.MISSING_IMAGE, f"no images/{row_id}.jpg, .png or the like")
    name = catalogue.images[row_id]
    try:
        content = catalogue.read(name, MAX_IMAGE_BYTES)
    except FileTooLarge as error:
        raise UnusablePicture(Reason.IMAGE_TOO_LARGE, as_text(str(error))) from error
    except (OSError, zipfile.BadZipFile, zlib.error) as error:
        raise UnusablePicture(Reason.UNREADABLE_IMAGE, as_text(f"{as_written(name)}: {error}")) from error
    return _normal(as_written(name), content)


def check_pictures(catalogue: Catalogue, rows: Rows) -> CheckedRows:
    """Loads and decodes the pictures of ``rows``, by the op that decodes them in training and serving."""
    checked = CheckedRows(rejected=list(rows.rejected), repaired=list(rows.repaired))
    pictures = [_load(catalogue, row.id) for row in rows.taken]
    loaded = [(row, picture) for row, picture in zip(rows.taken, pictures, strict=True) if isinstance(picture, Picture)]
    thumbnails = thumbnails_of([picture.content for _, picture in loaded])
    for row, outcome in zip(rows.taken, pictures, strict=True):
        if isinstance(outcome, UnusablePicture):
            checked.rejected.append(Finding(row.id, row.line, outcome.reason, outcome.detail))
    for (row, picture), thumbnail in zip(loaded, thumbnails, strict=True):
        if thumbnail is None:
            detail = f"{picture.name} {_in_words(picture.content)}"
            checked.rejected.append(Finding(row.id, row.line, Reason.UNDECODABLE_IMAGE, detail))
            continue
        checked.taken.append(row)
        checked.repaired += (Finding(row.id, row.line, reason, detail) for reason, detail in picture.changes)
    good = [thumbnail for thumbnail in thumbnails if thumbnail is not None]
    if good:
        checked.thumbnails = np.stack(good)
        deviations = checked.thumbnails.reshape(len(good), -1).std(axis=1)
        checked.blank = [checked.taken[index].id for index in np.flatnonzero(deviations < BLANK_DEVIATION)]
    return checked


def thumbnails_of(images: Sequence[bytes]) -> list[np.ndarray | None]:
    """Thumbnails uint8[32, 24, 3] of encoded pictures; None for one that the models' decoder refuses."""
    thumbnails: list[np.ndarray | None] = []
    for start in range(0, len(images), BATCH):
        batch = images[start : start + BATCH]
        try:
            thumbnails += list(_thumbnails(tf.constant(batch, tf.string)).numpy())
        except tf.errors.InvalidArgumentError:  # one bad picture fails its batch
            thumbnails += [_thumbnail_or_none(image) for image in batch]
    return thumbnails


def _load(catalogue: Catalogue, row_id: str) -> Picture | UnusablePicture:
    try:
        return load_picture(catalogue, row_id)
    except UnusablePicture as fault:
        return fault


def _normal(name: str, content: bytes) -> Picture:
    try:
        header = pictures.read_header(content, LIMITS)
        normal = pictures.normal_form(content, header)
        return Picture(name, normal.content, tuple(_changes(header, normal)))
    except pictures.PictureFault as fault:
        raise UnusablePicture(OF_PICTURES[fault.problem], f"{name} {fault.detail}") from fault


def _changes(header: pictures.Header, normal: pictures.NormalForm) -> Iterator[tuple[Reason, str]]:
    if normal.orientation != pictures.UPRIGHT:
        yield Reason.TURNED_UPRIGHT, "as its Exif orientation says"
    if normal.is_composed:
        yield Reason.OVER_WHITE, "transparent pixels show white"
    for repair in header.repairs:
        yield Reason.END_ADDED, repair


def _in_words(content: bytes) -> str:
    """What is wrong with a picture that the models' decoder refuses: in the gate's words, as serving says it."""
    try:
        pictures.to_pixels(pictures.read_header(content, LIMITS))
    except pictures.PictureFault as fault:
        return fault.detail
    return "is refused by the models' own decoder, although others show it; save it anew"


def _thumbnail_or_none(image: bytes) -> np.ndarray | None:
    try:
        return _thumbnails(tf.constant([image], tf.string)).numpy()[0]
    except tf.errors.InvalidArgumentError:
        return None


@tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
def _thumbnails(images: tf.Tensor) -> tf.Tensor:
    """Encoded pictures string[N] → uint8[N, 32, 24, 3], each pixel the mean of its area."""
    return tf.map_fn(_thumbnail, images, fn_output_signature=tf.TensorSpec((*THUMBNAIL, 3), tf.uint8))


def _thumbnail(image: tf.Tensor) -> tf.Tensor:
    pixels = tf.io.decode_image(image, channels=3, expand_animations=False)
    pixels.set_shape([None, None, 3])
    small = tf.image.resize(pixels[None], THUMBNAIL, tf.image.ResizeMethod.AREA)[0]
    return tf.cast(tf.round(small), tf.uint8)
