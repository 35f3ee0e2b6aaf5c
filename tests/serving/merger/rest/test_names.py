"""A product's name as a hint, through a real merger: heard where the release hears names, data and never markup."""

import asyncio
import base64
from typing import Any

import pytest

from schema import names
from schema.product_names import MOST_CHARACTERS
from serving.proto.json_view import as_json
from serving.proto.lookbook.v1 import classifier_pb2 as pb
from tests import tiny_models
from tests.serving.fake_model_server import FakeModelServer
from tests.serving.merger.rest.asking import GREY, RED, problem
from tests.serving.merger_process import MergerProcess

pytestmark = pytest.mark.asyncio(loop_scope="module")

MARKUP = "<script>alert(1)</script> =1+1 red"


async def hearing(running: MergerProcess, fake: FakeModelServer, hears: bool = True) -> None:
    for model in fake.models.values():
        model.hears = hears
    fake.serve_versions(3)
    await running.ready(release=3)


async def by_form(running: MergerProcess, image: bytes, name: str | None) -> dict[str, Any]:
    data = {} if name is None else {"name": name}
    reply = await running.http.post("/v1/classify", files={"image": ("a.jpg", image)}, data=data)
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


def told(answer: dict[str, Any]) -> dict[str, Any]:
    """What an answer says of the picture, without the circumstances of the call."""
    return {key: value for key, value in answer.items() if key not in ("request_id", "timings")}


async def test_a_name_is_heard(running: MergerProcess, fake: FakeModelServer) -> None:
    """Where the picture cannot tell, the name does; by form and over gRPC the same, in whatever letters."""
    await hearing(running, fake)
    found = await by_form(running, GREY, "  Brand-New RED thing ")
    assert found["path"][-1] == tiny_models.expected("red", 3)[names.ARTICLE_TYPE]
    assert found["name"] == {"heard": True, "code": "", "message": "", "fits": 0.96}
    assert not found["review"]["needed"]
    full_width = (await running.stub.Classify(pb.ClassifyRequest(image=GREY, name="ｒｅｄ"))).joint
    assert full_width.article_type == found["joint"]["article_type"]
    assert {one for model in fake.models.values() for one in model.signatures} == {names.SCORES_WITH_NAME}


async def test_no_name_changes_nothing(running: MergerProcess, fake: FakeModelServer) -> None:
    """Without a name, with an empty one or spaces, the models are asked as ever, and the answer is the same."""
    await hearing(running, fake)
    plain = await by_form(running, RED, None)
    for empty in ("", "  \t "):
        assert told(await by_form(running, RED, empty)) == told(plain)
    assert plain["name"] is None
    assert {one for model in fake.models.values() for one in model.signatures} == {names.SCORES}


@pytest.mark.parametrize("name", ["мокасины", "鞋", "zyx wvu", "🎉", "\u0000\u202e", "e\u0301" * 100])
async def test_unknown_names(running: MergerProcess, fake: FakeModelServer, name: str) -> None:
    """A name of which training knew no word changes nothing, in any script, and the answer says so."""
    await hearing(running, fake)
    plain, found = (
        as_json(await running.stub.Classify(pb.ClassifyRequest(image=RED))),
        await by_grpc(running, RED, name),
    )
    assert (found["name"]["heard"], found["name"]["code"], found["name"]["fits"]) == (False, "unknown", None)
    assert told(found | {"name": None}) == told(plain)


async def by_grpc(running: MergerProcess, image: bytes, name: str) -> dict[str, Any]:
    found: dict[str, Any] = as_json(await running.stub.Classify(pb.ClassifyRequest(image=image, name=name)))
    return found


async def test_contradiction(running: MergerProcess, fake: FakeModelServer) -> None:
    """A name of another product lowers the confidence in the answer, which stays, and asks for a look."""
    await hearing(running, fake)
    fitting, found = await by_grpc(running, RED, "red"), await by_grpc(running, RED, "blue")
    assert found["path"] == fitting["path"]
    assert found["joint"]["confidence"] == pytest.approx(0.08 * fitting["joint"]["confidence"], abs=1e-4)
    [reason] = found["review"]["reasons"]
    assert (reason["code"], reason["threshold"], found["name"]["fits"]) == ("name_contradicts", 0.5, 0.04)
    assert "0.04; 0.50 would have been enough" in reason["message"]
    assert not fitting["review"]["needed"]


