"""Are there rows enough for a release to mean something?"""

from collections.abc import Iterator, Mapping

from components.catalogue.report.report import Report
from components.errors import GateError
from components.evidence import FEWEST_EVAL_ROWS, rows_needed, wilson_interval
from schema import heads as table
from schema import names

_OFTEN = 0.9
"""A usual top-1, by which the width of an interval is shown."""


def require_enough(report: Report, trial: bool) -> None:
    """Refuses a catalogue whose splits could not tell a good model from one that learnt nothing.

    Args:
        report: on the catalogue.
        trial: whether a release is wanted all the same, which then says that it is a trial.

    Raises:
        GateError: it has too few rows, with how many more are needed.
    """
    words = "" if trial else too_few_in_words(report)
    if words:
        raise GateError(words)


def too_few_in_words(report: Report) -> str:
    """What a catalogue lacks for a release, split by split; "" where it has enough."""
    finest = table.finest().column
    known = {label: of for label, of in report.labels[finest].items() if of[names.TRAIN]}
    words = [*_test_words(report, finest, known), *_eval_words(report, known)]
    if not words:
        return ""
    lines = "".join(f"\n  - {line}" for line in words)
    return (
        f"too few rows for a release to mean anything:{lines}\n"
        "Give more products. Or take --trial: it trains and releases all the same, and its release, its report and "
        "each of its answers say TRIAL"
    )


def _test_words(report: Report, column: str, known: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    counts = {label: of[names.TEST] for label, of in known.items() if of[names.TEST]}
    rows = sum(counts.values())
    label = max(counts, key=counts.__getitem__, default="")
    needed = rows_needed(counts[label] if len(counts) > 1 else 0, max(rows, 1))
    if rows < needed:
        low, high = wilson_interval(round(_OFTEN * rows), rows)
        yield (
            f"{_counted(report, names.TEST, column, rows)}: {needed} are needed, {_more(report, needed - rows)}; with "
            f"{rows}, {_OFTEN:.0%} right may be anything from {low:.0%} to {high:.0%}{_dominated(label, counts, rows)}"
        )
    if rows and len(counts) == 1:
        yield f"test: all rows have the {column} {label!r}: they cannot show that a model tells it from others"


def _eval_words(report: Report, known: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    column, rows = table.finest().column, sum(of[names.EVAL] for of in known.values())
    if rows < FEWEST_EVAL_ROWS:
        yield (
            f"{_counted(report, names.EVAL, column, rows)}: {FEWEST_EVAL_ROWS} are needed to fit how sure an answer "
            f"may be, {_more(report, FEWEST_EVAL_ROWS - rows)}"
        )


def _counted(report: Report, split: str, column: str, rows: int) -> str:
    others = report.splits[split] - rows
    unknown = f" ({others} more have one that no row of training has)" if others else ""
    return f"{split}: {rows:,} rows of a known {column}{unknown}"


def _more(report: Report, rows: int) -> str:
    """How many are missing in a split, and in the catalogue, of which a tenth goes to it."""
    whole = "" if report.split_by == "split column" else f", so some {10 * rows:,} in the catalogue"
    return f"{rows:,} more{whole}"


def _dominated(label: str, counts: Mapping[str, int], rows: int) -> str:
    share = counts[label] / rows if rows else 0.0
    words = f"; {share:.0%} of them are {label!r}, which a model that learnt nothing would say each time"
    return words if 0.5 < share < 1 else ""
