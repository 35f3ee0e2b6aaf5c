"""Who may call, and how much: API keys and each caller's share, over both transports."""

import asyncio
import time
from pathlib import Path
from typing import Any

import grpc
import pytest

from serving.client import ClassifierClient, ClassifyError
from serving.merger.admission.api_keys import ApiKeys
from serving.merger.admission.rate_limiter import MOST_CALLERS, RateLimiter
from serving.merger.core.deadline import Deadline
from serving.merger.core.errors import DeadlineExceeded, RateLimited, SettingsError
from serving.proto.lookbook.v1 import classifier_pb2 as pb
from tests import tiny_models
from tests.serving.fake_model_server import FakeModelServer
from tests.serving.merger_process import MergerProcess, merger, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

RED = tiny_models.picture("red")
JPEG = {"content-type": "image/jpeg"}
KEY, OTHER_KEY = "correct-horse-battery", "staple-staple-staple"


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A file with the key of one shop."""
    path = tmp_path / "keys"
    path.write_text(f"# who may call\n\nshop {KEY}\n")
    return path


async def status(running: MergerProcess, **headers: str) -> int:
    reply = await running.http.post("/v1/classify", content=RED, headers=JPEG | headers)
    return reply.status_code


async def test_rest_asks_for_a_key(fake: FakeModelServer, tmp_path: Path, keys: Path) -> None:
    """With keys nothing under /v1 answers a stranger, both headers work, and no key ends up in the log."""
    async with merger(tmp_path, fake.target, api_keys_file=keys) as running:
        await running.ready()
        for path in ("/v1/models", "/v1/taxonomy"):
            assert (await running.http.get(path)).status_code == 401
        refused = await running.http.post("/v1/classify", content=RED, headers=JPEG | {"x-api-key": OTHER_KEY})
        assert (refused.status_code, refused.json()["code"]) == (401, "unauthenticated")
        assert refused.headers["www-authenticate"] == "Bearer"
        assert await status(running, authorization=f"Bearer {KEY}") == 200
        assert await status(running, **{"x-api-key": KEY}) == 200
        assert await status(running, authorization=f"Basic {KEY}") == 401
        assert (await running.http.get("/docs")).status_code == 200
        described = (await running.http.get("/openapi.json")).json()
        assert {tuple(way) for way in described["security"]} == {("bearer",), ("header",)}
        assert KEY not in running.log.read_text() and OTHER_KEY not in running.log.read_text()
        assert KEY not in refused.text and OTHER_KEY not in refused.text


async def test_grpc_asks_for_a_key(fake: FakeModelServer, tmp_path: Path, keys: Path) -> None:
    """Calls and streams need the key, the health service does not, and the client of ours sends it."""
    async with merger(tmp_path, fake.target, api_keys_file=keys) as running:
        await running.ready()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await running.stub.Classify(pb.ClassifyRequest(image=RED))
        assert caught.value.code() == grpc.StatusCode.UNAUTHENTICATED
        with ClassifierClient(running.grpc_target, api_key=KEY) as client:
            assert (await asyncio.to_thread(client.classify, RED)).release == "1"
            results = await asyncio.to_thread(lambda: list(client.classify_stream([("a", RED)])))
            assert results[0].answer.release == "1"
        with ClassifierClient(running.grpc_target, api_key=OTHER_KEY) as stranger:
            with pytest.raises(ClassifyError, match="unauthenticated"):
                await asyncio.to_thread(stranger.models)
            with pytest.raises(ClassifyError, match="unauthenticated"):
                await asyncio.to_thread(lambda: list(stranger.classify_stream([("a", RED)])))


async def test_keys_are_read_anew(fake: FakeModelServer, tmp_path: Path, keys: Path) -> None:
    """A key that is taken out of the file stops working and a new one works, without a restart; a broken file changes
    nothing."""
    async with merger(tmp_path, fake.target, api_keys_file=keys) as running:
        await running.ready()
        assert await status(running, **{"x-api-key": KEY}) == 200
        keys.write_text("one two three")

        async def is_noticed() -> bool:
            assert await status(running, **{"x-api-key": KEY}) == 200
            return any(line["message"] == "the API keys stay as they were" for line in running.lines())

        await until(is_noticed)
        keys.write_text(f"shop {OTHER_KEY}\n")

        async def is_swapped() -> bool:
            return (await status(running, **{"x-api-key": OTHER_KEY})) == 200

        await until(is_swapped)
        assert await status(running, **{"x-api-key": KEY}) == 401


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "holds no key"),
        ("shop short", "line 1"),
        (f"shop {KEY}\nshop {OTHER_KEY}", "line 2"),
        (f"# fine\n{KEY}", "line 2"),
    ],
)
async def test_wrong_file_of_keys(tmp_path: Path, text: str, complaint: str) -> None:
    """A file that would lock everybody out, or let a weak key in, stops the start and names the line, not the key."""
    path = tmp_path / "keys"
    path.write_text(text)
    with pytest.raises(SettingsError, match=complaint) as caught:
        ApiKeys(str(path))
    assert KEY not in str(caught.value)


async def test_each_caller_has_a_share(fake: FakeModelServer, tmp_path: Path, keys: Path) -> None:
    """One caller's flood is refused with a time to come back, and leaves another caller's share alone."""
    keys.write_text(f"shop {KEY}\nother {OTHER_KEY}\n")
    limits = {"rate_images_per_s": 1, "rate_burst_images": 4}
    async with merger(tmp_path, fake.target, api_keys_file=keys, **limits) as running:
        await running.ready()
        flood = [
            await running.http.post("/v1/classify", content=RED, headers=JPEG | {"x-api-key": KEY}) for _ in range(8)
        ]
        assert [reply.status_code for reply in flood[:4]] == [200] * 4
        refused = [reply for reply in flood if reply.status_code == 429]
        assert refused and all(reply.json()["code"] == "rate_limited" for reply in refused)
        assert all(int(reply.headers["retry-after"]) >= 1 for reply in refused)
        assert await status(running, **{"x-api-key": OTHER_KEY}) == 200


async def test_a_stream_is_slowed_down(fake: FakeModelServer, tmp_path: Path) -> None:
    """A stream over its share loses nothing: it is worked on as fast as the share allows."""
    async with merger(tmp_path, fake.target, rate_images_per_s=20, rate_burst_images=2) as running:
        await running.ready()
        started = time.monotonic()
        with ClassifierClient(running.grpc_target) as client:
            results = await asyncio.to_thread(lambda: list(client.classify_stream([(f"{i}", RED) for i in range(12)])))
        assert [result.answer.release for result in results] == ["1"] * 12
        assert time.monotonic() - started >= 0.4


async def test_addresses_of_callers_cannot_be_made_up(fake: FakeModelServer, tmp_path: Path) -> None:
    """X-Forwarded-For counts only from a proxy that is trusted: else every request could claim a share of its own."""

    async def flood(**settings: Any) -> set[int]:
        limits = {"rate_images_per_s": 1, "rate_burst_images": 2}
        async with merger(tmp_path, fake.target, **limits, **settings) as running:
            await running.ready()
            return {await status(running, **{"x-forwarded-for": f"10.0.0.{i}"}) for i in range(6)}

    assert await flood() == {200, 429}
    assert await flood(trusted_proxies="127.0.0.1") == {200}


class Clock:
    """A clock that stands until it is set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_bucket() -> None:
    """A bucket is full at first, gains by time, never more than its burst; too large a call leaves a debt."""
    clock = Clock()
    rates = RateLimiter(10, 5, clock)
    assert [rates.take("a", 5), rates.take("a", 1)] == [0.0, pytest.approx(0.1)]
    clock.now = 100.0
    assert rates.take("a", 15) == 0.0
    assert rates.take("a", 1) == pytest.approx(1.1)
    with pytest.raises(RateLimited, match=r"1\.1 s"):
        await rates.admit("a", 1, Deadline(5))
    with pytest.raises(DeadlineExceeded):
        await rates.admit("a", 1, Deadline(0.1), is_patient=True)


async def test_many_strangers_fill_no_memory() -> None:
    """However many addresses call, so many buckets are kept and no more."""
    rates = RateLimiter(1, 1)
    for caller in range(MOST_CALLERS + 100):
        rates.take(str(caller), 1)
    assert len(rates._buckets) == MOST_CALLERS


@pytest.mark.parametrize(
    ("address", "caller"),
    [
        ("10.0.0.7", "10.0.0.7"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:10.0.0.7", "10.0.0.7"),
        ("unix:", "unix:"),
        ("", ""),
    ],
)
async def test_a_caller_without_a_key_is_its_network(address: str, caller: str) -> None:
    """Who has IPv6 has 2^64 addresses, and gets one caller's share all the same."""
    assert ApiKeys("").identify({}, address) == caller
