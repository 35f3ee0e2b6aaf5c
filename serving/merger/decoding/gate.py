"""Where a picture is looked at: small ones at once, in slices of the event loop's time; all others in processes."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from serving.merger.core import images
from serving.merger.core.calls import Call
from serving.merger.core.errors import LookbookError
from serving.merger.core.images import SMALL_BYTES, Inspected, Picture, Size
from serving.merger.decoding.decoder import Decoder
from serving.merger.settings import Settings

SLICE_S: Final = 0.01
"""Time of one round of the loop that pictures may take before others get their turn."""

Unread = bytes
"""A file that is looked into later, in a process."""


class PictureGate:
    """Checks pictures and makes them ready for the models.

    Args:
        settings: limits and budgets.
    """

    def __init__(self, settings: Settings) -> None:
        self._limits = settings.max_image_bytes, settings.max_image_pixels
        self._decoder = Decoder(settings.decoding_processes, settings.max_decoded_bytes, self._limits)
        self._spent_s = 0.0
        self.start, self.stop = self._decoder.start, self._decoder.stop

    async def inspect(self, data: bytes) -> Inspected | Unread:
        """Checks what costs little: of a small file the header, of a large one that it is not too large.

        Raises:
            ImageError: it is refused.
        """
        if SMALL_BYTES < len(data) <= self._limits[0]:
            return data
        await self._turn()
        with self._slice():
            return images.inspect(data, *self._limits)

    async def prepare(self, one: Inspected | Unread, sizes: Sequence[Size], call: Call) -> Picture:
        """The picture, ready for models that see ``sizes``.

        Raises:
            ImageError: it is refused or broken.
            DeadlineExceeded: there was no time for it.
        """
        if isinstance(one, Inspected) and one.is_small:
            await self._turn()
            with self._slice():
                return images.prepare(one, sizes)
        return await self._decoder.prepare(one if isinstance(one, Unread) else one.data, sizes, call)

    async def prepare_all(
        self, inspected: Sequence[Inspected | Unread | LookbookError], sizes: Sequence[Size], call: Call
    ) -> list[Picture | LookbookError]:
        """The same of many; an error instead of one that cannot be made ready, or was none before."""
        if len(inspected) == 1:  # the usual case is spared a task
            return [await self._prepare(inspected[0], sizes, call)]
        return await asyncio.gather(*(self._prepare(one, sizes, call) for one in inspected))

    async def _prepare(
        self, one: Inspected | Unread | LookbookError, sizes: Sequence[Size], call: Call
    ) -> Picture | LookbookError:
        if isinstance(one, LookbookError):
            return one
        try:
            return await self.prepare(one, sizes, call)
        except LookbookError as error:
            return error.alone()

    async def _turn(self) -> None:
        while self._spent_s > SLICE_S:
            await asyncio.sleep(0)

    @contextmanager
    def _slice(self) -> Iterator[None]:
        started = time.perf_counter()
        if not self._spent_s:
            asyncio.get_running_loop().call_soon(self._new_round)
        try:
            yield
        finally:
            self._spent_s += time.perf_counter() - started

    def _new_round(self) -> None:
        self._spent_s = 0.0
