"""Changes that leave a product the same product. For the training split alone.

Keras's layers do the same one by one, each resampling the picture anew: together they cost more than a training step of
the small network. Here flip, rotation and zoom are one resampling, and the colours are plain arithmetic.
"""

import math

import tensorflow as tf

from components.training.hyperparameters import Augmentation

_HIDDEN = (0.1, 0.4)
"""Least and most of each side that an erased rectangle covers."""
_GREY = 127.0
_LUMA = (0.299, 0.587, 0.114)
"""Share of red, green and blue in brightness as seen (ITU-R BT.601)."""


def augment(dataset: tf.data.Dataset, augmentation: Augmentation, seed: int) -> tf.data.Dataset:
    """Augments a data set of batches ``(uint8[N, H, W, 3], {head: float32[N, C]})``, afresh in each epoch.

    The labels are shares of the classes, since a blend of two pictures has two labels.
    """
    # A generator keeps its state from epoch to epoch; a seeded op would begin each epoch with the same numbers.
    random = tf.random.Generator.from_seed(seed)

    def change(images: tf.Tensor, labels: dict[str, tf.Tensor]) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        images = tf.cast(images, tf.float32)
        images = change_colours(change_geometry(images, augmentation, random), augmentation, random)
        images = tf.clip_by_value(images, 0.0, 255.0)
        if augmentation.erase:
            images = erase(images, augmentation.erase, random)
        return blend(images, labels, augmentation.mixup, random) if augmentation.mixup else (images, labels)

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


def erase(images: tf.Tensor, share: float, random: tf.random.Generator) -> tf.Tensor:
    """Hides a rectangle behind grey in that share of float32[N, H, W, 3]."""
    count, height, width = (tf.shape(images)[axis] for axis in range(3))
    is_hidden = tf.cast(random.uniform([count, 1]) < share, tf.float32)
    rows, columns = _span(count, height, random), _span(count, width, random)
    mask = (is_hidden * rows)[:, :, tf.newaxis, tf.newaxis] * columns[:, tf.newaxis, :, tf.newaxis]
    return images + mask * (_GREY - images)


def blend(
    images: tf.Tensor, labels: dict[str, tf.Tensor], alpha: float, random: tf.random.Generator
) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    """Blends each row with another of its batch, pictures and labels by the same share, which is Beta(α, α)."""
    count = tf.shape(images)[0]
    # Two gamma variates make a beta variate.
    seeds = tf.transpose(random.make_seeds(2))
    ours, other = (tf.random.stateless_gamma([count], seed, alpha) for seed in (seeds[0], seeds[1]))
    share = tf.math.divide_no_nan(ours, ours + other)
    # The larger part stays in its place: a blend and its mirror image are the same.
    share = tf.maximum(share, 1 - share)
    # The batch is in random order already.
    mixed = {head: share[:, tf.newaxis] * one + (1 - share)[:, tf.newaxis] * one[::-1] for head, one in labels.items()}
    share = tf.reshape(share, (-1, 1, 1, 1))
    return share * images + (1 - share) * images[::-1], mixed


def _span(count: tf.Tensor, length: tf.Tensor, random: tf.random.Generator) -> tf.Tensor:
    """1 within a random stretch of an axis, 0 outside: float32[count, length]."""
    most = tf.cast(length, tf.float32)
    centre = random.uniform([count, 1], 0.0, most)
    half = random.uniform([count, 1], *_HIDDEN) * most / 2
    return tf.cast(tf.abs(tf.range(most) - centre) <= half, tf.float32)


def _uniform(count: tf.Tensor, most: float, random: tf.random.Generator) -> tf.Tensor:
    return random.uniform([count], -most, most)
