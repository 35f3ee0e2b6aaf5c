"""gRPC through a real merger process: every method, health, reflection, errors with their details."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
from google.rpc import status_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from serving.merger.core.errors import GRPC_STATUS
from serving.proto.lookbook.v1 import classifier_pb2 as pb
from tests import tiny_models
from tests.serving.fake_model_server import FakeModelServer
from tests.serving.merger_process import MergerProcess, merger, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

RED = tiny_models.picture("red")


def problem(error: grpc.aio.AioRpcError, code: str) -> pb.Problem:
    """The problem in the status of a refusal, after checking that the status fits."""
    assert error.code().name == GRPC_STATUS[code], error
    trailing = dict(error.trailing_metadata())
    (packed,) = status_pb2.Status.FromString(trailing["grpc-status-details-bin"]).details
    found = pb.Problem()
    assert packed.Unpack(found)
    assert (found.code, found.detail, found.request_id) == (code, error.details(), trailing["x-request-id"])
    return found


async def test_classify(running: MergerProcess, fake: FakeModelServer) -> None:
    """One picture, one answer, under the caller's request id."""
    call = running.stub.Classify(pb.ClassifyRequest(image=RED), metadata=(("x-request-id", "mine-1"),))
    answer = await call
    expected = tiny_models.expected("red", weights=1)
    assert {head: getattr(answer.joint, head) for head in expected} == expected
    assert answer.request_id == "mine-1"
    assert dict(await call.trailing_metadata())["x-request-id"] == "mine-1"


REFUSED: dict[str, tuple[pb.ClassifyRequest, str]] = {
    "nothing": (pb.ClassifyRequest(), "image_missing"),
    "no picture": (pb.ClassifyRequest(image=b"hello"), "image_unsupported"),
    "cut short": (pb.ClassifyRequest(image=RED[:-300]), "image_undecodable"),
    "too large": (pb.ClassifyRequest(image=b"\xff" * (20 * 2**20 + 1)), "image_too_large"),
    "top_k": (pb.ClassifyRequest(image=RED, options=pb.ClassifyOptions(top_k=51)), "invalid_request"),
}


@pytest.mark.parametrize(("request_", "code"), REFUSED.values(), ids=list(REFUSED))
async def test_refuses(running: MergerProcess, fake: FakeModelServer, request_: pb.ClassifyRequest, code: str) -> None:
    """A refusal is a status with the same problem in its details that REST would send."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await running.stub.Classify(request_)
    problem(caught.value, code)


async def test_message_over_the_limit(running: MergerProcess, fake: FakeModelServer) -> None:
    """A message that is larger than any request may be is refused by gRPC itself."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await running.stub.Classify(pb.ClassifyRequest(image=b"\xff" * (65 * 2**20)))
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert (await running.stub.Classify(pb.ClassifyRequest(image=RED))).release == "1"


async def test_deadline(running: MergerProcess, fake: FakeModelServer) -> None:
    """The caller's deadline bounds everything: the answer is an error that says which model was waited for."""
    fake.models["category"].delay_s = 3.0
    started = asyncio.get_running_loop().time()
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await running.stub.Classify(pb.ClassifyRequest(image=RED), timeout=0.5)
    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert asyncio.get_running_loop().time() - started < 2.0
    await until(lambda: fake.models["category"].active == 0, patience_s=2.0)


async def test_batch(running: MergerProcess, fake: FakeModelServer) -> None:
    """An answer or an error per picture, in order."""
    items = [pb.BatchItem(id=colour, image=tiny_models.picture(colour)) for colour in tiny_models.COLOURS]
    items.insert(2, pb.BatchItem(id="bad", image=b"x"))
    batch = await running.stub.ClassifyBatch(pb.ClassifyBatchRequest(items=items))
    assert [one.id for one in batch.results] == [item.id for item in items]
    assert (batch.succeeded, batch.failed, batch.results[2].error.code) == (6, 1, "image_unsupported")
    for one in batch.results:
        if one.id != "bad":
            assert one.answer.joint.article_type == tiny_models.expected(one.id, 1)["article_type"]


async def stream(running: MergerProcess, items: AsyncIterator[pb.ClassifyStreamRequest]) -> list[pb.ClassifyResult]:
    return [result async for result in running.stub.ClassifyStream(items)]


async def test_stream_keeps_order(running: MergerProcess, fake: FakeModelServer) -> None:
    """Hundreds of pictures, among them bad ones, come back in order, in fewer calls to the models than pictures."""
    fake.models["category"].delay_s = 0.01

    async def requests() -> AsyncIterator[pb.ClassifyStreamRequest]:
        for i in range(300):
            image = b"bad" if i % 50 == 7 else tiny_models.picture(tiny_models.COLOURS[i % 6])
            yield pb.ClassifyStreamRequest(item=pb.BatchItem(id=f"{i}", image=image))

    results = await stream(running, requests())
    assert [(one.id, one.index) for one in results] == [(f"{i}", i) for i in range(300)]
    for i, one in enumerate(results):
        if i % 50 == 7:
            assert one.error.code == "image_unsupported"
        else:
            wanted = tiny_models.expected(tiny_models.COLOURS[i % 6], 1)["article_type"]
            assert one.answer.joint.article_type == wanted
    calls = fake.models["category"].calls
    assert sum(count for _, count in calls) == 294
    assert max(count for _, count in calls) <= 16 and len(calls) < 200, "pictures that wait go together"


