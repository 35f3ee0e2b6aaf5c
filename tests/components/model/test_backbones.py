"""Backbones: their weights are where they belong, and what is frozen stays as it is."""

import keras
import numpy as np
import pytest

from components.errors import WeightsError
from components.model import backbones
from components.model.classifier import build_classifier, with_mirror
from components.model.layer_names import layer_names
from components.training import hyperparameters

SHAPE = (128, 96, 3)
REFERENCE = {755: 4.36877, 245: 4.18334, 113: 4.08471, 1167: 4.06896, 71: 4.05045, 425: 4.03233, 897: 3.96316}
"""Greatest features of `gradient()`: computed with PyTorch 2.13 from the same file, batch normalisation not folded."""


def gradient():
    """float32[1, 128, 96, 3]: red grows downwards, green to the right, blue along the diagonal."""
    y, x = np.mgrid[0:128, 0:96].astype(np.float32)
    return np.stack([y * 255 / 127, x * 255 / 95, (y + x) % 256], axis=-1)[np.newaxis]


@pytest.fixture(scope="module")
def lite0():
    return backbones.build_backbone("efficientnet_lite0", SHAPE)


def test_features_are_those_of_the_original_network(lite0):
    """The converted, folded network gives the features that PyTorch gives."""
    features = keras.ops.convert_to_numpy(lite0(gradient()))[0]
    np.testing.assert_allclose([features[i] for i in REFERENCE], list(REFERENCE.values()), atol=1e-4)
    assert set(np.argsort(-features)[: len(REFERENCE)]) == set(REFERENCE)
    assert features.mean() == pytest.approx(0.122741, abs=1e-5)
    assert features.std() == pytest.approx(0.475769, abs=1e-5)


def test_frozen_layers_are_those_up_to_the_named_one_and_the_slow_ones(lite0):
    """Everything up to the named layer is frozen, and every depthwise convolution of that size; the rest learns."""
    backbones.freeze(lite0, "block4_add", 5)
    free = {layer.name for layer in lite0.layers if layer.trainable and layer.weights}
    assert "stem_conv" not in free
    assert "block4_project_conv" not in free
    assert {"block5_expand_conv", "block5_depthwise_conv", "top_conv"} <= free
    assert "block8_depthwise_conv" not in free
    backbones.freeze(lite0, "", 0)
    assert all(layer.trainable for layer in lite0.layers)


def test_a_layer_that_is_not_there_is_refused(lite0):
    """A wrong name is an error that lists the right ones."""
    with pytest.raises(ValueError, match="'block99'; efficientnet_lite0 has the layers image, scaling, stem_conv"):
        backbones.freeze(lite0, "block99", 0)


def test_an_unknown_backbone_is_refused():
    """A wrong name is an error that lists the right ones."""
    with pytest.raises(ValueError, match="'resnet'; it must be one of small_cnn, efficientnet_lite0, mobilenet_v2"):
        backbones.build_backbone("resnet", SHAPE)


def test_mobilenet_without_a_network_says_what_to_do(monkeypatch):
    """Where Keras cannot fetch the weights, the error says which they are and what else can be used."""

    def offline(*_, **__):
        raise Exception("URL fetch failure")

    monkeypatch.setattr("keras.src.applications.mobilenet_v2.file_utils.get_file", offline)
    with pytest.raises(WeightsError, match=r"mobilenet_v2: its ImageNet weights cannot be fetched.*efficientnet_lite0"):
        backbones.build_backbone("mobilenet_v2", SHAPE)


def test_a_mirror_image_gets_the_same_answer():
    """With the mirror, a picture and its mirror image get the mean of what each gets alone, in batches of any size."""
    model, _ = build_classifier({"one": 3, "other": 2}, (16, 16, 3), "small_cnn", dropout=0.0)
    mirrored = with_mirror(model)
    images = np.random.default_rng(0).uniform(0, 255, (4, 16, 16, 3)).astype(np.float32)
    plain, flipped = model(images), model(images[:, :, ::-1])
    for batch in (images, images[:1]):
        answer, answer_flipped = mirrored(batch), mirrored(batch[:, :, ::-1])
        for head in ("one", "other"):
            expected = (plain[head] + flipped[head])[: len(batch)] / 2
            np.testing.assert_allclose(answer[head], expected, atol=1e-5)
            np.testing.assert_allclose(answer_flipped[head], expected, atol=1e-5)
    assert not np.allclose(plain["one"], flipped["one"], atol=1e-3)


def test_the_command_line_knows_the_backbones():
    """Hyper-parameters name every backbone there is, without importing any."""
    assert set(hyperparameters.BACKBONES) == set(backbones.BACKBONES)


@pytest.mark.parametrize("name", hyperparameters.BACKBONES)
def test_layers_are_called_what_the_command_line_thinks(name, monkeypatch):
    """The names that settings are held to are those of the network, in its order."""
    fetching = keras.applications.MobileNetV2
    monkeypatch.setattr(keras.applications, "MobileNetV2", lambda **named: fetching(**{**named, "weights": None}))
    assert [layer.name for layer in backbones.build_backbone(name, (32, 32, 3)).layers] == layer_names(name)
