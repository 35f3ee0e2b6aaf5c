"""The nearest known pictures: who is near, how much they say, and that they stay what they were."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.spatial.distance import cosine
from scipy.special import softmax

from components.model.calibration import combined
from components.model.classifier import FEATURES, build_classifier, with_features, with_mirror
from components.model.nearest_pictures import (
    EMBEDDING,
    ROWS,
    SIMILARITIES,
    Known,
    fit_whitening,
    joined,
    votes_key,
    with_neighbours,
)
from components.training.hyperparameters import HyperParameters
from components.training.trainer import answering_models
from schema import names
from schema.card_parts import MemoryCard
from serving.merger.core.corrections import Learnt, Overlay, Placed

SHAPE = (16, 16, 3)
HEADS = {"one": 3, "other": 2}


def pictures(count, seed=0):
    """float32[count, 16, 16, 3] of noise, each with a brightness of its own."""
    random = np.random.default_rng(seed)
    levels = random.uniform(0, 200, (count, 1, 1, 3))
    return (levels + random.uniform(0, 55, (count, *SHAPE))).astype(np.float32)


@pytest.fixture(scope="module")
def seeing():
    """A classifier with random weights that also tells its features."""
    keras.utils.set_random_seed(1)
    return with_features(*build_classifier(HEADS, SHAPE, "small_cnn", dropout=0.5), ())


@pytest.fixture(scope="module")
def known():
    """60 pictures and their labels."""
    random = np.random.default_rng(1)
    return pictures(60), {head: random.integers(0, classes, 60) for head, classes in HEADS.items()}


def as_rows(images, label):
    """A data set of single rows, all of one label."""
    labels = {head: np.full(len(images), label) for head in HEADS}
    return tf.data.Dataset.from_tensor_slices((images, labels))


def answer(model, images, head):
    """Probabilities of the network and its neighbours together."""
    outputs = model.predict_on_batch(images)
    return np.exp(combined(outputs[head], outputs[votes_key(head)], np.float32(0)))


def remembering(model, known, neighbours):
    images, labels = known
    return with_neighbours(model, Known(model.predict_on_batch(images)[FEATURES], labels), neighbours)


def test_a_known_picture_is_its_own_neighbour(seeing, known):
    """Half of the answer for a picture of the training split is its label, whatever the network says."""
    images, labels = known
    remembers = remembering(seeing, known, 1)
    for head, classes in HEADS.items():
        network = softmax(seeing.predict_on_batch(images)[head], axis=1)
        expected = (network + np.eye(classes)[labels[head]]) / 2
        np.testing.assert_allclose(answer(remembers, images, head), expected, atol=1e-5)


def test_neighbours_weigh_by_their_similarity(seeing, known):
    """Of several neighbours each has the share e^(25 s) less the next one's, s the cosine of whitened features."""
    images, labels = known
    new = pictures(1, seed=9)
    features = seeing.predict_on_batch(images)[FEATURES]
    whitening = fit_whitening(features)
    known_white = (features - whitening.mean) @ whitening.matrix
    outputs = seeing.predict_on_batch(new)
    new_white = (outputs[FEATURES][0] - whitening.mean) @ whitening.matrix
    similarities = np.array([1 - cosine(new_white, one) for one in known_white])
    *nearest, beyond = np.argsort(-similarities)[:5]
    weights = np.exp(25 * similarities[nearest]) - 0.999 * np.exp(25 * similarities[beyond])
    weights /= weights.sum()
    expected = softmax(outputs["one"][0]) / 2
    np.add.at(expected, labels["one"][nearest], weights / 2)
    np.testing.assert_allclose(answer(remembering(seeing, known, 4), new, "one")[0], expected, atol=1e-4)


def test_scores_do_not_jump(seeing, known):
    """On the way from one picture to another the voters change many times, and no step of the scores is a large one."""
    way = np.linspace(0, 1, 2001)[:, np.newaxis, np.newaxis, np.newaxis]
    one, other = pictures(2, seed=9)
    remembers = remembering(seeing, known, 4)
    images = (way * one + (1 - way) * other).astype(np.float32)
    voters = {tuple(sorted(rows[:4])) for rows in remembers.predict_on_batch(images)[ROWS]}
    steps = np.abs(np.diff(answer(remembers, images, "one"), axis=0)).max()
    assert len(voters) > 4
    assert steps < 0.005


