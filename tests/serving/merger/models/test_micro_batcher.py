"""Pictures that wait for a model go together, and each caller gets its own rows, errors and deadline."""

import asyncio
import gc
from array import array
from typing import Any

import pytest

from serving.merger.core.errors import DeadlineExceeded, ModelUnavailable
from serving.merger.models.messages import Features, ModelScores, ScoresRequest
from serving.merger.models.micro_batcher import MicroBatcher
from tests.serving.releases_for_tests import release

CARD = release().cards["category"]


class Client:
    """A model whose score of a picture is the picture's length; calls end when the test says."""

    model = "category"
    servers = 1

    def __init__(self) -> None:
        self.calls: list[tuple[int, list[bytes], float]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.error: Exception | None = None
        self.active = 0
        self.given_up: list[float] = []

        self.kinds: list[str] = []

    def gave_up(self, timeout_s: float) -> None:
        self.given_up.append(timeout_s)

    async def scores(self, request: ScoresRequest, timeout_s: float) -> ModelScores:
        self.calls.append((request.version, list(request.images), timeout_s))
        self.kinds.append(f"{request.signature} {request.count}")
        self.active += 1
        try:
            await self.open.wait()
        finally:
            self.active -= 1
        if self.error:
            raise self.error
        scores = [len(image) for image in request.images] or [one.values[0] for one in request.features]
        return ModelScores({"head": [array("f", [score]) for score in scores]}, [True] * request.count, 0.0)


def batcher(client: Client, calls: int = 1, images: int = 4) -> MicroBatcher:
    return MicroBatcher(client, calls, images)  # type: ignore[arg-type]


async def ask(one: MicroBatcher, *images: bytes, version: int = 1, timeout_s: float = 5.0) -> list[float]:
    reply = await one.scores(ScoresRequest(images, version, CARD), timeout_s)
    return [row[0] for row in reply.heads["head"]]


def start(one: MicroBatcher, *sizes: int, **options: Any) -> list["asyncio.Task[list[float]]"]:
    return [asyncio.create_task(ask(one, b"x" * size, **options)) for size in sizes]


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_waiting_pictures_go_together() -> None:
    """The first goes at once; those that come meanwhile go together, at most so many, and rows are not mixed up."""
    client = Client()
    one = batcher(client)
    client.open.clear()
    tasks = start(one, 1, 2, 3, 4, 5, 6, 7)
    await settle()
    assert [len(images) for _, images, _ in client.calls] == [1]
    client.open.set()
    assert [await task for task in tasks] == [[1.0], [2.0], [3.0], [4.0], [5.0], [6.0], [7.0]]
    assert [len(images) for _, images, _ in client.calls] == [1, 4, 2]


async def test_free_calls_are_used_first() -> None:
    """Nobody waits while the model can take another call."""
    client = Client()
    client.open.clear()
    tasks = start(batcher(client, calls=3), 1, 2, 3, 4)
    await settle()
    assert [len(images) for _, images, _ in client.calls] == [1, 1, 1]
    client.open.set()
    await asyncio.gather(*tasks)
    assert client.active == 0


async def test_versions_are_never_mixed() -> None:
    """Pictures for two versions go in two calls, and both get their turn."""
    client = Client()
    one = batcher(client)
    client.open.clear()
    tasks = [*start(one, 1, version=1), *start(one, 2, version=2), *start(one, 3, version=1), *start(one, 4, version=2)]
    await settle()
    client.open.set()
    assert [await task for task in tasks] == [[1.0], [2.0], [3.0], [4.0]]
    assert sorted((version, len(images)) for version, images, _ in client.calls) == [(1, 1), (1, 1), (2, 2)]


def from_features(one: MicroBatcher, *scores: float) -> list["asyncio.Task[ModelScores]"]:
    told = [Features(array("f", [score, 0.0]), array("i", [1]), array("f", [1.0])) for score in scores]
    requests = [ScoresRequest([], 1, CARD, features=[features]) for features in told]
    return [asyncio.create_task(one.scores(request, 5.0)) for request in requests]


async def test_features_and_pictures_go_apart() -> None:
    """Requests from features share calls with their like alone, each has its own rows, and both kinds take turns."""
    client = Client()
    one = batcher(client)
    client.open.clear()
    first = start(one, 1)
    await settle()
    pictures, features = start(one, *range(2, 14)), from_features(one, *range(21, 33))
    await settle()
    client.open.set()
    assert [await task for task in [*first, *pictures]] == [[float(size)] for size in range(1, 14)]
    assert [(await task).heads["head"][0][0] for task in features] == [float(score) for score in range(21, 33)]
    assert client.kinds == ["scores 1", *["scores 4", "scores_from_features 4"] * 3]


@pytest.mark.parametrize("few", ["scores_from_features 1", "scores 1"])
async def test_no_kind_starves(few: str) -> None:
    """The only request of its kind is in one of the next two calls, however many of the other kind came before it."""
    client = Client()
    one = batcher(client, images=1)
    client.open.clear()
    tasks: list[asyncio.Task[Any]] = (
        [*from_features(one, *[0.5] * 20), *start(one, 1)]
        if few == "scores 1"
        else [*start(one, *[1] * 20), *from_features(one, 0.5)]
    )
    await settle()
    client.open.set()
    await asyncio.gather(*tasks)
    assert client.kinds.index(few) in (1, 2) and len(client.kinds) == 21


async def test_large_request_goes_whole() -> None:
    """A request with more pictures than a call should have is not cut, and nothing is added to it."""
    client = Client()
    one = batcher(client)
    assert await ask(one, *[b"x"] * 9) == [1.0] * 9


async def test_error_reaches_all_of_the_call() -> None:
    """Who was in the call gets its error; the next call is a new one."""
    client = Client()
    one = batcher(client)
    client.open.clear()
    client.error = ModelUnavailable("gone", model="category")
    tasks = start(one, 1, 2, 3)
    await settle()
    client.open.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [ModelUnavailable] * 3
    client.error = None
    assert await ask(one, b"xx") == [2.0]


@pytest.mark.parametrize("moment", range(6))
async def test_no_error_is_left_behind(moment: int) -> None:
    """A caller that goes around the moment of its call's error leaves nothing for the loop to complain of."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    client = Client()
    one = batcher(client)
    client.open.clear()
    client.error = ModelUnavailable("gone", model="category")
    tasks = start(one, 1, 2, 3)
    await settle()
    client.open.set()
    for _ in range(moment):
        await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await settle()
    del tasks
    gc.collect()
    await settle()
    assert not complaints


async def test_each_caller_has_its_own_deadline() -> None:
    """A caller in a hurry gives up alone; the call goes on with the time of the most patient."""
    client = Client()
    one = batcher(client)
    client.open.clear()
    first, patient = start(one, 1), start(one, 2, timeout_s=5.0)
    hurried = start(one, 3, timeout_s=0.01)
    with pytest.raises(DeadlineExceeded):
        await hurried[0]
    assert client.given_up == [0.01], "the breaker learns of it"
    client.open.set()
    assert [await first[0], await patient[0]] == [[1.0], [2.0]]
    assert client.calls[1][1] == [b"xx"] and client.calls[1][2] > 4


async def test_call_that_nobody_wants_is_cancelled() -> None:
    """When all callers of a call have gone it ends; when one is left it goes on."""
    client = Client()
    one = batcher(client)
    client.open.clear()
    (first,) = start(one, 1)
    left, stays = start(one, 2, 3)
    await settle()
    first.cancel()
    await settle()
    assert client.active == 1 and len(client.calls[1][1]) == 2, "the place of the first went to the two that waited"
    left.cancel()
    await settle()
    assert client.active == 1
    client.open.set()
    assert await stays == [3.0]
