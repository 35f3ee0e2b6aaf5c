"""Each way in which a model can fail, once: the right error, in time, for this answer only."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
import pytest_asyncio

from serving.proto.lookbook.v1 import classifier_pb2 as pb
from serving.stubs.tensorflow.core.framework import types_pb2
from tests import tiny_models
from tests.serving.fake_model_server import FakeModelServer
from tests.serving.merger_process import MergerProcess, merger, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

RED = tiny_models.picture("red")
EXPECTED = tiny_models.expected("red", weights=1)
Code = grpc.StatusCode


async def ask(running: MergerProcess, **query: Any) -> httpx.Response:
    headers = {"content-type": "image/jpeg"}
    return await running.http.post("/v1/classify", content=RED, headers=headers, params=query)


@pytest_asyncio.fixture(autouse=True, loop_scope="module")
async def closed_breakers(running: MergerProcess, fake: FakeModelServer) -> None:
    """The test before may have opened a breaker; an answer closes it."""

    async def answers() -> bool:
        return (await ask(running)).status_code == 200

    await until(answers)
    for model in fake.models.values():
        model.calls.clear()


@pytest.mark.parametrize("model", ["article_type", "category"])
@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Code.UNAVAILABLE, 503, "model_unavailable"),
        (Code.INTERNAL, 502, "model_failed"),
        (Code.INVALID_ARGUMENT, 502, "model_failed"),
        (Code.RESOURCE_EXHAUSTED, 429, "overloaded"),
        (Code.CANCELLED, 503, "model_unavailable"),
    ],
)
async def test_one_model_fails(
    running: MergerProcess, fake: FakeModelServer, model: str, error: Code, status: int, code: str
) -> None:
    """The error says which model and why, and nothing of the model server's insides."""
    fake.models[model].predict_error = error
    reply = await ask(running)
    assert (reply.status_code, reply.json()["code"], reply.json()["model"]) == (status, code, model)
    assert model in reply.json()["detail"]
    assert "10.0.0.7" not in reply.text and "secret" not in reply.text
    assert ("retry-after" in reply.headers) == (status != 502)


async def test_partial_without_category(running: MergerProcess, fake: FakeModelServer) -> None:
    """Who asked for it gets the type alone, its path looked up, and is told what is missing."""
    fake.models["category"].predict_error = Code.UNAVAILABLE
    answer = (await ask(running, allow_partial=True)).json()
    assert (answer["partial"], answer["sub_category"], answer["master_category"]) == (True, None, None)
    assert answer["article_type"]["label"] == EXPECTED["article_type"]
    assert {head: answer["joint"][head] for head in EXPECTED} == EXPECTED
    assert [one["model"] for one in answer["missing"]] == ["category"]
    assert [one["name"] for one in answer["models"]] == ["article_type"]
    assert answer["timings"]["category_ms"] is None
    assert (answer["agreement"]["agree"], answer["agreement"]["code"]) == (None, "incomplete")
    assert [reason["code"] for reason in answer["review"]["reasons"]] == ["incomplete"]


async def test_partial_without_article_type(running: MergerProcess, fake: FakeModelServer) -> None:
    """The categories alone give the upper two levels."""
    fake.models["article_type"].predict_error = Code.UNAVAILABLE
    answer = (await ask(running, allow_partial=True)).json()
    assert (answer["partial"], answer["article_type"], answer["joint"]["article_type"]) == (True, None, None)
    assert answer["path"] == [EXPECTED["master_category"], EXPECTED["sub_category"]]
    assert answer["level"] == "sub_category"


async def test_partial_needs_one_model(running: MergerProcess, fake: FakeModelServer) -> None:
    """With both models down there is nothing to answer from."""
    for model in fake.models.values():
        model.predict_error = Code.UNAVAILABLE
    assert (await ask(running, allow_partial=True)).status_code == 503


