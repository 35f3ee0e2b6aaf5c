"""Which rows of a catalogue are probably labelled wrong, by confident learning (Northcutt et al., 2021)."""

from collections import Counter
from collections.abc import Callable, Container, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from cleanlab.count import compute_confident_joint
from cleanlab.filter import find_label_issues

from components.catalogue.splitting.plan import Placed
from components.errors import GateError
from components.evaluation.label_audit.neighbours import Neighbour, nearest
from components.evaluation.label_audit.out_of_fold import NO_FOLD, fold_of_rows, out_of_fold_probabilities
from schema import names


@dataclass(frozen=True)
class Suspect:
    """A row whose label is probably wrong.

    Attributes:
        id: of the row.
        line: of ``styles.csv``.
        name: of the product; empty where the catalogue has none.
        label: as the catalogue says.
        suggested: what its picture looks like to a classifier that has not seen it.
        of_label: how probable that classifier finds the label, 0 … 1.
        of_suggested: and the suggestion.
        neighbours: the rows whose pictures are most like it, the nearest first, with their labels.
    """

    id: str
    line: int
    name: str
    label: str
    suggested: str
    of_label: float
    of_suggested: float
    neighbours: tuple[Neighbour, ...]


@dataclass(frozen=True)
class ClassQuality:
    """What share of a label's rows is probably wrong; too high where two labels look alike.

    Attributes:
        label: of the catalogue.
        rows: that carry it and were judged.
        suspects: of them.
        wrong: estimated share of them that should carry another label: those that surely look like another one's.
        missing: estimated share, of the rows that should carry it, that carry another.
    """

    label: str
    rows: int
    suspects: int
    wrong: float
    missing: float


