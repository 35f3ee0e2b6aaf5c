"""One budget for the bytes of all requests that are held: those still coming in, and those being worked on.

When it is used up, whoever holds the most gives way: of the caller that holds most bytes, the upload that has been
under way for longest is ended. What is whole already is worked on to its end, and a new upload waits for that.

How large a gRPC message is, nobody knows until it is whole. So they come in one after the other, each as long as its
sender is quick, and none begins while memory is short: its sender is held back by gRPC itself and loses nothing. Those
that take their time give way to it.
"""

import asyncio
import logging
import math
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Final

from schema.allocator import give_memory_back
from serving.merger.admission.in_flight import Limiter
from serving.merger.admission.memory import resident_bytes
from serving.merger.admission.upload import QUICK_BYTES, Upload, given_way
from serving.merger.core.deadline import Deadline
from serving.merger.core.errors import DeadlineExceeded

ROOM_S: Final = 5.0
"""How long an upload waits for the bytes of others that are worked on."""

LOOK_S: Final = 0.02
"""Time between two looks at the memory while messages of unknown size are under way."""
SLOW_LOOKS: Final = 25
"""An upload is slow after so many looks, half a second. On a starved machine looks come late, and patience lasts."""
MOST_UNFINISHED: Final = 256
"""Messages of unknown size that may come in or wait for it; a call costs memory before it sends anything."""
SIZES_OF_HELD: Final = 2
"""Memory is short when it has grown by more than so many times the budget: what is held is there twice for moments."""
HARD_SHARE: Final = 0.25
"""By so much of the budget more, and even those that come quickly are ended."""
SMALL_BYTES: Final = 256 * 2**10
"""Uploads up to this size need not wait while memory is short."""
RETRY_S: Final = 1.0

log = logging.getLogger(__name__)


class Uploads:
    """The budget.

    Args:
        most_bytes: held at once, over all requests.
    """

    def __init__(self, most_bytes: int) -> None:
        self._limit = most_bytes
        self._open: set[Upload] = set()
        self._unfinished: dict[Upload, None] = {}
        """Messages of unknown size that are not whole, the oldest first, and how many each caller has: looked at for
        every call, when thousands come at once too."""
        self._unfinished_of: Counter[str] = Counter()
        self._freed = asyncio.Event()
        self._turns = Limiter(1, 0)
        self._set_base()

    @property
    def held_bytes(self) -> int:
        """Bytes held now."""
        return sum(upload.held_bytes for upload in self._open)

    def open(self, caller: str, *, is_counted: bool = True) -> Upload:
        """An upload of ``caller``, until it is forgotten."""
        upload = Upload(self, caller, is_counted)
        self._open.add(upload)
        if not is_counted:
            self._unfinished[upload] = None
            self._unfinished_of[caller] += 1
        return upload

    def forget(self, upload: Upload) -> None:
        """Frees the bytes of ``upload``."""
        self._open.discard(upload)
        self.settle(upload)
        self._freed.set()

    def settle(self, upload: Upload) -> None:
        """``upload`` is whole, or gone."""
        if upload in self._unfinished:
            del self._unfinished[upload]
            self._unfinished_of[upload.caller] -= 1
            if not self._unfinished_of[upload.caller]:
                del self._unfinished_of[upload.caller]

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
        while len(self._unfinished) > MOST_UNFINISHED:
            most = max(self._unfinished_of, key=self._unfinished_of.__getitem__)
            next(one for one in self._unfinished if one.caller == most).give_way()

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
        """Until cancelled: while memory is short, ends uploads, those that are slow first."""
        self._set_base()
        before = 0
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                before = self._look(before)
            except Exception:  # without this loop memory would have no bound
                log.exception("a bug in watching the memory")
                await asyncio.sleep(RETRY_S)

    def _look(self, before: int) -> int:
        """Sheds what is too much, given what was too much ``before``; gives what is."""
        for upload in self._open:
            upload.looks += 1
        if (over := self._over()) > 0:
            give_memory_back()
            self._shed(self._over(), is_growing=over - before > QUICK_BYTES)
        return over

    def _shed(self, over_bytes: int, *, is_growing: bool) -> None:
        """Ends slow uploads: one, or while memory grows the share that holds what is too much, if all hold alike.

        Calls that wait for their first byte all have their turn before anything comes, and then it may come at once. If
        that is quicker than anyone is slow, those go whose size nobody knows.
        """
        if over_bytes <= 0:
            return
        slow = self._by_claim([one for one in self._open if one.is_coming_in and one.looks >= SLOW_LOOKS])
        if not slow and is_growing and over_bytes > HARD_SHARE * self._limit:
            slow = self._by_claim([one for one in self._unfinished if one.is_coming_in])
        share = over_bytes / (over_bytes + self._limit) if is_growing else 0
        for one in slow[: max(1, math.ceil(share * len(slow)))]:
            one.give_way()

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
            raise given_way()

    async def _wait(self, timeout_s: float) -> None:
        self._freed.clear()
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._freed.wait(), timeout_s)

    def _set_base(self) -> None:
        self._most_resident = resident_bytes() + SIZES_OF_HELD * self._limit

    def _over(self) -> int:
        """Bytes of memory beyond those at which it is short; negative while it is not."""
        return resident_bytes() - self._most_resident

    def _is_short(self) -> bool:
        return self._over() > 0

    def _others(self, upload: Upload) -> bool:
        """Whether something will come free without ``upload``: a request that is worked on, or is coming in."""
        return any(one is not upload and (one.held_bytes or one.is_coming_in) for one in self._open)

    def _by_claim(self, uploads: Sequence[Upload]) -> list[Upload]:
        """First those of the caller that holds most, of one caller the oldest."""
        held: Counter[str] = Counter()
        for one in self._open:
            held[one.caller] += one.held_bytes or 1
        return sorted(uploads, key=lambda one: (-held[one.caller], one.started))
