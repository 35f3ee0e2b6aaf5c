"""Puts pictures that wait for a model anyway into one call, and never waits for more to come.

A call to a model server costs the two processes together about as much as the arithmetic of a small model, so many
callers with a picture each would spend half of the machine on calls. While fewer than ``calls`` are under way a request
goes out at once; those that come meanwhile wait for one to end and go together. One call at a time gives a model server
on a few cores the largest batches and the most pictures a second; one with many cores wants more, and each replica its
own, so the number counts for each server.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from schema.model_card import ModelCard
from serving.merger.core.deadline import Deadline
from serving.merger.core.errors import DeadlineExceeded
from serving.merger.models.backend import ModelClient
from serving.merger.models.replies import ModelScores

GRACE_S: Final = 0.02
"""The call itself should run out of time before its caller's patience, so that the breaker learns of it."""


@dataclass(frozen=True)
class _Request:
    images: Sequence[bytes]
    given: Sequence[str]
    placed: bool
    card: ModelCard
    deadline: Deadline
    reply: "asyncio.Future[ModelScores]"


class MicroBatcher:
    """Asks one model for the scores of pictures.

    Args:
        client: of the model.
        calls: that may be under way at once for each of the client's servers.
        images: most pictures in one call; a single request may have more.
    """

    def __init__(self, client: ModelClient, calls: int, images: int) -> None:
        self._client = client
        self._calls_per_server = calls
        self._under_way = 0
        self._most_images = images
        self._waiting: dict[int, deque[_Request]] = {}  # by version
        self._running: set[asyncio.Task[None]] = set()

    @property
    def _free_calls(self) -> int:
        return self._calls_per_server * self._client.servers - self._under_way

    async def scores(
        self,
        images: Sequence[bytes],
        version: int,
        card: ModelCard,
        timeout_s: float,
        given: Sequence[str] = (),
        placed: bool = False,
    ) -> ModelScores:
        """Like :meth:`serving.merger.models.backend.ModelClient.scores`; the seconds are those of this caller."""
        started = time.perf_counter()
        if self._free_calls > 0 and not self._waiting:
            return await self._call_alone(images, version, card, timeout_s, given, placed)
        reply_to = asyncio.get_running_loop().create_future()
        request = _Request(images, given, placed, card, Deadline(timeout_s), reply_to)
        self._waiting.setdefault(version, deque()).append(request)
        self._start(version)
        try:
            reply = await asyncio.wait_for(request.reply, timeout_s + GRACE_S)
        except asyncio.TimeoutError:
            model = self._client.model
            self._client.gave_up(timeout_s)
            raise DeadlineExceeded(f"The {model} model did not answer in time.", model=model) from None
        return reply.part(slice(None), time.perf_counter() - started)

    async def _call_alone(
        self,
        images: Sequence[bytes],
        version: int,
        card: ModelCard,
        timeout_s: float,
        given: Sequence[str],
        placed: bool,
    ) -> ModelScores:
        """The call of one request, in its caller's own task."""
        self._under_way += 1
        try:
            return await self._client.scores(images, version, card, timeout_s, given, placed=placed)
        finally:
            self._free()

    def _free(self) -> None:
        self._under_way -= 1
        for version in list(self._waiting):
            self._start(version)

    def _start(self, version: int) -> None:
        """Sends what waits for ``version``, as far as calls are free."""
        while self._free_calls > 0 and (batch := self._next_batch(version)):
            self._under_way += 1
            task = asyncio.create_task(self._call(batch, version))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
            for request in batch:
                request.reply.add_done_callback(partial(_stop_if_unwanted, task, batch))

    def _next_batch(self, version: int) -> list[_Request]:
        waiting = self._waiting.get(version, deque())
        batch: list[_Request] = []
        room = self._most_images
        while waiting and (not batch or len(waiting[0].images) <= room):
            request = waiting.popleft()
            if not request.reply.done():  # its caller may have gone
                batch.append(request)
                room -= len(request.images)
        if not waiting:
            self._waiting.pop(version, None)
        return batch

    async def _call(self, batch: list[_Request], version: int) -> None:
        images = [image for request in batch for image in request.images]
        timeout_s = max(request.deadline.remaining_s for request in batch)
        try:
            placed = any(request.placed for request in batch)
            card, given = batch[0].card, _names(batch)
            _share(batch, await self._client.scores(images, version, card, timeout_s, given, placed=placed))
        except Exception as error:
            for request in batch:
                if not request.reply.done():
                    request.reply.set_exception(error)
        finally:
            self._free()


def _names(batch: Sequence[_Request]) -> list[str]:
    """The names of all pictures; a picture without one gets the answer that it gets among others without."""
    if not any(request.given for request in batch):
        return []
    return [name for request in batch for name in request.given or [""] * len(request.images)]


def _share(batch: Sequence[_Request], scores: ModelScores) -> None:
    first = 0
    for request in batch:
        rows = slice(first, first + len(request.images))
        first = rows.stop
        if not request.reply.done():
            request.reply.set_result(scores.part(rows, scores.elapsed_s))


def _stop_if_unwanted(task: "asyncio.Task[None]", batch: Sequence[_Request], _: "asyncio.Future[ModelScores]") -> None:
    if all(request.reply.done() for request in batch):
        task.cancel()
