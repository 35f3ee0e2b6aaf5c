"""How much each part counts in the joint answer, fitted."""

import numpy as np
import pytest
from scipy import special

from components.calibration.joint_answer import JointAnswer
from components.calibration.joint_exponents import fit_exponents
from schema import names
from schema.model_card import PATH, TaxonomyPath
from tests.components.calibration.trained_models import LABELS, LEVELS, PATHS

TRUE = {names.MASTER_CATEGORY: 0.2, names.SUB_CATEGORY: 0.5, names.ARTICLE_TYPE: 0.9, PATH: 0.7}


def drawn(rows, exponents=TRUE):
    """Scores, and labels whose paths are drawn as often as the joint answer with these exponents says."""
    random = np.random.default_rng(3)
    joint = JointAnswer(PATHS, LABELS)
    scores = {level: special.softmax(random.normal(0, 2, (rows, len(LABELS[level]))), axis=1) for level in LEVELS}
    logarithms = joint.logarithms(scores)
    chances = special.softmax(sum(exponents[key] * logs for key, logs in logarithms.items()), axis=1)
    paths = [PATHS[random.choice(len(PATHS), p=row)] for row in chances]
    labels = {
        level: np.array([LABELS[level].index(path.labels[depth]) for path in paths])
        for depth, level in enumerate(LEVELS)
    }
    return joint, scores, labels


def test_finds_the_exponents_that_made_the_paths():
    """Enough rows whose paths follow the formula give its exponents back."""
    assert fit_exponents(*drawn(8000)).exponents == pytest.approx(TRUE, abs=0.12)


def test_rows_of_an_unknown_path_are_left_out():
    """A row whose label training lacks, or whose labels are no known path, says nothing about the exponents."""
    joint, scores, labels = drawn(900)
    fitted = fit_exponents(joint, scores, labels).exponents
    more = {level: np.concatenate([values, values[:200]]) for level, values in scores.items()}
    unknown = {level: np.concatenate([ids, np.full(200, 0)]) for level, ids in labels.items()}
    unknown[names.ARTICLE_TYPE][-100:] = -1
    unknown[names.ARTICLE_TYPE][-200:-100] = LABELS[names.ARTICLE_TYPE].index("Shirts")
    assert fit_exponents(joint, more, unknown).exponents == pytest.approx(fitted)


def test_without_rows_the_exponents_are_those_believed_before():
    """The article type leads, the coarser heads help, and nothing is divided by zero."""
    joint, scores, labels = drawn(1)
    none = ({level: values[:0] for level, values in part.items()} for part in (scores, labels))
    fit = fit_exponents(joint, *none)
    assert fit.exponents == pytest.approx(
        {names.ARTICLE_TYPE: 1, names.SUB_CATEGORY: 0.3, names.MASTER_CATEGORY: 0.3, PATH: 0.5}
    )
    assert fit.curve["log_loss"].isna().all()


def test_the_curve_is_lowest_at_the_fitted_exponent():
    """For each exponent the log loss falls towards the fitted value and rises beyond it; each share is a share."""
    fit = fit_exponents(*drawn(3000))
    for name, curve in fit.curve.groupby("exponent"):
        lowest = curve.loc[curve["log_loss"].idxmin(), "value"]
        assert lowest == pytest.approx(fit.exponents[name], abs=0.11)
    assert fit.curve["all_right"].between(0, 1).all()
    assert set(fit.curve["exponent"]) == {*LEVELS, PATH}


def test_few_right_rows_leave_the_doubt_that_the_heads_have():
    """Sixty right rows promise about one wrong answer in sixty, so what each head is .7 sure of stays unsure."""
    joint = JointAnswer(PATHS, LABELS)
    rows = np.arange(60) % len(PATHS)
    columns = {
        level: np.array([LABELS[level].index(path.labels[depth]) for path in PATHS])
        for depth, level in enumerate(LEVELS)
    }
    labels = {level: of_path[rows] for level, of_path in columns.items()}

    def scores(surety):
        rest = {level: (1 - surety) / (len(LABELS[level]) - 1) for level in LEVELS}
        return {
            level: np.where(np.eye(len(LABELS[level]), dtype=bool)[labels[level]], surety, rest[level])
            for level in LEVELS
        }

    fitted = fit_exponents(joint, scores(0.98), labels).exponents
    assert (1 - joint.answers(scores(0.98), fitted)[1]).sum() == pytest.approx(1, abs=0.2)
    assert joint.answers(scores(0.7), fitted)[1].mean() < 0.75


def test_one_level_alone_is_as_sure_as_its_head():
    """Nothing is combined, so nothing is fitted: the answer's confidence is the head's, which is calibrated."""
    types = LABELS[names.ARTICLE_TYPE]
    joint = JointAnswer([TaxonomyPath((label,), 5) for label in types], {names.ARTICLE_TYPE: types})
    scores = {names.ARTICLE_TYPE: special.softmax(np.random.default_rng(5).normal(0, 2, (300, len(types))), axis=1)}
    labels = {names.ARTICLE_TYPE: np.random.default_rng(6).integers(0, len(types), 300)}
    fit = fit_exponents(joint, scores, labels)
    assert fit.exponents[names.ARTICLE_TYPE] == 1
    assert joint.answers(scores, fit.exponents)[1] == pytest.approx(scores[names.ARTICLE_TYPE].max(axis=1))
