"""The report on a catalogue: what was taken, what was not and why, and what a person should know before training."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from components.catalogue.reading.changes import Change
from components.catalogue.reading.errors import CatalogueError
from components.catalogue.reading.findings import Finding, Reason
from components.catalogue.report.tally import (
    Case,
    Tally,
    by_group,
    commonest_first,
    facts_of,
    tally_groups,
    tally_rows,
)
from components.catalogue.splitting.plan import Plan
from components.catalogue.splitting.splits import SplitBy
from schema import heads as table
from schema import names

REPORT_JSON: Final = "report.json"
REPORT_PAGE: Final = "index.html"
TINY_CLASS_ROWS: Final = 10  # with fewer, a label is right a quarter of the time
EXAMPLES: Final = 1000  # of a finding, and ids of a set of pictures, in the report of a run; `data check` tells all
NAMED_IN_ERROR: Final = 5
FINDINGS: Final = (
    *("rejected", "repaired", "near_duplicates", "disagreeing_duplicates", "disagreeing_names", "blank_images"),
    "straddling_groups",
)
"""What cases are counted of, and listed up to a number."""


@dataclass(frozen=True)
class Leftovers:
    """What the rows themselves do not tell: unused files under ``images/``, unused columns, changes to the sheet.

    ``more_images`` are counted alone.
    """

    images: tuple[str, ...]
    columns: tuple[str, ...]
    changes: tuple[Change, ...] = ()
    more_images: int = 0

    @property
    def count(self) -> int:
        """How many unused files there are."""
        return len(self.images) + self.more_images

    def at_most(self, most: int) -> "Leftovers":
        """The same with so many unused files at most; the others are counted."""
        return Leftovers(self.images[:most], self.columns, self.changes, max(0, self.count - most))


@dataclass(frozen=True)
class Report:
    """What there is to say about a catalogue. Of each finding it has the first cases; ``counts`` has their number.

    Attributes:
        source: the folder or zip.
        fingerprint: of the source.
        rows: considered: those taken and those rejected.
        taken: rows that became examples.
        splits: split → rows.
        split_by: ``hash of group``, ``hash of row``, ``year`` or ``split column``.
        labels: label column → label → split → rows, the commonest label first; of the levels that the catalogue tells.
        rejected: rows that were not taken.
        repaired: what was mended in rows that were.
        images_without_row: files under ``images/`` that no row names.
        ignored_columns: columns of ``styles.csv`` that mean nothing here.
        changes: what was read otherwise than it is written there.
        twins: label column → sets of labels, with their rows, that differ in case, accents or punctuation alone.
        groups: how many groups of rows there are.
        largest_groups: (group, rows, a product name of it).
        near_duplicates: sets of ids that (nearly) equal pixels connect.
        disagreeing_duplicates: those of them whose rows have different article types.
        disagreeing_names: product name → article type → rows, where one name has several types.
        samples: article type → ids of some of its rows, to look at.
        blank_images: ids of pictures that show next to nothing.
        tiny_classes: label column → label → rows, of labels with few rows.
        two_parents: article type → its paths "master / sub" → rows, of types that stand under more than one.
        not_in_training: label column → labels that the training split has no row of.
        straddling_groups: groups that the splits tear apart, so that the test is easier than life.
        counts: finding, an attribute of this class → how many cases of it there are.
        rows_of: finding → how many rows they are about.
        reasons: ``rejected`` or ``repaired`` → reason → rows.
    """

    source: str
    fingerprint: str
    rows: int
    taken: int
    splits: dict[str, int]
    split_by: str
    labels: dict[str, dict[str, dict[str, int]]]
    rejected: tuple[Finding, ...]
    repaired: tuple[Finding, ...]
    images_without_row: tuple[str, ...]
    ignored_columns: tuple[str, ...]
    changes: tuple[Change, ...]
    twins: dict[str, list[dict[str, int]]]
    groups: int
    largest_groups: tuple[tuple[str, int, str], ...]
    near_duplicates: tuple[tuple[str, ...], ...]
    disagreeing_duplicates: tuple[tuple[str, ...], ...]
    disagreeing_names: dict[str, dict[str, int]]
    samples: dict[str, list[str]]
    blank_images: tuple[str, ...]
    tiny_classes: dict[str, dict[str, int]]
    two_parents: dict[str, dict[str, int]]
    not_in_training: dict[str, list[str]]
    straddling_groups: tuple[str, ...]
    counts: dict[str, int]
    rows_of: dict[str, int]
    reasons: dict[str, dict[str, int]]

    def as_json(self) -> dict[str, Any]:
        """The report as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Report":
        """The report that ``as_json`` gave, through JSON and back."""
        restored: dict[str, Any] = {
            key: _tuples(value) if isinstance(value, list) else value for key, value in document.items()
        }
        for key in ("rejected", "repaired"):
            restored[key] = tuple(Finding(**{**one, "reason": Reason(one["reason"])}) for one in document[key])
        restored["changes"] = tuple(map(Change.from_json, document["changes"]))
        return cls(**restored)

    def require_usable(self, max_bad: float) -> None:
        """Refuses a catalogue that should not be trained on.

        Raises:
            CatalogueError: more than the share ``max_bad`` of the rows was rejected, or a split has no rows.
        """
        require_few_rejected(self.rejected, self.rows, self.source, max_bad, self.reasons["rejected"])
        empty = [split for split in names.SPLITS if not self.splits[split]]
        if empty:
            raise CatalogueError(
                f"no rows for {' and '.join(empty)}: {self.taken:,} rows in {self.groups:,} groups were split by "
                f"{self.split_by}; give more products, or a {names.SPLIT_COLUMN} column with {', '.join(names.SPLITS)}"
            )


