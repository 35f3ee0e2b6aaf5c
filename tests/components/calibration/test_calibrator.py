"""From two trained models to two that know how sure they may be."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from components.calibration.calibrating import JOINT_CURVE, Settings, calibrate, fit_head
from components.evaluation.quality_report.analysis import expected_calibration_error
from components.model.calibration import Calibration, combined, logit_offsets
from components.training.eval_outputs import EvalOutputs
from schema import heads as table
from schema import model_card, names
from schema.model_card import ALWAYS_REVIEW, HeadCard, ModelCard
from tests.components.calibration.trained_models import LABELS, TEMPERATURE, eval_outputs, write_trained

ROWS = 3000
SETTINGS = Settings(review_precision=0.9, logit_adjustment=0.0)


@pytest.fixture(scope="module")
def outputs():
    return eval_outputs(ROWS)


@pytest.fixture(scope="module")
def trained(outputs, tmp_path_factory):
    return write_trained(tmp_path_factory.mktemp("trained"), outputs)


@pytest.fixture(scope="module")
def calibrated(trained, tmp_path_factory):
    return calibrate_all(trained, tmp_path_factory.mktemp("calibrated"))


def calibrate_all(trained, folder, settings=SETTINGS):
    paths = {model: folder / model / "Format-Serving" for model in table.MODELS}
    for model, path in paths.items():
        calibrate(model, trained, settings, path)
    return paths


def scores(saved_model, pictures):
    loaded = tf.saved_model.load(str(saved_model))
    answer = loaded.signatures[names.SCORES](image_bytes=tf.constant(pictures))
    return {key: values.numpy() for key, values in answer.items()}


def rows(count):
    return [str(row).encode() for row in range(count)]


@pytest.mark.parametrize("model", table.MODELS)
def test_what_is_served_is_calibrated(model, calibrated, outputs):
    """A model that is too sure of itself is sure as often as it is right when it comes out, by its card and by its
    answers."""
    served, card = scores(calibrated[model], rows(ROWS)), model_card.read_file(calibrated[model])
    for head, description in card.heads.items():
        labels, logits = outputs[model].labels[head], outputs[model].logits[head]
        before, _ = expected_calibration_error(Calibration().scores(logits).numpy(), labels)
        after, _ = expected_calibration_error(served[head], labels)
        assert description.temperature == pytest.approx(TEMPERATURE, rel=0.3)
        assert before > 0.05 > 0.03 > after
        np.testing.assert_allclose(
            served[head], Calibration(description.temperature, description.curvature).scores(logits), atol=1e-6
        )


def test_the_review_threshold_keeps_its_promise_on_what_is_served(calibrated, outputs):
    """At and above the card's threshold the served answers are right as often as was asked for."""
    model = names.ARTICLE_TYPE
    served, head = scores(calibrated[model], rows(ROWS))[model], model_card.read_file(calibrated[model]).heads[model]
    sure = served.max(axis=1) >= head.review_threshold
    share = (served.argmax(axis=1) == outputs[model].labels[model])[sure].mean()
    assert share == pytest.approx(head.review_precision, abs=2 / sure.sum())
    assert 0.9 <= head.review_precision < 0.92
    assert 0 < sure.mean() < 1


def test_another_promise_changes_the_threshold_and_no_answer(trained, calibrated, tmp_path):
    """A stricter review precision asks for a look more often; what the model answers stays as it was."""
    strict = calibrate_all(trained, tmp_path, Settings(0.97, 0.0))
    for model in table.MODELS:
        np.testing.assert_equal(scores(strict[model], rows(9)), scores(calibrated[model], rows(9)))
        was, now = (model_card.read_file(paths[model]).heads for paths in (calibrated, strict))
        assert all(now[head].review_threshold > was[head].review_threshold for head in was)


def test_the_logit_adjustment_is_in_what_is_served(trained, outputs, tmp_path):
    """Rare classes are named more often, by as much as their share in training says."""
    path = calibrate_all(trained, tmp_path, Settings(0.9, 0.5))[names.ARTICLE_TYPE]
    one, head = outputs[names.ARTICLE_TYPE], names.ARTICLE_TYPE
    card = model_card.read_file(path)
    offsets = logit_offsets(one.counts[head], 0.5)
    fitted = Calibration(card.heads[head].temperature, card.heads[head].curvature)
    np.testing.assert_allclose(scores(path, rows(50))[head], fitted.scores(one.logits[head][:50] - offsets), atol=1e-6)
    assert card.training["hyperparameters"] == {"epochs": 3, "review_precision": 0.9, "logit_adjustment": 0.5}


def test_votes_of_known_pictures_are_in_what_is_served(tmp_path):
    """A model that remembers pictures answers with the network's word and theirs, calibrated together."""
    outputs = eval_outputs(200, remembers=True)
    path = calibrate_all(write_trained(tmp_path / "trained", outputs), tmp_path / "out")[names.CATEGORY]
    served, card = scores(path, rows(200)), model_card.read_file(path)
    for head, description in card.heads.items():
        logits = combined(outputs[names.CATEGORY].logits[head], outputs[names.CATEGORY].votes[head], np.float32(0))
        expected = Calibration(description.temperature, description.curvature).scores(logits)
        np.testing.assert_allclose(served[head], expected, atol=1e-6)


