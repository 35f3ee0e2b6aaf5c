"""The part of a model card that says what the eval split looked like to the model, to tell later whether that changed.

Of each measure a histogram. The bins of a head are its labels, in the card's order, counted by the model's best one.
Those of a number lie between edges: bin 0 below the first, the last one from the last edge on.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

from schema.card_fields import MOST, CardError, Field

CONFIDENCE = "confidence"


def confidence_of(head: str) -> str:
    """Name of the measure of how sure the model is of its best label of ``head``."""
    return f"{head}_{CONFIDENCE}"


@dataclass(frozen=True)
class NumberBins:
    """A histogram of a number.

    Attributes:
        edges: ascending.
        counts: rows of eval in each bin; one more than edges.
        more_is_usual: whether more of it is never strange: what was learnt from is nearer and surer than eval was.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    more_is_usual: bool = False

    def bin_of(self, value: float) -> int:
        """Position of the bin that a value falls into."""
        return bisect_right(self.edges, value)


@dataclass(frozen=True)
class EvalHistograms:
    """What a model saw in the eval split.

    Attributes:
        labels: head → rows of each label.
        numbers: measure → its histogram.
        looks: measures that the tensor ``looks`` of the signature ``scores`` tells, in the order of its columns.
    """

    labels: Mapping[str, tuple[int, ...]]
    numbers: Mapping[str, NumberBins]
    looks: tuple[str, ...] = ()


def read_histograms(histograms: Field, classes: Mapping[str, int]) -> EvalHistograms | None:
    """Reads that part of a card; None where there is none.

    Args:
        histograms: the field.
        classes: head of the card → how many labels it has.

    Raises:
        CardError: it lacks a field, or contradicts itself or the heads.
    """
    if histograms.value is None:
        return None
    labels = {head: _counts(counts) for head, counts in histograms["labels"].fields().items()}
    for head, counts in labels.items():
        if len(counts) != classes.get(head):
            raise CardError(
                f"the card's {histograms.name}.labels.{head} has {len(counts)} counts; it must have one for each label "
                f"of that head ({classes.get(head, 'there is no such head')})"
            )
    numbers = {name: _read_bins(bins) for name, bins in histograms["numbers"].fields().items()}
    looks = tuple(name.text() for name in histograms["looks"].items())
    if unknown := set(looks) - numbers.keys():
        raise histograms["looks"].wrong(f"names of {histograms.name}.numbers; it has no {min(unknown)}")
    return EvalHistograms(labels, numbers, looks)


def _read_bins(bins: Field) -> NumberBins:
    edges = tuple(edge.number(-MOST) for edge in bins["edges"].items())
    counts = _counts(bins["counts"])
    if list(edges) != sorted(set(edges)):
        raise bins["edges"].wrong("numbers in ascending order")
    if len(counts) != len(edges) + 1:
        raise bins["counts"].wrong(f"a list of {len(edges) + 1}, one more than the edges")
    return NumberBins(edges, counts, bins["more_is_usual"].expect(bool, "true or false"))


def _counts(counts: Field) -> tuple[int, ...]:
    return tuple(count.whole(at_least=0) for count in counts.items())