@dataclass(frozen=True)
class Audit:
    """What an audit found.

    Attributes:
        column: whose labels were audited.
        judged: rows that were.
        unlabelled: rows without a label.
        too_few: label → its rows, of labels with too few to be judged.
        agreement: share of the judged rows of which the classifier says what the catalogue says.
        suspects: the surest first.
        classes: by the estimated number of wrong rows, the most first.
        disagreeing: sets of rows with (nearly) equal pixels and different labels, as (id, label).
        twins: rows of these sets that are no suspects and whose label is not their set's most frequent alone; what is
            said of their labels are shares of the set, and no neighbours are told.
    """

    column: str
    judged: int
    unlabelled: int
    too_few: dict[str, int]
    agreement: float
    suspects: tuple[Suspect, ...]
    classes: tuple[ClassQuality, ...]
    disagreeing: tuple[tuple[tuple[str, str], ...], ...]
    twins: tuple[Suspect, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """All of it, for machines."""
        return asdict(self)


def audit_labels(
    column: str,
    placed: Sequence[Placed],
    alike: Sequence[Sequence[str]],
    features: np.ndarray,
    progress: Callable[[int], object] = lambda folds: None,
) -> Audit:
    """Judges the labels of ``column``.

    Args:
        column: of ``styles.csv``.
        placed: rows with their groups.
        alike: sets of ids that (nearly) equal pixels connect.
        features: float32[N, D], of the pictures of ``placed``.
        progress: called with 1 after each of the folds.

    Raises:
        GateError: fewer than two labels have rows enough to be judged.
    """
    labels = np.array([one.row.cells.get(column, "") for one in placed], str)
    folds = np.full(len(labels), NO_FOLD)
    folds[labels != ""] = fold_of_rows(labels[labels != ""], _groups(placed)[labels != ""])
    judged = np.flatnonzero(folds != NO_FOLD)
    known, truths = np.unique(labels[judged], return_inverse=True)
    too_few = dict(Counter(labels[(folds == NO_FOLD) & (labels != "")].tolist()).most_common())
    if len(known) < 2:
        raise GateError(_nothing_to_tell(column, known, too_few))
    probabilities = out_of_fold_probabilities(features[judged], truths, folds[judged], progress)
    thresholds = _thresholds(truths, probabilities)
    surest = find_label_issues(
        truths,
        probabilities,
        confident_joint=compute_confident_joint(truths, probabilities, thresholds=thresholds),
        filter_by="both",
        return_indices_ranked_by="normalized_margin",
        n_jobs=1,
    )
    by_row = nearest(features, judged[surest])
    sets = _disagreeing(column, placed, alike)
    return Audit(
        column=column,
        judged=len(judged),
        unlabelled=int((labels == "").sum()),
        too_few=too_few,
        agreement=float((probabilities.argmax(axis=1) == truths).mean()),
        suspects=tuple(
            _suspect(placed[judged[index]], labels, truths[index], probabilities[index], known, found, placed)
            for index, found in zip(surest, by_row, strict=True)
        ),
        classes=_classes(truths, probabilities, known, surest),
        disagreeing=sets,
        twins=_twins(sets, placed, {placed[judged[index]].row.id for index in surest}),
    )


def _groups(placed: Sequence[Placed]) -> np.ndarray:
    return np.array([one.group for one in placed], str)


def _nothing_to_tell(column: str, known: np.ndarray, too_few: dict[str, int]) -> str:
    return (
        f"{column}: {len(known)} labels have rows enough to be judged (ten each, of unlike products); "
        f"an audit needs two. With too few: {', '.join(list(too_few)[:5]) or 'none'}"
    )


def _suspect(
    one: Placed,
    labels: np.ndarray,
    truth: int,
    probabilities: np.ndarray,
    known: np.ndarray,
    found: Sequence[tuple[int, float]],
    placed: Sequence[Placed],
) -> Suspect:
    others = np.where(np.arange(len(known)) == truth, -1.0, probabilities)
    suggested = int(others.argmax())
    return Suspect(
        id=one.row.id,
        line=one.row.line,
        name=one.row.cells.get(names.PRODUCT_NAME, ""),
        label=str(known[truth]),
        suggested=str(known[suggested]),
        of_label=float(probabilities[truth]),
        of_suggested=float(probabilities[suggested]),
        neighbours=tuple(Neighbour(placed[row].row.id, str(labels[row]), similarity) for row, similarity in found),
    )


_ROUNDED: Final = 4
_LIKELIER_THAN_NOT: Final = 0.5


def _thresholds(truths: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """float[C]: from which probability on a row counts as surely of that label.

    cleanlab's are the mean confidence of each label's rows. Those of rare labels are so low that whatever is a little
    like one would count as one (19 % of the watches as gifts), so none is below one half.
    """
    labels = range(probabilities.shape[1])
    return np.array([max(_LIKELIER_THAN_NOT, probabilities[truths == label, label].mean()) for label in labels])


def _classes(
    truths: np.ndarray, probabilities: np.ndarray, known: np.ndarray, surest: np.ndarray
) -> tuple[ClassQuality, ...]:
    rows = np.bincount(truths, minlength=len(known))
    suspects = np.bincount(truths[surest], minlength=len(known))
    # Not calibrated: scaled up to all rows, the few sure ones of a label that is hard to tell would speak for the rest.
    joint = compute_confident_joint(
        truths, probabilities, thresholds=_thresholds(truths, probabilities), calibrate=False
    ).astype(float)
    np.fill_diagonal(joint, 0)
    gone, come = joint.sum(axis=1), joint.sum(axis=0)
    found = [
        ClassQuality(
            str(known[index]),
            int(rows[index]),
            int(suspects[index]),
            round(gone[index] / rows[index], _ROUNDED),
            round(come[index] / max(1.0, rows[index] - gone[index] + come[index]), _ROUNDED),
        )
        for index in range(len(known))
    ]
    return tuple(sorted(found, key=lambda one: (-one.wrong * one.rows, one.label)))


def _disagreeing(
    column: str, placed: Sequence[Placed], alike: Sequence[Sequence[str]]
) -> tuple[tuple[tuple[str, str], ...], ...]:
    label_of = {one.row.id: one.row.cells.get(column, "") for one in placed}
    sets = [tuple((row_id, label_of[row_id]) for row_id in members if label_of[row_id]) for members in alike]
    return tuple(members for members in sets if len({label for _, label in members}) > 1)


def _twins(
    sets: Sequence[Sequence[tuple[str, str]]], placed: Sequence[Placed], suspected: Container[str]
) -> tuple[Suspect, ...]:
    rows = {one.row.id: one.row for one in placed}
    found = []
    for members in sets:
        counts = Counter(label for _, label in members)
        for row_id, label in members:
            suggested, count = next(one for one in counts.most_common() if one[0] != label)
            if row_id in suspected or counts[label] > count:
                continue
            shares = counts[label] / len(members), count / len(members)
            row = rows[row_id]
            name = row.cells.get(names.PRODUCT_NAME, "")
            found.append(Suspect(row_id, row.line, name, label, suggested, *shares, ()))
    return tuple(found)
