"""A decision about an answer, and what can be wrong with one."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Final

from schema import heads as table

PICTURES_DIR: Final = "pictures"

CORRECTED: Final = "corrected"
ACCEPTED: Final = "accepted"
UNKNOWN: Final = "unknown"
NEW_LABEL: Final = "new_label"
DECISIONS: Final = (CORRECTED, ACCEPTED, UNKNOWN, NEW_LABEL)
"""Another label of the release; the answer was right; nobody can tell; a label that the release does not have."""

REVIEW: Final = "review"
PAGE: Final = "page"
AUDIT: Final = "audit"
SOURCES: Final = (REVIEW, PAGE, AUDIT)
"""Where it was decided: the review queue, the page's own pictures, a label audit."""

PATH_SEPARATOR: Final = " / "
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_PICTURE: Final = re.compile(rf"{PICTURES_DIR}/([0-9a-f]{{64}})\.[a-z0-9]{{1,5}}")


class CorrectionsError(ValueError):
    """Corrections cannot be read or written."""


@dataclass(frozen=True)
class Correction:
    """One decision of one person about one picture.

    Attributes:
        sha256: of the picture's bytes, in hex; empty where only the product's id is known.
        picture: where it lies, relative to the folder (:func:`picture_name`); empty where it was not kept.
        id: of the product in the catalogue; empty where nobody knows.
        labels: head of the taxonomy → right label, as far as decided; none where the decision is ``unknown``.
        attributes: column of ``styles.csv`` → right label.
        decision: one of :data:`DECISIONS`.
        answered: what the release had answered, from the top down, joined by :data:`PATH_SEPARATOR`.
        by: who decided.
        at: when, in ISO 8601 and UTC; empty where nobody noted it.
        release: that had answered.
        source: one of :data:`SOURCES`.

    Raises:
        CorrectionsError: it says nothing, or something that none of these can be.
    """

    sha256: str = ""
    picture: str = ""
    id: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    decision: str = CORRECTED
    answered: str = ""
    by: str = ""
    at: str = ""
    release: str = ""
    source: str = REVIEW

    def __post_init__(self) -> None:
        for problem in _problems(self):
            raise CorrectionsError(problem)

    @property
    def path(self) -> str:
        """The labels from the top down, as ``answered`` has them."""
        return PATH_SEPARATOR.join(self.labels[head.name] for head in table.taxonomy() if self.labels.get(head.name))

    @property
    def is_label(self) -> bool:
        """Whether it says what the picture is."""
        return self.decision != UNKNOWN


@dataclass(frozen=True)
class LineFault:
    """A row that is no correction.

    Attributes:
        line: of the file, counted from 1, where the row ends.
        detail: why, for a person.
    """

    line: int
    detail: str


@dataclass(frozen=True)
class Corrections:
    """What a file of corrections holds: each row is one of both.

    Attributes:
        taken: in the file's order.
        faults: rows that cannot be taken.
    """

    taken: Sequence[Correction] = ()
    faults: Sequence[LineFault] = ()


def picture_name(sha256: str, extension: str) -> str:
    """Where a picture lies in the folder; ``extension`` without its dot, as ``jpg``."""
    return f"{PICTURES_DIR}/{sha256}.{extension.lower()}"


def now() -> str:
    """This moment, as ``at`` has it."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def level_names() -> tuple[str, ...]:
    """The heads of the taxonomy, from the top down: columns of the list."""
    return tuple(head.name for head in table.taxonomy())


def _problems(one: Correction) -> Iterator[str]:
    found = _PICTURE.fullmatch(one.picture)
    if not (one.sha256 or one.id):
        yield "neither a sha256 nor an id says which picture it is of"
    if one.sha256 and not _SHA256.fullmatch(one.sha256):
        yield f"sha256 is {one.sha256!r}; it must be 64 small hex digits"
    if one.picture and not (found and found[1] == one.sha256):
        yield f"picture is {one.picture!r}; it must be {picture_name(one.sha256 or '<sha256>', '<ext>')}"
    for name, value, allowed in (("decision", one.decision, DECISIONS), ("source", one.source, SOURCES)):
        if value not in allowed:
            yield f"{name} is {value!r}; it must be one of {', '.join(allowed)}"
    if unknown := sorted({*one.labels} - {*level_names()}):
        yield f"there is no level {unknown[0]!r} in the taxonomy; there are {', '.join(level_names())}"
    if one.is_label and not any((*one.labels.values(), *one.attributes.values())):
        yield f"decision is {one.decision!r}, and no label says what is right"
    for text in (one.id, one.answered, one.by, one.release, *one.labels.values(), *one.attributes.values()):
        if any("\ud800" <= letter <= "\udfff" for letter in text):
            yield f"{text!r} holds half of a pair of surrogates, which is no text"
    if one.at and not _is_time(one.at):
        yield f"at is {one.at!r}; it must be a time like 2026-11-29T03:00:00+00:00"


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).tzinfo is not None
    except ValueError:
        return False
