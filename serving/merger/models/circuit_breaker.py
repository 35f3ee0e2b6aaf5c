"""Leaves a model alone for a while after it failed several times in a row, so that a dead one costs nobody time."""

import time
from collections.abc import Callable


class CircuitBreaker:
    """Closed: calls pass. Open: calls are refused. Half open, after a while: one call may try.

    Args:
        failures: in a row after which it opens.
        open_s: seconds it stays open before a call may try.
        clock: monotonic, in seconds.
    """

    def __init__(self, failures: int, open_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = failures
        self._open_s = open_s
        self._clock = clock
        self._failures = 0
        self._opened_at = 0.0
        self._is_trying = False

    @property
    def is_open(self) -> bool:
        """Whether calls are refused (the one that tries apart)."""
        return self._failures >= self._limit

    @property
    def wait_s(self) -> float:
        """Seconds until a call may try; 0 when closed."""
        return max(0.0, self._opened_at + self._open_s - self._clock()) if self.is_open else 0.0

    def admit(self) -> bool:
        """Whether this call may go ahead; if so, it must end in :meth:`succeeded`, :meth:`failed` or :meth:`left`."""
        if not self.is_open:
            return True
        if self._is_trying or self.wait_s > 0:
            return False
        self._is_trying = True
        return True

    def succeeded(self) -> None:
        """The model answered."""
        self._failures = 0
        self._is_trying = False

    def failed(self) -> None:
        """The model did not answer."""
        self._failures += 1
        self._is_trying = False
        if self.is_open:
            self._opened_at = self._clock()

    def left(self) -> None:
        """The caller gave up first: nothing was learned."""
        self._is_trying = False
