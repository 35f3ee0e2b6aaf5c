"""Pictures, read and made ready for the models by the merger's own gate, a batch ahead of them."""

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from pipeline.bulk.sources import Entry, Source, Unreadable
from serving.merger.core.calls import Call
from serving.merger.core.deadline import Deadline
from serving.merger.core.errors import LookbookError
from serving.merger.core.images import Picture, Size
from serving.merger.decoding.gate import PictureGate
from serving.merger.settings import Settings

Prepared = Picture | LookbookError | Unreadable
"""A picture, or why there is none."""

_PATIENCE_S: Final = 120.0
"""For one picture: a decoder that hangs costs its picture an error, and not the whole work its end."""
_READERS: Final = 8
"""Files that are read, or held, at once: a store takes its time for each, and each may be as large as allowed."""
CALLER: Final = "bulk"


def new_call() -> Call:
    """The circumstances of one picture."""
    return Call("", CALLER, Deadline(_PATIENCE_S), top_k=1)


class Preparer:
    """Works in a thread of its own: the gate is asyncio's, since the merger is.

    Args:
        source: of the pictures.
        sizes: what the models see.
        settings: limits on pictures, those that a merger has unless told otherwise.
    """

    def __init__(self, source: Source, sizes: Sequence[Size], settings: Settings) -> None:
        self._source, self._sizes, self._settings = source, sizes, settings
        self._loop = asyncio.new_event_loop()
        self._readers = ThreadPoolExecutor(_READERS, "bulk-reader")
        self._places = asyncio.Semaphore(_READERS)
        self._gate: PictureGate | None = None
        threading.Thread(target=self._loop.run_forever, daemon=True, name="bulk-gate").start()

    def begin(self, entries: Sequence[Entry]) -> "Future[list[Prepared]]":
        """Begins with some pictures; the result is in their order."""
        return asyncio.run_coroutine_threadsafe(self._all(entries), self._loop)

    async def _all(self, entries: Sequence[Entry]) -> list[Prepared]:
        self._gate = self._gate or PictureGate(self._settings)  # in its loop; its processes come with the first need
        return await asyncio.gather(*(self._one(entry, self._gate) for entry in entries))

    async def _one(self, entry: Entry, gate: PictureGate) -> Prepared:
        most_bytes = self._settings.max_image_bytes
        try:
            async with self._places:
                if self._source.is_far:
                    data = await self._loop.run_in_executor(self._readers, self._source.read, entry, most_bytes)
                else:
                    data = self._source.read(entry, most_bytes)
                return await gate.prepare(await gate.inspect(data), self._sizes, new_call())
        except LookbookError as error:
            return error.alone()
        except Unreadable as error:
            return error
