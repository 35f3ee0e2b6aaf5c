"""Pixels: the same eagerly, in ``tf.data`` and in a graph, and one broken picture harms no other."""

import io

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_transform.beam as tft_beam
from PIL import Image
from tensorflow_transform.tf_metadata import schema_utils
from tensorflow_transform.tf_metadata.dataset_metadata import DatasetMetadata

from components import preprocessing
from components.preprocessing import DESCRIBING, decode_image, decode_images

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


@pytest.mark.parametrize("repeats", [25, 1])
def test_words_of_the_description_become_ids(tmp_path, repeats):
    """Words in whatever script and case count where enough rows have them; a row without any has none, and neither has
    a catalogue in which every word is rare."""
    texts = [["Blue SHIRT, für Männer"], ["blue shirt"], [], ["Once-only"]]
    columns = {DESCRIBING[0]: texts * repeats, **{name: [[]] * 4 * repeats for name in DESCRIBING[1:]}}
    rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
    spec = schema_utils.schema_from_feature_spec({name: tf.io.VarLenFeature(tf.string) for name in columns})
    with tft_beam.Context(temp_dir=str(tmp_path)):
        (transformed, _), _ = (rows, DatasetMetadata(spec)) | tft_beam.AnalyzeAndTransformDataset(
            lambda inputs: {"words": preprocessing.word_ids(inputs)}
        )
    words = [sorted(one["words"][one["words"] >= 0].tolist()) for one in transformed[:4]]
    assert [len(ids) for ids in words] == ([4, 2, 0, 2] if repeats > 1 else [0, 0, 0, 0])
    assert set(words[1]) <= set(words[0])
