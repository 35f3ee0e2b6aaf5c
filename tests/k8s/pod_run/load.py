"""Callers of the merger, by REST over new connections and by gRPC over lasting ones, and what they saw."""

import asyncio
import contextlib
import json
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

import grpc.aio
import httpx

from serving.client.client import SERVICE_CONFIG
from serving.proto.lookbook.v1 import classifier_pb2, classifier_pb2_grpc
from tests import tiny_models
from tests.k8s.pod_run.cluster import Cluster
from tests.k8s.pod_run.translate import API_KEY

PAUSE_S: Final = 0.02
TIMEOUT_S: Final = 10.0
COLOUR: Final = "red"
Ask = Callable[[], Awaitable[tuple[str, tuple[str, ...]]]]
"""Makes a call; gives release and joint path."""

KEY: Final = {"x-api-key": API_KEY}


@dataclass
class Seen:
    """What the callers saw: release and joint path of every answer, how long each took, the failures in words, and
    counts by transport."""

    answers: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)

    @property
    def releases(self) -> set[str]:
        """All releases that answered."""
        return {release for release, _ in self.answers}

    @property
    def p99_s(self) -> float:
        """So long took all answers but one in a hundred."""
        return sorted(self.seconds)[int(0.99 * len(self.seconds))]


@contextlib.asynccontextmanager
async def load(cluster: Cluster, rest: int = 3, rpc: int = 1) -> AsyncIterator[Seen]:
    """So many callers at a time, for as long as the block runs."""
    seen = Seen()
    picture = tiny_models.picture(COLOUR)
    stopped = asyncio.Event()
    tasks = [asyncio.create_task(_call("rest", lambda: _rest(cluster, picture), seen, stopped)) for _ in range(rest)]
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(rpc):
            channel = await stack.enter_async_context(_channel(cluster))
            stub = classifier_pb2_grpc.ClassifierStub(channel)
            tasks.append(asyncio.create_task(_call("grpc", lambda stub=stub: _rpc(stub, picture), seen, stopped)))
        try:
            yield seen
        finally:
            stopped.set()
            await asyncio.gather(*tasks)


async def _call(transport: str, ask: Ask, seen: Seen, stopped: asyncio.Event) -> None:
    while not stopped.is_set():
        seen.calls[transport] += 1
        started = time.monotonic()
        try:
            seen.answers.append(await ask())
            seen.seconds.append(time.monotonic() - started)
        except (httpx.HTTPError, grpc.aio.AioRpcError) as error:
            seen.lost[transport] += 1
            seen.failures.append(f"{type(error).__name__}: {error}"[:400])
        await asyncio.sleep(PAUSE_S)


async def _rest(cluster: Cluster, picture: bytes) -> tuple[str, tuple[str, ...]]:
    """One picture over a connection of its own, to any of the pods that the Service has now."""
    url = f"http://127.0.0.1:{random.choice(cluster.addresses('merger', 'http'))}/v1/classify"
    async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
        response = await client.post(url, content=picture, headers={"content-type": "image/jpeg"} | KEY)
    if response.is_error:
        raise httpx.HTTPStatusError(
            f"{response.status_code} {response.text}", request=response.request, response=response
        )
    answer = response.json()
    return answer["release"], tuple(answer["path"])


def _channel(cluster: Cluster) -> grpc.aio.Channel:
    """To all mergers at once, as `dns:///merger-grpc` gives it to `ClassifierClient`, whose retries it has."""
    target = cluster.target("merger-grpc", "grpc")
    return grpc.aio.insecure_channel(target, options=[("grpc.service_config", json.dumps(SERVICE_CONFIG))])


async def _rpc(stub: classifier_pb2_grpc.ClassifierStub, picture: bytes) -> tuple[str, tuple[str, ...]]:
    answer = await stub.Classify(
        classifier_pb2.ClassifyRequest(image=picture), timeout=TIMEOUT_S, metadata=tuple(KEY.items())
    )
    return answer.release, tuple(answer.path)
