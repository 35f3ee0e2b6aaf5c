"""Training by the public function, on a handful of drawn pictures."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from components import training_data
from components.hyperparameters import Augmentation, HyperParameters
from components.preprocessing import WORDS
from components.training import METRICS, train_classifier

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


def test_words_teach_and_are_gone_afterwards(tmp_path):
    """The words of the description are learnt from, cost nothing on eval, and no trace of their head is served."""
    words = rows(32).map(lambda image, labels: (image, {**labels, WORDS: tf.stack([labels["article_type"], 2, -1])}))
    parameters = dataclasses.replace(SMALL, description_weight=1.0, epochs=1)
    evaluation = rows(8).batch(8)
    model, _ = train_classifier("test", words, evaluation, COUNTS, parameters, tmp_path, words=3)
    assert set(model(np.zeros((1, 16, 16, 3), np.float32))) == {"article_type"}
    assert not [variable.path for variable in model.variables if WORDS in variable.path]
    (last,) = pd.read_csv(tmp_path / METRICS).to_dict("records")
    assert last[f"{WORDS}_loss"] > 0 and last[f"val_{WORDS}_loss"] == 0
    (images, labels) = next(iter(evaluation))
    right = model.predict(images, verbose=0)["article_type"].argmax(axis=1) == labels["article_type"]
    assert last["val_article_type_accuracy"] == pytest.approx(np.mean(right))


def test_several_words_share_a_row():
    """A row's words have equal shares, a row without any has none, and so has a head that a row has no label for."""
    batches = tf.data.Dataset.from_tensors((tf.zeros([2, 1]), {WORDS: tf.constant([[0, 2, -1], [-1, -1, -1]])}))
    _, labels = next(iter(training_data.one_hot(batches, {WORDS: 3, "article_type": 2})))
    assert labels[WORDS].numpy().tolist() == [[0.5, 0, 0.5], [0, 0, 0]]
    assert not labels["article_type"].numpy().any()


def test_a_label_that_only_eval_has_costs_nothing(tmp_path):
    """Rows of eval whose class training lacks neither crash training nor make its loss no number."""
    evaluation = rows(8).map(lambda image, _: (image, {"article_type": tf.constant(-1, tf.int64)})).batch(8)
    model, _ = train_classifier("test", rows(32), evaluation, COUNTS, SMALL, tmp_path)
    assert np.isfinite(model(np.zeros((1, 16, 16, 3), np.float32))["article_type"]).all()
