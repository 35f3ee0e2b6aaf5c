"""Every knob of training. Imports nothing heavy: the command line reads it too."""

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from components.model.layer_names import layer_names
from schema.names import NEIGHBOURS_LISTED

LOSSES = ("focal", "crossentropy")
_AUGMENTATION = "augmentation."
_OF_CALIBRATION = ("logit_adjustment", "review_precision")
BACKBONES = ("small_cnn", "efficientnet_lite0", "mobilenet_v2")
"""The names of ``components.model.backbones.BACKBONES``, without what is heavy to import."""

_RANGES: dict[str, tuple[Callable[[float], bool], tuple[str, ...]]] = {
    "at least 16 and at most 2048": (lambda value: 16 <= value <= 2048, ("height", "width")),
    "at least 1 and at most 65536": (lambda value: 1 <= value <= 65536, ("batch_size", "epochs", "patience")),
    "above 0 and at most 10": (lambda value: 0 < value <= 10, ("learning_rate",)),
    "at least 0 and at most 65536": (
        lambda value: 0 <= value <= 65536,
        ("frozen_depthwise", "head_epochs", "category_epochs"),
    ),
    # The merger, which has corrected pictures vote with them, is told of these and of the next one.
    f"at least 0 and at most {NEIGHBOURS_LISTED - 1}": (lambda value: 0 <= value < NEIGHBOURS_LISTED, ("neighbours",)),
    "at least 0 and at most 100": (
        lambda value: 0 <= value <= 100,
        ("gamma", "logit_adjustment", "backbone_rate", "weight_decay"),
    ),
    "at least 0 and at most 4294967295": (lambda value: 0 <= value < 2**32, ("seed",)),
    "at least 0 and below 1": (lambda value: 0 <= value < 1, ("ema", "label_smoothing", "dropout", "warmup")),
    "at least 0 and at most 1": (lambda value: 0 <= value <= 1, ("class_balance",)),
    "above 0 and at most 1": (lambda value: 0 < value <= 1, ("review_precision",)),
}
_MOST_MIXUP = 100
_WORDS = {bool: "true or false", int: "a whole number", float: "a number"}
_SWITCH = {"true": True, "false": False}


@dataclass(frozen=True)
class Augmentation:
    """How far each change may go; 0 or False leaves it out.

    Attributes:
        flip: left-right.
        rotation: of a full turn, either way.
        zoom: of the size, in or out.
        brightness: of the full range, up or down.
        contrast: share by which differences from the mean grow or shrink.
        saturation: share by which colours fade towards grey or deepen.
        erase: share of the pictures in which a rectangle is hidden (Zhong et al., "Random Erasing", 2020).
        mixup: α of the Beta distribution by which two pictures and their labels are blended (Zhang et al., 2018).
    """

    flip: bool = True
    rotation: float = 0.03
    zoom: float = 0.1
    brightness: float = 0.1
    contrast: float = 0.15
    saturation: float = 0.2
    erase: float = 0.0
    mixup: float = 0.0

    def changes(self) -> bool:
        """Whether a picture may look otherwise afterwards."""
        return any(dataclasses.asdict(self).values())


AS_THEY_ARE = Augmentation(flip=False, rotation=0, zoom=0, brightness=0, contrast=0, saturation=0)
"""Changes nothing."""


