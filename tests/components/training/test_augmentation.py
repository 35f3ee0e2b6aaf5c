"""Augmentation changes training pictures, keeps their range, and can be left out."""

import dataclasses

import numpy as np
import tensorflow as tf

from components.training.augmentation import augment, change_colours, change_geometry, erase
from components.training.hyperparameters import Augmentation

OFF = Augmentation(flip=False, rotation=0, zoom=0, brightness=0, contrast=0, saturation=0)


def batches():
    images = np.random.default_rng(1).integers(0, 256, (8, 20, 16, 3), np.uint8)
    return tf.data.Dataset.from_tensor_slices((images, {"article_type": np.eye(8, dtype=np.float32)})).batch(4)


COLOURS = np.arange(8, dtype=np.float32) * 30


def batches_of_one_colour():
    """Picture i is all of COLOURS[i] and has label i."""
    images = np.broadcast_to(COLOURS[:, np.newaxis, np.newaxis, np.newaxis], (8, 4, 4, 3)).astype(np.uint8)
    return tf.data.Dataset.from_tensor_slices((images, {"article_type": np.eye(8, dtype=np.float32)})).batch(8)


def augmented(augmentation):
    return [images.numpy() for images, _ in augment(batches(), augmentation, seed=1)]


def test_each_change_changes_and_stays_in_range():
    """Every knob alone alters the pixels and leaves them in [0, 255]."""
    plain = augmented(OFF)
    for field in dataclasses.fields(Augmentation):
        changed = augmented(dataclasses.replace(OFF, **{field.name: field.default or 0.5}))
        assert any((one != other).any() for one, other in zip(plain, changed, strict=True)), field.name
        assert all(images.min() >= 0 and images.max() <= 255 for images in changed), field.name


def test_off_changes_nothing():
    """With every knob at 0 the pictures come out as they went in."""
    for (images, _), (same, _) in zip(batches(), augment(batches(), OFF, seed=1), strict=True):
        np.testing.assert_array_equal(images, same)


def test_flip_mirrors():
    """A flipped picture is its mirror image, to the pixel; about half of them are."""
    images = np.random.default_rng(2).uniform(0, 255, (64, 9, 7, 3)).astype(np.float32)
    flipped = change_geometry(
        tf.constant(images), dataclasses.replace(OFF, flip=True), tf.random.Generator.from_seed(3)
    ).numpy()
    is_mirror = np.isclose(flipped, images[:, :, ::-1], atol=0.01).all(axis=(1, 2, 3))
    is_same = np.isclose(flipped, images, atol=0.01).all(axis=(1, 2, 3))
    assert (is_mirror ^ is_same).all()
    assert 16 < is_mirror.sum() < 48


def test_turning_keeps_the_centre():
    """Rotation and zoom leave the middle of the picture where it is, and nothing black comes in from outside."""
    images = np.full((16, 21, 15, 3), 200.0, np.float32)
    images[:, 10, 7] = 20.0
    turned = change_geometry(
        tf.constant(images), dataclasses.replace(OFF, rotation=0.1, zoom=0.2), tf.random.Generator.from_seed(3)
    ).numpy()
    assert (turned[:, 10, 7] < 40).all()
    np.testing.assert_allclose(turned[:, 0], 200, atol=0.01)


def test_grey_pictures_have_no_saturation_to_change():
    """Saturation moves colours from or to grey, so it leaves grey as it is."""
    images = tf.fill((4, 5, 5, 3), 90.0)
    changed = change_colours(images, dataclasses.replace(OFF, saturation=0.5), tf.random.Generator.from_seed(1))
    np.testing.assert_allclose(changed, images, atol=1e-3)


def test_pictures_differ_from_epoch_to_epoch():
    """A second pass sees other variants, and labels stay with their pictures."""
    dataset = augment(batches(), Augmentation(), seed=1)
    first, second = ([images.numpy() for images, _ in dataset] for _ in range(2))
    assert any((one != other).any() for one, other in zip(first, second, strict=True))
    labels = [labels["article_type"].numpy().argmax(axis=1).tolist() for _, labels in dataset]
    assert labels == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_blends_share_pixels_and_labels_alike():
    """A blend's labels are the shares in which its two pictures went into it, and they add up to 1."""
    for images, labels in augment(batches_of_one_colour(), dataclasses.replace(OFF, mixup=0.8), seed=1):
        shares = labels["article_type"].numpy()
        np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-5)
        assert (shares.max(axis=1) >= 0.5).all() and (shares.max(axis=1) < 1).any()
        np.testing.assert_allclose(images[:, 0, 0, 0], shares @ COLOURS, rtol=1e-4)


def test_erased_rectangles_are_grey_and_leave_the_rest():
    """About the wanted share of the pictures loses one rectangle, and not a pixel outside of it."""
    images = np.full((200, 30, 20, 3), 255.0, np.float32)
    hidden = erase(tf.constant(images), 0.5, tf.random.Generator.from_seed(4)).numpy() == 127.0
    assert 60 < hidden.any(axis=(1, 2, 3)).sum() < 140
    for mask in hidden[hidden.any(axis=(1, 2, 3))][..., 0]:
        rows, columns = mask.any(axis=1), mask.any(axis=0)
        assert (mask == rows[:, np.newaxis] * columns).all()
        assert rows.sum() <= 13 and columns.sum() <= 9
