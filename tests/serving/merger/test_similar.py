"""Similar products through a real merger: over both transports, as strict and as bounded as classifying."""

import asyncio
import base64
import contextlib
import os
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
import pytest_asyncio

from schema import names
from schema.products.thumbnails import INSERT, TABLE, thumbnails_file
from serving.client import ClassifierClient, ClassifyError
from serving.merger.models.product_index import ProductIndexes
from serving.proto.json_view import as_json
from serving.proto.lookbook.v1 import classifier_pb2 as pb
from serving.stubs.tensorflow.core.framework import types_pb2
from tests import tiny_models
from tests.serving.fake_model_server import FakeModelServer, nearest_first
from tests.serving.merger_process import MergerProcess, merger, until
from tests.serving.merger_within import merger_within

pytestmark = pytest.mark.asyncio(loop_scope="module")

BLUE = tiny_models.picture("blue")
KNOWN = tiny_models.known_pictures(1)


async def post(running: MergerProcess, image: bytes = BLUE, **query: Any) -> httpx.Response:
    return await running.http.post(
        "/v1/similar", content=image, headers={"content-type": "image/jpeg", "x-request-id": "mine"}, params=query
    )


async def test_products(running: MergerProcess, fake: FakeModelServer) -> None:
    """The nearest come first with id, name and article type; over gRPC the same."""
    found = (await post(running)).json()
    told = [(one["id"], one["name"], one["article_type"], one["similarity"]) for one in found["products"]]
    ids, labels, texts = (nearest_first(BLUE, KNOWN[key]) for key in ("ids", "labels", "names"))
    assert [one[:3] for one in told] == list(zip(ids, texts, labels, strict=True))
    assert [one[3] for one in told] == pytest.approx([1.0, 0.9, 0.8, 0.7, 0.6, 0.5])
    assert (found["release"], found["request_id"], found["counted"]) == ("1", "mine", 6)
    assert {one["label"]: one["count"] for one in found["nearest"]} == dict.fromkeys(KNOWN["labels"], 1)
    assert {one["thumbnail"] for one in found["products"]} == {""}
    reply = await running.stub.FindSimilar(pb.FindSimilarRequest(image=BLUE))
    assert as_json(reply)["products"] == found["products"]


async def test_as_many_as_asked_for(running: MergerProcess, fake: FakeModelServer) -> None:
    """``k`` bounds what is listed; what the nearest are is counted over as many as ever."""
    found = (await post(running, k=2)).json()
    assert (len(found["products"]), found["counted"], len(found["nearest"])) == (2, 6, 6)


async def test_it_asks_the_model_that_has_the_index_and_no_other(running: MergerProcess, fake: FakeModelServer) -> None:
    """One call for one picture, to one model; that the other one is down does not matter."""
    fake.models[names.CATEGORY].predict_error = grpc.StatusCode.INTERNAL
    assert (await post(running)).status_code == 200
    assert (fake.models[names.ARTICLE_TYPE].calls, fake.models[names.CATEGORY].calls) == ([(1, 1)], [])


REFUSED = {
    "too many": ({"k": 51}, "k"),
    "none": ({"k": 0}, "k"),
    "no number": ({"k": "many"}, "many"),
    "of another call": ({"top_k": 3}, "k, thumbnails, timeout_ms"),
    "no switch": ({"thumbnails": "perhaps"}, "perhaps"),
}


@pytest.mark.parametrize(("query", "words"), REFUSED.values(), ids=list(REFUSED))
async def test_strict(running: MergerProcess, fake: FakeModelServer, query: dict[str, Any], words: str) -> None:
    """An option that is unknown or out of range is refused with what would be right, before any model is asked."""
    reply = await post(running, **query)
    assert (reply.status_code, reply.json()["code"]) == (400, "invalid_request")
    assert words in reply.json()["detail"]
    assert not fake.models[names.ARTICLE_TYPE].calls


async def test_strict_over_grpc(running: MergerProcess, fake: FakeModelServer) -> None:
    """The same bound holds there, and 0 means the default."""
    options = pb.SimilarOptions(k=51)
    with pytest.raises(grpc.aio.AioRpcError) as told:
        await running.stub.FindSimilar(pb.FindSimilarRequest(image=BLUE, options=options))
    assert told.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "k is 51; it must be 1 to 50, or 0 for 12" in str(told.value.details())


PICTURES = {
    "empty": (b"", 400, "image_missing"),
    "text": (b"no picture at all", 415, "image_unsupported"),
    "cut short": (tiny_models.picture("red", width=600, height=800)[:900], 422, "image_undecodable"),
}