@dataclass(frozen=True)
class HyperParameters:
    """What a training run is made of. Both models of a release share one set, but for what ``category_epochs`` says.

    Attributes:
        backbone: a name of ``components.model.backbones.BACKBONES``.
        frozen_to: name of the backbone's last layer that keeps its weights, with all before it; empty for none. If that
          is all of it, and the augmentation changes nothing, it is run once a picture, and the heads learn from that.
        frozen_depthwise: depthwise convolutions of that kernel size or more keep their weights; 0 for none.
        height: of the pictures the models see, in pixels.
        width: of the pictures the models see, in pixels.
        loss: ``focal`` or ``crossentropy``.
        gamma: of the focal loss.
        label_smoothing: share of the target spread evenly over all classes (Szegedy et al., 2016, section 7).
        logit_adjustment: τ of ``logit - τ · log(share of the class)``, by which rare classes are named more often (see
          ``components.model.calibration.logit_offsets``); a matter of calibration, as is ``review_precision``.
        class_balance: 0 weighs rows alike, 1 weighs classes alike (see ``components.training.losses.class_weights``).
        head_weights: weight of each head's loss; 1 where none is given.
        batch_size: rows a step.
        head_epochs: passes over the training split before the others, in which the backbone stays as it is.
        epochs: passes over the training split, at most.
        category_epochs: passes in which the category model's backbone, which begins as the article type model's, learns
          on; 0: it stays what it is, so that one look at a picture does for both models.
        patience: epochs without a better eval loss before training stops.
        learning_rate: its peak.
        backbone_rate: learning rate of the backbone as a share of that of the heads.
        ema: share that the moving average of the weights keeps at each step; the average is what is served. 0: none.
        warmup: share of the steps in which the learning rate rises to its peak, before it falls as a cosine.
        weight_decay: of AdamW.
        dropout: before the heads.
        augmentation: changes to the training pictures.
        mirror: whether each answer is that of the picture and of its mirror image together, which costs twice the work.
        neighbours: nearest known pictures that have half the say in each answer (see
          ``components.model.nearest_pictures``); 0: none.
        neighbour_layers: layers of the backbone by which pictures are near, comma-separated; empty: the pooled ones.
        neighbour_signs: whether known pictures are remembered by the signs of their features alone, which makes them
          small enough for a browser.
        review_precision: share that has to be right at or above the shipped review threshold.
        seed: of everything random.
    """

    backbone: str = "small_cnn"
    frozen_to: str = ""
    frozen_depthwise: int = 0
    height: int = 80
    width: int = 60
    loss: str = "focal"
    gamma: float = 1.0
    label_smoothing: float = 0.0
    logit_adjustment: float = 0.0
    class_balance: float = 0.25
    head_weights: dict[str, float] = field(default_factory=dict)
    batch_size: int = 64
    head_epochs: int = 0
    epochs: int = 12
    category_epochs: int = 0
    patience: int = 4
    learning_rate: float = 2e-3
    backbone_rate: float = 1.0
    ema: float = 0.0
    warmup: float = 0.1
    weight_decay: float = 1e-3
    dropout: float = 0.3
    augmentation: Augmentation = field(default_factory=Augmentation)
    mirror: bool = False
    neighbours: int = 0
    neighbour_layers: str = ""
    neighbour_signs: bool = False
    review_precision: float = 0.97
    seed: int = 20

    def __post_init__(self) -> None:
        for name, known in (("loss", LOSSES), ("backbone", BACKBONES)):
            if getattr(self, name) not in known:
                raise ValueError(f"{name} is {getattr(self, name)!r}; it must be one of {', '.join(known)}")
        for words, (is_right, fields) in _RANGES.items():
            for name in fields:
                if not is_right(getattr(self, name)):
                    raise ValueError(f"{name} is {getattr(self, name)}; it must be {words}")
        # A rectangle or a blend is a share; what turns, zooms or lightens by more than all makes no picture.
        for name, value in dataclasses.asdict(self.augmentation).items():
            most = _MOST_MIXUP if name == "mixup" else 1
            if not 0 <= value <= most:
                raise ValueError(f"{_AUGMENTATION}{name} is {value}; it must be at least 0 and at most {most}")
        self._require_layers("frozen_to", [self.frozen_to] if self.frozen_to else [])
        self._require_layers("neighbour_layers", self.neighbour_layer_names())

    def _require_layers(self, knob: str, wanted: Iterable[str]) -> None:
        known = layer_names(self.backbone)
        for name in wanted:
            if name not in known:
                raise ValueError(
                    f"{knob} is {getattr(self, knob)!r}, but {self.backbone} has no layer {name!r}; it must be of "
                    f"{', '.join(known)}"
                )

    def neighbour_layer_names(self) -> list[str]:
        """:attr:`neighbour_layers`, one by one."""
        return [name.strip() for name in self.neighbour_layers.split(",") if name.strip()]

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON values; :meth:`from_dict` reads it back."""
        return dataclasses.asdict(self)

    def of_training(self) -> dict[str, Any]:
        """Those of :meth:`to_dict` that need a training; the rest is calibration's, which changes without one."""
        return {name: value for name, value in self.to_dict().items() if name not in _OF_CALIBRATION}

    def of_calibration(self) -> dict[str, float]:
        """Those of :meth:`to_dict` that a trained model can be calibrated anew by."""
        return {name: getattr(self, name) for name in _OF_CALIBRATION}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> "HyperParameters":
        """Reads what :meth:`to_dict` wrote; a name that is not there has its default.

        Raises:
            TypeError: a name is not a hyper-parameter.
        """
        return cls(**{**values, "augmentation": Augmentation(**values.get("augmentation", {}))})

    def with_settings(self, settings: Iterable[str]) -> "HyperParameters":
        """A copy with ``name=value`` settings applied, each value read as the type of the one it replaces.

        Augmentations are named ``augmentation.<name>``.

        Raises:
            ValueError: a setting is not of that form, or names no number, word or switch of this class.
        """
        own: dict[str, Any] = {}
        changes: dict[str, Any] = {}
        for setting in settings:
            if setting.startswith(_AUGMENTATION):
                changes |= _parse_setting(self.augmentation, setting, _AUGMENTATION)
            else:
                own |= _parse_setting(self, setting, "")
        return dataclasses.replace(self, augmentation=dataclasses.replace(self.augmentation, **changes), **own)


def _parse_setting(target: Any, setting: str, prefix: str) -> dict[str, Any]:
    name, equals, text = setting.removeprefix(prefix).partition("=")
    # By the declared type: a profile may have 0 where any number is right.
    kinds = {one.name: one.type for one in dataclasses.fields(target) if one.type in (bool, int, float, str)}
    if not equals or name not in kinds:
        known = ", ".join(f"{prefix}{key}" for key in kinds)
        raise ValueError(f"setting is {setting!r}; it must be NAME=VALUE with NAME one of {known}")
    kind = kinds[name]
    try:
        return {name: _SWITCH[text.lower()] if kind is bool else kind(text)}
    except (ValueError, KeyError) as error:
        raise ValueError(f"{prefix}{name} is {text!r}; it must be {_WORDS[kind]}") from error
