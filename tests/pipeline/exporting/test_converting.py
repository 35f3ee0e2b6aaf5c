"""Models of a release become LiteRT models that say the same: one where they share their features, else one each."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from pipeline.exporting.converting import INPUT, convert
from pipeline.exporting.manifest import make_manifest
from schema import names
from serving.merger.core.release import make_release
from tests.components.training import test_trainer
from tests.components.training.test_shared_features import PICTURES, served, sharing
from tests.components.training.test_trainer import SIDE, Transform, trained

__all__ = ["served", "sharing", "trained"]


@pytest.fixture(scope="module", autouse=True)
def decoding():
    """Lets the stand-in for TensorFlow Transform be a function that is not inlined, as the real one is."""

    class Whole(Transform):
        def transform_features_layer(self):
            return tf.function(self._transform, experimental_attributes={"_noinline": True})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(test_trainer, "Transform", Whole)
        yield


def looks(content):
    """How often a LiteRT model runs a convolution over a picture."""
    return sum(one["op_name"] == "CONV_2D" for one in tf.lite.Interpreter(model_content=content)._get_ops_details())


def test_models_that_share_are_one_that_looks_once(served):
    """Its scores are those of the release's ``scores``, which hear no name, of the heads of both models."""
    models = {name: (served.models[name], served.cards[name]) for name in served.models}
    assert all(card.name_weights and card.shared_features for _, card in models.values())
    alone, both = convert([models[names.ARTICLE_TYPE]]), convert([*models.values()])
    assert looks(both) == looks(alone) > 0
    run = tf.lite.Interpreter(model_content=both).get_signature_runner()
    for picture in PICTURES:
        pixels = np.frombuffer(picture, np.uint8).reshape(1, SIDE, SIDE, 3).astype(np.float32)
        found, told = run(**{INPUT: pixels}), {}
        for model, _ in models.values():
            told |= model.signatures[names.SCORES](image_bytes=tf.constant([picture]))
        assert found.keys() == told.keys() - {names.IMAGE_OK, names.LOOKS}
        for name, values in found.items():
            np.testing.assert_allclose(values, told[name], atol=1e-5)


@pytest.mark.parametrize(
    ("digests", "files"),
    [(("one", "one"), ["models.tflite"]), (("one", "other"), None), (("one", ""), None), (("", ""), None)],
)
def test_what_shares_no_features_has_a_file_each(served, digests, files):
    """Two cards that tell no digest share nothing, whatever else is the same in them."""
    cards = {
        name: replace(card, shared_features=one)
        for (name, card), one in zip(served.cards.items(), digests, strict=True)
    }
    features_from = make_release(1, cards, {}).features_from
    manifest = make_manifest("litert", SimpleNamespace(version=1, manifest={}), cards, features_from)
    told = list(dict.fromkeys(one["file"] for one in manifest["models"].values()))
    assert told == (files or [f"{name}.tflite" for name in cards])
    for name, card in cards.items():
        assert manifest["models"][name]["outputs"].keys() - {names.FAMILIARITY} == card.heads.keys()
