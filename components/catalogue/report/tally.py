"""What the report says, in parts that add up: counts of all rows, and of each finding the first cases.

Rows are counted where they are. What is true of a whole group (its size, the splits it is in, the article types of its
pictures and names) is counted where the rows of the group meet; rows that are alone in theirs need not go there.
"""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from operator import attrgetter
from typing import Any, Final, NamedTuple

from components.catalogue.splitting.plan import Placed, Plan, in_order
from schema import heads as table
from schema import names

LARGEST_GROUPS: Final = 10
SAMPLES_OF_A_TYPE: Final = 6


class Case(NamedTuple):
    """One case of a finding.

    Attributes:
        finding: its name: the attribute of ``Report`` that lists it.
        rank: cases of a lower one are told first; no two cases of a finding have the same.
        told: the particulars, as JSON.
        weight: rows that it is about.
    """

    finding: str
    rank: tuple[Any, ...]
    told: dict[str, Any]
    weight: int = 1


class Fact(NamedTuple):
    """What the rest of its group must know of a row."""

    group: str
    id: str
    split: str
    article_type: str
    name: str
    alike: str


@dataclass
class Tally:
    """Sums over some rows or groups.

    Attributes:
        most: cases of a finding that are kept; the others are counted.
        splits: split → rows.
        labels: (label column, label, split) → rows.
        paths: (article type, "master / sub") → rows.
        reasons: (finding, reason) → rows.
        counts: finding → cases.
        weights: finding → rows that its cases are about.
        cases: finding → its first cases.
        samples: article type → the first rows of it, as they are ordered for training.
        groups: groups.
        largest: (-rows, group, a product name of it) of the largest groups.
        has_splits: whether a row says its split itself.
    """

    most: int
    splits: Counter[str] = field(default_factory=Counter)
    labels: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    paths: Counter[tuple[str, str]] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    weights: Counter[str] = field(default_factory=Counter)
    cases: dict[str, list[Case]] = field(default_factory=dict)
    samples: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    groups: int = 0
    largest: list[tuple[int, str, str]] = field(default_factory=list)
    has_splits: bool = False

    def note(self, cases: Iterable[Case]) -> None:
        """Counts cases, and keeps the first."""
        noted: dict[str, list[Case]] = defaultdict(list)
        for case in cases:
            self.counts[case.finding] += 1
            self.weights[case.finding] += case.weight
            if "reason" in case.told:
                self.reasons[case.finding, case.told["reason"]] += 1
            noted[case.finding].append(case)
        self._keep(noted)

    def add(self, other: "Tally") -> None:
        """Counts what another has counted as well."""
        for counter in ("splits", "labels", "paths", "reasons", "counts", "weights"):
            getattr(self, counter).update(getattr(other, counter))
        self._keep(other.cases)
        for label, keys in other.samples.items():
            self.samples[label] = heapq.nsmallest(SAMPLES_OF_A_TYPE, self.samples.get(label, []) + keys)
        self.groups += other.groups
        self.largest = heapq.nsmallest(LARGEST_GROUPS, self.largest + other.largest)
        self.has_splits |= other.has_splits

    def _keep(self, cases: Mapping[str, list[Case]]) -> None:
        for finding, more in cases.items():
            everything = self.cases.get(finding, []) + more
            self.cases[finding] = heapq.nsmallest(self.most, everything, key=attrgetter("rank"))


def tally_rows(plan: Plan, most: int) -> Tally:
    """Counts rows; of groups, those of a single row."""
    tally = Tally(most, has_splits=any(one.row.split for one in plan.placed))
    keys: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for one in plan.placed:
        cells = one.row.cells
        tally.splits[one.split] += 1
        tally.labels.update((column, cells[column], one.split) for column in table.columns() if column in cells)
        *upper, finest = [cells.get(column, "") for column in table.columns()]
        tally.paths[finest, " / ".join(filter(None, upper))] += 1
        tally.groups += one.kin.size == 1
        keys[cells[names.ARTICLE_TYPE_LABEL]].append(in_order(one))
    tally.samples = {label: heapq.nsmallest(SAMPLES_OF_A_TYPE, of) for label, of in keys.items()}
    tally.note(cases_of_rows(plan))
    return tally


def cases_of_rows(plan: Plan) -> Iterator[Case]:
    """What there is to say of single rows."""
    for finding, found in (("rejected", plan.rejected), ("repaired", plan.repaired)):
        for one in found:
            told = asdict(one) | {"reason": one.reason.value}
            yield Case(finding, (one.line, one.reason.value, one.detail), told)
    for row_id in plan.blank:
        yield Case("blank_images", (row_id,), {"id": row_id})


def facts_of(placed: Iterable[Placed]) -> Iterator[Fact]:
    """The facts of the rows that are not alone in their group."""
    for one in placed:
        if one.kin.size > 1:
            cells = one.row.cells
            article_type, name = cells[names.ARTICLE_TYPE_LABEL], cells.get(names.PRODUCT_NAME, "")
            yield Fact(one.group, one.row.id, one.split, article_type, name, one.kin.alike)


def by_group(facts: Iterable[Fact]) -> list[list[Fact]]:
    """Facts of the same group together, the smallest id first."""
    return _by(facts, "group")


def tally_groups(groups: Iterable[list[Fact]], most: int) -> Tally:
    """Counts whole groups of more than one row."""
    tally = Tally(most)
    for facts in groups:
        tally.groups += 1
        # Whose id is the group's comes first.
        tally.largest = heapq.nsmallest(LARGEST_GROUPS, [*tally.largest, (-len(facts), facts[0].group, facts[0].name)])
        tally.note(cases_of_group(facts, most))
    return tally


def cases_of_group(facts: list[Fact], most: int) -> Iterator[Case]:
    """What there is to say of a group; of a set of pictures as many ids as ``most`` at most."""
    if len({fact.split for fact in facts}) > 1:
        yield Case("straddling_groups", (facts[0].group,), {"group": facts[0].group})
    for alike in _by((fact for fact in facts if fact.alike), "alike"):
        ids = sorted(fact.id for fact in alike)
        told: dict[str, Any] = {"ids": ids[:most]}
        yield Case("near_duplicates", (-len(ids), ids[0]), told, len(ids))
        if len({fact.article_type for fact in alike}) > 1:
            yield Case("disagreeing_duplicates", (ids[0],), told, len(ids))
    for named in _by((fact for fact in facts if fact.name), "name"):
        types = Counter(fact.article_type for fact in named)
        if len(types) > 1:
            told = {"name": named[0].name, "article_types": commonest_first(types)}
            yield Case("disagreeing_names", (named[0].name,), told, len(named))


def commonest_first(counts: Mapping[str, int]) -> dict[str, int]:
    """The same counts, the largest first, equal ones by name."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _by(facts: Iterable[Fact], what: str) -> list[list[Fact]]:
    found: dict[str, list[Fact]] = defaultdict(list)
    for fact in sorted(facts, key=attrgetter("id")):
        found[getattr(fact, what)].append(fact)
    return list(found.values())