@pytest.mark.parametrize(("image", "status", "code"), PICTURES.values(), ids=list(PICTURES))
async def test_the_same_gate(
    running: MergerProcess, fake: FakeModelServer, image: bytes, status: int, code: str
) -> None:
    """What cannot be classified cannot be compared, by the same words."""
    reply = await post(running, image)
    assert (reply.status_code, reply.json()["code"]) == (status, code)


async def test_old_release(running: MergerProcess, fake: FakeModelServer) -> None:
    """A release without an index classifies as ever, and says here what it lacks and what to do."""
    fake.models[names.ARTICLE_TYPE].card = lambda card: card.pop("known_pictures")
    fake.serve_versions(2)
    await running.ready(release=2)
    reply = await post(running)
    assert (reply.status_code, reply.json()["code"]) == (501, "no_index")
    assert "Release 2 has no index" in reply.json()["detail"] and reply.json()["retry_after_s"] is None
    assert (await running.http.post("/v1/classify", content=BLUE, headers={"content-type": "image/jpeg"})).is_success
    cards = {one["name"]: one["card"] for one in (await running.http.get("/v1/models")).json()["models"]}
    assert cards["article_type"]["known_pictures"] == 0
    with ClassifierClient(running.grpc_target) as client, pytest.raises(ClassifyError) as told:
        await asyncio.to_thread(client.find_similar, BLUE)
    assert told.value.problem.code == "no_index"


async def test_without_the_model_that_has_the_index(running: MergerProcess, fake: FakeModelServer) -> None:
    """It is away, not without an index: trying again makes sense."""
    fake.models[names.ARTICLE_TYPE].versions = {}
    await running.ready("degraded")
    reply = await post(running)
    assert (reply.status_code, reply.json()["code"], reply.json()["model"]) == (
        503,
        "model_unavailable",
        "article_type",
    )
    assert reply.headers["retry-after"]


NONSENSE = {
    "no ids": lambda reply: reply.outputs.pop(names.NEIGHBOUR_IDS),
    "no text": lambda reply: reply.outputs[names.NEIGHBOUR_LABELS].string_val.__setitem__(0, b"\xff"),
    "no share": lambda reply: reply.outputs[names.NEIGHBOUR_SIMILARITIES].float_val.__setitem__(0, -0.5),
}


@pytest.mark.parametrize("spoil", NONSENSE.values(), ids=list(NONSENSE))
async def test_nonsense(running: MergerProcess, fake: FakeModelServer, spoil: Any) -> None:
    """A reply that lacks a part, or has one that makes no sense, is the model's failure."""
    fake.models[names.ARTICLE_TYPE].spoil = spoil
    reply = await post(running)
    assert (reply.status_code, reply.json()["code"]) == (502, "model_failed"), reply.text


async def test_a_release_that_went(running: MergerProcess, fake: FakeModelServer) -> None:
    """Where the version has just gone, the other one is asked, and the answer says which."""
    fake.serve_versions(1, 2)
    await running.ready(release=2)
    fake.models[names.ARTICLE_TYPE].versions = {1: "AVAILABLE"}
    fake.models[names.CATEGORY].versions = {1: "AVAILABLE"}
    assert (await post(running)).json()["release"] == "1"


@pytest_asyncio.fixture(loop_scope="module")
async def bounded(fake: FakeModelServer, tmp_path: Path) -> AsyncIterator[MergerProcess]:
    """A merger with one place, none to wait in, and two pictures for each caller."""
    limits = {"max_active_images": 1, "max_queued_images": 0, "rate_images_per_s": 1, "rate_burst_images": 2}
    async with merger(tmp_path, fake.target, **limits) as running:
        await running.ready(release=1)
        yield running


async def test_bounds(bounded: MergerProcess, fake: FakeModelServer) -> None:
    """Each call takes a place as classifying does, and counts to the caller's share."""
    fake.models[names.ARTICLE_TYPE].delay_s = 1.0
    replies = await asyncio.gather(post(bounded), post(bounded))
    assert sorted(one.status_code for one in replies) == [200, 429]
    fake.models[names.ARTICLE_TYPE].delay_s = 0.0
    codes = [(await post(bounded)).status_code for _ in range(4)]
    assert 429 in codes


async def test_keys(fake: FakeModelServer, tmp_path: Path) -> None:
    """Without a key that is known nobody sees a product."""
    keys = tmp_path / "keys"
    keys.write_text("shop a-long-enough-secret-key-for-tests-0123456789\n")
    async with merger(tmp_path, fake.target, api_keys_file=keys) as running:
        reply = await post(running)
        assert (reply.status_code, reply.json()["code"]) == (401, "unauthenticated")
        with pytest.raises(grpc.aio.AioRpcError) as told:
            await running.stub.FindSimilar(pb.FindSimilarRequest(image=BLUE))
        assert told.value.code() == grpc.StatusCode.UNAUTHENTICATED


