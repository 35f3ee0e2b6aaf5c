"""What a person decided about a card → the correction that is kept. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

from schema.corrections import (
    ACCEPTED,
    CORRECTED,
    DECISIONS,
    NEW_LABEL,
    PATH_SEPARATOR,
    REVIEW,
    Correction,
    level_names,
    now,
    picture_name,
)
from serving.merger.core.errors import InvalidRequest
from serving.merger.core.merge import DEEPEST, LEVELS
from serving.merger.core.release import Release
from serving.merger.review.records import Card
from serving.proto.lookbook.v1 import classifier_pb2 as pb

LONGEST_LABEL: Final = 100
LONGEST_NAME: Final = 60

Labels = Mapping[str, str]


def judge(card: Card, request: pb.ReviewDecisionRequest, release: Release | None, by: str) -> Correction:
    """The correction that a decision amounts to; to correct an answer to what was answered is to accept it.

    Args:
        card: that it is about.
        request: what was decided.
        release: that answers now; None where it is not needed (:func:`needs_release`).
        by: who decided.

    Raises:
        InvalidRequest: it says too much, too little, or what the release does not know.
    """
    given = {level: text for level in LEVELS if (text := getattr(request, level).strip())}
    attributes = {one.column: one.label for one in request.attributes}
    decision, labels = request.decision, _labels(card, request.decision, given, release)
    if attributes:
        _require_attributes(decision, attributes, release)
    if decision == CORRECTED and not attributes and labels == _answered(card):
        decision = ACCEPTED
    return Correction(
        sha256=card.sha256,
        picture=picture_name(card.sha256, card.extension),
        labels=labels,
        attributes=attributes,
        decision=decision,
        answered=PATH_SEPARATOR.join(card.answer["path"]),
        by=by,
        at=now(),
        release=card.release,
        source=REVIEW,
    )


def whose(name: str, caller: str, *, has_keys: bool) -> str:
    """Who decides: what a person calls themselves is no proof, so the API key that was used stands beside it.

    Args:
        name: as the person typed it; empty: they did not say.
        caller: name of the API key, or the address.
        has_keys: whether callers have API keys. An address says nothing of a person, and may change in between.

    Raises:
        InvalidRequest: it is no name.
    """
    name = name.strip()
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidRequest(f"name is {name[:60]!r}; it must be one line of at most {LONGEST_NAME} characters.")
    if not name:
        return caller
    return f"{name} ({caller})" if has_keys else name


def needs_release(request: pb.ReviewDecisionRequest) -> bool:
    """Whether the labels of the release that answers now are needed to judge it."""
    return request.decision in (CORRECTED, NEW_LABEL) or bool(request.attributes)


def _labels(card: Card, decision: str, given: Labels, release: Release | None) -> Labels:
    if decision not in DECISIONS:
        raise InvalidRequest(f"decision is {decision[:60]!r}; it must be one of {', '.join(DECISIONS)}.")
    if decision in (CORRECTED, NEW_LABEL):
        if DEEPEST not in given:
            raise InvalidRequest(f"decision is {decision!r}, and no {DEEPEST} says what is right.")
        assert release is not None
        return _known(given, release) if decision == CORRECTED else _new(given, release)
    if given:
        raise InvalidRequest(f"decision is {decision!r}, which takes no labels; to change them it is {CORRECTED!r}.")
    if decision != ACCEPTED:
        return {}
    labels = _answered(card)
    if DEEPEST not in labels:
        raise InvalidRequest(f"No {DEEPEST} was answered, since one model was away; choose the right one.")
    return labels


def _answered(card: Card) -> Labels:
    joint = card.answer["joint"]
    return {level: joint[level] for level in level_names() if joint[level]}


def _known(given: Labels, release: Release) -> Labels:
    paths = [dict(zip(release.levels, path.labels, strict=True)) for path in release.taxonomy]
    found = [path for path in paths if all(path.get(level) == text for level, text in given.items())]
    said = _joined([given[level] for level in LEVELS if level in given])
    if not found:
        raise InvalidRequest(f"Release {release.version} does not know {said}; for a label of your own, {NEW_LABEL!r}.")
    if len(found) > 1:
        every = "; ".join(_joined(list(path.values())) for path in found[:5])
        raise InvalidRequest(f"{said} may be any of {every}; name the levels above it too.")
    return found[0]


def _new(given: Labels, release: Release) -> Labels:
    label = given[DEEPEST]
    for text in given.values():
        if len(text) > LONGEST_LABEL or not text.isprintable():
            raise InvalidRequest(
                f"A label is {text[:60]!r}; it must be one line of at most {LONGEST_LABEL} characters."
            )
    if label in {path.labels[-1] for path in release.taxonomy}:
        raise InvalidRequest(f"Release {release.version} knows {label!r}; to choose it, the decision is {CORRECTED!r}.")
    return given


def _require_attributes(decision: str, attributes: Labels, release: Release | None) -> None:
    assert release is not None
    known = {release.heads[name].column: release.heads[name].labels for name in release.attributes}
    if decision not in (CORRECTED, NEW_LABEL):
        raise InvalidRequest(f"decision is {decision!r}, which takes no attributes.")
    for column, label in attributes.items():
        if label not in known.get(column, ()):
            raise InvalidRequest(f"Release {release.version} knows no {column[:60]} {label[:60]!r}.")


def _joined(labels: Sequence[str]) -> str:
    return repr(PATH_SEPARATOR.join(labels)[:200])
