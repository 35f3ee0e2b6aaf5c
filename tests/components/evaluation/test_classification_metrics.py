"""The tally gives what scikit-learn gives, however it was put together."""

import numpy as np
import pytest
from sklearn import metrics

from components.evaluation.classification_metrics import ClassificationTally, wilson_interval

LABELS = ["Shirts", "Jeans", "Watches", "Socks", "Belts", "Ties", "Caps"]


@pytest.fixture(scope="module")
def answers():
    rng = np.random.default_rng(3)
    truths = rng.choice(LABELS[:6], 400, p=[0.4, 0.3, 0.15, 0.1, 0.04, 0.01])
    scores = rng.dirichlet(np.full(len(LABELS), 0.3), 400)
    scores[np.arange(400), [LABELS.index(truth) for truth in truths]] += rng.random(400)
    return truths, scores / scores.sum(axis=1, keepdims=True)


def tally_of(truths, scores):
    tally = ClassificationTally()
    for truth, row in zip(truths, scores, strict=True):
        order = np.argsort(-row)
        tally.add(truth, [LABELS[i] for i in order[:5]], row[order[0]])
    return tally


def test_figures_are_those_of_scikit_learn(answers):
    """Top-1, top-5 and macro-F1 over the classes present agree with an independent implementation."""
    truths, scores = answers
    figures = tally_of(truths, scores).figures()
    predictions = np.array(LABELS)[scores.argmax(axis=1)]
    truth_ids = [LABELS.index(truth) for truth in truths]
    assert figures["count"] == 400
    assert figures["top_1"] == pytest.approx(metrics.accuracy_score(truths, predictions))
    top_5 = metrics.top_k_accuracy_score(truth_ids, scores, k=5, labels=range(len(LABELS)))
    assert figures["top_5"] == pytest.approx(top_5)
    present = sorted(set(truths))
    f1 = metrics.f1_score(truths, predictions, labels=present, average="macro", zero_division=0)
    assert figures["macro_f1"] == pytest.approx(f1)


def test_per_class_figures_are_those_of_scikit_learn(answers):
    """Precision and recall of each class agree with an independent implementation."""
    truths, scores = answers
    table = tally_of(truths, scores).per_class().set_index("label")
    predictions = np.array(LABELS)[scores.argmax(axis=1)]
    precision, recall, _, support = metrics.precision_recall_fscore_support(
        truths, predictions, labels=list(table.index), zero_division=0
    )
    np.testing.assert_allclose(table["precision"], precision)
    np.testing.assert_allclose(table["recall"], recall)
    np.testing.assert_array_equal(table["count"], support)


def test_merged_tallies_are_one_tally(answers):
    """Counting in parts, as Beam does, gives what counting at once gives."""
    truths, scores = answers
    whole, parts = tally_of(truths, scores), tally_of(truths[:150], scores[:150])
    parts.merge(tally_of(truths[150:], scores[150:]))
    assert parts.figures() == pytest.approx(whole.figures())


def test_calibration_error_by_hand():
    """Answers given with 0.8 of which half are right are off by 0.3."""
    tally = ClassificationTally()
    for truth in ("Shirts", "Jeans"):
        tally.add(truth, ["Shirts"], 0.8)
    assert tally.figures()["ece"] == pytest.approx(0.3)


def test_saying_the_commonest_label_has_no_skill():
    """A model that always answers the majority class has skill 0, a perfect one 1."""
    lazy, perfect = ClassificationTally(), ClassificationTally()
    for truth in ["Shirts"] * 8 + ["Jeans"] * 2:
        lazy.add(truth, ["Shirts", "Jeans"], 1.0)
        perfect.add(truth, [truth], 1.0)
    assert lazy.figures()["skill"] == pytest.approx(0)
    assert perfect.figures()["skill"] == pytest.approx(1)


def test_nothing_tallied_is_no_number():
    """Without rows there are no figures, rather than zeros that look measured."""
    figures = ClassificationTally().figures()
    assert figures.pop("count") == 0
    assert np.isnan(list(figures.values())).all()


def test_confusion_matrix_and_worst_pairs():
    """Rows are truths, columns predictions; the commonest mistake comes first."""
    tally = ClassificationTally()
    for truth, prediction, count in (("Shirts", "Jeans", 3), ("Jeans", "Shirts", 1), ("Jeans", "Jeans", 5)):
        for _ in range(count):
            tally.add(truth, [prediction], 0.5)
    np.testing.assert_array_equal(tally.confusion_matrix(["Shirts", "Jeans"]), [[0, 3], [1, 5]])
    assert tally.worst_pairs(1) == [("Shirts", "Jeans", 3)]


def test_wilson_interval():
    """Known values of the Wilson interval, and no width below 0 or above 1."""
    assert wilson_interval(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson_interval(0, 10)[0] == 0
    assert wilson_interval(10, 10)[1] == pytest.approx(1)
    assert wilson_interval(0, 0) == (0, 1)


def test_few_rows_are_given_the_benefit_of_the_doubt():
    """Three wrong rows of three leave room for a good model, three hundred of three hundred do not."""
    few, many = ClassificationTally(), ClassificationTally()
    for tally, count in ((few, 3), (many, 300)):
        for row in range(count):
            tally.add("ab"[row % 2], ["c"], 0.9)
    assert few.at_best()["top_1"] == pytest.approx(0.5615, abs=1e-4)
    assert few.at_best()["skill"] > -0.4
    assert many.at_best()["top_1"] < 0.02
    assert many.at_best()["ece"] == pytest.approx(0.9 - 1 / np.sqrt(300))
