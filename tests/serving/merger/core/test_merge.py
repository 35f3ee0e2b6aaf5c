"""The merged answer: always a known path, honest about doubt, whatever the scores."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schema import names
from serving.merger.core.merge import LEVELS, Merger
from serving.proto.lookbook.v1 import classifier_pb2 as pb
from tests.serving.fake_model_server import make_card
from tests.serving.releases_for_tests import certain, release

RELEASE = release(attributes=["gender", "pattern"])
PLAIN = release()
MERGER = Merger(RELEASE)
PATHS = {path.labels for path in RELEASE.taxonomy}
PAIRS = {path[:2] for path in PATHS}
SHOES = {"article_type": "Casual Shoes", "sub_category": "Shoes", "master_category": "Footwear"}


def probabilities(count: int) -> st.SearchStrategy[list[float]]:
    """What a soft-max can give, zeros and ones included."""
    weights = st.lists(st.floats(0, 1), min_size=count, max_size=count).filter(lambda row: sum(row) > 0)
    return weights.map(lambda row: [value / sum(row) for value in row])


ROWS = {head: probabilities(len(card.labels)) for head, card in RELEASE.heads.items()}
BOTH = st.fixed_dictionaries(ROWS)
ONE = st.one_of(st.fixed_dictionaries({head: ROWS[head] for head in card.heads}) for card in RELEASE.cards.values())


@settings(max_examples=100, deadline=None)
@given(BOTH, st.integers(1, 50))
def test_joint_is_a_known_path(scores: dict[str, list[float]], top_k: int) -> None:
    """Whatever the scores: the joint answer is a path of the taxonomy, the listed ones are in order and add up."""
    joint = MERGER.merge(scores, top_k).joint
    listed = [(one.master_category, one.sub_category, one.article_type) for one in joint.top_k]
    assert (joint.master_category, joint.sub_category, joint.article_type) == listed[0]
    assert set(listed) <= PATHS and len(set(listed)) == len(listed) == min(top_k, len(PATHS))
    confidences = [one.confidence for one in joint.top_k]
    assert confidences == sorted(confidences, reverse=True) and joint.confidence == confidences[0]
    assert sum(confidences) <= 1 + 1e-5
    assert top_k < len(PATHS) or sum(confidences) == pytest.approx(1, abs=1e-5)


@settings(max_examples=100, deadline=None)
@given(st.one_of(BOTH, ONE))
def test_answer_is_consistent(scores: dict[str, list[float]]) -> None:
    """Path, level, review and agreement never contradict each other, with one model or two."""
    answer = MERGER.merge(scores)
    joint = [getattr(answer.joint, level) for level in LEVELS]
    assert list(answer.path) == joint[: LEVELS.index(answer.level) + 1]
    assert answer.partial == any(level not in scores for level in LEVELS)
    assert answer.review.needed == bool(answer.review.reasons)
    assert {head for head in LEVELS if answer.HasField(head)} == set(scores) & set(LEVELS)
    assert [one.head for one in answer.attributes] == [head for head in RELEASE.attributes if head in scores]
    codes = {reason.code for reason in answer.review.reasons}
    assert ("incomplete" in codes) == answer.partial == (not answer.agreement.HasField("agree"))
    assert ("models_disagree" in codes) == (answer.agreement.code == "unknown_path")
    unsure = [reason.head for reason in answer.review.reasons if reason.code == "low_confidence"]
    assert (answer.level == "sub_category") == (unsure == ["article_type"] or "article_type" not in scores)
    heads = {level: getattr(answer, level) for level in LEVELS} | {one.head: one for one in answer.attributes}
    for head, row in scores.items():
        assert heads[head].head == head
        assert heads[head].confidence == pytest.approx(max(row), abs=1e-6)


@settings(max_examples=100, deadline=None)
@given(st.one_of(BOTH, ONE), st.integers(1, 50))
def test_attributes_change_nothing_else(scores: dict[str, list[float]], top_k: int) -> None:
    """An attribute stands beside the answer: without it the rest is the same, its review included."""
    answer = MERGER.merge(scores, top_k)
    del answer.attributes[:]
    assert answer == Merger(PLAIN).merge({head: row for head, row in scores.items() if head in LEVELS}, top_k)


@settings(max_examples=100, deadline=None)
@given(BOTH, st.integers(1, 50))
def test_attributes_are_whole_predictions(scores: dict[str, list[float]], top_k: int) -> None:
    """An attribute has its best labels in order, as many as asked for, and a reason of its own when it is unsure."""
    for one in MERGER.merge(scores, top_k).attributes:
        card, row = RELEASE.heads[one.head], scores[one.head]
        assert [best.confidence for best in one.top_k] == pytest.approx(sorted(row, reverse=True)[:top_k], abs=1e-6)
        assert (one.label, one.confidence) == (one.top_k[0].label, one.top_k[0].confidence)
        assert one.HasField("review") == (max(row) < card.review_threshold)


def test_an_unsure_attribute_says_so_itself() -> None:
    """An unsure colour is told where it stands, and sends no answer to a person."""
    scores = certain(RELEASE, **SHOES) | certain(RELEASE, 0.5, gender="Men", pattern="red")
    answer = MERGER.merge(scores)
    gender, pattern = answer.attributes
    assert (answer.review.needed, gender.label, pattern.label) == (False, "Men", "red")
    assert (gender.review.code, gender.review.head, gender.review.threshold) == ("low_confidence", "gender", 0.6)
    assert gender.review.message == "Gender “Men” has confidence 0.50; 0.60 would have been enough."


@given(ONE)
@settings(max_examples=100, deadline=None)
def test_one_model_is_enough_for_a_known_path(scores: dict[str, list[float]]) -> None:
    """With the type alone the path is still whole and known; without it, its upper two levels are."""
    joint = MERGER.merge(scores).joint
    assert (joint.master_category, joint.sub_category) in PAIRS
    assert joint.HasField("article_type") == (names.ARTICLE_TYPE in scores)
    if joint.article_type:
        assert (joint.master_category, joint.sub_category, joint.article_type) in PATHS


def test_sure_and_agreeing() -> None:
    """Two sure models that agree need nobody."""
    answer = MERGER.merge(certain(RELEASE, **SHOES))
    assert list(answer.path) == ["Footwear", "Shoes", "Casual Shoes"]
    assert (answer.level, answer.agreement.agree, answer.review.needed) == ("article_type", True, False)
    assert answer.article_type.label == "Casual Shoes" and answer.article_type.confidence == 0.94
    assert answer.release == "1"


def test_follows_the_formula() -> None:
    """The confidence of the joint answer is P(type)^a P(sub)^b P(master)^c P(path | type)^d, normalised."""
    taxonomy = make_card(names.CATEGORY)["taxonomy"]
    twin = {"article_type": "Watches", "sub_category": "Shoes", "master_category": "Footwear", "count": 300}
    exponents = {"article_type": 1.0, "sub_category": 0.5, "master_category": 0.25, "path": 2.0}
    two_watches = release(taxonomy=[*taxonomy, twin], joint=exponents)
    scores = certain(two_watches, 0.5, article_type="Watches", sub_category="Shoes", master_category="Accessories")
    joint = Merger(two_watches).merge(scores, top_k=50).joint
    counts = {path.labels: path.count for path in two_watches.taxonomy}
    of_watches = sum(count for labels, count in counts.items() if labels[2] == "Watches")

    def weight(labels: tuple[str, str, str]) -> float:
        product = (counts[labels] / of_watches if labels[2] == "Watches" else 1) ** 2.0
        for head, label in zip(LEVELS, labels, strict=True):
            position = two_watches.heads[head].labels.index(label)
            product *= scores[head][position] ** exponents[head]
        return product

    total = sum(map(weight, counts))
    for one in joint.top_k:
        labels = (one.master_category, one.sub_category, one.article_type)
        assert one.confidence == pytest.approx(weight(labels) / total, abs=1e-6)
    assert joint.article_type == "Watches"


def test_backs_off_when_only_the_type_is_unsure() -> None:
    """A type under its threshold leaves the categories usable, and says what would have been enough."""
    scores = certain(RELEASE, **SHOES) | certain(RELEASE, 0.5, article_type="Casual Shoes")
    answer = MERGER.merge(scores)
    assert (list(answer.path), answer.level) == (["Footwear", "Shoes"], "sub_category")
    (reason,) = answer.review.reasons
    assert (reason.code, reason.head) == ("low_confidence", "article_type")
    assert (reason.confidence, reason.threshold) == (0.5, 0.6)
    assert reason.message == "Article type “Casual Shoes” has confidence 0.50; 0.60 would have been enough."


def test_keeps_the_path_when_a_category_is_unsure() -> None:
    """With doubt about a category there is nothing to back off to: the path stays, as a suggestion."""
    scores = certain(RELEASE, **SHOES) | certain(RELEASE, 0.5, sub_category="Shoes")
    answer = MERGER.merge(scores)
    assert answer.level == "article_type" and len(answer.path) == 3
    assert [reason.head for reason in answer.review.reasons] == ["sub_category"]


def test_contradiction_is_told_and_resolved() -> None:
    """Heads that form no known path: the joint answer is one all the same, and a person is asked."""
    scores = certain(RELEASE, 0.97, article_type="Watches") | certain(
        RELEASE, 0.7, sub_category="Shoes", master_category="Footwear"
    )
    answer = MERGER.merge(scores)
    assert answer.agreement.agree is False and answer.agreement.code == "unknown_path"
    assert "Footwear › Shoes › Watches" in answer.agreement.message
    assert "models_disagree" in {reason.code for reason in answer.review.reasons}
    assert answer.sub_category.label == "Shoes", "the raw head is shown as it is"
    assert (answer.joint.master_category, answer.joint.sub_category, answer.joint.article_type) in PATHS


EXPONENTS = {"article_type": 1.0, "sub_category": 0.3, "master_category": 0.3, "path": 0.5}
DOUBTING = Merger(release(joint={**EXPONENTS, "contradiction": 0.2}))
BLIND = Merger(release(joint=EXPONENTS))


@settings(max_examples=100, deadline=None)
@given(st.one_of(BOTH, ONE))
def test_contradiction_lowers_the_confidence(scores: dict[str, list[float]]) -> None:
    """The answer stays, and its confidence falls by what the heads give up for it; a card without it lowers nothing."""
    levels = {head: row for head, row in scores.items() if head in LEVELS}
    doubting, blind = DOUBTING.merge(levels, 50).joint, BLIND.merge(levels, 50).joint
    given_up = 0.0
    for head, row in levels.items():
        given = row[PLAIN.heads[head].labels.index(getattr(blind, head))]
        given_up += math.log((max(row) + 1e-12) / (given + 1e-12))
    for one, before in zip(doubting.top_k, blind.top_k, strict=True):
        assert one.confidence == pytest.approx(before.confidence * math.exp(-0.2 * given_up), abs=2e-6)
        assert [getattr(one, level) for level in LEVELS] == [getattr(before, level) for level in LEVELS]


def test_a_sure_answer_of_one_model_against_a_sure_one_of_the_other_is_not_sure() -> None:
    """What the models contradict each other in is no 94 %, and the reason for the look says what is left."""
    scores = certain(PLAIN, 0.99, article_type="Watches", sub_category="Shoes", master_category="Footwear")
    answer = DOUBTING.merge(scores)
    assert BLIND.merge(scores).joint.confidence > 0.85
    assert answer.joint.confidence < 0.3
    (reason,) = [reason for reason in answer.review.reasons if reason.code == "models_disagree"]
    assert "of the confidence" in reason.message
    agreed = certain(PLAIN, 0.99, **SHOES)
    assert DOUBTING.merge(agreed).joint == BLIND.merge(agreed).joint


def test_certainty_of_one_model_does_not_blind() -> None:
    """A head that gives a label zero does not make the others' logarithms explode."""
    scores = certain(RELEASE, 1.0, article_type="Watches", sub_category="Shoes", master_category="Footwear")
    joint: pb.JointPrediction = MERGER.merge(scores).joint
    assert math.isfinite(joint.confidence) and 0 < joint.confidence <= 1
