"""Training by the public function, on a handful of drawn pictures."""

import csv
import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from components.errors import GateError
from components.model.backbones import BACKBONES, build_backbone, small_cnn
from components.training import loop, training_data
from components.training.hyperparameters import AS_THEY_ARE, Augmentation, HyperParameters
from components.training.loop import METRICS, train_classifier
from schema import names

SMALL = HyperParameters(height=16, width=16, batch_size=8, epochs=2, dropout=0.0)
WILD = Augmentation(rotation=0.5, zoom=0.9, brightness=1.0, contrast=1.0, saturation=1.0, erase=1.0, mixup=1.0)
COUNTS = {"article_type": [24, 8]}


def rows(count: int) -> tf.data.Dataset:
    """Bright pictures of class 0, dark ones of class 1."""
    labels = (np.arange(count) % 4 == 0).astype(np.int64)
    images = np.where(labels, 30, 220)[:, np.newaxis, np.newaxis, np.newaxis] + np.zeros((count, 16, 16, 3))
    return tf.data.Dataset.from_tensor_slices((images.astype(np.uint8), {"article_type": labels}))


@pytest.mark.parametrize("augmentation", [WILD, Augmentation()])
def test_evaluation_is_never_augmented(tmp_path, augmentation):
    """However wild the augmentation, the eval loss of the last epoch is that of the pictures as they are."""
    evaluation = rows(8).batch(8)
    parameters = dataclasses.replace(SMALL, augmentation=augmentation, epochs=1)
    model, _ = train_classifier("test", rows(32), evaluation, COUNTS, parameters, tmp_path)
    plain = model.evaluate(training_data.one_hot(evaluation, {"article_type": 2}), verbose=0, return_dict=True)
    header, *epochs = (tmp_path / METRICS).read_text().splitlines()
    last = dict(zip(header.split(","), map(float, epochs[-1].split(",")), strict=True))
    assert last["val_loss"] == pytest.approx(plain["loss"], rel=1e-4)


def test_the_best_epoch_wins_whichever_stage_it_is_of(tmp_path):
    """Where all that the second stage makes is worse than what the heads alone had reached, that is what comes out."""
    parameters = dataclasses.replace(SMALL, head_epochs=3, epochs=2, learning_rate=0.1, backbone_rate=100.0)
    evaluation = rows(8).batch(8)
    model, _ = train_classifier("test", rows(32), evaluation, COUNTS, parameters, tmp_path)
    with (tmp_path / METRICS).open() as file:
        losses = [float(epoch["val_loss"]) for epoch in csv.DictReader(file)]
    assert min(losses[:3]) < min(losses[3:])
    plain = model.evaluate(training_data.one_hot(evaluation, {"article_type": 2}), verbose=0, return_dict=True)
    assert plain["loss"] == pytest.approx(min(losses), rel=1e-4)


def test_a_training_that_diverges_says_so(tmp_path, monkeypatch):
    """A loss that is no number in any epoch ends in words with the rate to lower, not in a file that is missing."""
    monkeypatch.setattr(loop, "class_weights", lambda counts, _: np.full(len(counts), np.nan))
    parameters = dataclasses.replace(SMALL, learning_rate=2.5)
    with pytest.raises(GateError, match=r"test diverged.*lower learning_rate, which is 2\.5"):
        train_classifier("test", rows(32), rows(8).batch(8), COUNTS, parameters, tmp_path)


def test_a_label_that_only_eval_has_costs_nothing(tmp_path):
    """Rows of eval whose class training lacks neither crash training nor make its loss no number."""
    evaluation = rows(8).map(lambda image, _: (image, {"article_type": tf.constant(-1, tf.int64)})).batch(8)
    model, _ = train_classifier("test", rows(32), evaluation, COUNTS, SMALL, tmp_path)
    assert np.isfinite(model(np.zeros((1, 16, 16, 3), np.float32))["article_type"]).all()


def test_a_row_without_an_attribute_trains_the_other_heads(tmp_path):
    """Where no row of a class tells the attribute, the article type is learnt from them all the same, and the attribute
    from the others alone."""

    def with_attribute(image, labels):
        dark = labels["article_type"] == 1
        attribute = tf.where(dark, tf.constant(names.UNLABELLED, tf.int64), tf.constant(1, tf.int64))
        return image, {**labels, "gender": attribute}

    counts = {**COUNTS, "gender": [0, 24]}
    # Eight epochs are too few: batch normalization's averages lag behind, and one start of eight learnt nothing.
    parameters = dataclasses.replace(SMALL, epochs=40, learning_rate=0.02)
    split = rows(32).map(with_attribute)
    model, _ = train_classifier("test", split, split.batch(8), counts, parameters, tmp_path)
    bright, dark = np.full((1, 16, 16, 3), 220, np.float32), np.full((1, 16, 16, 3), 30, np.float32)
    assert [int(np.argmax(model(image)["article_type"])) for image in (bright, dark)] == [0, 1]
    header, *epochs = (tmp_path / METRICS).read_text().splitlines()
    last = dict(zip(header.split(","), map(float, epochs[-1].split(",")), strict=True))
    assert last["val_gender_accuracy"] == pytest.approx(1)


def test_a_frozen_backbone_is_run_once_a_picture(tmp_path, monkeypatch):
    """Where nothing of it may learn and nothing changes the pictures, its weights stay as they are, heads learn
    from its features, and every epoch after the first costs no look at a picture."""
    seen = []

    def counted(image, labels):
        tf.py_function(lambda: seen.append(1), [], [])
        return image, labels

    parameters = dataclasses.replace(SMALL, frozen_to="pool", augmentation=AS_THEY_ARE, epochs=40, learning_rate=0.1)
    keras.backend.clear_session()
    before = build_backbone("small_cnn", (16, 16, 3)).get_weights()
    monkeypatch.setitem(BACKBONES, "small_cnn", with_weights(before))
    model, backbone = train_classifier("test", rows(32).map(counted), rows(8).batch(8), COUNTS, parameters, tmp_path)
    assert len(seen) == 32
    for kept, weights in zip(before, backbone.get_weights(), strict=True):
        np.testing.assert_array_equal(kept, weights)
    bright, dark = np.full((1, 16, 16, 3), 220, np.float32), np.full((1, 16, 16, 3), 30, np.float32)
    assert [int(np.argmax(model(image)["article_type"])) for image in (bright, dark)] == [0, 1]


def with_weights(weights):
    """The small network with these weights."""

    def build(shape):
        keras.backend.clear_session()
        backbone = small_cnn(shape)
        backbone.set_weights(weights)
        return backbone

    return build


def test_a_frozen_backbone_looks_again_where_pictures_are_changed(tmp_path):
    """Augmentation that was asked for is not left out because the backbone is frozen."""
    seen = []

    def counted(image, labels):
        tf.py_function(lambda: seen.append(1), [], [])
        return image, labels

    keras.backend.clear_session()
    parameters = dataclasses.replace(SMALL, frozen_to="pool", epochs=2)
    train_classifier("test", rows(32).map(counted), rows(8).batch(8), COUNTS, parameters, tmp_path)
    assert len(seen) == 64
