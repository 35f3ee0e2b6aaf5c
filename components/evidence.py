"""How much a number of test rows proves. Imports nothing heavy: the command line reads it too."""

from typing import Final

from scipy.stats import binomtest

LEAST_SKILL: Final = 0.3
"""Share of the errors of always saying the commonest label that a model must avoid to be released."""

FEWEST_TEST_ROWS: Final = 50
"""With 50 rows a top-1 of .9 is known to .17 from end to end (95 %); with 18 it would be .28, with 2 nearly 1."""

FEWEST_EVAL_ROWS: Final = 20
"""With fewer no temperature is fitted (:mod:`components.calibration.fitting`), and a review threshold is luck."""


def wilson_interval(right: int, count: int) -> tuple[float, float]:
    """95 % confidence interval of a share (Wilson, 1927): ``right`` of ``count``; (0, 1) where nothing was counted."""
    if not count:
        return 0.0, 1.0
    interval = binomtest(right, count).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


def rows_needed(commonest: int, rows: int) -> int:
    """Test rows, of the same labels, from which a model that learnt nothing is refused.

    It always says the commonest label, and the gate gives few rows the benefit of the doubt: it looks at the upper end
    of the interval. So there must be enough of them for that end to stay below what the gate asks for.

    Args:
        commonest: rows of the commonest label, fewer than all.
        rows: of all labels, at least 1.
    """
    needed = FEWEST_TEST_ROWS
    while _may_pass(round(commonest / rows * needed), needed):
        needed += 1 + needed // 50
    return needed


def _may_pass(right: int, rows: int) -> bool:
    share = right / rows
    return wilson_interval(right, rows)[1] >= share + LEAST_SKILL * (1 - share)