async def test_a_release_without_names(running: MergerProcess, fake: FakeModelServer) -> None:
    """A release that was made before names were heard, or without any, answers by the picture, and says so in words."""
    await hearing(running, fake, hears=False)
    plain, found = await by_grpc(running, RED, ""), await by_grpc(running, RED, "blue")
    assert (found["name"]["heard"], found["name"]["code"]) == (False, "not_learnt")
    assert "Release 3 was made without names" in found["name"]["message"]
    assert told(found | {"name": None}) == told(plain)


async def test_many(running: MergerProcess, fake: FakeModelServer) -> None:
    """In a batch and in a stream each picture has its own name or none; one that is too long fails alone."""
    await hearing(running, fake)
    given = ["red", "", "blue", "x" * (MOST_CHARACTERS + 1)]
    items = [{"id": str(i), "image": base64.b64encode(GREY).decode(), "name": name} for i, name in enumerate(given)]
    batch = (await running.http.post("/v1/classify:batch", json={"items": items})).json()["results"]
    requests = [
        pb.ClassifyStreamRequest(item=pb.BatchItem(id=str(i), image=GREY, name=name)) for i, name in enumerate(given)
    ]
    stream = [as_json(result) async for result in running.stub.ClassifyStream(iter(requests))]
    for results in (batch, stream):
        types = [one["answer"]["article_type"]["label"] for one in results[:3]]
        assert (types[0], types[2]) == tuple(tiny_models.expected(c, 3)["article_type"] for c in ("red", "blue"))
        assert [one["answer"]["name"] is None for one in results[:3]] == [False, True, False]
        assert results[3]["error"]["code"] == "invalid_request"
        assert "513 characters; at most 512" in results[3]["error"]["detail"]


async def test_together(running: MergerProcess, fake: FakeModelServer) -> None:
    """Pictures of many callers that go to a model together keep their own names, and those without have none."""
    await hearing(running, fake)
    for model in fake.models.values():
        model.delay_s = 0.05
    given = ["red", "", "blue", ""] * 4
    found = await asyncio.gather(*(by_grpc(running, GREY, name) for name in given))
    unsure = (await by_grpc(running, GREY, ""))["article_type"]
    assert max(count for _, count in fake.models["category"].calls) > 1
    for name, answer in zip(given, found, strict=True):
        wanted = tiny_models.expected(name, 3)["article_type"] if name else unsure["label"]
        assert answer["article_type"]["label"] == wanted
        assert (answer["name"] is None) == (not name)


async def test_refusals(running: MergerProcess, fake: FakeModelServer) -> None:
    """A name that is too long, comes twice or is a file is refused in words that do not repeat it."""
    long = "secret" * 100
    image = ("image", ("a.jpg", RED))
    for files, words in (
        ([image, ("name", (None, long))], "600 characters; at most 512"),
        ([image, ("name", (None, "red")), ("name", (None, "blue"))], "2 fields “name”"),
        ([image, ("name", ("n.txt", b"red"))], "is a file, not text"),
    ):
        detail = problem(await running.http.post("/v1/classify", files=files), "invalid_request")["detail"]
        assert words in detail and "secret" not in detail
    for method in ("explain", "similar"):
        files = [image, ("name", (None, "red"))]
        assert "“name”" in problem(await running.http.post(f"/v1/{method}", files=files), "invalid_request")["detail"]


async def test_a_name_is_never_repeated(running: MergerProcess, fake: FakeModelServer) -> None:
    """Neither an answer nor the log has what was given as a name: it is data of a caller, and may be markup."""
    await hearing(running, fake)
    reply = await running.http.post("/v1/classify", files={"image": ("a.jpg", RED)}, data={"name": MARKUP})
    assert reply.json()["name"]["heard"]
    await running.http.post("/v1/classify", files={"image": ("a.jpg", b"none")}, data={"name": MARKUP})
    assert "alert" not in reply.text
    assert "alert" not in running.log.read_text()
