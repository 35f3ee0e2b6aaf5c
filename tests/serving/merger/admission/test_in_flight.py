"""The limiter: first come, first served, bounded, and no place is ever lost."""

import asyncio
import contextlib

import pytest

from serving.merger.admission.in_flight import Limiter
from serving.merger.core.deadline import Deadline
from serving.merger.core.errors import DeadlineExceeded, Overloaded


async def hold(limiter: Limiter, count: int, release: asyncio.Event, order: list[int], patient: bool = False) -> None:
    async with limiter.places(count, Deadline(5), is_patient=patient):
        order.append(count)
        await release.wait()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_first_come_first_served() -> None:
    """A large request at the head of the queue is not overtaken by small ones that would fit."""
    limiter, release, order = Limiter(4, 10), asyncio.Event(), []
    tasks = [asyncio.create_task(hold(limiter, count, release, order)) for count in (3, 2, 1)]
    await settle()
    assert (order, limiter.active, limiter.queued) == ([3], 3, 3)
    release.set()
    await asyncio.gather(*tasks)
    assert (order, limiter.active, limiter.queued) == ([3, 2, 1], 0, 0)


async def test_refuses_beyond_the_queue() -> None:
    """What would wait too long is refused at once, with a time to come back; patient callers are not counted."""
    limiter, release, order = Limiter(1, 1), asyncio.Event(), []
    tasks = [asyncio.create_task(hold(limiter, 1, release, order, patient=i > 1)) for i in range(4)]
    await settle()
    with pytest.raises(Overloaded) as caught:
        async with limiter.places(1, Deadline(5)):
            pass
    assert caught.value.retry_after_s
    release.set()
    await asyncio.gather(*tasks)


async def test_deadline_ends_the_wait() -> None:
    """Who waits longer than there is time gets an error, and the queue moves on."""
    limiter, release, order = Limiter(1, 5), asyncio.Event(), []
    first = asyncio.create_task(hold(limiter, 1, release, order))
    await settle()
    with pytest.raises(DeadlineExceeded):
        async with limiter.places(1, Deadline(0.01)):
            pass
    release.set()
    await first
    assert (limiter.active, limiter.queued) == (0, 0)


async def test_cancelled_waiters_leave_nothing() -> None:
    """Callers that hang up, in whatever moment, free what they held or waited for."""
    limiter = Limiter(2, 50)
    release, order = asyncio.Event(), []
    tasks = [asyncio.create_task(hold(limiter, 1, release, order)) for _ in range(20)]
    await settle()
    for task in tasks[::2]:
        task.cancel()
    release.set()
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError):
            await task
    assert (limiter.active, limiter.queued) == (0, 0)


async def test_more_than_all_places_is_all() -> None:
    """A batch that is larger than the limit gets all places instead of none for ever."""
    limiter = Limiter(2, 0)
    async with limiter.places(16, Deadline(1)):
        assert limiter.active == 2
    assert limiter.active == 0
