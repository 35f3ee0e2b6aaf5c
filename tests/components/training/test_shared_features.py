"""Two models on one backbone: what the one saw and remembered is enough for the other to answer."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from components.calibration.calibrating import Settings, calibrate
from components.model.backbones import build_backbone
from components.model.nearest_pictures import votes_key
from components.model.signatures import FROM_FEATURES, OUTPUTS, WITH_MEMORY
from components.training import trainer
from components.training.hyperparameters import AS_THEY_ARE, HyperParameters
from components.training.trainer import shared_features
from schema import heads as table
from schema import model_card, names
from schema.product_names import plain
from tests.components.training.test_trainer import SIDE, SPLITS, picture, run, trained

__all__ = ["trained"]

HEADS = [head.name for head in table.of_model(names.CATEGORY)]
FEATURES = (names.FEATURES, names.VOTERS, names.VOTER_WEIGHTS)
PICTURES = [picture(number) for number in (0, 7, 103, 250)]


def category(trained, output, **changes):
    """A category model that starts from the article type model's backbone."""
    parameters = HyperParameters.from_dict({**trained.config["hyperparameters"], "epochs": 2, **changes})
    config = trained.config | {
        "model": names.CATEGORY,
        "heads": HEADS,
        "hyperparameters": parameters.of_training(),
    }
    return run(trained.folder, output, config, trainer.train_classifier, base=str(trained.model))


@pytest.fixture(scope="module")
def sharing(trained):
    """Its heads alone were learnt."""
    return category(trained, "sharing", frozen_to="pool", augmentation=vars(AS_THEY_ARE))


@pytest.fixture(scope="module")
def served(trained, sharing, tmp_path_factory):
    """Both as they are released."""
    folder, models = tmp_path_factory.mktemp("served"), {names.ARTICLE_TYPE: trained.model, names.CATEGORY: sharing}
    for name in models:
        (folder / name).mkdir()
        calibrate(name, models, Settings(0.9, 0.2), folder / name / "model")
    loaded = {name: tf.saved_model.load(str(folder / name / "model")) for name in models}
    return SimpleNamespace(models=loaded, cards={n: model_card.read_file(folder / n / "model") for n in models})


def test_heads_alone_leave_the_features_what_they_are(trained, sharing):
    """Both cards bear one digest, and what the category model says from the other's features is what it says of the
    pictures, votes of the known ones included."""
    digests = {model_card.read_file(path).shared_features for path in (trained.model, sharing)}
    assert len(digests) == 1 and all(digests)
    telling, taking = (tf.saved_model.load(str(path)) for path in (trained.model, sharing))
    told = telling.signatures[WITH_MEMORY](image_bytes=tf.constant(PICTURES))
    found = taking.signatures[FROM_FEATURES](**{key: told[key] for key in FEATURES})
    looked = taking.signatures[OUTPUTS](image_bytes=tf.constant(PICTURES))
    assert set(found) == {*HEADS, *map(votes_key, HEADS)}
    for key, values in found.items():
        np.testing.assert_allclose(values, looked[key], atol=1e-4)


def test_a_backbone_that_learns_on_sees_something_else(trained):
    """Its model takes the features of no other, and the digests tell."""
    learnt = category(trained, "learnt")
    assert model_card.read_file(learnt).shared_features != model_card.read_file(trained.model).shared_features


@pytest.mark.parametrize("knob", [{"neighbours": 2}, {"mirror": False}, {"neighbour_signs": True}, {"width": 20}])
def test_another_memory_is_another_digest(knob):
    """What is nearest, how many are asked and who is known belongs to what is shared, as the backbone does."""
    backbone, parameters = build_backbone("small_cnn", (SIDE, SIDE, 3)), HyperParameters(neighbours=1, mirror=True)
    digest = shared_features(backbone, [["1"], ["2"]], parameters)
    assert digest == shared_features(backbone, [["1"], ["2"]], dataclasses.replace(parameters, epochs=3))
    assert digest != shared_features(backbone, [["1"], ["2"]], dataclasses.replace(parameters, **knob))
    assert digest != shared_features(backbone, [["2"], ["1"]], parameters)


def test_released_models_answer_from_features_as_from_pictures(served):
    """Calibrated scores from the article type's features are those of the picture; a broken one has neither."""
    told = served.models[names.ARTICLE_TYPE].signatures[names.SCORES_WITH_MEMORY](
        image_bytes=tf.constant(PICTURES), name=tf.constant([""] * len(PICTURES))
    )
    features = {key: told[key].numpy() for key in FEATURES}
    features[names.FEATURES][1], features[names.VOTER_WEIGHTS][1] = 0, 0  # as of a broken picture
    taking = served.models[names.CATEGORY].signatures
    found = taking[names.SCORES_FROM_FEATURES](**features, name=tf.constant([""] * len(PICTURES)))
    assert found[names.IMAGE_OK].numpy().tolist() == [True, False, True, True]
    looked = taking[names.SCORES](image_bytes=tf.constant(PICTURES))
    for head in HEADS:
        expected = looked[head].numpy() * np.array([[1], [0], [1], [1]])
        np.testing.assert_allclose(found[head], expected, atol=1e-4)


def test_a_name_counts_as_it_does_beside_a_picture(served):
    """Features with a name give what the picture gives with it."""
    names_of = {"name": tf.constant([plain("Größe 7"), "no word of it", "", plain("Größe")])}
    told = served.models[names.ARTICLE_TYPE].signatures[names.SCORES_WITH_MEMORY](
        image_bytes=tf.constant(PICTURES), **names_of
    )
    taking = served.models[names.CATEGORY].signatures
    found = taking[names.SCORES_FROM_FEATURES](**{key: told[key] for key in FEATURES}, **names_of)
    looked = taking[names.SCORES_WITH_NAME](image_bytes=tf.constant(PICTURES), **names_of)
    assert found.keys() == looked.keys()
    for key, values in found.items():
        np.testing.assert_allclose(np.float32(values), np.float32(looked[key]), atol=1e-4)
    assert any(found[names.NAME_KNOWN].numpy()) and not all(found[names.NAME_KNOWN].numpy())


def test_features_of_nobody_spoil_themselves_alone(served):
    """A server puts calls together, so voters that are nowhere and features that are no numbers leave others alone."""
    told = served.models[names.ARTICLE_TYPE].signatures[names.SCORES_WITH_MEMORY](
        image_bytes=tf.constant(PICTURES), name=tf.constant([""] * len(PICTURES))
    )
    features = {key: told[key].numpy() for key in FEATURES}
    features[names.VOTERS][0], features[names.VOTERS][2], features[names.FEATURES][2] = 10**9, -1, np.nan
    taking, no_names = served.models[names.CATEGORY].signatures, tf.constant([""] * len(PICTURES))
    found = taking[names.SCORES_FROM_FEATURES](**features, name=no_names)
    looked = taking[names.SCORES](image_bytes=tf.constant(PICTURES))
    for head in HEADS:
        np.testing.assert_allclose(found[head][1::2], looked[head][1::2], atol=1e-4)


def test_voters_are_rows_of_train_and_eval(served):
    """The known pictures' order is that of the rows of train and eval, which both models count by."""
    told = served.models[names.ARTICLE_TYPE].signatures[names.SCORES_WITH_MEMORY](
        image_bytes=tf.constant([picture(103)]), name=tf.constant([""])
    )
    rows = [*SPLITS[names.TRAIN], *SPLITS[names.EVAL]]
    assert [rows[row] for row in told[names.VOTERS].numpy()[0]] == [103]
    assert served.cards[names.CATEGORY].height == SIDE
