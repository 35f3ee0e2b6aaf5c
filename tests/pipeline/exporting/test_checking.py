"""An export is held to its release: the same heads, and scores that are numbers and near enough."""

from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.errors import RunError
from pipeline.exporting.checking import check
from tests.tiny_models import picture

SERVED = {"article_type": [0.9, 0.1], "sub_category": [0.2, 0.8]}
RELEASE = SimpleNamespace(version=1, scores=lambda images: ({head: np.array([one]) for head, one in SERVED.items()}, 0))


def checked(**told):
    return check(RELEASE, [picture("red")], lambda file: {head: np.array(one) for head, one in told.items()}, 0.01)


def test_scores_that_are_near_enough_pass():
    """The counterpart of the next test; the largest difference is told."""
    assert checked(**{**SERVED, "sub_category": [0.205, 0.795]}).largest_difference == pytest.approx(0.005)


@pytest.mark.parametrize(
    "told",
    [{"sub_category": [0.3, 0.7]}, {"sub_category": [np.nan, 0.8]}, {"article_type": [np.nan] * 2}, {"more": [1.0]}],
)
def test_an_export_that_tells_otherwise_is_refused(told):
    """So is one whose score is no number, or that tells what the release does not."""
    with pytest.raises(RunError, match=f"the scores of {next(iter(told))} are up to"):
        checked(**{**SERVED, **told})


def test_an_export_that_lost_a_head_is_refused():
    """What is not there is not equal."""
    with pytest.raises(RunError, match="the scores of sub_category are up to nan apart"):
        checked(article_type=SERVED["article_type"])
