"""How much contradiction lowers the joint confidence, fitted."""

import numpy as np
import pytest
from scipy import special

from components.calibration.contradiction import fit_contradiction
from components.calibration.joint_answer import JointAnswer
from schema.model_card import PATH
from tests.components.calibration.trained_models import LABELS, LEVELS, PATHS

EXPONENTS = {**dict.fromkeys(LEVELS, 0.5), PATH: 0.5}
JOINT = JointAnswer(PATHS, LABELS)


def drawn(rows, exponent):
    """Scores, and the true path of each row: the answered one as often as its confidence says with that exponent."""
    random = np.random.default_rng(4)
    scores = {level: special.softmax(random.normal(0, 4, (rows, len(LABELS[level]))), axis=1) for level in LEVELS}
    paths, sure = JOINT.answers(scores, {**EXPONENTS, "contradiction": exponent})
    is_right = random.random(rows) < sure
    return scores, np.where(is_right, paths, (paths + 1) % len(PATHS))


@pytest.mark.parametrize("exponent", [0.02, 0.3])
def test_finds_the_exponent_that_made_the_answers_wrong(exponent):
    """Enough rows that are right as often as their lowered confidence says give the exponent back."""
    assert fit_contradiction(JOINT, *drawn(4000, exponent), EXPONENTS) == pytest.approx(exponent, rel=0.15, abs=0.01)


def test_without_rows_contradiction_lowers_the_confidence_all_the_same():
    """A catalogue whose eval split shows no contradiction has no say in what one means."""
    scores, paths = drawn(1, 0.3)
    fitted = fit_contradiction(JOINT, {level: values[:0] for level, values in scores.items()}, paths[:0], EXPONENTS)
    assert fitted == pytest.approx(0.15, abs=1e-3)


def test_heads_that_agree_give_up_nothing():
    """Where each head says by itself what is answered there is no contradiction, however unsure they are."""
    path = PATHS[-1].labels
    scores = {
        level: np.array([[0.4 if label == of else 0.1 for label in LABELS[level]]])
        for level, of in zip(LEVELS, path, strict=True)
    }
    answered, _ = JOINT.answers(scores, EXPONENTS)
    assert JOINT.contradiction(scores, answered).tolist() == [0.0]
