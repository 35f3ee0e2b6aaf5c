"""Each caller's share: a token bucket of pictures (Turner, "New directions in communications", 1986)."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from serving.merger.core.deadline import Deadline
from serving.merger.core.errors import DeadlineExceeded, RateLimited

MOST_CALLERS: Final = 10_000
"""Buckets kept at once: more strangers than this must not fill the memory, so the longest unseen is forgotten."""


class RateLimiter:
    """Buckets by caller.

    Args:
        images_per_s: that a bucket gains; 0 lets everything through.
        burst: that a bucket holds.
        clock: seconds, never going back.
    """

    def __init__(self, images_per_s: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_s = images_per_s
        self._burst = float(burst)
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def admit(self, caller: str, count: int, deadline: Deadline, *, is_patient: bool = False) -> None:
        """Takes ``count`` pictures out of the caller's bucket; a patient caller waits until they are there.

        Raises:
            RateLimited: the bucket does not hold them.
            DeadlineExceeded: nor will it in time.
        """
        if not self._per_s:
            return
        while (wait_s := self.take(caller, count)) > 0:
            if not is_patient:
                raise RateLimited(
                    f"This caller may send {self._per_s:g} pictures a second; try again in {wait_s:.1f} s.",
                    retry_after_s=wait_s,
                )
            if wait_s > deadline.remaining_s:
                raise DeadlineExceeded(f"{self._per_s:g} pictures a second are too few for this caller's deadline.")
            await asyncio.sleep(wait_s)

    def take(self, caller: str, count: int) -> float:
        """Takes ``count`` pictures, or none and gives the seconds until it would do so.

        A call with more pictures than a bucket holds needs a full one and leaves a debt: else it could never be.
        """
        now = self._clock()
        level, since = self._buckets.pop(caller, (self._burst, now))
        level = min(self._burst, level + (now - since) * self._per_s)
        missing = min(float(count), self._burst) - level
        if missing <= 0:
            level -= count
        self._buckets[caller] = (level, now)
        if len(self._buckets) > MOST_CALLERS:
            self._buckets.popitem(last=False)
        return max(missing, 0.0) / self._per_s