async def test_slow_model(running: MergerProcess, fake: FakeModelServer) -> None:
    """A model that is too slow ends the answer at the deadline, or makes it partial just before."""
    fake.models["category"].delay_s = 4.0
    started = asyncio.get_running_loop().time()
    late, partial = await asyncio.gather(ask(running, timeout_ms=400), ask(running, timeout_ms=400, allow_partial=True))
    assert asyncio.get_running_loop().time() - started < 2.0
    assert (late.status_code, late.json()["code"], late.json()["model"]) == (504, "deadline_exceeded", "category")
    assert partial.status_code == 200 and partial.json()["missing"][0]["code"] == "deadline_exceeded"


async def test_an_impatient_caller_is_no_fault_of_the_model(running: MergerProcess, fake: FakeModelServer) -> None:
    """A call that its own caller's short deadline cut off is counted as that, whatever the alerts are made of."""
    fake.models["category"].delay_s = 2.0
    assert (await ask(running, timeout_ms=200)).status_code == 504
    page = (await running.admin.get("/metrics")).text
    assert 'lookbook_model_calls_total{code="CALLER_DEADLINE",model="category"}' in page
    assert 'lookbook_model_calls_total{code="DEADLINE_EXCEEDED",model="category"}' not in page


async def test_unavailable_is_retried(running: MergerProcess, fake: FakeModelServer) -> None:
    """A connection that breaks twice costs the caller nothing but time, if most calls went well before."""
    for _ in range(60):  # the tests before have used up the budget of retries
        assert (await ask(running)).status_code == 200
    model = fake.models["category"]
    model.predict_error, model.failures_left = Code.UNAVAILABLE, 2
    assert (await ask(running)).status_code == 200
    assert len(model.calls) == 63


@pytest.mark.parametrize("error", [Code.INTERNAL, Code.RESOURCE_EXHAUSTED, Code.INVALID_ARGUMENT])
async def test_nothing_else_is_retried(running: MergerProcess, fake: FakeModelServer, error: Code) -> None:
    """What another attempt would not mend, or what would make an overload worse, is asked once."""
    model = fake.models["category"]
    model.predict_error, model.failures_left = error, 1
    assert (await ask(running)).status_code in (429, 502)
    assert len(model.calls) == 1


FULL_QUEUE = (
    "The batch scheduling queue to which this task was submitted is full; task size is 1 but scheduling capacity is "
    "only 0 (num_enqueued_batches=16)"
)


@pytest.mark.parametrize(
    ("error", "words"),
    [(Code.UNAVAILABLE, FULL_QUEUE), (Code.RESOURCE_EXHAUSTED, "Server Threadpool Exhausted")],
)
async def test_busy_model(running: MergerProcess, fake: FakeModelServer, error: Code, words: str) -> None:
    """TensorFlow Serving's two ways to say that it has too much to do: asked once, 429, come back later and later."""
    model = fake.models["category"]
    model.predict_error, model.predict_words = error, words
    replies = [await ask(running) for _ in range(12)]
    assert {(reply.status_code, reply.json()["code"]) for reply in replies} == {(429, "overloaded")}
    assert [int(reply.headers["retry-after"]) for reply in replies] == [1, 2, 4, *[8] * 9]
    assert len(model.calls) == 12, "neither asked again nor left alone: it is there"
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await running.stub.Classify(pb.ClassifyRequest(image=RED))
    assert caught.value.code() == Code.RESOURCE_EXHAUSTED
    model.predict_error = None
    assert (await ask(running)).status_code == 200
    model.predict_error = error
    assert (await ask(running)).headers["retry-after"] == "1"


async def test_breaker(running: MergerProcess, fake: FakeModelServer) -> None:
    """A model that fails again and again is left alone, also by retries, and is used again when it is back."""
    model = fake.models["category"]
    model.predict_error = Code.UNAVAILABLE
    for _ in range(50):
        assert (await ask(running)).status_code == 503
    assert len(model.calls) < 50, "far fewer calls than requests"
    partial = await ask(running, allow_partial=True)
    assert partial.status_code == 200, "the other model is not punished"
    assert partial.json()["missing"][0]["model"] == "category"
    model.predict_error = None

    async def answers() -> bool:
        return (await ask(running)).status_code == 200

    await until(answers, patience_s=5)


