"""Named sets of hyper-parameters for ``lookbook run --profile``."""

import dataclasses
from collections.abc import Iterable

from components.training.hyperparameters import AS_THEY_ARE, Augmentation, HyperParameters

_FINE_TUNED = HyperParameters(
    backbone="efficientnet_lite0",
    frozen_to="block4_add",
    frozen_depthwise=5,
    height=128,
    width=96,
    loss="crossentropy",
    class_balance=0.0,
    label_smoothing=0.05,
    logit_adjustment=0.2,
    batch_size=64,
    head_epochs=1,
    epochs=10,
    patience=3,
    learning_rate=2e-3,
    backbone_rate=0.25,
    ema=0.99,
    weight_decay=0.02,
    dropout=0.2,
    augmentation=Augmentation(zoom=0.15, erase=0.25, mixup=0.2),
    neighbours=40,
    neighbour_layers="block7_add,block10_add,block14_add",
)

_FROZEN = HyperParameters(
    backbone="efficientnet_lite0",
    frozen_to="top_pool",
    height=128,
    width=96,
    loss="crossentropy",
    class_balance=0.0,
    batch_size=16,
    epochs=12,
    patience=4,
    weight_decay=0.02,
    dropout=0.2,
    augmentation=AS_THEY_ARE,
    neighbours=40,
    neighbour_layers="block7_add,block10_add,block14_add",
)

PROFILES: dict[str, HyperParameters] = {
    "quick": _FROZEN,
    "standard": _FINE_TUNED,
    "best": dataclasses.replace(
        _FINE_TUNED,
        height=160,
        width=120,
        frozen_to="",
        ema=0.999,
        epochs=40,
        patience=8,
        mirror=True,
    ),
}
"""Profile → its hyper-parameters.

``quick``: linear heads on EfficientNet-Lite0 as ImageNet left it, and the nearest pictures. ``lookbook run --data
build/sample``, 2 cores with much else to do, 2026-11-28: 87 s of training for both models, where the small network from
scratch took 141 s on a calmer machine; top-1 1.000 of each head on the 56 test rows (.893 to 1.000).

``standard``: EfficientNet-Lite0, fine-tuned. ``lookbook run --data fashion-product-images-small.zip --split-by row``,
40,047 rows, 2 slow cores, 2026-11-30: 98 minutes of CPU; random test split articleType .921 top-1, .995 top-5, .743
macro-F1; subCategory .977 / .785; masterCategory .996 / .875.

``best``: the same at 160×120, with the mirror image, nothing frozen and 40 epochs. Not yet run to its end, so nothing
is promised; reckoned from what an epoch takes, about 9 hours for ``article_type`` on 2 cores.
"""

_CATEGORY_EPOCHS = {"standard": 3, "best": 10}


def hyperparameters(profile: str, settings: Iterable[str], attributes: Iterable[str]) -> HyperParameters:
    """Those of a profile, with ``name=value`` settings applied.

    With attributes the backbone of the category model, which learns them, learns on: one that was taught types alone
    has learnt to overlook colours.

    Raises:
        ValueError: as :meth:`HyperParameters.with_settings`.
    """
    epochs = _CATEGORY_EPOCHS.get(profile, 0) if any(attributes) else 0
    return dataclasses.replace(PROFILES[profile], category_epochs=epochs).with_settings(settings)