def test_pictures_that_are_all_as_near_vote_evenly(seeing, known):
    """Equal pictures with other labels, more than have a vote: each of those that have one counts the same."""
    images, labels = np.repeat(known[0][:1], 9, axis=0), {head: np.arange(9) % 2 for head in HEADS}
    remembers = remembering(seeing, (np.concatenate([images, known[0]]), _followed_by(labels, known[1])), 8)
    votes = remembers.predict_on_batch(images[:1])[votes_key("other")][0]
    np.testing.assert_allclose(votes, [0.5, 0.5], atol=1e-3)


def _followed_by(labels, others):
    return {head: np.concatenate([ids, others[head]]) for head, ids in labels.items()}


def test_whitened_features_vary_alike():
    """Whitening takes scales and correlations away where there are pictures enough to know them."""
    random = np.random.default_rng(0)
    features = random.normal(size=(20_000, 3)) @ np.array([[3.0, 1, 0], [0, 1, 0], [0, 0.5, 0.5]]) + 7
    white = (features - fit_whitening(features).mean) @ fit_whitening(features).matrix
    np.testing.assert_allclose(np.cov(white.T), np.eye(3), atol=0.05)


def test_fewer_pictures_than_neighbours_and_than_features_are_no_obstacle(seeing, known):
    """A catalogue of five pictures, 256 features and 20 neighbours still gives probabilities that sum to 1."""
    few = known[0][:5], {head: ids[:5] for head, ids in known[1].items()}
    remembers = remembering(seeing, few, 20)
    for head in HEADS:
        np.testing.assert_allclose(answer(remembers, pictures(3, seed=4), head).sum(axis=1), 1, atol=1e-5)


def test_a_picture_is_remembered_whatever_label_it_lacks():
    """Of two splits all rows are kept, labels and features in step: what a row lacks, another model may know of it, and
    both are to know the same rows."""
    train = Known(np.array([[1.0], [2.0]]), {"one": np.array([0, 1]), "other": np.array([1, 0])})
    evaluation = Known(np.array([[3.0], [4.0], [5.0]]), {"one": np.array([2, -1, 0]), "other": np.array([0, -2, -2])})
    both = joined(train, evaluation)
    assert both.features[:, 0].tolist() == [1, 2, 3, 4, 5]
    assert {head: ids.tolist() for head, ids in both.labels.items()} == {
        "one": [0, 1, 2, -1, 0],
        "other": [1, 0, 0, -2, -2],
    }


def test_a_picture_without_a_label_votes_for_the_other_heads(seeing, known):
    """Of the head whose label it lacks the network alone tells; of the other one it has half the say, as ever."""
    images, labels = known
    some = {**labels, "other": np.where(np.arange(60) % 2, labels["other"], names.UNLABELLED)}
    remembers, remembers_all = (remembering(seeing, one, 1) for one in ((images, some), known))
    network = softmax(seeing.predict_on_batch(images)["other"], axis=1)
    mixed = (network + np.eye(2)[labels["other"]]) / 2
    expected = np.where((np.arange(60) % 2)[:, np.newaxis], mixed, network)
    np.testing.assert_allclose(answer(remembers, images, "other"), expected, atol=1e-5)
    np.testing.assert_allclose(answer(remembers, images, "one"), answer(remembers_all, images, "one"), atol=1e-5)


def test_eval_is_remembered_when_serving_and_not_when_fitting():
    """What the confidence is fitted on is new to the model that it is fitted with, and known to the one that serves."""
    keras.utils.set_random_seed(2)
    model, backbone = build_classifier(HEADS, SHAPE, "small_cnn", dropout=0.5)
    train, evaluation = (as_rows(pictures(30, seed), label) for seed, label in ((1, 0), (2, 1)))
    parameters = HyperParameters(height=16, width=16, neighbours=1)
    fitted, served = answering_models(model, backbone, train, evaluation.batch(8), parameters)
    new = pictures(30, 2)
    assert answer(served, new, "one")[:, 1].min() > 0.5
    assert answer(fitted, new, "one")[:, 0].min() > 0.5


