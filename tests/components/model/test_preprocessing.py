"""Pixels: the same eagerly, in ``tf.data`` and in a graph, and one broken picture harms no other."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from components.model.preprocessing import decode_image, decode_images

HEIGHT, WIDTH = 40, 30


def encoded(colour, size=(60, 80), image_format="JPEG", mode="RGB"):
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).convert(mode).save(buffer, image_format)
    return buffer.getvalue()


GOOD = [encoded("red"), encoded((0, 200, 0), (33, 21)), encoded("blue", image_format="PNG"), encoded("grey", mode="L")]
BROKEN = {
    "empty": b"",
    "no picture": b"this is no picture",
    "garbage behind a JPEG header": b"\xff\xd8\xff\xe0" + b"garbage" * 20,
    "truncated JPEG": GOOD[0][:200],
    "truncated PNG": GOOD[2][:60],
}


def test_good_pictures_are_resized_whole_numbers():
    """Any size, JPEG or PNG, colour or grey, becomes float32 of whole numbers in [0, 255]."""
    images, is_ok = decode_images(tf.constant(GOOD), HEIGHT, WIDTH)
    assert images.shape == (len(GOOD), HEIGHT, WIDTH, 3)
    assert images.dtype == tf.float32
    assert is_ok.numpy().all()
    np.testing.assert_array_equal(images, np.round(images))
    np.testing.assert_allclose(images[:2, 20, 15], [[254, 0, 0], [0, 200, 0]], atol=2)


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_a_broken_picture_harms_no_other(broken):
    """Its row is black and marked; its neighbours are as they would be without it."""
    alone, _ = decode_images(tf.constant(GOOD), HEIGHT, WIDTH)
    images, is_ok = decode_images(tf.constant([GOOD[0], broken, *GOOD[1:]]), HEIGHT, WIDTH)
    assert is_ok.numpy().tolist() == [True, False, True, True, True]
    assert not images[1].numpy().any()
    np.testing.assert_array_equal(tf.gather(images, [0, 2, 3, 4]), alone)


def test_a_batch_of_nothing_but_broken_pictures_answers():
    """No good picture in a batch is no error, and neither is no picture at all."""
    images, is_ok = decode_images(tf.constant(list(BROKEN.values())), HEIGHT, WIDTH)
    assert not is_ok.numpy().any()
    assert images.shape[0] == len(BROKEN)
    assert decode_images(tf.constant([], tf.string), HEIGHT, WIDTH)[0].shape == (0, HEIGHT, WIDTH, 3)


def test_pixels_are_the_same_by_every_way():
    """Eager, tf.data and a traced graph decode to the same numbers: training and serving cannot drift apart."""
    eager = tf.stack([decode_image(picture, HEIGHT, WIDTH) for picture in GOOD])
    dataset = tf.data.Dataset.from_tensor_slices(GOOD).map(lambda one: decode_image(one, HEIGHT, WIDTH))
    graph = tf.function(lambda batch: decode_images(batch, HEIGHT, WIDTH)[0])
    np.testing.assert_array_equal(tf.stack(list(dataset)), eager)
    np.testing.assert_array_equal(graph(tf.constant(GOOD)), eager)
