"""What an audit says of a release: of its errors on the test split, how many the labels are to blame for."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from components.evaluation.label_audit.audit import Audit


@dataclass(frozen=True)
class OwnError:
    """A test row on which the release contradicts the catalogue.

    Attributes:
        id: of the row.
        label: of the catalogue.
        answered: by the release.
        suggested: by the audit, where it suspects the label; else empty.
    """

    id: str
    label: str
    answered: str
    suggested: str


@dataclass(frozen=True)
class Summary:
    """An audit in the light of a release.

    Attributes:
        release: its version.
        column: whose labels were audited.
        judged: rows whose label was.
        suspects: of them.
        disagreeing: sets of (nearly) equal pictures with different labels.
        tested: test rows that the release was asked about, whose label the audit judged.
        wrong: of them, those on which it contradicts the catalogue.
        blamed: of these, those whose label is suspected.
        agreed: of these, those of which release and audit say the same.
        errors: the wrong ones, those that are blamed on labels first.
    """

    release: int
    column: str
    judged: int
    suspects: int
    disagreeing: int
    tested: int
    wrong: int
    blamed: int
    agreed: int
    errors: tuple[OwnError, ...]

    def as_json(self) -> dict[str, Any]:
        """For machines, and for the card."""
        return asdict(self)


def blame(audit: Audit, release: int, labels: Mapping[str, str], answers: Mapping[str, str]) -> Summary:
    """Holds the answers of a release against the suspects of an audit.

    Args:
        audit: of the catalogue that the release learnt from.
        release: its version.
        labels: id → label, of the test rows.
        answers: id → what the release says, of the same rows.
    """
    suggested = {one.id: one.suggested for one in audit.suspects}
    judged = [row for row, label in labels.items() if label and label not in audit.too_few]
    errors = [
        OwnError(row, labels[row], answers[row], suggested.get(row, ""))
        for row in judged
        if answers[row] != labels[row]
    ]
    blamed = [one for one in errors if one.suggested]
    return Summary(
        release=release,
        column=audit.column,
        judged=audit.judged,
        suspects=len(audit.suspects),
        disagreeing=len(audit.disagreeing),
        tested=len(judged),
        wrong=len(errors),
        blamed=len(blamed),
        agreed=sum(one.answered == one.suggested for one in blamed),
        errors=_blamed_first(errors),
    )


def _blamed_first(errors: Sequence[OwnError]) -> tuple[OwnError, ...]:
    return tuple(sorted(errors, key=lambda one: (not one.suggested, one.id)))
