"""Model servers that come later are found, get their share, and more calls are under way; those that go are let go."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
import pytest_asyncio
import trustme

from serving.merger.core.errors import LookbookError
from serving.merger.models import addresses
from serving.merger.models.addresses import Addresses
from serving.merger.models.backend import ModelClient
from serving.merger.models.messages import ScoresRequest
from serving.merger.models.micro_batcher import MicroBatcher
from serving.merger.models.servers import Servers
from serving.merger.settings import Settings
from tests import tiny_models
from tests.serving.fake_model_server import FakeModelServer

RED = tiny_models.picture("red")
MODEL = "category"
PATIENCE_S = 60.0


class Names:
    """A DNS whose answer the test sets."""

    def __init__(self, *found: str) -> None:
        self.found = set(found)
        self.error: OSError | None = None
        self.asked = 0

    async def __call__(self, host: str, port: int) -> set[str]:
        self.asked += 1
        if self.error:
            raise self.error
        return set(self.found)


class Nobody:
    """Is told of calls and does not mind."""

    def model_call(self, model: str, code: str, seconds: float) -> None:
        """Nothing."""


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every look asks."""
    monkeypatch.setattr(addresses, "LOOK_UP_S", 0.0)


@pytest_asyncio.fixture
async def servers() -> AsyncIterator[list[FakeModelServer]]:
    """Three model servers on one port, each at an address of its own."""
    found: list[FakeModelServer] = []
    for number in (1, 2, 3):
        server = FakeModelServer(host=f"127.0.0.{number}")
        server.port = found[0].port if found else 0
        await server.start()
        found.append(server)
    yield found
    for server in found:
        await server.stop()


async def test_each_server_gets_calls_as_soon_as_it_is_known(servers: list[FakeModelServer]) -> None:
    """One server becomes three: all three answer, and three calls are under way at once where there was one."""
    names = Names("127.0.0.1")
    settings = Settings(category_target=f"dns:///model-server:{servers[0].port}")
    followed = Servers(settings.category_target, settings, names)
    client = ModelClient(MODEL, followed, settings, Nobody())
    batcher = MicroBatcher(client, calls=1, images=1)
    card = await _card(client)
    for server in servers:
        server.models[MODEL].delay_s = 0.2
    assert await _most_at_once(batcher, servers, card) == 1
    names.found = {"127.0.0.1", "127.0.0.2", "127.0.0.3"}
    await client.versions(PATIENCE_S)
    assert await _most_at_once(batcher, servers, card) == 3
    deadline = time.monotonic() + PATIENCE_S
    while not all(server.models[MODEL].calls for server in servers):
        assert time.monotonic() < deadline, "a server that is known gets no calls"
        await batcher.scores(ScoresRequest([RED], 1, card), PATIENCE_S)
    await followed.close()


async def _card(client: ModelClient):  # type: ignore[no-untyped-def]
    await client.versions(PATIENCE_S)
    return await client.card(1, PATIENCE_S)


async def _most_at_once(batcher: MicroBatcher, servers: list[FakeModelServer], card) -> int:  # type: ignore[no-untyped-def]
    """Most calls that were under way at once for six pictures, each of which needs one of its own."""
    asking = [asyncio.create_task(batcher.scores(ScoresRequest([RED], 1, card), PATIENCE_S)) for _ in range(6)]
    most = 0
    while not all(task.done() for task in asking):
        most = max(most, sum(server.models[MODEL].active for server in servers))
        await asyncio.sleep(0.005)
    await asyncio.gather(*asking)
    return most


async def test_calls_under_way_outlive_a_change(servers: list[FakeModelServer]) -> None:
    """A call that has begun ends well though its server is no longer among the addresses."""
    names = Names("127.0.0.1")
    settings = Settings(category_target=f"dns:///model-server:{servers[0].port}")
    followed = Servers(settings.category_target, settings, names)
    client = ModelClient(MODEL, followed, settings, Nobody())
    card = await _card(client)
    servers[0].models[MODEL].delay_s = 0.5
    asking = asyncio.create_task(client.scores(ScoresRequest([RED], 1, card), PATIENCE_S))
    while not servers[0].models[MODEL].active:
        await asyncio.sleep(0.005)
    names.found = {"127.0.0.2"}
    await client.versions(PATIENCE_S)
    assert (await asking).image_ok == [True]
    await client.scores(ScoresRequest([RED], 1, card), PATIENCE_S)
    assert servers[1].models[MODEL].calls
    await followed.close()


