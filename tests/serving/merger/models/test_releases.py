"""No answer mixes releases, whatever the model servers do meanwhile.

The fake's version ``v`` answers like a release with ``weights=v``, so an answer made of two versions shows.
"""

import asyncio
from pathlib import Path
from typing import Any

import grpc
import pytest

from serving.proto.lookbook.v1 import classifier_pb2 as pb
from tests import tiny_models
from tests.serving.fake_model_server import FakeModelServer
from tests.serving.merger_process import MergerProcess, merger, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

RED = tiny_models.picture("red")
SELDOM = {"poll_interval_ms": 600_000}


async def ask(running: MergerProcess, **options: Any) -> pb.ClassifyResponse:
    answer = await running.stub.Classify(
        pb.ClassifyRequest(image=RED, options=pb.ClassifyOptions(**options)), timeout=10
    )
    assert_whole(answer)
    return answer


def assert_whole(answer: pb.ClassifyResponse) -> None:
    """Every head is of the release that the answer names."""
    expected = tiny_models.expected("red", weights=int(answer.release))
    heads = {head: getattr(answer, head).label for head in expected if answer.HasField(head)}
    assert heads.items() <= expected.items(), answer
    assert {model.version for model in answer.models} == {answer.release}


async def test_moves_when_both_have_it(running: MergerProcess, fake: FakeModelServer) -> None:
    """A version that only one model has is not asked; as soon as both have it, it is."""
    fake.models["article_type"].versions = {1: "AVAILABLE", 2: "AVAILABLE"}
    fake.models["category"].versions = {1: "AVAILABLE", 2: "LOADING"}

    async def has_seen_it() -> bool:
        models = await running.stub.GetModels(pb.GetModelsRequest())
        return [version.state for version in models.models[1].versions] == ["LOADING", "AVAILABLE"]

    await until(has_seen_it)
    assert (await ask(running)).release == "1"
    fake.models["category"].versions[2] = "AVAILABLE"
    await running.ready(release=2)
    assert (await ask(running)).release == "2"
    assert {version for version, _ in fake.models["category"].calls} == {1, 2}


async def test_goes_back(running: MergerProcess, fake: FakeModelServer) -> None:
    """A release that is taken away is left for the one before."""
    fake.serve_versions(1, 2)
    await running.ready(release=2)
    fake.serve_versions(1)
    await running.ready(release=1)
    assert (await ask(running)).release == "1"


async def test_new_releases_under_load(running: MergerProcess, fake: FakeModelServer) -> None:
    """Ten releases come and go under load, at different moments for each model: no failed and no mixed answer."""
    done = False
    seen: set[str] = set()

    async def keep_asking() -> int:
        count = 0
        while not done:
            seen.add((await ask(running)).release)
            count += 1
        return count

    askers = [asyncio.create_task(keep_asking()) for _ in range(8)]
    for version in range(2, 12):
        for model in ("article_type", "category"):
            fake.models[model].versions[version] = "AVAILABLE"
            await asyncio.sleep(0.03)
        await running.ready(release=version)
        for model in ("category", "article_type"):
            del fake.models[model].versions[version - 1]
            await asyncio.sleep(0.03)
    done = True
    counts = await asyncio.gather(*askers)
    assert sum(counts) > 50 and len(seen) == 11


async def test_version_vanishes_before_the_next_look(fake: FakeModelServer, tmp_path: Path) -> None:
    """NOT_FOUND makes the merger look at once and ask for what is there now, within the same call."""
    async with merger(tmp_path, fake.target, **SELDOM) as running:
        await running.ready(release=1)
        fake.serve_versions(2)
        assert (await ask(running)).release == "2"
        batch = await running.stub.ClassifyBatch(pb.ClassifyBatchRequest(items=[pb.BatchItem(image=RED)] * 20))
        assert {one.answer.release for one in batch.results} == {"2"}
        fake.serve_versions()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await ask(running)
        assert caught.value.code() == grpc.StatusCode.UNAVAILABLE


async def test_replica_that_lags(fake: FakeModelServer, tmp_path: Path) -> None:
    """Of several replicas one may lack the new version: every call is answered, if need be from the version before."""
    second = FakeModelServer()
    await second.start()
    for replica in (fake, second):
        replica.serve_versions(1, 2)
    targets = f"ipv4:127.0.0.1:{fake.port},127.0.0.1:{second.port}"
    async with merger(tmp_path, targets, **SELDOM) as running:
        await running.ready(release=2)
        second.serve_versions(1)
        for _ in range(40):
            await ask(running)
    await second.stop()
    assert fake.models["category"].calls and second.models["category"].calls, "both replicas were asked"


def forget_card(card: dict[str, Any]) -> None:
    card.clear()


def other_taxonomy(card: dict[str, Any]) -> None:
    card["taxonomy"].pop()


@pytest.mark.parametrize("card", [forget_card, other_taxonomy])
async def test_release_that_is_no_pair(running: MergerProcess, fake: FakeModelServer, card: Any) -> None:
    """A new version whose card is broken or does not fit the other model's is never used, and the log says why."""
    fake.models["category"].card = card
    fake.serve_versions(1, 2)
    await until(
        lambda: [line for line in running.lines() if line.get("version") == 2 and "cannot be used" in str(line)]
    )
    assert (await ask(running)).release == "1"
    fake.models["category"].card = None
    await running.ready(release=2)


async def test_starts_with_one_model(fake: FakeModelServer, tmp_path: Path) -> None:
    """A merger that has never seen both models is not ready, but gives partial answers to who asks for them."""
    fake.models["category"].status_error = grpc.StatusCode.UNAVAILABLE
    async with merger(tmp_path, fake.target) as running:
        await until(lambda: ask_partially(running))
        await running.ready("not_ready")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await ask(running)
        assert "category model cannot be reached" in str(caught.value.details())
        fake.models["category"].status_error = None
        await running.ready("ready")
        assert not (await ask(running)).partial


async def ask_partially(running: MergerProcess) -> bool:
    try:
        answer = await ask(running, allow_partial=True)
    except grpc.aio.AioRpcError:
        return False
    return answer.partial and answer.article_type.label == tiny_models.expected("red", 1)["article_type"]
