"""The focal loss and the class weights, against values worked out by hand."""

import keras
import numpy as np
import pytest

from components.training.losses import LabelledAccuracy, SparseCategoricalFocalLoss, class_weights

# softmax of these logits is (0.5, 0.25, 0.25) and (0.9, 0.05, 0.05).
LOGITS = np.log(np.array([[0.5, 0.25, 0.25], [0.9, 0.05, 0.05]], np.float32))


def per_row(labels, **options):
    loss = SparseCategoricalFocalLoss(reduction="none", **options)
    return keras.ops.convert_to_numpy(loss(np.array(labels), LOGITS))


def test_focal_loss_is_the_papers_formula():
    """Each row loses -(1 - p)^gamma log p."""
    expected = [-((1 - 0.25) ** 2) * np.log(0.25), -((1 - 0.9) ** 2) * np.log(0.9)]
    np.testing.assert_allclose(per_row([1, 0], gamma=2.0), expected, rtol=1e-5)


def test_without_gamma_it_is_the_cross_entropy():
    """gamma 0 gives Keras's own sparse categorical cross-entropy."""
    keras_loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="none")
    np.testing.assert_allclose(per_row([2, 1], gamma=0.0), keras_loss(np.array([2, 1]), LOGITS), rtol=1e-5)


def test_alpha_weighs_by_the_true_class():
    """A weight a class multiplies the loss of the rows of that class."""
    weighted = per_row([0, 1], gamma=1.0, alpha=[3.0, 0.5, 1.0])
    np.testing.assert_allclose(weighted, per_row([0, 1], gamma=1.0) * [3.0, 0.5], rtol=1e-5)


def test_rows_without_a_known_label_count_for_nothing():
    """A label of -1 costs nothing and pulls at no weight."""
    assert per_row([-1, 0], gamma=1.0)[0] == 0


def test_gradient_is_finite_where_the_model_is_sure():
    """A row that is already right with certainty does not turn the weights into NaN."""
    import tensorflow as tf

    logits = tf.constant([[80.0, -80.0]])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = SparseCategoricalFocalLoss(gamma=0.5)(np.array([0]), logits)
    assert np.isfinite(tape.gradient(loss, logits).numpy()).all()


def test_loss_survives_saving():
    """A checkpoint with this loss can be loaded: its configuration is complete."""
    loss = SparseCategoricalFocalLoss(gamma=1.5, alpha=[1.0, 2.0, 4.0])
    again = SparseCategoricalFocalLoss.from_config(loss.get_config())
    np.testing.assert_allclose(again(np.array([2, 1]), LOGITS), loss(np.array([2, 1]), LOGITS))


@pytest.mark.parametrize("options", [{"gamma": -1.0}, {"alpha": -0.5}, {"alpha": [[1.0]]}])
def test_nonsense_settings_are_refused(options):
    """A negative gamma or weight, or a matrix of weights, is an error that names the value."""
    with pytest.raises(ValueError, match="must be"):
        SparseCategoricalFocalLoss(**options)


def test_class_weights_balance():
    """Balance 0 leaves classes alike; 1 gives each the same total; the mean row always weighs 1."""
    counts = np.array([90, 9, 1])
    np.testing.assert_allclose(class_weights(counts, 0.0), [1, 1, 1])
    totals = class_weights(counts, 1.0) * counts
    np.testing.assert_allclose(totals, totals[0], rtol=1e-5)
    assert (class_weights(counts, 0.5) * counts).sum() == pytest.approx(counts.sum(), rel=1e-5)


def test_label_smoothing_spreads_its_share_evenly():
    """With ε the label's loss counts 1 - ε and the mean over all classes counts ε: Keras's own on smoothed labels."""
    smoothed = np.full((2, 3), 0.1 / 3, np.float32)
    smoothed[[0, 1], [2, 0]] += 0.9
    expected = -(smoothed * LOGITS).sum(axis=1)  # the logits are log-probabilities already
    np.testing.assert_allclose(per_row([2, 0], gamma=0.0, label_smoothing=0.1), expected, rtol=1e-5)


def test_blends_lose_the_sum_of_their_shares():
    """A row that is part one class and part another loses each class's loss by its share, with weights and gamma."""
    options = {"gamma": 1.5, "alpha": [3.0, 0.5, 1.0], "label_smoothing": 0.1}
    blended = per_row(np.array([[0.7, 0.0, 0.3], [0.0, 1.0, 0.0]], np.float32), **options)
    parts = [per_row([label, 1], **options) for label in (0, 2)]
    np.testing.assert_allclose(blended[0], 0.7 * parts[0][0] + 0.3 * parts[1][0], rtol=1e-5)
    np.testing.assert_allclose(blended[1], parts[0][1], rtol=1e-5)
    assert per_row(np.zeros((2, 3), np.float32), **options).tolist() == [0, 0]


def test_accuracy_is_of_the_rows_that_have_a_label():
    """A row without shares counts neither as right nor as wrong, though its first class has the best logit."""
    shares = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]], np.float32)
    accuracy = LabelledAccuracy()
    accuracy.update_state(shares, LOGITS[[0, 1, 0, 1]])
    assert float(accuracy.result()) == pytest.approx(1 / 2)