async def certified(ca: Path) -> FakeModelServer:
    """A server with a certificate of the name model-server, by an authority whose own goes to that path."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(ca))
    server = FakeModelServer()
    certificate = authority.issue_cert("model-server")
    chain = b"".join(pem.bytes() for pem in certificate.cert_chain_pems)
    server.credentials = grpc.ssl_server_credentials([(certificate.private_key_pem.bytes(), chain)])
    await server.start()
    return server


async def test_certificates_are_read_at_the_start(tmp_path: Path) -> None:
    """An address that changes while their files are away changes nothing else: servers are found as ever."""
    server = await certified(tmp_path / "ca.pem")
    settings = Settings(category_target=f"dns:///model-server:{server.port}", model_ca_file=str(tmp_path / "ca.pem"))
    names = Names("127.0.0.9")
    followed = Servers(settings.category_target, settings, names)
    client = ModelClient(MODEL, followed, settings, Nobody())
    with pytest.raises(LookbookError):
        await client.versions(2.0)
    (tmp_path / "ca.pem").unlink()
    names.found = {"127.0.0.1"}
    assert (await _card(client)).model == MODEL
    await followed.close()
    await server.stop()


async def test_certificates_are_those_of_the_name(tmp_path: Path) -> None:
    """Servers are connected to by address, and must still show a certificate for their name."""
    server = await certified(tmp_path / "ca.pem")
    for name, is_right in (("model-server", True), ("somebody-else", False)):
        settings = Settings(category_target=f"dns:///{name}:{server.port}", model_ca_file=str(tmp_path / "ca.pem"))
        followed = Servers(settings.category_target, settings, Names("127.0.0.1"))
        client = ModelClient(MODEL, followed, settings, Nobody())
        if is_right:
            assert (await _card(client)).model == MODEL
        else:
            with pytest.raises(LookbookError):
                await client.versions(2.0)
        await followed.close()
    await server.stop()


async def test_without_dns_the_addresses_stay() -> None:
    """DNS that fails or knows nobody takes no server away."""
    names = Names("10.0.0.1", "10.0.0.2")
    followed = Addresses("dns:///model-server:8500", names)
    assert followed.targets == ["dns:///model-server:8500"]
    assert await followed.look()
    assert followed.targets == ["ipv4:10.0.0.1:8500", "ipv4:10.0.0.2:8500"]
    names.error = OSError("no answer")
    assert not await followed.look()
    names.error, names.found = None, set()
    assert not await followed.look()
    assert len(followed.targets) == 2


async def test_ipv6_addresses_are_written_as_grpc_wants_them() -> None:
    """Brackets, or the port would be taken for a part of the address."""
    followed = Addresses("dns:///model-server:8500", Names("fd00::1"))
    assert await followed.look()
    assert followed.targets == ["ipv6:[fd00::1]:8500"]


async def test_a_list_is_several_servers() -> None:
    """Addresses that are given one by one are as many servers."""
    assert Addresses("ipv4:127.0.0.1:1,127.0.0.2:1").targets == ["ipv4:127.0.0.1:1", "ipv4:127.0.0.2:1"]
    assert Addresses("ipv6:[::1]:1,[::2]:1").targets == ["ipv6:[::1]:1", "ipv6:[::2]:1"]


@pytest.mark.parametrize("target", ["localhost:8500", "unix:/run/x", "dns:///[::1]:1"])
async def test_other_targets_are_left_to_grpc(target: str) -> None:
    """Only a DNS name is followed."""
    names = Names("10.0.0.1")
    followed = Addresses(target, names)
    assert not await followed.look()
    assert (followed.targets, followed.authority, names.asked) == ([target], "", 0)


async def test_the_system_s_resolver_is_asked() -> None:
    """The real one finds this machine."""
    assert "127.0.0.1" in await addresses.resolve("localhost", 80)
