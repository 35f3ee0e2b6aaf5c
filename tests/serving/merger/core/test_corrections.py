"""Corrected pictures beside the known ones: who has a say, how much, and that nothing else changes."""

import math
from array import array

import pytest

from schema.corrections import CORRECTED, NEW_LABEL, UNKNOWN, Correction
from serving.merger.core.corrections import Learnt, Overlay, Overlays, Placed, corrected, labels_of
from tests.serving.fake_model_server import MEMORY
from tests.serving.releases_for_tests import release

RELEASE = release(memory=MEMORY, attributes=["pattern"])
SHARE, SHARPNESS, MOST = MEMORY["share"], MEMORY["sharpness"], MEMORY["neighbours"]
DISCOUNTING = release(memory={**MEMORY, "discount": 0.9})
RED = {"article_type": "Tshirts", "sub_category": "Topwear", "master_category": "Apparel"}


def at(similarity: float) -> array:
    """An embedding of that similarity to :data:`HERE`."""
    return array("f", [similarity, math.sqrt(1 - similarity**2)])


HERE = at(1.0)


def placed(*nearest: float) -> Placed:
    return Placed(HERE, array("f", nearest))


def learnt(similarity: float, label: int = 0, head: str = "article_type") -> Learnt:
    return Learnt(at(similarity), {head: label})


def test_they_weigh_as_known_pictures_do() -> None:
    """Each of the nearest four, known or corrected, has e^(30 s); what is corrected among that is their share."""
    say = Overlay(RELEASE, 7, [learnt(0.9, 1), learnt(0.8, 2), learnt(0.1, 3)]).say(placed(0.85, 0.7, 0.6, 0.5))
    one, two = math.exp(SHARPNESS * 0.9), math.exp(SHARPNESS * 0.8)
    total = one + math.exp(SHARPNESS * 0.85) + two + math.exp(SHARPNESS * 0.7)
    assert say.version == 7
    assert say.share == pytest.approx(SHARE * (one + two) / total, rel=1e-5)
    assert say.votes == {"article_type": {1: pytest.approx(SHARE * one / total), 2: pytest.approx(SHARE * two / total)}}


def test_the_next_ones_weight_comes_off() -> None:
    """Where the card says so, each weighs less by a share of what the nearest of those weighs that have no vote."""
    told = [math.exp(SHARPNESS * one) for one in (0.9, 0.85, 0.8, 0.7, 0.6)]
    one, known, two, other = (weight - 0.9 * told[4] for weight in told[:4])
    total = one + known + two + other
    corrections = [learnt(0.9, 1), learnt(0.8, 2), learnt(0.1, 3)]
    say = Overlay(DISCOUNTING, 7, corrections).say(placed(0.85, 0.7, 0.6, 0.5))
    assert say.votes == {"article_type": {1: pytest.approx(SHARE * one / total), 2: pytest.approx(SHARE * two / total)}}
    next_is_corrected = Overlay(DISCOUNTING, 7, [learnt(0.9, 1), learnt(0.6, 3)]).say(placed(0.85, 0.8, 0.7))
    assert next_is_corrected.votes["article_type"][1] == pytest.approx(SHARE * one / total)
    few = Overlay(DISCOUNTING, 7, [learnt(0.9, 1)]).say(placed(0.85, 0.8, 0.7))
    assert few.share == pytest.approx(SHARE * told[0] / sum(told[:4])), "there is no next one"


def test_it_is_no_matter_who_comes_in_last() -> None:
    """A corrected picture that a hair's breadth moves in or out of those that vote hardly changes the answer."""
    known = (0.85, 0.84, 0.83, 0.82)
    inside, outside = (
        Overlay(release(memory={**MEMORY, "discount": 0.999}), 7, [learnt(0.9, 1), learnt(last, 2)]).say(placed(*known))
        for last in (0.83 + 1e-6, 0.83 - 1e-6)
    )
    votes = [say.votes["article_type"] for say in (inside, outside)]
    assert [2 in one for one in votes] == [True, False]
    assert votes[0][1] == pytest.approx(votes[1][1], abs=1e-3)
    assert votes[0][2] < 1e-3


def test_they_are_silent_unless_one_is_the_nearest() -> None:
    """A known picture that is nearer is what the answer goes by, and the scores are the very same object."""
    overlay = Overlay(RELEASE, 7, [learnt(0.9)])
    assert overlay.say(placed(0.91, 0.2)).share == 0
    assert overlay.say(placed(0.89, 0.2)).share > 0.4
    row = array("f", [0.25, 0.75])
    assert corrected(row, overlay.say(placed(0.91)).votes.get("article_type", {})) is row


def test_no_more_have_a_say_than_are_asked() -> None:
    """However many are decided about, the nearest few vote, and together they have no more than the card's share."""
    say = Overlay(RELEASE, 1, [learnt(0.9 - 0.01 * i, i) for i in range(50)]).say(placed(0.1))
    assert set(say.votes["article_type"]) == set(range(MOST))
    assert say.share == pytest.approx(SHARE)


def test_what_has_no_label_of_a_head_leaves_it_alone() -> None:
    """Probabilities still add up to 1, and a head that nobody decided about keeps its own."""
    say = Overlay(RELEASE, 1, [learnt(0.9, 1), learnt(0.9, 0, "pattern")]).say(placed(0.2))
    row = corrected([0.7, 0.2, 0.1], say.votes["article_type"])
    assert sum(row) == pytest.approx(1)
    assert row[1] == pytest.approx(SHARE / 2 + (1 - SHARE / 2) * 0.2, rel=1e-3)
    assert corrected([0.5, 0.5], say.votes.get("gender", {})) == [0.5, 0.5]


def test_labels_that_the_release_knows() -> None:
    """Levels and attributes by their columns; a new label, and one of another release, wait for a training."""
    picture = {"sha256": "0" * 64}
    pattern = RELEASE.heads["pattern"].labels[1]
    said = Correction(**picture, labels=RED, attributes={"pattern": pattern, "fit": "slim"}, decision=CORRECTED)
    assert {head: RELEASE.heads[head].labels[i] for head, i in labels_of(said, RELEASE).items()} == {
        **RED, "pattern": pattern,
    }  # fmt: skip
    assert labels_of(Correction(**picture, decision=UNKNOWN), RELEASE) == {}
    for labels in ({**RED, "article_type": "Clogs"}, {"sub_category": "Topwear"}):
        assert labels_of(Correction(**picture, labels=labels, decision=NEW_LABEL), RELEASE) == {}


def test_an_overlay_is_of_one_release() -> None:
    """Embeddings of one release say nothing about pictures of another, even of an equal one made anew."""
    overlays = Overlays(Overlay(RELEASE, 1, [learnt(1.0)]))
    assert overlays.of(RELEASE) is overlays.current
    assert overlays.of(release(memory=MEMORY, attributes=["pattern"])) is None
    assert Overlays().of(RELEASE) is None
