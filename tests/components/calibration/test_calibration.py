"""Temperature and review threshold."""

import numpy as np
import pytest
from scipy import special

from components.calibration.fitting import fit_calibration, review_threshold
from components.model.calibration import Calibration


def sampled(temperature, rows=4000, classes=8):
    """Logits that are right as often as their softmax at ``temperature`` says, and the labels drawn from it."""
    rng = np.random.default_rng(5)
    logits = rng.normal(0, 3, (rows, classes))
    chances = special.softmax(logits / temperature, axis=1)
    return logits, np.array([rng.choice(classes, p=row) for row in chances])


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_finds_the_temperature_that_made_the_labels(temperature):
    """Over-confident, calibrated and under-confident logits get the temperature that mends them."""
    logits, labels = sampled(temperature)
    scores = fit_calibration(logits, labels).scores(logits).numpy()
    assert np.abs(scores - special.softmax(logits / temperature, axis=1)).mean() < 0.01
    assert fit_calibration(logits[:400], labels[:400]).temperature == pytest.approx(temperature, rel=0.25)


def test_the_floor_of_label_smoothing_is_taken_away():
    """Where training pressed unlikely classes up to a floor, close rivals and far ones get the chances they have, which
    no temperature alone does."""
    rng = np.random.default_rng(6)
    chances = special.softmax(rng.normal(0, 4, (6000, 40)), axis=1)
    labels = np.array([rng.choice(40, p=row) for row in chances])
    logits = np.log(0.95 * chances + 0.05 / 40)
    fitted = fit_calibration(logits, labels)
    bent, straight = (one.scores(logits).numpy() for one in (fitted, fit_calibration(logits[:499], labels[:499])))
    assert fitted.temperature > 1 and fitted.curvature > 0
    assert np.abs(bent - chances).mean() < 0.7 * np.abs(straight - chances).mean()


def test_unknown_labels_are_left_out():
    """Rows whose label training lacks do not bend the temperature."""
    logits, labels = sampled(1.5)
    more = np.concatenate([logits, logits[:1000] * 9]), np.concatenate([labels, np.full(1000, -1)])
    assert fit_calibration(*more).temperature == pytest.approx(fit_calibration(logits, labels).temperature, rel=1e-3)


def test_too_few_rows_change_nothing():
    """A handful of rows is noise: confidence stays as the model gave it."""
    assert fit_calibration(np.eye(3) * 9, np.array([0, 1, 2])) == Calibration(1.0, 0.0)


@pytest.mark.parametrize("labels_of", [np.argmax, np.argmin], ids=["always right", "always wrong"])
def test_calibration_never_changes_the_answer(labels_of):
    """However right or wrong the model is, its best class stays the best: in float32 too, as it is served."""
    logits, _ = sampled(1.0)
    fitted = fit_calibration(logits, labels_of(logits, axis=1))
    scores = fitted.scores(logits.astype(np.float32)).numpy()
    assert scores.dtype == np.float32
    np.testing.assert_array_equal(scores.argmax(axis=1), logits.argmax(axis=1))


def test_threshold_is_the_lowest_that_keeps_the_promise():
    """At and above it the promised share is right with one more row wrong, and one answer lower it is not."""
    confidences = np.array([0.99, 0.95, 0.9, 0.8, 0.7, 0.6])
    is_right = np.array([True, True, True, False, True, False])
    assert review_threshold(confidences, is_right, 0.66) == (0.7, 0.8)
    assert review_threshold(confidences, is_right, 0.75) == (0.9, 1.0)


@pytest.mark.parametrize("rows", [56, 100, 200])
def test_a_threshold_of_few_rows_keeps_its_promise_on_others(rows):
    """Over many eval splits, of answers that are right as often as they are sure, what is not sent to a person is right
    as often as was asked for, however few rows a threshold was found on."""
    random = np.random.default_rng(4)
    others = np.sort(random.beta(20, 1, 100_000))
    kept = []
    for _ in range(1000):
        confidences = random.beta(20, 1, rows)
        threshold, _ = review_threshold(confidences, random.random(rows) < confidences, 0.97)
        kept.append(others[np.searchsorted(others, threshold) :])
    assert np.concatenate(kept).mean() > 0.9675


def test_rows_too_few_for_the_promise_ask_for_a_look_every_time():
    """32 right answers of 32 are no evidence for .97, 33 are."""
    sure = np.linspace(0.9, 0.99, 33)
    assert review_threshold(sure[:32], np.full(32, True), 0.97)[0] > 1
    assert review_threshold(sure, np.full(33, True), 0.97) == (0.9, 1.0)


def test_equal_confidences_stand_together():
    """A threshold never cuts between answers of the same confidence."""
    threshold, share = review_threshold(np.array([0.9, 0.9, 0.5]), np.array([True, False, False]), 0.9)
    assert threshold > 1
    assert share == 0


def test_a_promise_that_cannot_be_kept_asks_for_a_look_every_time():
    """Where no threshold reaches the precision, or there is nothing to fit on, everything is below it."""
    assert review_threshold(np.array([0.9]), np.array([False]), 0.97)[0] > 1
    assert review_threshold(np.array([]), np.array([]), 0.97)[0] > 1


def test_few_rows_that_are_all_right_make_no_answer_wholly_sure():
    """66 right answers of 66 promise about 1 - 1/67, however far apart the network holds the classes."""
    random = np.random.default_rng(3)
    labels = random.integers(0, 18, 66)
    logits = -27 + 3 * random.random((66, 18)).astype(np.float32)
    logits[np.arange(66), labels] = 0
    confidences = fit_calibration(logits, labels).scores(logits).numpy().max(axis=1)
    assert 0.95 < confidences.mean() < 0.995
