"""The merged answer over all scores and cards that the merger admits: numbers stay numbers, the answer a path."""

import json
import math
from array import array
from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schema import heads as table
from schema import names
from schema.model_card import MAX_EXPONENT, PATH
from serving.merger.core.merge import LEVELS, Merger, Scores
from serving.merger.core.release import Release, make_release, parse_card
from serving.merger.models.tensors import to_rows
from serving.proto.json_view import as_json
from serving.stubs.tensorflow.core.framework import tensor_pb2, types_pb2
from tests.serving.fake_model_server import make_card

WIDEST = 1.00009
"""Nearly as much over 1 as a model's rounding may be; see serving.merger.models.tensors."""

SCORE = st.one_of(st.floats(0, WIDEST, width=64), st.sampled_from([0.0, 5e-324, 1e-12, 1.0, WIDEST]))
LABEL = st.sampled_from(["a", "b", "c", "d", "e"])
PATHS = st.lists(st.tuples(LABEL, LABEL, LABEL), min_size=1, max_size=8, unique=True)
TOLD = st.sampled_from([LEVELS, LEVELS, LEVELS[1:], (LEVELS[0], LEVELS[2]), LEVELS[2:]])
COUNT = st.one_of(st.integers(1, 100), st.integers(1, 2**31 - 1))
EXPONENT = st.one_of(st.floats(0, 4), st.floats(0, MAX_EXPONENT), st.just(MAX_EXPONENT))
THRESHOLD = st.floats(0, 1)


@st.composite
def releases(draw: st.DrawFn) -> Release:
    """Any taxonomy of any levels, any counts, any exponents and thresholds that a card may have."""
    levels = draw(TOLD)
    paths = {path[-len(levels) :] for path in draw(PATHS)}
    taxonomy = [dict(zip(levels, path, strict=True)) | {"count": draw(COUNT)} for path in sorted(paths)]
    joint = {key: draw(EXPONENT) for key in (*levels, PATH)}
    cards = {}
    for model in table.MODELS:
        document = make_card(model, ["gender"]) | {"taxonomy": taxonomy, "joint": joint, "levels": levels}
        document["heads"] = {
            head: card | {"labels": _labels(head, card, taxonomy), "review_threshold": draw(THRESHOLD)}
            for head, card in document["heads"].items()
            if head in levels or head not in LEVELS
        }
        cards[model] = parse_card(json.dumps(document), model)
    return make_release(1, cards, {})


def _labels(head: str, card: Mapping[str, Any], taxonomy: list[dict[str, Any]]) -> list[str]:
    return sorted({one[head] for one in taxonomy}) if head in LEVELS else list(card["labels"])


@st.composite
def questions(draw: st.DrawFn) -> tuple[Release, Scores]:
    """A release, and scores as they come in from both models or from one of them."""
    release = draw(releases())
    told = [tuple(card.heads) for card in release.cards.values() if set(card.heads) & set(LEVELS)]
    heads = draw(st.sampled_from([tuple(release.heads), *told]))
    return release, {head: _received(draw, len(release.heads[head].labels)) for head in heads}


def _received(draw: st.DrawFn, count: int) -> array:
    values = array("f", draw(st.lists(SCORE, min_size=count, max_size=count)))
    tensor = tensor_pb2.TensorProto(dtype=types_pb2.DT_FLOAT, tensor_content=values.tobytes())
    for size in (1, count):
        tensor.tensor_shape.dim.add(size=size)
    return to_rows(tensor, 1, count)[0]


def _numbers(value: Any, key: str = "") -> Iterator[tuple[str, float]]:
    """Field → number, of every number anywhere in an answer."""
    if isinstance(value, float):
        yield key, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _numbers(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _numbers(inner, key)


@settings(max_examples=200, deadline=None)
@given(questions(), st.integers(1, 50))
def test_numbers_are_finite_and_confidences_shares(question: tuple[Release, Scores], top_k: int) -> None:
    """No score and no card makes a number of the answer infinite, none or, of confidences, outside 0 to 1."""
    release, scores = question
    found = list(_numbers(as_json(Merger(release).merge(scores, top_k))))
    assert all(math.isfinite(value) for _, value in found), found
    assert all(0 <= value <= 1 for key, value in found if key in ("confidence", "threshold")), found


@settings(max_examples=200, deadline=None)
@given(questions(), st.integers(1, 50))
def test_answer_is_a_path_of_the_taxonomy(question: tuple[Release, Scores], top_k: int) -> None:
    """The joint answer and every alternative to it is a path seen in training, as far down as scores reach."""
    release, scores = question
    joint = Merger(release).merge(scores, top_k).joint
    told = release.levels if names.ARTICLE_TYPE in scores else release.levels[:-1]
    known = {path.labels[: len(told)] for path in release.taxonomy}
    listed = [tuple(getattr(one, level) for level in told) for one in (joint, *joint.top_k)]
    assert not any(one.HasField(level) for one in (joint, *joint.top_k) for level in set(LEVELS) - set(told))
    assert set(listed) <= known
    assert listed[0] == listed[1], "the answer is the first of those listed"
    assert len(set(listed)) == len(joint.top_k) == min(top_k, len(known)), "none is listed twice"


@settings(max_examples=200, deadline=None)
@given(questions())
def test_confidences_of_all_paths_add_up_to_one(question: tuple[Release, Scores]) -> None:
    """Over all paths the joint confidences are a distribution, in falling order."""
    release, scores = question
    confidences = [one.confidence for one in Merger(release).merge(scores, 50).joint.top_k]
    assert math.isclose(sum(confidences), 1, abs_tol=1e-5)
    assert confidences == sorted(confidences, reverse=True)


@settings(max_examples=200, deadline=None)
@given(questions())
def test_the_same_question_has_one_answer(question: tuple[Release, Scores]) -> None:
    """An answer rests on its scores alone: not on how many alternatives are listed, nor on what was asked before."""
    release, scores = question
    merger = Merger(release)
    first, second = merger.merge(scores, 1), merger.merge(scores, 50)
    assert (first.path, first.level, first.review) == (second.path, second.level, second.review)
    assert merger.merge(scores, 1) == first
