"""What the pictures of each hour looked like to the models, as counts: no picture, no name, no caller is kept.

The bins are those of the release's own eval, so that the two can be held against each other. An hour of a release is
one row of some hundred numbers, and the oldest of :data:`MOST_HOURS` goes, so the memory is bounded by the release's
number of labels.
"""

import time
import uuid
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Protocol

from schema import names
from schema.eval_histograms import NumberBins, confidence_of
from serving.merger.core.release import Release

FORMAT: Final = 1
MOST_HOURS: Final = 72
"""Hours that are kept, of one release or another."""

HOUR_S: Final = 3600


class Told(Protocol):
    """What one model says of N pictures."""

    @property
    def heads(self) -> Mapping[str, Sequence[array]]:
        """Head → N rows of probabilities."""

    @property
    def image_ok(self) -> Sequence[bool]:
        """Which pictures it could read."""

    @property
    def familiarity(self) -> Sequence[float] | None:
        """Of each picture, 0 to 1; None where the model does not tell it."""

    @property
    def looks(self) -> Sequence[array]:
        """Of each picture what the card's histograms name; empty where they name nothing."""


@dataclass(frozen=True)
class Bins:
    """The bins of one measure, and how often eval fell into each.

    Attributes:
        names: of the bins: labels, or ranges of a number.
        counts: of eval.
        more_is_usual: the last bin is where nothing is ever strange.
        bounds: of a number; None where bins are labels.
    """

    names: tuple[str, ...]
    counts: tuple[int, ...]
    more_is_usual: bool = False
    bounds: NumberBins | None = None

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        kind = "label" if self.bounds is None else "number"
        return {"kind": kind, "bins": self.names, "counts": self.counts, "more_is_usual": self.more_is_usual}


class Reference:
    """All bins of a release: those of the eval split of each of its models that keep them."""

    def __init__(self, release: Release) -> None:
        self._release = release

    @cached_property
    def measures(self) -> dict[str, Bins]:
        """Measure → its bins; empty where the release was made before they were kept."""
        found: dict[str, Bins] = {}
        for card in self._release.cards.values():
            if kept := card.eval_histograms:
                labels = {head: Bins(card.heads[head].labels, counts) for head, counts in kept.labels.items()}
                found |= labels | {name: _of_number(bins) for name, bins in kept.numbers.items()}
        return found

    def positions(self, told: Iterable[Told], row: int) -> Iterator[tuple[str, int]]:
        """Measure and bin of one picture, as far as these models tell."""
        for measure, value in self._values(told, row):
            bins = self.measures.get(measure)
            if bins is not None:
                yield measure, int(value) if bins.bounds is None else bins.bounds.bin_of(value)

    def _values(self, told: Iterable[Told], row: int) -> Iterator[tuple[str, float]]:
        for one in told:
            for head, rows in one.heads.items():
                best = max(rows[row])
                yield head, rows[row].index(best)
                yield confidence_of(head), best
            if one.familiarity is not None:
                yield names.FAMILIARITY, one.familiarity[row]
            if one.looks:
                yield from zip(self._looks, one.looks[row], strict=True)

    @cached_property
    def _looks(self) -> tuple[str, ...]:
        kept = (card.eval_histograms for card in self._release.cards.values())
        return next((one.looks for one in kept if one and one.looks), ())


Counts = dict[str, list[int]]
"""Measure → pictures in each bin."""


class Seen:
    """Counts by hour and release.

    Args:
        clock: seconds since 1970.
    """

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._instance = uuid.uuid4().hex
        self._hours: dict[tuple[int, int], Counts] = {}
        self._references: dict[int, tuple[Release, Reference]] = {}
        self.totals: dict[int, Counts] = {}
        """Release → its counts since the start, of the releases that :meth:`references` has."""

    @property
    def references(self) -> dict[int, Reference]:
        """Release → the bins, of the releases of the hours that are kept."""
        return {version: reference for version, (_, reference) in self._references.items()}

    def add(self, release: Release, told: Sequence[Told]) -> None:
        """Counts the pictures that every model could read; none while a model is away and its measures are missing."""
        reference = self._reference(release) if not release.absent else None
        if not (reference and reference.measures and told):
            return
        hour = self._row(int(self._clock()) // HOUR_S, release.version, reference)
        for row, is_ok in enumerate(zip(*(one.image_ok for one in told), strict=True)):
            if all(is_ok):
                for measure, position in reference.positions(told, row):
                    hour[measure][position] += 1
                    self.totals[release.version][measure][position] += 1

    def as_json(self) -> dict[str, Any]:
        """All that is kept, and what to hold it against."""
        hours = [
            {"hour": _hour_text(hour), "release": str(version), "counts": counts}
            for (hour, version), counts in self._hours.items()
        ]
        references = {
            str(version): {name: bins.as_json() for name, bins in one.measures.items()}
            for version, one in self.references.items()
        }
        return {"format": FORMAT, "mergers": [{"instance": self._instance, "hours": hours, "eval": references}]}

    def _reference(self, release: Release) -> Reference:
        known = self._references.get(release.version)
        # A model server that came back may have another model under the same number.
        if known is None or (known[0] is not release and known[0].cards != release.cards):
            known = (release, Reference(release))
            self._forget(release.version)
            self._references[release.version] = known
        return known[1]

    def _row(self, hour: int, version: int, reference: Reference) -> Counts:
        self.totals.setdefault(version, _none(reference))
        if (hour, version) not in self._hours:
            self._hours[hour, version] = _none(reference)
            if len(self._hours) > MOST_HOURS:
                del self._hours[next(iter(self._hours))]
            for gone in self._references.keys() - {version for _, version in self._hours}:
                self._forget(gone)
        return self._hours[hour, version]

    def _forget(self, version: int) -> None:
        self._references.pop(version, None)
        self.totals.pop(version, None)
        for key in [key for key in self._hours if key[1] == version]:
            del self._hours[key]


def _none(reference: Reference) -> Counts:
    return {measure: [0] * len(bins.names) for measure, bins in reference.measures.items()}


def _hour_text(hour: int) -> str:
    return time.strftime("%Y-%m-%dT%H:00:00Z", time.gmtime(hour * HOUR_S))


def _of_number(bins: NumberBins) -> Bins:
    if not bins.edges:
        return Bins(("any",), bins.counts, bins.more_is_usual, bins)
    first, last = f"< {bins.edges[0]:g}", f"≥ {bins.edges[-1]:g}"
    between = [f"{low:g} to {high:g}" for low, high in zip(bins.edges, bins.edges[1:], strict=False)]
    return Bins((first, *between, last), bins.counts, bins.more_is_usual, bins)
