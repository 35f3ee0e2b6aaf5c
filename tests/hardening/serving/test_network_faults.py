"""Bad networks between the merger and its model server: every call ends in time, and all is well again by itself."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import grpc
import pytest

from tests.hardening.promises import Promises
from tests.hardening.serving.asking import ask_many, recovery_s, told
from tests.hardening.serving.fault_proxy import Fault, FaultProxy
from tests.serving.fake_model_server import FakeModelServer
from tests.serving.merger_process import merger

TIMEOUT_S: Final = 2.0
SLACK_S: Final = 3.0
"""What a busy machine may add; the rows say how long it really took."""
RIGHT: Final = {
    Fault.LATENCY: {200},
    Fault.TRICKLE: {503, 504},
    Fault.RESET: {503},
    Fault.BLACK_HOLE: {503, 504},
    Fault.HALF_OPEN: {503, 504},
    Fault.GARBAGE: {502, 503, 504},
}
"""Fault → the statuses that say the truth about it."""
SETTINGS: Final = {"request_timeout_ms": int(TIMEOUT_S * 1000), "keepalive_ms": 1000, "breaker_open_ms": 500}


@pytest.fixture
async def fake() -> AsyncIterator[FakeModelServer]:
    """A model server that is well."""
    server = FakeModelServer()
    await server.start()
    yield server
    await server.stop()


@pytest.mark.parametrize("fault", list(RIGHT), ids=lambda fault: fault.value)
async def test_network_fault(promise: Promises, fake: FakeModelServer, tmp_path: Path, fault: Fault) -> None:
    """Under each fault every call has the right status within its deadline; afterwards all is well by itself."""
    words = f"{sorted(RIGHT[fault])} within {TIMEOUT_S + SLACK_S:.0f} s, nothing left over, well again within 20 s"
    with promise(f"network: {fault.value}", words) as row:
        async with FaultProxy(fake.port) as proxy, merger(tmp_path, proxy.target, **SETTINGS) as running:
            await running.ready()
            proxy.set(fault)
            asked = await ask_many(running, 24)
            row.seen = told(asked)
            proxy.set(Fault.NONE)
            seconds = await recovery_s(running)
            row.seen += f"; well again after {seconds:.2f} s"
        assert {one.status for one in asked} <= RIGHT[fault]
        assert max(one.seconds for one in asked) <= TIMEOUT_S + SLACK_S


async def test_retries_do_not_pile_up(promise: Promises, fake: FakeModelServer, tmp_path: Path) -> None:
    """When a model fails wholly, retrying adds at most a tenth to the calls it gets."""
    with promise("retries: a model fails wholly", "calls to it ≤ 1.1 × requests") as row:
        async with merger(tmp_path, fake.target, **SETTINGS) as running:
            await running.ready()
            fake.models["category"].predict_error = grpc.StatusCode.UNAVAILABLE
            asked = await ask_many(running, 200)
            calls = len(fake.models["category"].calls)
            row.seen = f"{calls} calls for {len(asked)} requests; {told(asked)}"
            assert {one.status for one in asked} == {503}
            assert calls <= 1.1 * len(asked)