async def test_stream_answers_while_it_waits(running: MergerProcess, fake: FakeModelServer) -> None:
    """A result comes as soon as it is there, also when the next picture does not."""
    call = running.stub.ClassifyStream()
    for colour in ("red", "blue"):
        await call.write(pb.ClassifyStreamRequest(item=pb.BatchItem(id=colour, image=tiny_models.picture(colour))))
        result = await asyncio.wait_for(call.read(), 5)
        assert (result.id, result.answer.joint.article_type) == (
            colour,
            tiny_models.expected(colour, 1)["article_type"],
        )
    await call.done_writing()
    assert await call.read() == grpc.aio.EOF


async def test_stream_options(running: MergerProcess, fake: FakeModelServer) -> None:
    """The first message's options hold for all; wrong ones end the stream."""

    async def requests(*top_k: int) -> AsyncIterator[pb.ClassifyStreamRequest]:
        for one in top_k:
            yield pb.ClassifyStreamRequest(item=pb.BatchItem(image=RED), options=pb.ClassifyOptions(top_k=one))

    results = await stream(running, requests(3, 1))
    assert [len(one.answer.article_type.top_k) for one in results] == [3, 3]
    call = running.stub.ClassifyStream()
    await call.write(await anext(requests(99)))  # and no more: grpc.aio makes INTERNAL of a status that meets a write
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call.read()
    problem(caught.value, "invalid_request")


async def in_work(running: MergerProcess) -> int:
    """Pictures that are worked on or wait for a place."""
    lines = (await running.admin.get("/metrics")).text.splitlines()
    wanted = ("lookbook_images_active ", "lookbook_images_queued ")
    return int(sum(float(line.split()[1]) for line in lines if line.startswith(wanted)))


async def test_stream_window(fake: FakeModelServer, tmp_path: Path) -> None:
    """Of one stream only so many pictures are worked on at once, however fast they come."""
    fake.models["category"].delay_s = 0.05

    async def requests() -> AsyncIterator[pb.ClassifyStreamRequest]:
        for _ in range(40):
            yield pb.ClassifyStreamRequest(item=pb.BatchItem(image=RED))

    seen = []
    async with merger(tmp_path, fake.target, stream_window_images=4, model_batch_images=2) as small:
        await small.ready()
        results = asyncio.create_task(stream(small, requests()))
        while not results.done():
            seen.append(await in_work(small))
        assert len(await results) == 40
    assert 2 <= max(seen) <= 4 + 2, "one more that is waited for, and one that waits for the window"


async def test_abandoned_stream_stops(running: MergerProcess, fake: FakeModelServer) -> None:
    """A client that goes away in the middle leaves no work behind."""
    fake.models["category"].delay_s = 2.0
    call = running.stub.ClassifyStream()
    for _ in range(10):
        await call.write(pb.ClassifyStreamRequest(item=pb.BatchItem(image=RED)))
    await until(lambda: fake.models["category"].active == 1)
    call.cancel()
    await until(lambda: fake.models["category"].active == 0, patience_s=1.5)
    fake.models["category"].delay_s = 0.0
    assert (await running.stub.Classify(pb.ClassifyRequest(image=RED))).release == "1"


async def test_views(running: MergerProcess, fake: FakeModelServer) -> None:
    """Taxonomy and models are those of REST."""
    taxonomy = await running.stub.GetTaxonomy(pb.GetTaxonomyRequest())
    assert len(taxonomy.paths) == len(tiny_models.PRODUCTS) and taxonomy.release == "1"
    models = await running.stub.GetModels(pb.GetModelsRequest())
    assert [(model.name, model.available) for model in models.models] == [("article_type", True), ("category", True)]


async def check(running: MergerProcess, service: str) -> str:
    request = health_pb2.HealthCheckRequest(service=service)
    reply = await health_pb2_grpc.HealthStub(running.channel).Check(request)
    return health_pb2.HealthCheckResponse.ServingStatus.Name(reply.status)


async def test_health_tells_the_truth(running: MergerProcess, fake: FakeModelServer) -> None:
    """The whole and each model have their own health: one model away leaves the other and the whole serving."""
    services = ("", "lookbook.v1.Classifier", "article_type", "category")

    async def all_are(*wanted: str) -> Any:
        return tuple([await check(running, service) for service in services]) == wanted

    await until(lambda: all_are("SERVING", "SERVING", "SERVING", "SERVING"))
    fake.models["category"].status_error = grpc.StatusCode.UNAVAILABLE
    await until(lambda: all_are("SERVING", "SERVING", "SERVING", "NOT_SERVING"))
    fake.models["article_type"].status_error = grpc.StatusCode.UNAVAILABLE
    await until(lambda: all_are("NOT_SERVING", "NOT_SERVING", "NOT_SERVING", "NOT_SERVING"))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await check(running, "nothing")
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND


async def test_reflection(running: MergerProcess, fake: FakeModelServer) -> None:
    """A tool that knows nothing of us can find the service."""
    requests = [reflection_pb2.ServerReflectionRequest(list_services="")]
    stub = reflection_pb2_grpc.ServerReflectionStub(running.channel)
    (reply,) = [reply async for reply in stub.ServerReflectionInfo(iter(requests))]
    names = {service.name for service in reply.list_services_response.service}
    assert {"lookbook.v1.Classifier", "grpc.health.v1.Health"} <= names


@pytest.mark.parametrize("service", ["grpc.health.v1.Health/Check", "grpc.health.v1.Health/Watch"])
async def test_health_waits_for_no_message_for_ever(fake: FakeModelServer, tmp_path: Path, service: str) -> None:
    """A call that sends nothing is ended as too slow, which is its own fault and no mistake of ours."""
    async with merger(tmp_path, fake.target, stream_idle_timeout_ms=500) as running:
        call = running.channel.stream_stream(f"/{service}")()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await asyncio.wait_for(call.read(), 60)
        assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        assert "0.5 s" in str(caught.value.details())
        assert "Traceback" not in running.log.read_text()