def test_signs_alone_tell_who_is_near():
    """A memory of two numbers, for a browser to load, finds each known picture again, and as near as it was."""
    model, backbone = build_classifier(HEADS, SHAPE, "small_cnn", dropout=0.5)
    images = pictures(60)
    parameters = HyperParameters(height=16, width=16, neighbours=3, neighbour_signs=True)
    _, served = answering_models(model, backbone, as_rows(images, 0), as_rows(images[:0], 0).batch(8), parameters)
    (memory,) = (one for one in served.get_layer("nearest_pictures").weights if one.shape == (256, 60))
    assert len(np.unique(memory)) == 2
    found = served.predict_on_batch(images)
    assert found[ROWS][:, 0].tolist() == list(range(60))
    np.testing.assert_allclose(found[SIMILARITIES][:, 0].mean(), 1, atol=0.05)


@pytest.mark.parametrize("signs", [False, True])
def test_pictures_that_are_all_the_same_have_the_vote(signs):
    """Whitened, each is nothing but their mean; their label is the answer all the same, and each number is one."""
    model, backbone = build_classifier(HEADS, SHAPE, "small_cnn", dropout=0.5)
    train = as_rows(np.repeat(pictures(1), 4, axis=0), 1)
    parameters = HyperParameters(height=16, width=16, neighbours=3, neighbour_signs=signs)
    _, served = answering_models(model, backbone, train, train.take(0).batch(8), parameters)
    found = served.predict_on_batch(pictures(2, 7))
    assert all(np.isfinite(one).all() for one in found.values())
    assert found[votes_key("one")][:, 1].tolist() == [1, 1]


def test_without_eval_the_memory_is_that_of_training():
    """A catalogue too small for an eval split still becomes a model that remembers."""
    model, backbone = build_classifier(HEADS, SHAPE, "small_cnn", dropout=0.5)
    train, parameters = as_rows(pictures(5), 0), HyperParameters(height=16, width=16, neighbours=3)
    _, served = answering_models(model, backbone, train, train.take(0).batch(8), parameters)
    assert answer(served, pictures(2, 7), "one")[:, 0].min() > 0.5


def test_features_are_those_of_the_named_layers():
    """Mean and standard deviation over the picture are read of each named layer; the logits stay as they are."""
    model, backbone = build_classifier(HEADS, (32, 32, 3), "efficientnet_lite0", dropout=0.5)
    images = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype(np.float32)
    outputs = with_features(model, backbone, ["block2_add", "block4_add"])(images)
    layer = keras.Model(backbone.input, backbone.get_layer("block4_add").output)
    means, deviations = np.mean(layer(images), axis=(1, 2)), np.std(layer(images), axis=(1, 2))
    assert outputs[FEATURES].shape == (2, 2 * 24 + 2 * 40)
    np.testing.assert_allclose(outputs[FEATURES][:, 48:], np.hstack([means, deviations]), atol=1e-4)
    np.testing.assert_allclose(outputs["one"], model(images)["one"], atol=1e-5)


def test_a_corrected_picture_weighs_as_much_as_if_it_were_known(seeing, known):
    """The merger's overlay gives it the share of the votes that it would have inside the model."""
    images, labels = known
    new = pictures(1, seed=9)
    inside = Known(
        seeing.predict_on_batch(np.concatenate([images, new]))[FEATURES],
        {head: np.append(ids, 0) for head, ids in labels.items()},
    )
    outside = with_neighbours(seeing, inside, 4)
    near = new + 5 * np.sign(new - 128)
    (told, asked), memory = (
        {key: values[0] for key, values in outside.predict_on_batch(one).items()} for one in (new, near)
    ), MemoryCard(4, 25.0, 1.0, 0.999)  # fmt: skip
    assert asked[ROWS][0] == 60, "it is the nearest"
    overlay = Overlay(SimpleNamespace(memory=memory), 1, [Learnt(told[EMBEDDING], {"one": 0})])
    say = overlay.say(Placed(asked[EMBEDDING], asked[SIMILARITIES][1:].tolist()))
    weights = np.exp(25 * asked[SIMILARITIES][:4]) - 0.999 * np.exp(25 * asked[SIMILARITIES][4])
    assert say.share == pytest.approx(weights[0] / weights.sum(), abs=1e-4)


def test_the_mirror_image_leaves_the_features_alone(seeing):
    """Neighbours are sought for the picture itself, while its mirror image has its say in the logits."""
    images = pictures(3)
    plain, mirrored = seeing(images), with_mirror(seeing)(images)
    np.testing.assert_allclose(mirrored[FEATURES], plain[FEATURES], atol=1e-5)
    assert not np.allclose(mirrored["one"], plain["one"], atol=1e-4)
