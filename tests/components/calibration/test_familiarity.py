"""Familiarity: fitted without a strange picture, and told by the served model."""

import numpy as np
import pytest
import tensorflow as tf

from components.calibration.calibrating import Settings, calibrate
from components.calibration.familiarity import fit_familiarity
from components.model.familiarity import familiarity
from components.model.nearest_pictures import CENTRALITY, SIMILARITY
from schema import model_card, names
from tests.components.calibration.trained_models import eval_outputs, write_trained

RANDOM = np.random.default_rng(5)


def told(values, card):
    return familiarity({name: np.asarray(rows, np.float32) for name, rows in values.items()}, card).numpy()


def test_one_in_twenty_of_eval_is_called_unfamiliar():
    """The threshold lets five per cent of the eval split be false alarms, which the card says."""
    values = {name: RANDOM.standard_t(4, size=1000) for name in ("energy", "nearest_similarity")}
    card = fit_familiarity(values)
    share = (told(values, card) < card.review_threshold).mean()
    assert 0.04 <= share <= 0.05
    assert card.false_alarms == pytest.approx(share, abs=2e-3)


@pytest.mark.parametrize("rows", [20, 60, 200, 2000])
def test_few_rows_make_no_more_false_alarms(rows):
    """With few rows of eval as with many, nine times in ten at most one known picture in twenty is called unfamiliar;
    with so few that this cannot be promised, six times in ten."""
    names_ = ("energy", "nearest_similarity", "centrality")
    shares = []
    for _ in range(100):
        card = fit_familiarity({name: RANDOM.standard_t(4, size=rows) for name in names_})
        others = {name: RANDOM.standard_t(4, size=4000) for name in names_}
        shares.append((told(others, card) < card.review_threshold).mean())
    assert np.mean(np.array(shares) <= 0.05) >= (0.8 if rows >= 45 else 0.5)


def test_one_signal_far_off_is_not_outweighed():
    """A plain picture of which the network is surer than of any product is still unfamiliar."""
    values = {name: RANDOM.normal(size=500) for name in ("energy", "centrality", "confidence")}
    card = fit_familiarity(values)
    plain = told({"energy": [40.0], "centrality": [-8.0], "confidence": [9.0]}, card)
    usual = told({"energy": [0.0], "centrality": [0.0], "confidence": [0.0]}, card)
    assert plain[0] < card.review_threshold / 3 < card.review_threshold < usual[0] <= 1


def test_less_of_a_signal_is_never_more_familiar():
    """It falls with each signal, and stays between 0 and 1 however far off that is."""
    card = fit_familiarity({"energy": RANDOM.normal(size=100)})
    steps = told({"energy": [1e9, 5.0, 1.0, 0.0, -3.0, -1e6]}, card)
    assert (np.diff(steps) <= 0).all() and steps[0] == 1 and 0 <= steps[-1] < 1e-6


def test_an_eval_split_without_a_spread_does_not_make_all_else_strange():
    """Drawn pictures may be alike to a hair; one that is off by as much is no stranger."""
    card = fit_familiarity({"confidence": np.full(40, 0.999)})
    assert told({"confidence": [0.98]}, card)[0] >= card.review_threshold


def test_few_rows_tell_nothing():
    """With fewer rows than it takes to fit anything else, no familiarity is told rather than a made-up one."""
    assert fit_familiarity({"energy": np.zeros(19)}) is None


@pytest.mark.parametrize("remembers", [True, False])
def test_the_served_model_tells_it(tmp_path, remembers):
    """With and without a memory of known pictures: the article type's model tells it as fitted, the other does not."""
    outputs = eval_outputs(400, remembers=remembers)
    trained = write_trained(tmp_path / "trained", outputs)
    paths = {name: tmp_path / name / "Format-Serving" for name in trained}
    for name, path in paths.items():
        calibrate(name, trained, Settings(0.9, 0.0), path)
    card = model_card.read_file(paths[names.ARTICLE_TYPE]).familiarity
    assert ({SIMILARITY, CENTRALITY} <= set(card.signals)) == remembers
    pictures = tf.constant([*(str(row).encode() for row in range(400)), b"no picture"])
    served = tf.saved_model.load(str(paths[names.ARTICLE_TYPE])).signatures[names.SCORES](image_bytes=pictures)
    values = served[names.FAMILIARITY].numpy()
    assert (values[:400] < card.review_threshold).mean() == pytest.approx(card.false_alarms, abs=3e-3)
    assert values[400] == 0 and not served[names.IMAGE_OK].numpy()[400]
    assert model_card.read_file(paths[names.CATEGORY]).familiarity is None
    other = tf.saved_model.load(str(paths[names.CATEGORY])).signatures[names.SCORES](image_bytes=pictures)
    assert names.FAMILIARITY not in other