def require_few_rejected(
    rejected: Sequence[Finding], rows: int, source: str, max_bad: float, reasons: Mapping[str, int] | None = None
) -> None:
    """Refuses a catalogue of which too little is left.

    Args:
        rejected: rows that cannot be taken, at least the first of them.
        rows: all rows.
        source: of the rows, in words.
        max_bad: the share of them that may be rejected.
        reasons: reason → rejected rows, where ``rejected`` may not be all of them.

    Raises:
        CatalogueError: more were.
    """
    reasons = Counter(one.reason.value for one in rejected) if reasons is None else reasons
    count = sum(reasons.values())
    if count > max_bad * rows:
        raise CatalogueError(
            f"{count:,} of {rows:,} rows ({count / rows:.1%}) of {source} "
            f"cannot be taken, and at most {max_bad:.1%} may be: {_worst(reasons, rejected)}. "
            "Mend them, or allow more with --max-bad; `lookbook data check` lists them all"
        )


def _worst(reasons: Mapping[str, int], first: Sequence[Finding]) -> str:
    named = "; ".join(f"line {one.line}, id {one.id!r}: {one.reason.value}" for one in first[:NAMED_IN_ERROR])
    counted = ", ".join(f"{count:,} × {reason}" for reason, count in commonest_first(reasons).items())
    return f"{counted} (first: {named})"


def make_report(source: str, fingerprint: str, plan: Plan, leftovers: Leftovers) -> Report:
    """Tells all that the plan of all rows says, each case of each finding."""
    everything = max(1, len(plan.placed) + len(plan.rejected) + len(plan.repaired))
    tally = tally_rows(plan, everything)
    tally.add(tally_groups(by_group(facts_of(plan.placed)), everything))
    return report_of(source, fingerprint, tally, plan.split_by, leftovers)


