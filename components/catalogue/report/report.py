"""The report on a catalogue: what was taken, what was not and why, and what a person should know before training."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from components.catalogue.reading.changes import Change
from components.catalogue.reading.errors import CatalogueError
from components.catalogue.reading.findings import Finding, Reason
from components.catalogue.splitting.plan import Placed, Plan
from components.catalogue.splitting.splits import SplitBy, straddling_groups
from schema import heads as table
from schema import names

REPORT_JSON: Final = "report.json"
REPORT_PAGE: Final = "index.html"
TINY_CLASS_ROWS: Final = 10  # with fewer, a label is right a quarter of the time
LARGEST_GROUPS: Final = 10
SAMPLES_OF_A_TYPE: Final = 6
NAMED_IN_ERROR: Final = 5


@dataclass(frozen=True)
class Leftovers:
    """What the rows themselves do not tell: unused files under ``images/``, unused columns, changes to the sheet."""

    images: tuple[str, ...]
    columns: tuple[str, ...]
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True)
class Report:
    """What there is to say about a catalogue.

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
        require_few_rejected(self.rejected, self.rows, self.source, max_bad)
        empty = [split for split in names.SPLITS if not self.splits[split]]
        if empty:
            raise CatalogueError(
                f"no rows for {' and '.join(empty)}: {self.taken:,} rows in {self.groups:,} groups were split by "
                f"{self.split_by}; give more products, or a {names.SPLIT_COLUMN} column with {', '.join(names.SPLITS)}"
            )


def require_few_rejected(rejected: Sequence[Finding], rows: int, source: str, max_bad: float) -> None:
    """Refuses a catalogue of which too little is left.

    Raises:
        CatalogueError: more than the share ``max_bad`` of ``rows`` was rejected.
    """
    if len(rejected) > max_bad * rows:
        raise CatalogueError(
            f"{len(rejected):,} of {rows:,} rows ({len(rejected) / rows:.1%}) of {source} "
            f"cannot be taken, and at most {max_bad:.1%} may be: {_worst(rejected)}. "
            "Mend them, or allow more with --max-bad; `lookbook data check` lists them all"
        )


def _worst(rejected: Sequence[Finding]) -> str:
    counts = Counter(finding.reason.value for finding in rejected).most_common()
    first = "; ".join(f"line {one.line}, id {one.id!r}: {one.reason.value}" for one in rejected[:NAMED_IN_ERROR])
    return f"{', '.join(f'{count:,} × {reason}' for reason, count in counts)} (first: {first})"


def make_report(source: str, fingerprint: str, plan: Plan, leftovers: Leftovers) -> Report:
    """Counts what the plan says."""
    placed = plan.placed
    groups = Counter(one.group for one in placed)
    types = {one.row.id: one.row.cells[names.ARTICLE_TYPE_LABEL] for one in placed}
    labels = {column: _label_counts(placed, column) for column in table.columns() if _is_told(placed, column)}
    return Report(
        source=source,
        fingerprint=fingerprint,
        rows=len(placed) + len(plan.rejected),
        taken=len(placed),
        splits={split: sum(one.split == split for one in placed) for split in names.SPLITS},
        split_by=_split_by(plan),
        labels=labels,
        rejected=plan.rejected,
        repaired=plan.repaired,
        images_without_row=leftovers.images,
        ignored_columns=leftovers.columns,
        changes=leftovers.changes,
        twins={column: _twins(counts) for column, counts in labels.items()},
        groups=len(groups),
        largest_groups=_largest(placed, groups),
        near_duplicates=plan.near_duplicates,
        disagreeing_duplicates=tuple(ids for ids in plan.near_duplicates if len({types[one] for one in ids}) > 1),
        disagreeing_names=_disagreeing_names(placed),
        samples=_samples(placed),
        blank_images=plan.blank,
        tiny_classes={column: _tiny(counts) for column, counts in labels.items()},
        two_parents=_two_parents(placed),
        not_in_training={
            column: sorted(label for label, counts in of.items() if not counts.get(names.TRAIN))
            for column, of in labels.items()
        },
        straddling_groups=tuple(straddling_groups([one.split for one in placed], [one.group for one in placed])),
    )


def _split_by(plan: Plan) -> str:
    if any(one.row.split for one in plan.placed):
        return "split column"
    return "year" if plan.split_by is SplitBy.YEAR else f"hash of {plan.split_by.value}"


def _is_told(placed: Sequence[Placed], column: str) -> bool:
    """Every row has a label on a level of the taxonomy, or none has."""
    return column == table.finest().column or any(column in one.row.cells for one in placed)


def _label_counts(placed: Sequence[Placed], column: str) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for one in placed:
        counts[one.row.cells[column]][one.split] += 1
    commonest = sorted(counts, key=lambda label: (-counts[label].total(), label))
    return {label: {split: counts[label][split] for split in names.SPLITS} for label in commonest}


def _largest(placed: Sequence[Placed], groups: Counter[str]) -> tuple[tuple[str, int, str], ...]:
    name_of = {one.group: one.row.cells.get(names.PRODUCT_NAME, "") for one in placed if one.row.id == one.group}
    ranked = sorted(
        ((group, count) for group, count in groups.items() if count > 1), key=lambda item: (-item[1], item[0])
    )
    return tuple((group, count, name_of[group]) for group, count in ranked[:LARGEST_GROUPS])


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


def _disagreeing_names(placed: Sequence[Placed]) -> dict[str, dict[str, int]]:
    types: dict[str, Counter[str]] = defaultdict(Counter)
    for one in placed:
        if name := one.row.cells.get(names.PRODUCT_NAME):
            types[name][one.row.cells[names.ARTICLE_TYPE_LABEL]] += 1
    return {name: dict(of.most_common()) for name, of in sorted(types.items()) if len(of) > 1}


def _samples(placed: Sequence[Placed]) -> dict[str, list[str]]:
    """The ids of a type that are spread over its rows, since neighbours in a sheet tend to look alike."""
    ids: dict[str, list[str]] = defaultdict(list)
    for one in placed:
        ids[one.row.cells[names.ARTICLE_TYPE_LABEL]].append(one.row.id)
    return {label: of[:: -(-len(of) // SAMPLES_OF_A_TYPE)] for label, of in ids.items()}


def _two_parents(placed: Sequence[Placed]) -> dict[str, dict[str, int]]:
    paths: dict[str, Counter[str]] = defaultdict(Counter)
    for one in placed:
        *upper, finest = [one.row.cells.get(column, "") for column in table.columns()]
        paths[finest][" / ".join(filter(None, upper))] += 1
    return {label: dict(of.most_common()) for label, of in sorted(paths.items()) if len(of) > 1}


def _tuples(value: list[Any]) -> tuple[Any, ...]:
    return tuple(_tuples(item) if isinstance(item, list) else item for item in value)
