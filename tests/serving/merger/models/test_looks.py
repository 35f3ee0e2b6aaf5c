"""One look at the versions that fails ends nothing; a window of them does; who was away is read anew."""

from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from tests import tiny_models
from tests.serving.fake_model_server import FakeModelServer
from tests.serving.merger_process import MergerProcess, merger, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

RED = tiny_models.picture("red")
Code = grpc.StatusCode


async def ask(running: MergerProcess) -> httpx.Response:
    return await running.http.post("/v1/classify", content=RED, headers={"content-type": "image/jpeg"})


def readiness_since(running: MergerProcess, line: int) -> set[str]:
    """What its log has said of its readiness from that line on."""
    return {said["readiness"] for said in running.lines()[line:] if "readiness" in said}


@pytest.mark.parametrize(
    "bad",
    [
        {"status_error": Code.UNAVAILABLE, "bad_looks_left": 2},
        {"status_delay_s": 3.0, "bad_looks_left": 1},
        {"status_error": Code.RESOURCE_EXHAUSTED, "bad_looks_left": 10},
    ],
    ids=["refused", "slow", "busy"],
)
async def test_bad_look(running: MergerProcess, fake: FakeModelServer, bad: dict[str, Any]) -> None:
    """A look that is refused or slow, or any number that a busy server has no thread for, ends no readiness."""
    line = len(running.lines())
    for model in fake.models.values():
        vars(model).update(bad)
    await until(lambda: all(model.bad_looks_left == 0 for model in fake.models.values()))
    looks = fake.models["category"].looks
    await until(lambda: fake.models["category"].looks > looks + 1)
    assert not readiness_since(running, line)
    assert (await ask(running)).status_code == 200


async def test_window_of_bad_looks(running: MergerProcess, fake: FakeModelServer) -> None:
    """Looks that go on failing do end it, though no call has failed, and the first good one brings it back."""
    for model in fake.models.values():
        model.status_error = Code.UNAVAILABLE
    report = await running.ready("not_ready")
    assert not any(model["available"] for model in report["models"].values())
    for model in fake.models.values():
        model.status_error = None
    await running.ready("ready")


def doubtful(card: dict[str, Any]) -> None:
    for head in card["heads"].values():
        head["review_threshold"] = 0.99


@pytest.mark.parametrize("away", ["one look", "long"])
async def test_card_of_a_server_that_was_away(tmp_path: Path, away: str) -> None:
    """A server that comes back may have other files under the same numbers: their card holds, not the one before."""
    server = FakeModelServer()
    await server.start()
    async with merger(tmp_path, server.target) as running:
        await running.ready()
        assert not (await ask(running)).json()["review"]["needed"]
        category = server.models["category"]
        category.card = doubtful
        category.bad_looks_left = 1 if away == "one look" else None
        category.status_error = Code.UNAVAILABLE
        if away == "long":
            await running.ready("degraded")
            category.status_error = None

        async def is_new() -> bool:
            return bool((await ask(running)).json()["review"]["needed"])

        await until(is_new)
    await server.stop()
