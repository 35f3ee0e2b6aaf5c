"""Bounds the streams that are open at once, over all callers and for each, and ends those on which nothing happens.

A new stream that finds no place takes that of the one that has been idle longest, of the caller that has most.
"""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from serving.merger.admission.upload import Upload
from serving.merger.core.errors import Overloaded

IDLE_S: Final = 1.0
"""A stream that has waited so long for its client's next message, and owes no answer, gives way to a new one."""
RETRY_AFTER_S: Final = 1.0


class Stream:
    """An open stream.

    Args:
        caller: whose it is.
    """

    def __init__(self, caller: str) -> None:
        self.caller = caller
        self.awaited: Upload | None = None
        """The message that the client is waited for to send."""
        self.owed = 0
        """Answers that it has not got yet."""

    @property
    def idle_s(self) -> float:
        """How long the client has been waited for; 0 when it is the one that waits."""
        return time.monotonic() - self.awaited.started if self.awaited and not self.owed else 0.0


class Streams:
    """The open streams.

    Args:
        most: over all callers.
        most_of_one: of one caller.
    """

    def __init__(self, most: int, most_of_one: int) -> None:
        self._most = most
        self._most_of_one = most_of_one
        self._open: set[Stream] = set()

    @contextmanager
    def open(self, caller: str) -> Iterator[Stream]:
        """A stream of ``caller``, open as long as the block runs.

        Raises:
            Overloaded: there is no place, and none that has been idle.
        """
        counts = Counter(stream.caller for stream in self._open)
        if counts[caller] >= self._most_of_one:
            self._end_idle(counts, f"This caller has {counts[caller]} streams open", caller)
        elif len(self._open) >= self._most:
            self._end_idle(counts, f"{len(self._open)} streams are open")
        stream = Stream(caller)
        self._open.add(stream)
        try:
            yield stream
        finally:
            self._open.discard(stream)

    def _end_idle(self, counts: Counter[str], what: str, caller: str | None = None) -> None:
        idle = [one for one in self._open if one.idle_s >= IDLE_S and caller in (None, one.caller)]
        if not idle:
            raise Overloaded(f"{what} already, and all are in use.", retry_after_s=RETRY_AFTER_S)
        longest = max(idle, key=lambda one: (counts[one.caller], one.idle_s))
        self._open.discard(longest)
        if longest.awaited:
            longest.awaited.give_way()
