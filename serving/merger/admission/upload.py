"""What is held of one request, from its first byte until it is answered."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from serving.merger.admission.memory import resident_bytes
from serving.merger.core.deadline import Deadline
from serving.merger.core.errors import Overloaded, UploadTimeout

if TYPE_CHECKING:
    from serving.merger.admission.uploads import Uploads

RETRY_AFTER_S: Final = 1.0
QUICK_S: Final = 0.002
"""A message has so long to begin to come in until the next may begin too."""
QUICK_BYTES: Final = 128 * 2**10
"""When memory has grown by so much, a large message is really coming in, and the next waits for it."""
PAUSE_S: Final = 0.05
"""Unless it stops for so long, as busy senders do at times."""
MOST_TURN_S: Final = 0.5

Body = TypeVar("Body")


class Upload:
    """What is held of one request.

    Args:
        budget: that its bytes come out of.
        caller: who sends it.
        is_counted: whether its bytes are known as they come; gRPC's are when the message is whole.
    """

    def __init__(self, budget: "Uploads", caller: str, is_counted: bool) -> None:
        self._budget = budget
        self._reading: asyncio.Future[Any] | None = None
        self.caller = caller
        self.is_counted = is_counted
        self.started = time.monotonic()
        self.looks = 0
        """How often the memory was looked at since this began to come in."""
        self.held_bytes = 0
        self.is_coming_in = False
        """Whether it is being received: neither whole nor waiting for its turn."""
        self.is_whole = False
        self.has_given_way = False

    async def grow(self, count: int, deadline: Deadline | None = None) -> None:
        """Takes ``count`` more bytes out of the budget as soon as there are so many.

        Raises:
            Overloaded: it had to give way, or there were none for too long.
            DeadlineExceeded: there were none until ``deadline``.
        """
        await self._budget.make_room(self, count, deadline)
        self.held_bytes += count

    async def read(self, body: Awaitable[Body], timeout_s: float) -> Body:
        """Awaits ``body``, which reads the request.

        Raises:
            Overloaded: it had to give way.
            UploadTimeout: it took longer than ``timeout_s``.
        """
        self._begin()
        return await self._awaited(body, timeout_s)

    async def receive(self, message: Callable[[], Awaitable[Body]], timeout_s: float) -> Body:
        """Awaits what ``message`` gives, a message of unknown size, when it is its turn.

        Raises:
            Overloaded: it had to give way.
            UploadTimeout: it took longer than ``timeout_s``.
            DeadlineExceeded: its turn did not come in that time.
        """
        self._budget.bound()
        return await self._awaited(self._in_turn(message, Deadline(timeout_s)), timeout_s)

    def give_way(self) -> None:
        """Ends it: its reader gets Overloaded."""
        self.has_given_way = True
        self._budget.forget(self)
        if self._reading:
            self._reading.cancel()

    def _begin(self) -> None:
        self.started, self.looks, self.is_coming_in = time.monotonic(), 0, True

    async def _in_turn(self, message: Callable[[], Awaitable[Body]], deadline: Deadline) -> Body:
        async with self._budget.turn(self, deadline):
            if self.has_given_way:  # in the very moment that its turn came
                raise given_way()
            self._begin()
            coming = asyncio.ensure_future(message())
            try:
                await _while_quick(coming)
            except asyncio.CancelledError:
                coming.cancel()
                raise
        return await coming

    async def _awaited(self, body: Awaitable[Body], timeout_s: float) -> Body:
        self._reading = reading = asyncio.ensure_future(body)
        self.is_whole = False
        try:
            if self.has_given_way:
                raise given_way()
            await asyncio.wait({reading}, timeout=timeout_s)
            if reading.done() and not reading.cancelled():
                return reading.result()
            if self.has_given_way:
                raise given_way()
            raise UploadTimeout(f"The body took longer than the {timeout_s:g} s that are allowed.")
        finally:
            reading.cancel()
            self._reading = None  # its result is the request, which should not be held for longer than it is needed
            self.is_whole, self.is_coming_in = True, False
            self._budget.settle(self)


async def _while_quick(reading: "asyncio.Future[Any]") -> None:
    """Waits until it is done, or nothing of it has come for a moment."""
    before, deadline, patience_s = resident_bytes(), Deadline(MOST_TURN_S), QUICK_S
    while deadline.remaining_s:
        await asyncio.wait({reading}, timeout=patience_s)
        now = resident_bytes()
        if reading.done() or now - before < QUICK_BYTES:
            return
        before, patience_s = now, PAUSE_S


def given_way() -> Overloaded:
    """What whoever sent it is told."""
    return Overloaded(
        "Too many bytes are held for requests that come slowly; send this again, quicker or in smaller parts.",
        retry_after_s=RETRY_AFTER_S,
    )
