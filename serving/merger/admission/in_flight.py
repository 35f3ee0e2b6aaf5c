"""Bounds how many pictures are worked on at once, and how many wait for that."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

from serving.merger.core.deadline import Deadline
from serving.merger.core.errors import DeadlineExceeded, Overloaded

RETRY_AFTER_S: Final = 1.0


class _Waiter(NamedTuple):
    turn: asyncio.Future[None]
    places: int
    is_counted: bool


class Limiter:
    """Places for pictures, given out first come, first served.

    Args:
        active: pictures that may be worked on at once.
        queued: pictures that may wait; patient callers, who slow their own sender down, are not counted.
    """

    def __init__(self, active: int, queued: int) -> None:
        self._limit = active
        self._queue_limit = queued
        self._waiters: deque[_Waiter] = deque()
        self.active = 0

    @property
    def queued(self) -> int:
        """Pictures that wait, patient ones included."""
        return sum(waiter.places for waiter in self._waiters)

    @asynccontextmanager
    async def places(self, count: int, deadline: Deadline, *, is_patient: bool = False) -> AsyncIterator[float]:
        """Holds ``count`` places; gives the seconds that it took to get them. More than there are counts as all.

        Raises:
            Overloaded: too many wait already.
            DeadlineExceeded: no place came free in time.
        """
        count = min(count, self._limit)
        started = time.perf_counter()
        if self._waiters or self.active + count > self._limit:
            await self._wait(count, deadline, is_patient)
        else:
            self.active += count
        try:
            yield time.perf_counter() - started
        finally:
            self.active -= count
            self._admit()

    def check(self, count: int = 1) -> None:
        """Tells at once, and cheaply, whether so many impatient pictures have a chance.

        Raises:
            Overloaded: too many wait already.
        """
        count = min(count, self._limit)
        if not self._waiters and self.active + count <= self._limit:
            return
        counted = sum(waiter.places for waiter in self._waiters if waiter.is_counted)
        if counted + count > self._queue_limit:
            raise Overloaded(
                f"{self.active} pictures are being worked on and {counted} wait; try again in a moment.",
                retry_after_s=RETRY_AFTER_S,
            )

    async def _wait(self, count: int, deadline: Deadline, is_patient: bool) -> None:
        if not is_patient:
            self.check(count)
        waiter = _Waiter(asyncio.get_running_loop().create_future(), count, not is_patient)
        self._waiters.append(waiter)
        try:
            await asyncio.wait_for(asyncio.shield(waiter.turn), deadline.remaining_s)
        except BaseException as error:
            self._give_up(waiter)
            if isinstance(error, asyncio.TimeoutError):
                raise DeadlineExceeded("No place came free in time: too many pictures at once.") from error
            raise

    def _give_up(self, waiter: _Waiter) -> None:
        if waiter.turn.done():  # the place came in the same moment
            self.active -= waiter.places
        else:
            self._waiters.remove(waiter)
            waiter.turn.cancel()
        self._admit()

    def _admit(self) -> None:
        while self._waiters and self.active + self._waiters[0].places <= self._limit:
            waiter = self._waiters.popleft()
            self.active += waiter.places
            waiter.turn.set_result(None)
