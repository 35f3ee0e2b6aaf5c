"""Puts pictures that wait for a model anyway into one call, and never waits for more to come.

What asks for another version, or from features and not by pictures, waits apart; each kind has its turn.

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
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from serving.merger.core.deadline import Deadline
from serving.merger.core.errors import DeadlineExceeded
from serving.merger.models.backend import ModelClient
from serving.merger.models.messages import ModelScores, ScoresRequest

_Kind = tuple[int, bool]
"""Version, and whether it is asked from features: what can go into one call."""

GRACE_S: Final = 0.02
"""The call itself should run out of time before its caller's patience, so that the breaker learns of it."""


@dataclass(frozen=True)
class _Waiting:
    request: ScoresRequest
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
        self._waiting: dict[_Kind, deque[_Waiting]] = {}  # the kind whose turn it is comes first
        self._running: set[asyncio.Task[None]] = set()

    @property
    def _free_calls(self) -> int:
        return self._calls_per_server * self._client.servers - self._under_way

    async def scores(self, request: ScoresRequest, timeout_s: float) -> ModelScores:
        """Like :meth:`serving.merger.models.backend.ModelClient.scores`; the seconds are those of this caller."""
        started = time.perf_counter()
        if self._free_calls > 0 and not self._waiting:
            return await self._call_alone(request, timeout_s)
        one = _Waiting(request, Deadline(timeout_s), asyncio.get_running_loop().create_future())
        self._waiting.setdefault((request.version, bool(request.features)), deque()).append(one)
        self._start()
        try:
            reply = await asyncio.wait_for(one.reply, timeout_s + GRACE_S)
        except asyncio.TimeoutError:
            model = self._client.model
            self._client.gave_up(timeout_s)
            raise DeadlineExceeded(f"The {model} model did not answer in time.", model=model) from None
        return reply.part(slice(None), time.perf_counter() - started)

    async def _call_alone(self, request: ScoresRequest, timeout_s: float) -> ModelScores:
        """The call of one request, in its caller's own task."""
        self._under_way += 1
        try:
            return await self._client.scores(request, timeout_s)
        finally:
            self._free()

    def _free(self) -> None:
        self._under_way -= 1
        self._start()

    def _start(self) -> None:
        """Sends what waits, as far as calls are free."""
        while self._free_calls > 0 and (batch := self._next_batch()):
            self._under_way += 1
            task = asyncio.create_task(self._call(batch))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
            for one in batch:
                one.reply.add_done_callback(partial(_stop_if_unwanted, task, batch))

    def _next_batch(self) -> list[_Waiting]:
        """Of the kind whose turn it is; empty when nobody waits."""
        batch: list[_Waiting] = []
        while self._waiting and not batch:
            kind = next(iter(self._waiting))
            batch = self._take(waiting := self._waiting.pop(kind))
            if waiting:
                self._waiting[kind] = waiting  # behind the others
        return batch

    def _take(self, waiting: deque[_Waiting]) -> list[_Waiting]:
        """The first of them, as many as go into a call."""
        batch: list[_Waiting] = []
        room = self._most_images
        while waiting and (not batch or waiting[0].request.count <= room):
            one = waiting.popleft()
            if not one.reply.done():  # its caller may have gone
                batch.append(one)
                room -= one.request.count
        return batch

    async def _call(self, batch: list[_Waiting]) -> None:
        timeout_s = max(one.deadline.remaining_s for one in batch)
        try:
            _share(batch, await self._client.scores(_together([one.request for one in batch]), timeout_s))
        except Exception as error:
            for one in batch:
                if not one.reply.done():
                    one.reply.set_exception(error)
        finally:
            self._free()


def _together(requests: Sequence[ScoresRequest]) -> ScoresRequest:
    """One for all of them; a picture without a name gets the answer that it gets among others without."""
    has_names = any(one.given for one in requests)
    return replace(
        requests[0],
        images=[image for one in requests for image in one.images],
        given=[name for one in requests for name in one.given or [""] * one.count] if has_names else (),
        placed=any(one.placed for one in requests),
        with_features=any(one.with_features for one in requests),
        features=[features for one in requests for features in one.features],
    )


def _share(batch: Sequence[_Waiting], scores: ModelScores) -> None:
    first = 0
    for one in batch:
        rows = slice(first, first + one.request.count)
        first = rows.stop
        if not one.reply.done():
            one.reply.set_result(scores.part(rows, scores.elapsed_s))


def _stop_if_unwanted(task: "asyncio.Task[None]", batch: Sequence[_Waiting], _: "asyncio.Future[ModelScores]") -> None:
    if all(one.reply.done() for one in batch):
        task.cancel()