def wrong_version(reply: Any) -> None:
    reply.model_spec.version.value = 9


def wrong_shape(reply: Any) -> None:
    reply.outputs["sub_category"].tensor_shape.dim[1].size = 3


def missing_head(reply: Any) -> None:
    del reply.outputs["sub_category"]


def no_probabilities(reply: Any) -> None:
    tensor = reply.outputs["sub_category"]
    tensor.ClearField("tensor_content")
    tensor.float_val.extend([float("nan")])


def wrong_type(reply: Any) -> None:
    reply.outputs["image_ok"].dtype = types_pb2.DT_FLOAT


@pytest.mark.parametrize("spoil", [wrong_version, wrong_shape, missing_head, no_probabilities, wrong_type])
async def test_nonsense(running: MergerProcess, fake: FakeModelServer, spoil: Callable[[Any], None]) -> None:
    """A reply that cannot be right never becomes an answer."""
    fake.models["category"].spoil = spoil
    reply = await ask(running)
    assert (reply.status_code, reply.json()["code"], reply.json()["model"]) == (502, "model_failed", "category")


async def test_dead_server_comes_back(running: MergerProcess, fake: FakeModelServer) -> None:
    """Without any model server nothing is ready and every call fails at once; when it is back all is well by itself."""
    await fake.stop()
    await running.ready("not_ready")
    started = asyncio.get_running_loop().time()
    assert (await ask(running)).status_code == 503
    assert asyncio.get_running_loop().time() - started < 3.0
    await fake.start()
    await running.ready("ready")
    assert (await ask(running)).status_code == 200


async def test_one_model_away_is_degraded(running: MergerProcess, fake: FakeModelServer) -> None:
    """While one model can be asked the process stays in service, and says that it is not whole."""
    fake.models["category"].status_error = Code.UNAVAILABLE
    report = await running.ready("degraded")
    assert report["models"]["article_type"]["available"] and not report["models"]["category"]["available"]
    assert (await running.http.get("/readyz")).status_code == 200


async def test_overload(fake: FakeModelServer, tmp_path: Path) -> None:
    """More than can be worked on and wait is refused at once, with a time to come back; the rest is answered."""
    fake.models["category"].delay_s = 0.2
    async with merger(tmp_path, fake.target, max_active_images=2, max_queued_images=3) as small:
        await small.ready()
        replies = await asyncio.gather(*(ask(small) for _ in range(30)))
        refused = [reply for reply in replies if reply.status_code == 429]
        assert len(refused) + sum(reply.status_code == 200 for reply in replies) == 30
        assert 5 <= 30 - len(refused) < 30
        for reply in refused:
            assert reply.json()["code"] == "overloaded" and int(reply.headers["retry-after"]) >= 1
        assert (await ask(small)).status_code == 200


async def test_slow_upload(fake: FakeModelServer, tmp_path: Path) -> None:
    """A body that trickles in is given up, and holds no place meanwhile."""

    async def trickle() -> Any:
        for byte in RED:
            yield bytes([byte])
            await asyncio.sleep(0.05)

    async with merger(tmp_path, fake.target, upload_timeout_ms=300) as small:
        await small.ready()
        headers = {"content-type": "image/jpeg"}
        try:
            reply = await small.http.post("/v1/classify", content=trickle(), headers=headers)
            assert (reply.status_code, reply.json()["code"]) == (408, "upload_timeout")
        except httpx.TransportError:
            pass  # our client was still sending when the connection was closed
        assert 'code="upload_timeout"' in (await small.admin.get("/metrics")).text
        assert (await ask(small)).status_code == 200