@pytest_asyncio.fixture(loop_scope="module")
async def pictured(fake: FakeModelServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[MergerProcess]:
    """A merger beside a release with thumbnails of one product, one whose file is broken, and one whose hangs."""
    folder = tmp_path_factory.mktemp("releases")
    for version in (1, 2, 4):
        thumbnails_file(folder, version).parent.mkdir(parents=True)
    with sqlite3.connect(thumbnails_file(folder, 1)) as store:
        store.execute(TABLE)
        store.execute(INSERT, ("1-blue", BLUE))
    thumbnails_file(folder, 2).write_bytes(b"no database at all" * 100)
    os.mkfifo(thumbnails_file(folder, 4))
    async with merger(
        folder, fake.target, thumbnails_dir=folder, max_active_images=2, request_timeout_ms=60_000
    ) as running:
        await running.ready(release=1)
        yield running


async def test_thumbnails(pictured: MergerProcess, fake: FakeModelServer) -> None:
    """A product brings its picture if it is asked for and there is one."""
    first, *others = (await post(pictured, thumbnails=True)).json()["products"]
    assert base64.b64decode(first["thumbnail"]) == BLUE
    assert {one["thumbnail"] for one in others} == {""}
    assert {one["thumbnail"] for one in (await post(pictured)).json()["products"]} == {""}
    options = pb.SimilarOptions(k=1, thumbnails=True)
    reply = await pictured.stub.FindSimilar(pb.FindSimilarRequest(image=BLUE, options=options))
    assert [one.thumbnail for one in reply.products] == [BLUE]


@pytest.mark.parametrize("version", [2, 3])
async def test_thumbnails_that_cannot_be_read(pictured: MergerProcess, fake: FakeModelServer, version: int) -> None:
    """A file that is broken or not there takes nothing from the answer but the pictures."""
    fake.serve_versions(version)
    await pictured.ready(release=version)
    products = (await post(pictured, thumbnails=True)).json()["products"]
    assert len(products) == 6 and {one["thumbnail"] for one in products} == {""}


async def test_thumbnails_on_a_volume_that_hangs(pictured: MergerProcess, fake: FakeModelServer) -> None:
    """The answer comes in its time, without them, and nobody who classifies waits for the volume."""
    fake.serve_versions(4)
    await pictured.ready(release=4)
    asked = [asyncio.create_task(post(pictured, thumbnails=True, timeout_ms=8_000)) for _ in range(12)]
    await asyncio.sleep(0.5)
    reply = await pictured.http.post("/v1/classify", content=BLUE, params={"timeout_ms": 20_000})
    assert reply.status_code == 200, reply.text
    replies = [await asyncio.wait_for(one, 60) for one in asked]
    assert {len(one.json()["products"]) for one in replies} == {6}
    assert {one["thumbnail"] for reply in replies for one in reply.json()["products"]} == {""}
    await asyncio.wait_for(post(pictured, thumbnails=True), 20)  # without waiting again for what is known to hang


def tell_embedding(reply: Any) -> None:
    tensor = reply.outputs[names.EMBEDDING]
    tensor.dtype = types_pb2.DT_FLOAT
    for size in (1, 2):
        tensor.tensor_shape.dim.add(size=size)
    tensor.float_val.extend((0.6, 0.8))


async def test_an_index_on_a_volume_that_hangs(fake: FakeModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model's own list is the answer, in its time; and soon nobody waits for the volume any more."""
    hangs = threading.Event()
    monkeypatch.setattr(ProductIndexes, "nearest", lambda *_: hangs.wait(120) and None)
    fake.models[names.ARTICLE_TYPE].spoil = tell_embedding
    async with merger_within(fake.target, request_timeout_ms=60_000) as (_, client), contextlib.AsyncExitStack() as end:
        end.callback(hangs.set)
        await until(lambda: _is_ready(client))
        for _ in range(4):  # as many as may hang
            reply = await asyncio.wait_for(client.post("/v1/similar?timeout_ms=4000", content=BLUE), 20)
            assert {one["id"] for one in reply.json()["products"]} == set(KNOWN["ids"]), reply.text
        await asyncio.wait_for(client.post("/v1/similar", content=BLUE), 20)


async def _is_ready(client: httpx.AsyncClient) -> bool:
    return (await client.get("/readyz")).status_code == 200
