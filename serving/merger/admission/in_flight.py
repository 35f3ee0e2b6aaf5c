"""Bounds how many pictures are worked on at once, and how many wait; who waits gets its turn by a fair share."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from serving.merger.admission.fair_queue import FairQueue
from serving.merger.core.deadline import Deadline
from serving.merger.core.errors import DeadlineExceeded, Overloaded

RETRY_AFTER_S: Final = 1.0


@dataclass(eq=False)
class _Waiter:
    turn: asyncio.Future[None]
    places: int
    caller: str
    is_counted: bool


class Limiter:
    """Places for pictures, by a fair share for each caller; what one caller asks for, first come, first served.

    Args:
        active: pictures that may be worked on at once.
        queued: pictures that may wait; patient callers, who slow their own sender down, are not counted.
    """

    def __init__(self, active: int, queued: int) -> None:
        self._limit = active
        self._queue_limit = queued
        self._waiters: FairQueue[_Waiter] = FairQueue()
        self.active = 0

    @property
    def queued(self) -> int:
        """Pictures that wait, patient ones included."""
        return sum(waiter.places for waiter in self._waiters)

    @asynccontextmanager
    async def places(
        self, count: int, deadline: Deadline, *, caller: str = "", call: Hashable = None, is_patient: bool = False
    ) -> AsyncIterator[float]:
        """Holds ``count`` places; gives the seconds that it took to get them. More than there are counts as all.

        Args:
            count: of pictures.
            deadline: of the wait.
            caller: who has a share of the places.
            call: of the caller; what is of one call waits for its own kind. None: a call of its own.
            is_patient: not refused however many wait.

        Raises:
            Overloaded: too many wait already.
            DeadlineExceeded: no place came free in time.
        """
        count = min(count, self._limit)
        started = time.perf_counter()
        if self._waiters or self.active + count > self._limit:
            await self._wait(count, deadline, caller, object() if call is None else call, is_patient)
        else:
            self.active += count
        try:
            yield time.perf_counter() - started
        finally:
            self.active -= count
            self._admit()

    def check(self, count: int = 1, caller: str = "") -> None:
        """Tells at once, and cheaply, whether so many impatient pictures of ``caller`` have a chance.

        Raises:
            Overloaded: too many wait already, and none of them has more than its share.
        """
        count = min(count, self._limit)
        if self._waiters or self.active + count > self._limit:
            self._displaced(count, caller)

    def _displaced(self, count: int, caller: str) -> list[_Waiter]:
        """Those who must go so that ``count`` pictures of ``caller`` may wait.

        Those are who has more waiting than it, or more pictures in one call than its own call has: first of the caller
        with most, then the largest. A queue full of one caller's pictures, or of batches, would else shut all out.
        """
        counted = [waiter for waiter in self._waiters if waiter.is_counted]
        queued: Counter[str] = Counter()
        for waiter in counted:
            queued[waiter.caller] += waiter.places
        gone: list[_Waiter] = []
        while queued.total() + count > self._queue_limit:
            larger = [
                one
                for one in counted
                if queued[one.caller] > queued[caller] + count or (one.caller == caller and one.places > count)
            ]
            if not larger:
                raise Overloaded(
                    f"{self.active} pictures are being worked on and {queued.total()} wait; try again in a moment.",
                    retry_after_s=RETRY_AFTER_S,
                )
            last = max(reversed(larger), key=lambda one: (queued[one.caller], one.places))
            counted.remove(last)
            queued[last.caller] -= last.places
            gone.append(last)
        return gone

    async def _wait(self, count: int, deadline: Deadline, caller: str, call: Hashable, is_patient: bool) -> None:
        if not is_patient:
            for displaced in self._displaced(count, caller):
                self._waiters.remove(displaced)
                displaced.turn.set_exception(
                    Overloaded("Others who ask for less go first; try again in a moment.", retry_after_s=RETRY_AFTER_S)
                )
        waiter = _Waiter(asyncio.get_running_loop().create_future(), count, caller, not is_patient)
        self._waiters.push(waiter, count, caller, call)
        self._admit()
        try:
            await asyncio.wait_for(asyncio.shield(waiter.turn), deadline.remaining_s)
        except BaseException as error:
            self._give_up(waiter)
            if isinstance(error, asyncio.TimeoutError):
                raise DeadlineExceeded("No place came free in time: too many pictures at once.") from error
            raise

    def _give_up(self, waiter: _Waiter) -> None:
        if not waiter.turn.done():
            self._waiters.remove(waiter)
            waiter.turn.cancel()
        elif not waiter.turn.cancelled() and waiter.turn.exception() is None:  # the place came in the same moment
            self.active -= waiter.places
        self._admit()

    def _admit(self) -> None:
        while self._waiters and self.active + self._waiters.head().places <= self._limit:
            waiter = self._waiters.pop()
            self.active += waiter.places
            waiter.turn.set_result(None)
