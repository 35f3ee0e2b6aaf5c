"""Drawn pictures of no product: the same ones for all, and each kind what it says."""

import numpy as np
import pytest

from components.catalogue.sample.not_fashion import KINDS, draw_not_fashion


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_pictures_for_all(kind):
    """Figures of two machines are of the same pictures."""
    first, second = (list(draw_not_fashion(kind, 8)) for _ in range(2))
    assert [one.tobytes() for one in first] == [one.tobytes() for one in second]
    assert {(one.mode, one.size) for one in first} == {("RGB", (240, 320))}
    assert len({one.tobytes() for one in first}) > 4


def test_plain_is_plain_and_black_and_white_are_among_it():
    """A picture of one colour has that colour everywhere."""
    pixels = [np.asarray(one) for one in draw_not_fashion("plain colour", 40)]
    assert all((one == one[0, 0]).all() for one in pixels)
    assert {(0, 0, 0), (255, 255, 255)} <= {tuple(one[0, 0].tolist()) for one in pixels}
