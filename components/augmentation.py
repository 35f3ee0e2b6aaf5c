"""Changes that leave a product the same product. For the training split alone.

Keras's layers do the same one by one, each resampling the picture anew: together they cost more than a training step of
the small network. Here flip, rotation and zoom are one resampling, and the colours are plain arithmetic.
"""

import math

import tensorflow as tf

from components.hyperparameters import Augmentation

_LUMA = (0.299, 0.587, 0.114)
"""Share of red, green and blue in brightness as seen (ITU-R BT.601)."""


def augment(dataset: tf.data.Dataset, augmentation: Augmentation, seed: int) -> tf.data.Dataset:
    """Augments the pictures of a data set of ``(uint8[N, H, W, 3], labels)`` batches, afresh in each epoch."""
    # A generator keeps its state from epoch to epoch; a seeded op would begin each epoch with the same numbers.
    random = tf.random.Generator.from_seed(seed)

    def change(images: tf.Tensor, labels: dict[str, tf.Tensor]) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        images = tf.cast(images, tf.float32)
        images = change_colours(change_geometry(images, augmentation, random), augmentation, random)
        return tf.clip_by_value(images, 0.0, 255.0), labels

    return dataset.map(change, num_parallel_calls=tf.data.AUTOTUNE)


def change_geometry(images: tf.Tensor, augmentation: Augmentation, random: tf.random.Generator) -> tf.Tensor:
    """Flips, turns and zooms each of float32[N, H, W, 3] about its centre; the edge fills what is uncovered."""
    count, shape = tf.shape(images)[0], tf.cast(tf.shape(images)[1:3], tf.float32)
    angle = _uniform(count, 2 * math.pi * augmentation.rotation, random)
    scale = 1 + _uniform(count, augmentation.zoom, random)
    mirror = tf.sign(_uniform(count, 1.0, random)) if augmentation.flip else tf.ones(count)
    centre_y, centre_x = (shape[0] - 1) / 2, (shape[1] - 1) / 2
    # Each row maps an output pixel (x, y) to the input pixel (a0·x + a1·y + a2, b0·x + b1·y + b2).
    a0, a1 = mirror * scale * tf.cos(angle), -mirror * scale * tf.sin(angle)
    b0, b1 = scale * tf.sin(angle), scale * tf.cos(angle)
    a2, b2 = centre_x - a0 * centre_x - a1 * centre_y, centre_y - b0 * centre_x - b1 * centre_y
    zero = tf.zeros(count)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.stack([a0, a1, a2, b0, b1, b2, zero, zero], axis=1),
        output_shape=tf.shape(images)[1:3],
        fill_value=0.0,
        interpolation="BILINEAR",
        # Products stand on white, or on whatever is at the edge.
        fill_mode="NEAREST",
    )


def change_colours(images: tf.Tensor, augmentation: Augmentation, random: tf.random.Generator) -> tf.Tensor:
    """Changes brightness, contrast and saturation of each of float32[N, H, W, 3]; may leave [0, 255]."""
    count = tf.shape(images)[0]
    mosts = (255 * augmentation.brightness, augmentation.contrast, augmentation.saturation)
    brightness, contrast, saturation = (tf.reshape(_uniform(count, most, random), (-1, 1, 1, 1)) for most in mosts)
    grey = tf.tensordot(images, tf.constant(_LUMA), 1)[..., tf.newaxis]
    images = images + saturation * (images - grey)
    mean = tf.reduce_mean(grey, axis=(1, 2), keepdims=True)
    return images + contrast * (images - mean) + brightness


def _uniform(count: tf.Tensor, most: float, random: tf.random.Generator) -> tf.Tensor:
    return random.uniform([count], -most, most)
