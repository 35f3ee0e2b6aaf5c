"""One budget for the bytes of all requests that are held: those still coming in, and those being worked on.

When it is used up, whoever holds the most gives way: of the caller that holds most bytes, the upload that has been
under way for longest is ended. What is whole already is worked on to its end, and a new upload is refused instead.
"""

import asyncio
import ctypes
import os
import time
from collections import Counter
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from serving.merger.core.deadline import Deadline
from serving.merger.core.errors import DeadlineExceeded, Overloaded, UploadTimeout

RETRY_AFTER_S: Final = 1.0

LOOK_S: Final = 0.02
"""Time between two looks at the memory while uploads of unknown size are under way."""
QUICK_S: Final = 0.25
"""Uploads younger than this are left alone: nearly all are whole by then, on a busy machine too."""
SIZES_OF_HELD: Final = 2
"""gRPC's core holds a message until it is whole, and it is there twice for a moment when it is handed over."""

STATM: Final = Path("/proc/self/statm")
LIBC: Final = ctypes.CDLL(None)
M_MMAP_THRESHOLD: Final = -3
LARGE_BLOCK: Final = 256 * 2**10

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
        self._reading: asyncio.Task[Any] | None = None
        self.caller = caller
        self.is_counted = is_counted
        self.started = time.monotonic()
        self.held_bytes = 0
        self.is_whole = False
        self.has_given_way = False

    def grow(self, count: int) -> None:
        """Takes ``count`` more bytes out of the budget.

        Raises:
            Overloaded: there are none, and nobody is slower than this one.
        """
        self._budget.make_room(self, count)
        self.held_bytes += count

    async def grow_patiently(self, count: int, deadline: Deadline) -> None:
        """Takes ``count`` bytes when there are so many.

        Raises:
            Overloaded: it had to give way meanwhile.
            DeadlineExceeded: there were not in time.
        """
        await self.read(self._budget.wait_for_room(count, deadline), deadline.remaining_s + LOOK_S)
        self.held_bytes += count

    async def read(self, body: Awaitable[Body], timeout_s: float) -> Body:
        """Awaits ``body``, which reads the request.

        Raises:
            Overloaded: it had to give way.
            UploadTimeout: it took longer than ``timeout_s``.
        """
        self._reading = asyncio.ensure_future(body)
        self.is_whole = False
        try:
            await asyncio.wait({self._reading}, timeout=timeout_s)
            if self._reading.done() and not self._reading.cancelled():
                return self._reading.result()
            if self.has_given_way:
                raise _given_way()
            raise UploadTimeout(f"The body took longer than the {timeout_s:g} s that are allowed.")
        finally:
            self.is_whole = True
            self._reading.cancel()

    def give_way(self) -> None:
        """Ends it: its reader gets Overloaded."""
        self.has_given_way = True
        self._budget.forget(self)
        if self._reading:
            self._reading.cancel()


class Uploads:
    """The budget.

    Args:
        most_bytes: held at once, over all requests.
    """

    def __init__(self, most_bytes: int) -> None:
        self._limit = most_bytes
        self._open: set[Upload] = set()
        self._freed = asyncio.Event()

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

    async def wait_for_room(self, count: int, deadline: Deadline) -> None:
        """Waits until ``count`` bytes are free.

        Raises:
            DeadlineExceeded: they are not in time.
        """
        while self.held_bytes + count > self._limit:
            self._freed.clear()
            try:
                await asyncio.wait_for(self._freed.wait(), deadline.remaining_s)
            except asyncio.TimeoutError:
                raise DeadlineExceeded("Too many bytes were held for other calls all the time.") from None

    async def watch(self) -> None:
        """Until cancelled: ends uploads of unknown size, the slowest first, when the process grows because of them."""
        most = resident_bytes() + SIZES_OF_HELD * self._limit
        while True:
            await asyncio.sleep(LOOK_S)
            if self._slow() and resident_bytes() > most:
                give_memory_back()
                for upload in self._slow()[: 1 + len(self._slow()) // 2] if resident_bytes() > most else ():
                    upload.give_way()

    def _slow(self) -> list[Upload]:
        """Uploads of unknown size that take their time, those that should go first before others."""
        latest = time.monotonic() - QUICK_S
        return self._by_claim([one for one in self._open if not one.is_counted and one.started < latest])

    def make_room(self, upload: Upload, count: int) -> None:
        """Ends others until ``upload`` can have ``count`` more bytes.

        Raises:
            Overloaded: it has to give way itself.
        """
        while not upload.has_given_way and self.held_bytes + count > self._limit:
            holders = self._by_claim([one for one in self._open if one.held_bytes or one is upload])
            (holders[0] if holders else upload).give_way()
        if upload.has_given_way:
            raise _given_way()

    def _by_claim(self, uploads: Sequence[Upload]) -> list[Upload]:
        """Those that are not whole yet: first those of the caller that holds most, of one caller the oldest."""
        held: Counter[str] = Counter()
        for one in self._open:
            held[one.caller] += one.held_bytes or 1
        return sorted((one for one in uploads if not one.is_whole), key=lambda one: (-held[one.caller], one.started))


def resident_bytes() -> int:
    """Memory of this process."""
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def return_large_blocks() -> None:
    """From now on large blocks go back to the system when they are freed; else the C library learns to keep them."""
    if hasattr(LIBC, "mallopt"):
        LIBC.mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK)


def give_memory_back() -> None:
    """Lets the C library return to the system what it keeps of freed memory, where it can."""
    if hasattr(LIBC, "malloc_trim"):
        LIBC.malloc_trim(0)


def _given_way() -> Overloaded:
    return Overloaded(
        "Too many bytes are held for requests that come slowly; send this again, quicker or in smaller parts.",
        retry_after_s=RETRY_AFTER_S,
    )
