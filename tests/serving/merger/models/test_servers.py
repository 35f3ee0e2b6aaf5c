"""Which of several model servers answers: one that has the version, is there, and does not load another."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import grpc
import pytest
import pytest_asyncio

from serving.merger.core.errors import LookbookError, VersionGone
from serving.merger.models.backend import ModelClient
from serving.merger.models.messages import ScoresRequest
from serving.merger.models.model_server import VersionState
from serving.merger.models.servers import Servers, agreed
from serving.merger.settings import Settings
from tests import tiny_models
from tests.serving.fake_model_server import FakeModelServer

RED = tiny_models.picture("red")
MODEL, OTHER = "category", "article_type"
PATIENCE_S = 60.0
NOW_LOADING = {1: "AVAILABLE", 2: "LOADING"}
BOTH = {1: "AVAILABLE", 2: "AVAILABLE"}


class Fleet:
    """Three fake model servers, and a client of all of them."""

    def __init__(self, fakes: list[FakeModelServer]) -> None:
        self.fakes = fakes
        settings = Settings()
        self.servers = Servers("ipv4:" + ",".join(fake.target for fake in fakes), settings)
        self.clients = {model: ModelClient(model, self.servers, settings, self) for model in (MODEL, OTHER)}
        self.card = tiny_models.make_card(MODEL)

    def model_call(self, model: str, code: str, seconds: float) -> None:
        """Does not mind."""

    async def look(self) -> list[VersionState]:
        """Asks for the versions of both models; gives those of one."""
        found = [await client.versions(PATIENCE_S) for client in self.clients.values()]
        return found[0]

    async def ask(self, calls: int = 6, version: int = 1) -> list[int]:
        """So many calls one after the other; how many of them each server got."""
        for fake in self.fakes:
            fake.models[MODEL].calls.clear()
        for _ in range(calls):
            await self.clients[MODEL].scores(ScoresRequest([RED], version, self.card), PATIENCE_S)
        return [len(fake.models[MODEL].calls) for fake in self.fakes]


@pytest_asyncio.fixture
async def fleet() -> AsyncIterator[Fleet]:
    """All three serve version 1 of both models, and have been looked at."""
    fakes = [FakeModelServer() for _ in range(3)]
    for fake in fakes:
        await fake.start()
    running = Fleet(fakes)
    await running.look()
    yield running
    await running.servers.close()
    for fake in fakes:
        await fake.stop()


async def test_calls_go_round(fleet: Fleet) -> None:
    """Servers that are alike get alike many calls."""
    assert await fleet.ask() == [2, 2, 2]


@pytest.mark.parametrize("model", [MODEL, OTHER])
async def test_one_that_loads_is_left_out(fleet: Fleet, model: str) -> None:
    """A server that loads a version, of whichever model, gets no calls until it has it, and then its share again."""
    fleet.fakes[1].models[model].versions = NOW_LOADING
    await fleet.look()
    assert await fleet.ask() == [3, 0, 3]
    assert fleet.clients[MODEL].servers == 2
    fleet.fakes[1].models[model].versions = BOTH
    await fleet.look()
    assert await fleet.ask() == [2, 2, 2]


async def test_never_all_are_left_out(fleet: Fleet) -> None:
    """Where more than half of the servers load at once, the few that do not would drown: all answer."""
    for fake in fleet.fakes[1:]:
        fake.models[MODEL].versions = NOW_LOADING
    await fleet.look()
    assert await fleet.ask() == [2, 2, 2]
    fleet.fakes[0].models[MODEL].versions = NOW_LOADING
    await fleet.look()
    assert await fleet.ask() == [2, 2, 2]


async def test_a_version_is_asked_where_it_is(fleet: Fleet) -> None:
    """Servers that do not have a version yet are not asked for it; what nobody has is told so."""
    for fake in fleet.fakes[:2]:
        fake.models[MODEL].versions = BOTH
    await fleet.look()
    assert await fleet.ask(version=2) == [3, 3, 0]
    assert await fleet.ask(version=1) == [2, 2, 2]
    with pytest.raises(VersionGone):
        await fleet.ask(version=3)


async def test_a_server_that_ends_costs_no_call(fleet: Fleet) -> None:
    """The call that finds a server gone goes to another one, and those after it do not try it again."""
    await fleet.fakes[0].stop()
    assert (await fleet.ask())[0] == 0
    await fleet.look()
    assert await fleet.ask() == [0, 3, 3]
    await fleet.fakes[0].start()
    await _until(fleet, lambda: fleet.clients[MODEL].servers == 3)
    assert await fleet.ask() == [2, 2, 2]


async def test_each_attempt_is_another_server_s(fleet: Fleet) -> None:
    """Two servers that refuse a call do not lose it while a third is there, whichever comes first."""
    for fake in fleet.fakes[:2]:
        fake.models[MODEL].predict_error = grpc.StatusCode.CANCELLED
    for _ in range(2):
        await fleet.look()
        assert (await fleet.ask(calls=1))[2] == 1


async def test_busy_servers_get_less(fleet: Fleet) -> None:
    """A server that is slow has calls under way, so that the next go to the others."""
    fleet.fakes[0].models[MODEL].delay_s = 1.0
    slow = asyncio.create_task(fleet.ask(calls=1))
    while not fleet.fakes[0].models[MODEL].active:
        await asyncio.sleep(0.005)
    assert await fleet.ask() == [0, 3, 3]
    await slow


async def test_one_that_is_silent_holds_no_look_up(fleet: Fleet) -> None:
    """A server that answers no look is waited for once, and no longer than that while others are there."""
    fleet.fakes[0].models[MODEL].status_delay_s = PATIENCE_S
    client = fleet.clients[MODEL]
    await client.versions(0.5)
    started = time.monotonic()
    await client.versions(PATIENCE_S)
    assert time.monotonic() - started < PATIENCE_S / 2
    assert client.servers == 2


async def test_who_comes_back_is_told(fleet: Fleet) -> None:
    """One of several that was away may have other files now: whoever keeps cards must know."""
    client = fleet.clients[MODEL]
    assert client.has_returned
    await client.versions(PATIENCE_S)
    assert not client.has_returned
    fleet.fakes[0].models[MODEL].status_error = grpc.StatusCode.UNAVAILABLE
    await client.versions(PATIENCE_S)
    assert not client.has_returned and client.servers == 2
    fleet.fakes[0].models[MODEL].status_error = None
    await _until(fleet, lambda: client.has_returned)


async def test_nobody_there(fleet: Fleet) -> None:
    """With no server left a look is an error, not an empty list."""
    for fake in fleet.fakes:
        fake.models[MODEL].status_error = grpc.StatusCode.UNAVAILABLE
    with pytest.raises(LookbookError):
        await fleet.clients[MODEL].versions(PATIENCE_S)


async def _until(fleet: Fleet, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        await fleet.clients[MODEL].versions(PATIENCE_S)
        await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("heard", "expected"),
    [
        ([{1: "AVAILABLE"}], {1: "AVAILABLE"}),
        ([BOTH, NOW_LOADING], {2: "AVAILABLE", 1: "AVAILABLE"}),
        ([BOTH, NOW_LOADING, NOW_LOADING], {2: "LOADING", 1: "AVAILABLE"}),
        ([BOTH, {1: "AVAILABLE"}, {1: "AVAILABLE"}], {2: "START", 1: "AVAILABLE"}),
        ([{2: "AVAILABLE"}, {3: "AVAILABLE"}, {4: "AVAILABLE"}], {4: "AVAILABLE", 3: "AVAILABLE", 2: "AVAILABLE"}),
        ([{}, {}], {}),
    ],
)
def test_agreed(heard: list[dict[int, str]], expected: dict[int, str]) -> None:
    """A version answers once half of the servers have it, or where no version is that far."""
    states = agreed([[VersionState(v, state, "") for v, state in one.items()] for one in heard])
    assert {one.version: one.state for one in states} == expected
    assert [one.version for one in states] == sorted(expected, reverse=True)
