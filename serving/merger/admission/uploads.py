"""One budget for the bytes of all requests that are held: those still coming in, and those being worked on.

When it is used up, whoever holds the most gives way: of the caller that holds most bytes, the upload that has been
under way for longest is ended. What is whole already is worked on to its end, and a new upload waits for that.

How large a gRPC message is, nobody knows until it is whole. So they come in one after the other, each as long as its
sender is quick, and none begins while memory is short: its sender is held back by gRPC itself and loses nothing. Those
that take their time give way to it.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, Final, TypeVar

from serving.merger.admission.in_flight import Limiter
from serving.merger.admission.memory import give_memory_back, resident_bytes
from serving.merger.core.deadline import Deadline
from serving.merger.core.errors import DeadlineExceeded, Overloaded, UploadTimeout

RETRY_AFTER_S: Final = 1.0
ROOM_S: Final = 5.0
"""How long an upload waits for the bytes of others that are worked on."""

LOOK_S: Final = 0.02
"""Time between two looks at the memory while messages of unknown size are under way."""
QUICK_S: Final = 0.002
"""A message has so long to begin to come in until the next may begin too."""
QUICK_BYTES: Final = 128 * 2**10
"""When memory has grown by so much, a large message is really coming in, and the next waits for it."""
PAUSE_S: Final = 0.05
"""Unless it stops for so long, as busy senders do at times."""
MOST_TURN_S: Final = 0.5
SLOW_LOOKS: Final = 25
"""An upload is slow after so many looks, half a second. On a starved machine looks come late, and patience lasts."""
MOST_UNFINISHED: Final = 256
"""Messages of unknown size that may come in or wait for it; a call costs memory before it sends anything."""
SIZES_OF_HELD: Final = 2
"""Memory is short when it has grown by more than so many times the budget: what is held is there twice for moments."""
SMALL_BYTES: Final = 256 * 2**10
"""Uploads up to this size need not wait while memory is short."""

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
                raise _given_way()
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
                raise _given_way()
            await asyncio.wait({reading}, timeout=timeout_s)
            if reading.done() and not reading.cancelled():
                return reading.result()
            if self.has_given_way:
                raise _given_way()
            raise UploadTimeout(f"The body took longer than the {timeout_s:g} s that are allowed.")
        finally:
            reading.cancel()
            self._reading = None  # its result is the request, which should not be held for longer than it is needed
            self.is_whole, self.is_coming_in = True, False


class Uploads:
    """The budget.

    Args:
        most_bytes: held at once, over all requests.
    """

    def __init__(self, most_bytes: int) -> None:
        self._limit = most_bytes
        self._open: set[Upload] = set()
        self._freed = asyncio.Event()
        self._turns = Limiter(1, 0)
        self._most_resident = resident_bytes() + SIZES_OF_HELD * most_bytes

    @property
    def held_bytes(self) -> int:
        """Bytes held now."""
        return sum(upload.held_bytes for upload in self._open)

    def open(self, caller: str, *, is_counted: bool = True) -> Upload:
        """An upload of ``caller``, until it is forgotten."""
        upload = Upload(self, caller, is_counted)
        self._open.add(upload)
        return upload

    def forget(self, upload: Upload) -> None:
        """Frees the bytes of ``upload``."""
        self._open.discard(upload)
        self._freed.set()

    @contextmanager
    def upload(self, caller: str, *, is_counted: bool = True) -> Iterator[Upload]:
        """An upload of ``caller``; its bytes are free again at the end of the block."""
        upload = self.open(caller, is_counted=is_counted)
        try:
            yield upload
        finally:
            self.forget(upload)

    def bound(self) -> None:
        """Ends messages of unknown size that are not whole where there are too many: whoever has most, the oldest."""
        while len(unfinished := [one for one in self._open if not (one.is_counted or one.is_whole)]) > MOST_UNFINISHED:
            self._by_claim(unfinished)[0].give_way()

    @asynccontextmanager
    async def turn(self, upload: Upload, deadline: Deadline) -> AsyncIterator[None]:
        """The only right to begin with a message of unknown size; by a fair share, and not while memory is short.

        Raises:
            DeadlineExceeded: it did not come in time.
        """
        async with self._turns.places(1, deadline, caller=upload.caller, is_patient=True):
            while self._is_short() and self._others(upload):
                if not deadline.remaining_s:
                    raise DeadlineExceeded("Memory was short all the time; send less at once.")
                await asyncio.sleep(LOOK_S)
            yield

    async def watch(self) -> None:
        """Until cancelled: while memory is short, ends uploads that are slow, one a look."""
        self._most_resident = resident_bytes() + SIZES_OF_HELD * self._limit
        while True:
            await asyncio.sleep(LOOK_S)
            for upload in self._open:
                upload.looks += 1
            if self._is_short():
                give_memory_back()
                if self._is_short() and (slow := self._slow()):
                    slow[0].give_way()

    async def make_room(self, upload: Upload, count: int, deadline: Deadline | None = None) -> None:
        """Ends others until ``upload`` can have ``count`` more bytes, or waits for those that are worked on.

        Raises:
            Overloaded: it has to give way itself, or nothing came free for too long.
            DeadlineExceeded: nothing came free until ``deadline``.
        """
        patience = deadline or Deadline(ROOM_S)
        while not upload.has_given_way and self.held_bytes + count > self._limit:
            coming = [one for one in self._open if one is upload or (one.held_bytes and not one.is_whole)]
            first = self._by_claim(coming)[0]
            if first is not upload:
                first.give_way()
            elif self._others(upload) and patience.remaining_s:
                await self._wait(patience.remaining_s)
            elif deadline is not None and self._others(upload):
                raise DeadlineExceeded("Too many bytes were held for other calls all the time.")
            else:
                upload.give_way()
        while not upload.has_given_way and upload.held_bytes + count > SMALL_BYTES and patience.remaining_s:
            if not self._is_short() or not self._others(upload):
                break
            await asyncio.sleep(LOOK_S)
        if upload.has_given_way:
            raise _given_way()

    async def _wait(self, timeout_s: float) -> None:
        self._freed.clear()
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._freed.wait(), timeout_s)

    def _is_short(self) -> bool:
        return resident_bytes() > self._most_resident

    def _others(self, upload: Upload) -> bool:
        """Whether something will come free without ``upload``: a request that is worked on, or is coming in."""
        return any(one is not upload and (one.held_bytes or one.is_coming_in) for one in self._open)

    def _slow(self) -> list[Upload]:
        """Those that take their time, those first that should go before others."""
        slow = [one for one in self._open if one.is_coming_in and one.looks >= SLOW_LOOKS]
        return self._by_claim(slow)

    def _by_claim(self, uploads: Sequence[Upload]) -> list[Upload]:
        """First those of the caller that holds most, of one caller the oldest."""
        held: Counter[str] = Counter()
        for one in self._open:
            held[one.caller] += one.held_bytes or 1
        return sorted(uploads, key=lambda one: (-held[one.caller], one.started))


async def _while_quick(reading: "asyncio.Future[Any]") -> None:
    """Waits until it is done, or nothing of it has come for a moment."""
    before, deadline, patience_s = resident_bytes(), Deadline(MOST_TURN_S), QUICK_S
    while deadline.remaining_s:
        await asyncio.wait({reading}, timeout=patience_s)
        now = resident_bytes()
        if reading.done() or now - before < QUICK_BYTES:
            return
        before, patience_s = now, PAUSE_S


def _given_way() -> Overloaded:
    return Overloaded(
        "Too many bytes are held for requests that come slowly; send this again, quicker or in smaller parts.",
        retry_after_s=RETRY_AFTER_S,
    )
