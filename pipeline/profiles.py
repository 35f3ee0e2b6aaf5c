"""Named sets of hyper-parameters for ``lookbook run --profile``."""

from components.hyperparameters import Augmentation, HyperParameters

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
    category_epochs=4,
    patience=3,
    learning_rate=2e-3,
    backbone_rate=0.25,
    ema=0.99,
    weight_decay=0.02,
    dropout=0.2,
    augmentation=Augmentation(rotation=0.02, zoom=0.1, brightness=0.05, contrast=0.1, saturation=0.1),
)

PROFILES: dict[str, HyperParameters] = {
    # The drawn sample of about 600 pictures, and continuous integration: about a minute a model on 2 cores.
    "quick": HyperParameters(epochs=24, patience=10, batch_size=16),
    # A real catalogue of some 40,000 pictures.
    "standard": _FINE_TUNED,
}
