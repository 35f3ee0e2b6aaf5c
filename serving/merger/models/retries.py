"""Asks once more when a server could not be reached, and never when it is too busy: that would make it busier.

gRPC's own retries know a call by its code alone, and TensorFlow Serving says UNAVAILABLE for a full queue too.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import grpc.aio

from serving.merger.core.deadline import Deadline

Reply = TypeVar("Reply")

QUEUE_FULL: Final = "The batch scheduling queue to which this task was submitted is full"
"""How TensorFlow Serving's words begin when a batching queue takes no more."""
BUDGET: Final = 10.0
REFUND: Final = 0.1
"""A failure costs 1 of the budget, a success refunds this; under half of the budget nothing is asked again. So when
most calls fail, retrying stops, and adds at most a tenth to them."""


def is_overload(error: grpc.aio.AioRpcError) -> bool:
    """Whether the server is there and has too much to do: all its threads are taken, or a queue is full."""
    is_unavailable = error.code() == grpc.StatusCode.UNAVAILABLE
    is_full = is_unavailable and (error.details() or "").startswith(QUEUE_FULL)
    return is_full or error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def is_unreached(error: grpc.aio.AioRpcError) -> bool:
    """Whether the call did not get to a server, or its connection broke: another one may answer.

    CANCELLED is what gRPC says of a call that came to a server in the moment of its end; one that we cancel ourselves
    raises no such error.
    """
    is_gone = error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
    return is_gone and not is_overload(error)


class Retries:
    """The attempts of calls over one connection.

    Args:
        attempts: most of one call, the first included.
        backoff_s: longest wait before the second attempt; it doubles from attempt to attempt.
    """

    def __init__(self, attempts: int, backoff_s: float) -> None:
        self._attempts = attempts
        self._backoff_s = backoff_s
        self._tokens = BUDGET

    async def run(self, call: Callable[..., Awaitable[Reply]], request: Any, timeout_s: float) -> Reply:
        """The reply to ``request``, by one attempt or more, all of them within ``timeout_s``.

        Raises:
            grpc.aio.AioRpcError: the last attempt failed.
        """
        deadline = Deadline(timeout_s)
        for attempt in range(1, self._attempts):
            try:
                return await self._once(call, request, deadline)
            except grpc.aio.AioRpcError as error:
                wait_s = self._backoff_s * 2 ** (attempt - 1) * random.random()  # noqa: S311 - spreads callers
                if not self._may_retry(error) or wait_s >= deadline.remaining_s:
                    raise
            await asyncio.sleep(wait_s)
        return await self._once(call, request, deadline)

    async def _once(self, call: Callable[..., Awaitable[Reply]], request: Any, deadline: Deadline) -> Reply:
        try:
            reply = await call(request, timeout=deadline.remaining_s)
        except grpc.aio.AioRpcError as error:
            if is_unreached(error):
                self._tokens = max(0.0, self._tokens - 1)
            raise
        self._tokens = min(BUDGET, self._tokens + REFUND)
        return reply

    def _may_retry(self, error: grpc.aio.AioRpcError) -> bool:
        return is_unreached(error) and self._tokens > BUDGET / 2
