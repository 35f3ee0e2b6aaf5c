"""Raw features → what the models see. The only place where pixels and label ids are made, to train and to serve.

TensorFlow Transform traces :func:`preprocessing_fn` once; the trainers, the evaluator and the served signatures all
replay that same graph, so that training and serving cannot drift apart.
"""

from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from schema import heads as table
from schema import names

PATH_VOCABULARY = "taxonomy"
"""Vocabulary of taxonomy paths as seen in training, labels from the top down, with counts."""

PATH_SEPARATOR = "\t"
NO_NUMBER = -1
"""Stands for an empty cell of a column of numbers, as ``""`` does for one of text."""

IMAGE_FEATURE = "image"
PNG_HEAD = 4096
"""Bytes of a PNG in which its mark of transparency stands, if it has one: before the pixels."""


def decode_images(image_bytes: tf.Tensor, height: int, width: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Decodes and resizes encoded pictures; one that cannot be decoded spoils only itself.

    Args:
      image_bytes: string[N], JPEG or PNG (GIF and BMP decode too; their first frame counts).
      height: of the result, in pixels.
      width: of the result, in pixels.

    Returns:
      Pictures float32[N, height, width, 3] of whole numbers in [0, 255], black where decoding failed, and
      bool[N], true where it succeeded.
    """
    count = tf.shape(image_bytes)[0]

    def decode(index: tf.Tensor, encoded: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return index, decode_image(encoded, height, width)

    # A failing op fails its whole graph; a tf.data element can fail alone. The sentinel behind the last index
    # keeps the data set from being empty, and is cut off again.
    sentinel = tf.data.Dataset.from_tensors((count, tf.zeros((height, width, 3))))
    decoded = tf.data.Dataset.from_tensor_slices((tf.range(count), image_bytes)).map(decode).ignore_errors()
    batch = decoded.concatenate(sentinel).batch(tf.cast(count, tf.int64) + 1).with_options(_plain_options())
    indices, images = batch.get_single_element()
    rows = indices[:, tf.newaxis]
    all_images = tf.scatter_nd(rows, images, (count + 1, height, width, 3))
    is_ok = tf.scatter_nd(rows, tf.ones_like(indices), (count + 1,)) > 0
    return all_images[:count], is_ok[:count]


def decode_image(encoded: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """One encoded picture (string[]) → float32[height, width, 3] of whole numbers in [0, 255]."""
    resized = tf.image.resize(decode_pixels(encoded), (height, width), antialias=True)
    # Whole numbers, so that the trainers can cache a picture as uint8 and lose nothing.
    return tf.ensure_shape(tf.round(resized), (height, width, 3))


def decode_pixels(encoded: tf.Tensor) -> tf.Tensor:
    """One encoded picture (string[]) → uint8[H, W, 3], as the picture gate shows it, but for how it is turned.

    JPEG by the accurate transform, as Pillow and browsers decode it; TensorFlow's own choice is off by up to 18 levels.
    Transparent pixels of a PNG show white.
    """
    image = tf.case(
        [
            (tf.equal(tf.strings.substr(encoded, 0, 3), b"\xff\xd8\xff"), lambda: _decode_jpeg(encoded)),
            (_is_transparent_png(encoded), lambda: _over_white(tf.io.decode_png(encoded, channels=4))),
        ],
        default=lambda: tf.io.decode_image(encoded, channels=3, expand_animations=False),
    )
    return tf.ensure_shape(image, (None, None, 3))


def _decode_jpeg(encoded: tf.Tensor) -> tf.Tensor:
    return tf.io.decode_jpeg(encoded, channels=3, dct_method="INTEGER_ACCURATE")


def _is_transparent_png(encoded: tf.Tensor) -> tf.Tensor:
    """By its header. Others must not be decoded to 4 channels: TensorFlow garbles those of fewer than 8 bits then."""
    head = tf.strings.substr(encoded, 0, PNG_HEAD)
    colour_type = tf.strings.substr(head, 25, 1)
    has_alpha = tf.reduce_any(tf.equal(colour_type, [b"\4", b"\6"]))
    has_clear_colour = tf.size(tf.strings.split(head, b"tRNS")) > 1
    return tf.equal(tf.strings.substr(head, 0, 4), b"\x89PNG") & (has_alpha | has_clear_colour)


def _over_white(rgba: tf.Tensor) -> tf.Tensor:
    """uint8[H, W, 4] → uint8[H, W, 3]."""
    colours, alpha = tf.cast(rgba[..., :3], tf.float32), tf.cast(rgba[..., 3:], tf.float32) / 255
    return tf.cast(tf.round(colours * alpha + 255 * (1 - alpha)), tf.uint8)


def _plain_options() -> tf.data.Options:
    # One small batch a call: optimizing and tuning its data set would cost more than running it.
    options = tf.data.Options()
    options.experimental_optimization.apply_default_optimizations = False
    options.autotune.enabled = False
    return options


def preprocessing_fn(inputs: dict[str, Any], custom_config: dict[str, Any]) -> dict[str, tf.Tensor]:
    """TensorFlow Transform's entry point.

    Args:
      inputs: raw features by the names of ``schema/names.py``.
      custom_config: ``height`` and ``width`` in pixels.

    Returns:
      ``image`` float32[N, height, width, 3] in [0, 255], ``image_ok`` int64[N], and ``<head>_id`` int64[N] per head of
      the table, whether it is trained or not, so that asking for one more attribute leaves this step and the models
      without it as they are. :data:`schema.names.UNKNOWN_LABEL` stands for a label that the training split lacks,
      :data:`schema.names.UNLABELLED` for an empty cell.
    """
    images, is_ok = decode_images(
        tf.reshape(inputs[names.IMAGE], [-1]), int(custom_config["height"]), int(custom_config["width"])
    )
    labels = {head.name: as_text(inputs[head.column]) for head in table.HEADS}
    path = tf.strings.join([labels[head.name] for head in table.taxonomy()], separator=PATH_SEPARATOR)
    tft.vocabulary(path, vocab_filename=PATH_VOCABULARY, store_frequency=True)
    return {
        IMAGE_FEATURE: images,
        names.IMAGE_OK: tf.cast(is_ok, tf.int64),
        **{names.label_id(head): _label_ids(label, head) for head, label in labels.items()},
    }


def as_text(cells: tf.Tensor) -> tf.Tensor:
    """A column, string or int64 of any shape with a value a row, as string[N]; empty where the cell is."""
    cells = tf.reshape(cells, [-1])
    return cells if cells.dtype == tf.string else tf.where(cells == NO_NUMBER, "", tf.strings.as_string(cells))


def _label_ids(label: tf.Tensor, head: str) -> tf.Tensor:
    # An empty text is in no vocabulary.
    ids = tft.compute_and_apply_vocabulary(label, vocab_filename=head, default_value=names.UNKNOWN_LABEL)
    return tf.where(label == "", tf.constant(names.UNLABELLED, tf.int64), ids)
