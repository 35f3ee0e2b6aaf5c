"""The formulas of an answer, with values worked out by hand."""

import numpy as np
import pytest

from components.model.calibration import Calibration, combined, logit_offsets


def test_rare_classes_gain_by_the_logarithm_of_their_share():
    """With τ = ½ and shares of .8, .15 and .05 the logits move by what the paper's equation says."""
    logits = np.array([[2.0, 1.0, 0.5]], np.float32)
    after = combined(logits, None, logit_offsets(np.array([80, 15, 5]), 0.5)).numpy()
    np.testing.assert_allclose(after, logits - 0.5 * np.log([0.8, 0.15, 0.05]), atol=1e-6)


def test_the_votes_have_half_the_say():
    """Network [¾, ¼] and votes [0, 1] make [⅜, ⅝]; a class that neither names stays finite."""
    logits, votes = np.log(np.array([[0.75, 0.25]], np.float32)), np.array([[0.0, 1.0]], np.float32)
    np.testing.assert_allclose(np.exp(combined(logits, votes, np.zeros(2, np.float32))), [[0.375, 0.625]], atol=1e-6)
    far = combined(np.array([[0.0, -1000.0]], np.float32), np.array([[1.0, 0.0]], np.float32), np.zeros(2, np.float32))
    assert np.isfinite(far).all()


def test_a_vote_that_is_not_cast_stays_with_the_network():
    """Votes of which only ½ were cast have a quarter of the say: [¾, ¼] and [0, ½] make [9/16, 7/16]."""
    logits, votes = np.log(np.array([[0.75, 0.25]], np.float32)), np.array([[0.0, 0.5]], np.float32)
    np.testing.assert_allclose(np.exp(combined(logits, votes, np.zeros(2, np.float32))), [[0.5625, 0.4375]], atol=1e-6)


def test_offsets_come_off_the_network_alone():
    """The votes of known pictures are counted as they are: only the network leans towards what was frequent."""
    logits, votes = np.zeros((1, 2), np.float32), np.array([[1.0, 0.0]], np.float32)
    leaning = np.exp(combined(logits, votes, logit_offsets(np.array([9, 1]), 1.0)).numpy())
    np.testing.assert_allclose(leaning, [[0.5 + 0.5 * 0.1, 0.5 * 0.9]], atol=1e-6)


def test_temperature_and_curvature_bend_the_gaps():
    """Gaps 0, 1 and 2 at T = 2 and c = ½ become logits 0, -.75 and -2."""
    logits = np.array([[3.0, 2.0, 1.0]])
    expected = np.exp([0, -0.75, -2]) / np.exp([0, -0.75, -2]).sum()
    assert Calibration(2.0, 0.5).scores(logits).numpy()[0] == pytest.approx(expected)