def test_it_answers_alike_from_a_session(calibrated):
    """TensorFlow Serving restores variables in a session: every signature answers there as it does when loaded."""
    path = calibrated[names.CATEGORY]
    pictures = [b"3", b"no picture", b"5"]
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        loaded = tf.compat.v1.saved_model.load(session, ["serve"], str(path))
        assert {names.SERVING_DEFAULT, names.SCORES, names.METADATA, names.LABEL_IDS} <= set(loaded.signature_def)
        signature = loaded.signature_def[names.SCORES]
        wanted = {key: tensor.name for key, tensor in signature.outputs.items()}
        found = session.run(wanted, {signature.inputs[names.IMAGE].name: pictures})
    expected = scores(path, pictures)
    assert set(found) == set(expected)
    for key, values in expected.items():
        np.testing.assert_allclose(found[key], values, atol=1e-6)
    assert found[names.IMAGE_OK].tolist() == [True, False, True]
    assert not found[names.SUB_CATEGORY][1].any()


def test_signatures_agree_with_each_other(calibrated):
    """The best labels are those of the scores, the card is the file's, and labels get the ids that training gave."""
    path = calibrated[names.CATEGORY]
    loaded = tf.saved_model.load(str(path))
    best = loaded.signatures[names.SERVING_DEFAULT](image_bytes=tf.constant([b"3", b"?"]))
    full = scores(path, [b"3"])
    for head in (head.name for head in table.of_model(names.CATEGORY)):
        labels = best[names.labels_tensor(head)].numpy()
        assert labels[0, 0].decode() == LABELS[head][full[head][0].argmax()]
        assert set(labels[1]) == {b""}
    answer = loaded.signatures[names.METADATA](keys=tf.constant([names.CARD_KEY, "?"]))[names.METADATA_VALUES].numpy()
    assert ModelCard.from_json(answer[0].decode()) == model_card.read_file(path)
    assert answer[1] == b""
    ids = loaded.signatures[names.LABEL_IDS](**{column: tf.constant(["four"]) for column in table.columns()})
    assert {key: values.numpy().tolist() for key, values in ids.items()} == {
        names.label_id(head.name): [4] for head in table.taxonomy()
    }


def test_both_cards_tell_the_same_exponents(calibrated):
    """Two models make a release only where they agree on the joint answer; the curve lies beside both."""
    cards = [model_card.read_file(path) for path in calibrated.values()]
    assert cards[0].joint == cards[1].joint
    assert set(cards[0].joint.values()) != {1.0}
    for path in calibrated.values():
        assert (path.parent / JOINT_CURVE).is_file()


def test_without_a_row_nothing_is_promised(tmp_path):
    """A catalogue without an eval split still becomes a model; it asks for a look at every answer."""
    path = calibrate_all(write_trained(tmp_path / "trained", empty()), tmp_path / "out")[names.ARTICLE_TYPE]
    head = model_card.read_file(path).heads[names.ARTICLE_TYPE]
    assert (head.temperature, head.curvature) == (1.0, 0.0)
    assert (head.review_threshold, head.review_precision) == (ALWAYS_REVIEW, 0.0)


def empty():
    """What training leaves where eval has no row; one stays in the graph, to be asked about."""
    return {
        model: dataclasses.replace(
            one,
            ids=one.ids[:0],
            labels={head: values[:0] for head, values in one.labels.items()},
            logits={head: values[:0] for head, values in one.logits.items()},
        )
        for model, one in eval_outputs(1).items()
    }


def test_models_of_different_rows_are_refused(outputs, tmp_path):
    """Exponents fitted on rows that do not belong together would be nonsense."""
    category = outputs[names.CATEGORY]
    other = {**outputs, names.CATEGORY: dataclasses.replace(category, ids=category.ids[::-1])}
    trained = write_trained(tmp_path / "trained", other)
    with pytest.raises(ValueError, match=r"article_type and category saw other rows in eval \(3000 and 3000\)"):
        calibrate(names.CATEGORY, trained, SETTINGS, tmp_path / "out" / "Format-Serving")


@pytest.mark.parametrize(("label", "gap"), [(names.UNLABELLED, 5), (names.UNKNOWN_LABEL, 9)])
def test_a_row_without_an_attribute_proves_nothing(label, gap):
    """The review threshold is of the rows that have one; a row whose label training lacks is answered wrong."""
    gaps = np.repeat(np.array([9, 7, 5], np.float32), 4)
    labels = np.repeat([0, label, 0], 4)
    logits = np.stack([gaps, np.zeros(12, np.float32)], axis=1)
    outputs = EvalOutputs(
        ids=np.arange(12).astype(str), labels={"gender": labels}, logits={"gender": logits}, counts={"gender": [3, 1]}
    )
    fitted = fit_head(HeadCard(("Men", "Women"), "gender", None), outputs, "gender", Settings(0.75, 0.0)).card
    assert fitted.review_threshold == pytest.approx(1 / (1 + np.exp(-gap)), abs=1e-6)
    assert fitted.review_precision == 1
