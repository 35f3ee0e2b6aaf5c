"""What every training here begins with."""

import keras
import pytest


@pytest.fixture(autouse=True)
def _seed() -> None:
    """A test that judges what was learnt begins with the same weights in every run."""
    keras.utils.set_random_seed(0)
