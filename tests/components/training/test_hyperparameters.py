"""Knobs: what is set is what is trained with, and nonsense is refused in words."""

import dataclasses

import pytest

from components.training.hyperparameters import HyperParameters


def test_settings_are_read_as_their_type():
    """A value given as text becomes a number where the knob is a number."""
    changed = HyperParameters().with_settings(["epochs=3", "learning_rate=0.01", "loss=crossentropy"])
    assert (changed.epochs, changed.learning_rate, changed.loss) == (3, 0.01, "crossentropy")


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
WRONG_AUGMENTATIONS = ("augmentation.none=1", "augmentation.flip=perhaps", "augmentation.mixup", "augmentation.erase=2")


@pytest.mark.parametrize("setting", [*WRONG, *WRONG_AUGMENTATIONS])
def test_wrong_settings_are_refused(setting):
    """A missing value, a wrong type, an impossible number or an unknown name is an error with the right choice."""
    with pytest.raises(ValueError, match="must be"):
        HyperParameters().with_settings([setting])


def test_survives_json():
    """What travels to the trainer as JSON is what it gets."""
    parameters = HyperParameters().with_settings(["height=96"])
    assert HyperParameters.from_dict(parameters.to_dict()) == parameters
