"""What decisions mean for a catalogue: which rows change, which are new, and what nobody should do unasked."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from enum import Enum
from typing import Final

from components.catalogue.reading.cells import label_of
from components.catalogue.reading.rows import Row
from components.catalogue.reading.source import MAX_IMAGE_BYTES
from pipeline.correcting.offered import Offered
from pipeline.correcting.paths import KnownPaths, PathError
from schema import heads as table
from schema import pictures
from schema.corrections import Correction, CorrectionsError, level_names

PICTURE_LIMITS: Final = pictures.Limits(max_bytes=MAX_IMAGE_BYTES)
ENOUGH_FOR_A_LABEL: Final = 10
"""Pictures of a label that the catalogue does not have, before it joins.

Of ten rows one may be expected in eval and one in test: with fewer nobody would learn whether the label works, and an
audit does not judge it.
"""


class Outcome(str, Enum):
    """What became of a decision; all but the first three changed nothing."""

    CHANGED = "changed"
    ADDED = "added"
    UNCHANGED = "unchanged"
    KEPT_APART = "kept_apart"
    UNKNOWN = "unknown"
    SUPERSEDED = "superseded"
    PEOPLE_DISAGREE = "people_disagree"
    CONTRADICTS_TAXONOMY = "contradicts_taxonomy"
    UNKNOWN_ID = "unknown_id"
    OTHER_PICTURE = "other_picture"
    PICTURE_MISSING = "picture_missing"
    NO_CORRECTION = "no_correction"


MERGED: Final = (Outcome.CHANGED, Outcome.ADDED, Outcome.UNCHANGED)


@dataclass(frozen=True)
class Entry:
    """What became of one decision.

    Attributes:
        outcome: in a word.
        detail: for a person.
        offered: the decision; None for a row that is none.
        where: the file that it stands in.
        row_id: of the catalogue's row that it is about; empty where there is none.
    """

    outcome: Outcome
    detail: str
    offered: Offered | None = None
    where: str = ""
    row_id: str = ""


@dataclass
class Plan:
    """What is to be done.

    Attributes:
        changes: id of a row → column → its new label.
        additions: id of a new row → its cells; with what reads its picture in ``pictures``.
        entries: what became of each decision.
        new_labels: label that is kept apart → how many pictures it has.
    """

    changes: dict[str, dict[str, str]] = field(default_factory=dict)
    additions: dict[str, dict[str, str]] = field(default_factory=dict)
    pictures: dict[str, Callable[[], bytes]] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    new_labels: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class _Vote:
    offered: Offered
    said: Mapping[str, str]  # column → label


class Planner:
    """Weighs decisions against one catalogue.

    Args:
        rows: of the catalogue.
        columns: of its sheet.
        sha256: id → SHA-256 of its picture.
        taken: ids that a new row may not have.
        enough: pictures that a new label needs.
    """

    def __init__(
        self,
        rows: Sequence[Row],
        columns: Collection[str],
        sha256: Mapping[str, str],
        taken: Collection[str],
        enough: int = ENOUGH_FOR_A_LABEL,
    ) -> None:
        self._rows = {row.id: row for row in rows}
        self._columns, self._sha256, self._taken, self._enough = columns, sha256, taken, enough
        self._paths = KnownPaths(rows)
        self._by_picture: dict[str, list[str]] = {}
        for row_id in self._rows:
            self._by_picture.setdefault(sha256.get(row_id, ""), []).append(row_id)

    def plan(self, offered: Sequence[Offered]) -> Plan:
        """What all of these together mean; later ones of a person count for earlier ones."""
        plan = Plan()
        votes: dict[str, list[_Vote]] = {}  # by the id of the row that there is or will be
        for one in offered:
            if not one.correction.is_label:
                plan.entries.append(Entry(Outcome.UNKNOWN, "nobody could tell", one, one.where))
                continue
            try:
                said = self._said(one.correction)
                for row_id in self._rows_of(one, plan):
                    votes.setdefault(row_id, []).append(_Vote(one, said))
            except _Refused as refusal:
                plan.entries.append(Entry(refusal.outcome, str(refusal), one, one.where))
        decided = {row_id: self._agreed(row_id, cast, plan) for row_id, cast in votes.items()}
        self._carry_out({row_id: found for row_id, found in decided.items() if found}, plan)
        plan.pictures = {row_id: read for row_id, read in plan.pictures.items() if row_id in plan.additions}
        return plan

    def _rows_of(self, one: Offered, plan: Plan) -> list[str]:
        """Ids of the rows that a decision is about, or the one that a new row will have."""
        row_id, sha256 = one.correction.id, one.correction.sha256
        if row_id in self._rows:
            if sha256 and self._sha256.get(row_id) != sha256:
                raise _Refused(Outcome.OTHER_PICTURE, f"the catalogue has another picture under the id {row_id!r}")
            return [row_id]
        if sha256 and sha256 in self._by_picture:
            return self._by_picture[sha256]
        if not sha256:
            raise _Refused(Outcome.UNKNOWN_ID, f"no row has the id {row_id!r}, and no picture came with it")
        return [self._new_id(one, plan)]

    def _new_id(self, one: Offered, plan: Plan) -> str:
        """By the picture's content: the same each time, and nobody else's."""
        if one.picture is None:
            raise _Refused(Outcome.PICTURE_MISSING, "the catalogue does not have it, and no file came with it")
        try:
            pictures.read_header(one.picture(), PICTURE_LIMITS)
        except (CorrectionsError, OSError) as error:
            raise _Refused(Outcome.PICTURE_MISSING, str(error)) from error
        except pictures.PictureFault as fault:
            raise _Refused(Outcome.PICTURE_MISSING, f"it is no picture that is taken: {fault.detail}") from fault
        sha256 = one.correction.sha256
        short = f"correction-{sha256[:16]}"
        row_id = f"correction-{sha256}" if short in self._taken else short
        plan.pictures[row_id] = one.picture
        return row_id

    def _said(self, correction: Correction) -> dict[str, str]:
        """Column → label, in the catalogue's spelling."""
        columns = {table.head(head).column: label for head, label in correction.labels.items()}
        columns |= correction.attributes
        said = {column: label_of(label) for column, label in columns.items()}
        if not any(said.values()):
            raise _Refused(Outcome.NO_CORRECTION, f"{next(iter(columns.values()), '')!r} is an empty label's word")
        return {column: self._paths.as_written(column, label) for column, label in said.items() if label}

    def _agreed(self, row_id: str, votes: Sequence[_Vote], plan: Plan) -> tuple[dict[str, str], list[_Vote]]:
        """What people say of one row together; nothing where they do not agree."""
        last: dict[str | int, _Vote] = {}
        for number, vote in enumerate(sorted(votes, key=_when)):
            who = vote.offered.correction.by or number  # nobody knows whether two without a name are one person
            if before := last.pop(who, None):
                detail = f"the same person said {'so' if before.said == vote.said else 'otherwise'} later"
                plan.entries.append(_entry(Outcome.SUPERSEDED, detail, before, row_id))
            last[who] = vote
        said: dict[str, set[str]] = {}
        for vote in last.values():
            for column, label in vote.said.items():
                said.setdefault(column, set()).add(label)
        if disputed := [" or ".join(sorted(labels)) for labels in said.values() if len(labels) > 1]:
            detail = f"people do not agree: {'; '.join(disputed)}; settle it, and leave one of the decisions"
            plan.entries += [_entry(Outcome.PEOPLE_DISAGREE, detail, vote, row_id) for vote in last.values()]
            return {}, []
        return {column: labels.pop() for column, labels in said.items()}, list(last.values())

    def _carry_out(self, decided: Mapping[str, tuple[dict[str, str], list[_Vote]]], plan: Plan) -> None:
        new = {row_id: self._paths.new_labels(said) for row_id, (said, _) in decided.items()}
        counts = Counter(one for labels in new.values() for one in labels.items())
        for row_id, (said, votes) in decided.items():
            if not votes:
                continue
            lacking = [(one, counts[one]) for one in new[row_id].items() if counts[one] < self._enough]
            if lacking:
                plan.new_labels |= Counter({label: count for (_, label), count in lacking})
                words = ", ".join(f"{label!r} has {count} of {self._enough} pictures" for (_, label), count in lacking)
                detail = f"the catalogue does not have this label, and it joins when there are enough: {words}"
                plan.entries += [_entry(Outcome.KEPT_APART, detail, vote, row_id) for vote in votes]
                continue
            outcome, detail = self._apply(row_id, said, bool(new[row_id]), plan)
            plan.entries += [_entry(outcome, detail, vote, row_id) for vote in votes]

    def _apply(self, row_id: str, said: Mapping[str, str], has_new: bool, plan: Plan) -> tuple[Outcome, str]:
        now = self._rows[row_id].cells if row_id in self._rows else {}
        levels = {column: label for column, label in said.items() if column in self._paths.columns}
        others = {column: label for column, label in said.items() if column not in table.columns()}
        left_out = sorted(column for column in others if column not in self._columns)
        try:
            path = self._paths.with_new({**now, **levels}) if has_new else self._whole(levels, now)
        except PathError as error:
            return Outcome.CONTRADICTS_TAXONOMY, str(error)
        wanted = {**path, **{column: label for column, label in others.items() if column in self._columns}}
        note = f"; the catalogue has no column {', '.join(left_out)}" if left_out else ""
        if row_id not in self._rows:
            plan.additions[row_id] = wanted
            return Outcome.ADDED, f"new row {row_id}: {' / '.join(path.values())}{note}"
        changed = {column: label for column, label in wanted.items() if now.get(column) != label}
        if not changed:
            return Outcome.UNCHANGED, f"the catalogue says so{note}"
        plan.changes[row_id] = changed
        words = ", ".join(f"{column}: {now.get(column, '')!r} → {label!r}" for column, label in changed.items())
        return Outcome.CHANGED, words + note

    def _whole(self, levels: Mapping[str, str], now: Mapping[str, str]) -> dict[str, str]:
        if not levels and now:
            return {}  # an attribute alone
        if not levels:
            raise PathError("no level of the taxonomy was decided, which a new row needs")
        return self._paths.complete(levels, now)


class _Refused(Exception):
    def __init__(self, outcome: Outcome, detail: str) -> None:
        super().__init__(detail)
        self.outcome = outcome


def as_merged(entry: Entry) -> Correction:
    """The decision as the catalogue keeps it: by the id of its row, whose picture it has."""
    assert entry.offered  # only decisions are merged
    said = entry.offered.correction.labels
    labels = {head: said[head] for head in level_names() if head in said}  # in one order, to know what is there already
    return replace(entry.offered.correction, id=entry.row_id, picture="", labels=labels)


def _entry(outcome: Outcome, detail: str, vote: _Vote, row_id: str) -> Entry:
    return Entry(outcome, detail, vote.offered, vote.offered.where, row_id)


def _when(vote: _Vote) -> datetime:
    at = vote.offered.correction.at
    return datetime.fromisoformat(at.replace("Z", "+00:00")) if at else datetime.min.replace(tzinfo=timezone.utc)
