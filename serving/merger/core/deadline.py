"""How much time is left for an answer."""

import time


class Deadline:
    """A moment by the monotonic clock, ``seconds`` from now."""

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    @property
    def remaining_s(self) -> float:
        """Seconds left; never negative."""
        return max(0.0, self._at - time.monotonic())
