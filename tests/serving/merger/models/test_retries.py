"""What is asked again and what is not, within which time, and when retrying stops."""

import asyncio
from typing import Any

import grpc
import grpc.aio
import pytest

from serving.merger.models.retries import QUEUE_FULL, Retries

Code = grpc.StatusCode


def failure(code: grpc.StatusCode, words: str = "") -> grpc.aio.AioRpcError:
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), words)


class Server:
    """Fails with each of ``failures`` in turn, then answers."""

    def __init__(self, *failures: grpc.aio.AioRpcError) -> None:
        self.failures = list(failures)
        self.timeouts: list[float] = []

    async def __call__(self, request: Any, *, timeout: float) -> Any:
        self.timeouts.append(timeout)
        if self.failures:
            raise self.failures.pop(0)
        return request


GONE = failure(Code.UNAVAILABLE, "connection refused")
ENDED = failure(Code.CANCELLED, "CANCELLED")


async def test_asks_again_within_the_time() -> None:
    """A server that is not reached, or ends as the call comes, is asked again, with what is left of the time."""
    server = Server(GONE, ENDED)
    assert await Retries(3, 0.001).run(server, "request", 5.0) == "request"
    assert 5 >= server.timeouts[0] > server.timeouts[1] > server.timeouts[2] > 0


async def test_gives_up() -> None:
    """No more attempts than are allowed, and none after which no time would be left."""
    server = Server(*[GONE] * 9)
    with pytest.raises(grpc.aio.AioRpcError):
        await Retries(3, 0.001).run(server, "request", 5.0)
    assert len(server.timeouts) == 3
    late = Server(GONE)
    with pytest.raises(grpc.aio.AioRpcError):
        await Retries(3, 1e6).run(late, "request", 0.1)
    assert len(late.timeouts) == 1


@pytest.mark.parametrize(
    "error",
    [
        failure(Code.UNAVAILABLE, f"{QUEUE_FULL}; task size is 1"),
        failure(Code.RESOURCE_EXHAUSTED, "Server Threadpool Exhausted"),
        failure(Code.DEADLINE_EXCEEDED),
        failure(Code.INTERNAL),
        failure(Code.NOT_FOUND),
    ],
    ids=lambda error: error.code().name,
)
async def test_asks_once(error: grpc.aio.AioRpcError) -> None:
    """What another attempt would not mend, or would make worse, is asked once."""
    server = Server(error)
    with pytest.raises(grpc.aio.AioRpcError):
        await Retries(3, 0.001).run(server, "request", 5.0)
    assert len(server.timeouts) == 1


async def test_budget() -> None:
    """While everything fails, retrying stops after a few; when most succeeds, it comes back."""
    retries = Retries(3, 0.0001)
    dead = Server(*[GONE] * 1000)
    await asyncio.gather(*(retries.run(dead, "request", 5.0) for _ in range(100)), return_exceptions=True)
    assert len(dead.timeouts) <= 110
    for _ in range(100):
        await retries.run(Server(), "request", 5.0)
    assert await retries.run(Server(GONE), "request", 5.0) == "request"
