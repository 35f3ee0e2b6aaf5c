"""Knobs: what is set is what is trained with, and nonsense is refused in words."""

import dataclasses
import re

import pytest

from components.training.hyperparameters import Augmentation, HyperParameters
from pipeline.profiles import PROFILES, hyperparameters


def test_settings_are_read_as_their_type():
    """A value given as text becomes a number where the knob is a number."""
    changed = HyperParameters().with_settings(["epochs=3", "learning_rate=0.01", "loss=crossentropy"])
    assert (changed.epochs, changed.learning_rate, changed.loss) == (3, 0.01, "crossentropy")


@pytest.mark.parametrize("profile", PROFILES)
def test_every_number_of_every_profile_may_be_set(profile):
    """A profile that has a whole number where any number is right takes one with a point all the same."""
    changed = PROFILES[profile].with_settings(["augmentation.zoom=0.25", "dropout=0.5", "epochs=2"])
    assert (changed.augmentation.zoom, changed.dropout, changed.epochs) == (0.25, 0.5, 2)


def test_augmentations_are_set_by_their_full_name():
    """One change to the pictures can be switched or measured without the others."""
    changed = HyperParameters().with_settings(["augmentation.mixup=0.4", "augmentation.flip=false", "seed=3"])
    assert changed.augmentation == dataclasses.replace(HyperParameters().augmentation, mixup=0.4, flip=False)
    assert changed.seed == 3


WRONG = ("epochs", "epochs=many", "epochs=0", "no_such=1", "augmentation=1", "loss=hinge", "neighbours=-1")
WRONG += (
    "learning_rate=-1",
    "learning_rate=nan",
    "learning_rate=inf",
    "backbone=resnet",
    "warmup=1",
    "gamma=-1",
    "height=8",
)
WRONG += (
    "height=8",
    "weight_decay=-0.1",
    "class_balance=2",
    "backbone_rate=-1",
    "head_epochs=-1",
    "review_precision=0",
)
LARGEST = ("height", "width", "batch_size", "epochs", "patience", "learning_rate", "gamma", "logit_adjustment")
LARGEST += ("head_epochs", "category_epochs", "backbone_rate", "weight_decay", "neighbours", "seed", "frozen_depthwise")
EVERY = [
    field.name for field in dataclasses.fields(HyperParameters) if field.name not in ("augmentation", "head_weights")
]
EVERY += [f"augmentation.{field.name}" for field in dataclasses.fields(Augmentation)]
WRONG_AUGMENTATIONS = ("augmentation.none=1", "augmentation.flip=perhaps", "augmentation.mixup", "augmentation.erase=2")


@pytest.mark.parametrize("setting", [*WRONG, *WRONG_AUGMENTATIONS])
def test_wrong_settings_are_refused(setting):
    """A missing value, a wrong type, an impossible number or an unknown name is an error with the right choice."""
    with pytest.raises(ValueError, match="must be"):
        HyperParameters().with_settings([setting])


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "-1", "", "many", "1e999", "None"])
def test_no_setting_takes_nonsense(name, value):
    """What is no number, has no end or no sense is refused for each setting by its name; layers may be none."""
    if name in ("frozen_to", "neighbour_layers") and not value:
        return
    with pytest.raises(ValueError, match=rf"^{re.escape(name)} is .*must be"):
        HyperParameters().with_settings([f"{name}={value}"])


@pytest.mark.parametrize("name", [*LARGEST, "augmentation.zoom", "augmentation.mixup"])
def test_no_setting_is_without_end(name):
    """A number that no machine could work with is refused before it fills the memory or the year."""
    with pytest.raises(ValueError, match=rf"^{re.escape(name)} is .*at most"):
        HyperParameters().with_settings([f"{name}={10**12}"])


def test_layers_are_those_of_the_backbone():
    """A layer is known by its backbone before that is built, or the error says which there are."""
    chosen = ["backbone=efficientnet_lite0", "frozen_to=block4_add"]
    assert HyperParameters().with_settings([*chosen, "neighbour_layers=block7_add, top_pool"]).frozen_to == "block4_add"
    with pytest.raises(
        ValueError, match=r"frozen_to is 'block4_add', but small_cnn has no layer 'block4_add'.*block3_"
    ):
        HyperParameters().with_settings(chosen[1:])
    with pytest.raises(ValueError, match="frozen_to is 'block4_add', but mobilenet_v2 has no layer 'block4_add'"):
        HyperParameters().with_settings(["backbone=mobilenet_v2", "frozen_to=block4_add"])
    assert (
        HyperParameters().with_settings(["backbone=mobilenet_v2", "frozen_to=block_4_add"]).frozen_to == "block_4_add"
    )
    with pytest.raises(ValueError, match="no layer 'block3_add'"):
        HyperParameters().with_settings([*chosen, "neighbour_layers=block7_add,block3_add"])


def test_survives_json():
    """What travels to the trainer as JSON is what it gets."""
    parameters = HyperParameters().with_settings(["height=96"])
    assert HyperParameters.from_dict(parameters.to_dict()) == parameters


@pytest.mark.parametrize(
    ("profile", "settings", "attributes", "epochs"),
    [
        ("standard", (), (), 0),
        ("standard", (), ("baseColour",), 3),
        ("best", (), ("baseColour",), 10),
        ("quick", (), ("baseColour",), 0),
        ("standard", ("category_epochs=0",), ("baseColour",), 0),
        ("standard", ("category_epochs=2",), (), 2),
    ],
)
def test_attributes_have_the_category_model_s_backbone_learn_on(profile, settings, attributes, epochs):
    """A backbone of types overlooks colours: it learns on where they are asked for, unless somebody says otherwise."""
    assert hyperparameters(profile, settings, attributes).category_epochs == epochs