def report_of(source: str, fingerprint: str, tally: Tally, by: SplitBy, leftovers: Leftovers) -> Report:
    """Puts what was counted into words that a person looks for."""
    labels = {column: _label_counts(tally, column) for column in table.columns() if _is_told(tally, column)}
    sets = {name: _sets(tally.cases.get(name, ())) for name in ("near_duplicates", "disagreeing_duplicates")}
    names_told = [case.told for case in tally.cases.get("disagreeing_names", ())]
    rejected, taken = tally.counts["rejected"], tally.splits.total()
    return Report(
        source=source,
        fingerprint=fingerprint,
        rows=taken + rejected,
        taken=taken,
        splits={split: tally.splits[split] for split in names.SPLITS},
        split_by=_split_by(tally, by),
        labels=labels,
        rejected=_findings(tally, "rejected"),
        repaired=_findings(tally, "repaired"),
        images_without_row=leftovers.images,
        ignored_columns=leftovers.columns,
        changes=leftovers.changes,
        twins={column: _twins(counts) for column, counts in labels.items()},
        groups=tally.groups,
        largest_groups=tuple((group, -count, name) for count, group, name in tally.largest),
        **sets,
        disagreeing_names={one["name"]: one["article_types"] for one in names_told},
        samples={label: [row_id for _, row_id in keys] for label, keys in sorted(tally.samples.items())},
        blank_images=tuple(case.told["id"] for case in tally.cases.get("blank_images", ())),
        tiny_classes={column: _tiny(counts) for column, counts in labels.items()},
        two_parents=_two_parents(tally),
        not_in_training={
            column: sorted(label for label, counts in of.items() if not counts[names.TRAIN])
            for column, of in labels.items()
        },
        straddling_groups=tuple(case.told["group"] for case in tally.cases.get("straddling_groups", ())),
        counts={name: tally.counts[name] for name in FINDINGS} | {"images_without_row": leftovers.count},
        rows_of={name: tally.weights[name] for name in FINDINGS},
        reasons={finding: _reasons(tally, finding) for finding in ("rejected", "repaired")},
    )


def _split_by(tally: Tally, by: SplitBy) -> str:
    if tally.has_splits:
        return "split column"
    return "year" if by is SplitBy.YEAR else f"hash of {by.value}"


def _is_told(tally: Tally, column: str) -> bool:
    """Every row has a label on a level of the taxonomy, or none has."""
    return column == table.finest().column or any(of == column for of, _, _ in tally.labels)


def _label_counts(tally: Tally, column: str) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(names.SPLITS, 0))
    for (of_column, label, split), rows in tally.labels.items():
        if of_column == column:
            counts[label][split] = rows
    return {label: counts[label] for label in sorted(counts, key=lambda label: (-sum(counts[label].values()), label))}


def _findings(tally: Tally, finding: str) -> tuple[Finding, ...]:
    told = (case.told for case in tally.cases.get(finding, ()))
    return tuple(Finding(**{**one, "reason": Reason(one["reason"])}) for one in told)


def _reasons(tally: Tally, finding: str) -> dict[str, int]:
    return commonest_first({reason: rows for (of, reason), rows in tally.reasons.items() if of == finding})


def _sets(cases: Iterable[Case]) -> tuple[tuple[str, ...], ...]:
    return tuple(sorted(tuple(case.told["ids"]) for case in cases))


def _tiny(counts: dict[str, dict[str, int]]) -> dict[str, int]:
    totals = {label: sum(of.values()) for label, of in counts.items()}
    return {label: total for label, total in totals.items() if total < TINY_CLASS_ROWS}


def _twins(counts: dict[str, dict[str, int]]) -> list[dict[str, int]]:
    """Sets of labels that a person would call one: most likely they are, and each is a class of its own."""
    alike: dict[str, dict[str, int]] = defaultdict(dict)
    for label, of in counts.items():
        alike[_letters(label)][label] = sum(of.values())
    return [labels for labels in alike.values() if len(labels) > 1]


def _letters(label: str) -> str:
    letters = [character for character in unicodedata.normalize("NFKD", label).casefold() if character.isalnum()]
    return "".join(letters) or label


def _two_parents(tally: Tally) -> dict[str, dict[str, int]]:
    paths: dict[str, dict[str, int]] = defaultdict(dict)
    for (label, path), rows in tally.paths.items():
        paths[label][path] = rows
    return {label: commonest_first(of) for label, of in sorted(paths.items()) if len(of) > 1}


def _tuples(value: list[Any]) -> tuple[Any, ...]:
    return tuple(_tuples(item) if isinstance(item, list) else item for item in value)
