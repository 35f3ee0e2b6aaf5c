"""Named sets of hyper-parameters for ``lookbook run --profile``."""

from components.hyperparameters import HyperParameters

PROFILES: dict[str, HyperParameters] = {
    # The drawn sample of about 600 pictures, and continuous integration: about a minute a model on 2 cores.
    "quick": HyperParameters(epochs=24, patience=10, batch_size=16),
    # A real catalogue of some 40,000 pictures.
    "standard": HyperParameters(epochs=4),
}
