"""REST through a real merger process: every endpoint, every answer, every refusal."""

import asyncio
import base64
import uuid
from typing import Any

import httpx
import pytest

from serving.proto.json_view import as_json
from serving.proto.lookbook.v1 import classifier_pb2 as pb
from tests import tiny_models
from tests.serving.fake_model_server import FakeModelServer
from tests.serving.merger.rest.asking import GREY, JPEG, RED, classify, problem
from tests.serving.merger_process import MergerProcess, merger, until
from tests.serving.pictures import encode, photo, with_orientation

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_answer(running: MergerProcess, fake: FakeModelServer) -> None:
    """An answer holds everything the contract promises, by its field names, and the labels of the release."""
    reply = await classify(running, RED, top_k=2)
    assert reply.status_code == 200
    answer = reply.json()
    expected = tiny_models.expected("red", weights=1)
    assert {head: answer[head]["label"] for head in expected} == expected
    assert answer["path"] == [expected["master_category"], expected["sub_category"], expected["article_type"]]
    assert {head: answer["joint"][head] for head in expected} == expected
    assert [len(answer[head]["top_k"]) for head in (*expected, "joint")] == [2, 2, 2, 2]
    assert answer["article_type"]["confidence"] == 0.94
    assert (answer["level"], answer["review"]["needed"], answer["agreement"]["agree"]) == ("article_type", False, True)
    assert (answer["partial"], answer["missing"], answer["release"]) == (False, [], "1")
    assert answer["models"] == [{"name": name, "version": "1"} for name in ("article_type", "category")]
    assert answer["image"] == {
        "format": "JPEG", "width": 60, "height": 80, "size_bytes": len(RED), "reencoded": True,
    }  # fmt: skip
    assert set(answer) == set(as_json(pb.ClassifyResponse()))
    assert 0 < answer["timings"]["article_type_ms"] <= answer["timings"]["total_ms"]


async def test_all_ways_to_send_a_picture(running: MergerProcess, fake: FakeModelServer) -> None:
    """Raw body and form give the same answer, whatever a body is said to be; WebP and turned pictures are read."""
    form = await running.http.post("/v1/classify", files={"image": ("a.jpg", RED, "image/jpeg")})
    octets = await running.http.post("/v1/classify", content=RED, headers={"content-type": "application/octet-stream"})
    webp = await running.http.post(
        "/v1/classify", content=tiny_models.picture("red", image_format="WEBP"), headers={"content-type": "image/webp"}
    )
    turned = await classify(running, with_orientation(photo(80, 60), 6))
    for kind in ("", "image/jpg", "image/pjpeg", "image/*", "IMAGE/PNG", "application/x-www-form-urlencoded"):
        said = await running.http.post("/v1/classify", content=RED, headers={"content-type": kind} if kind else {})
        assert said.status_code == 200 and said.json()["path"] == form.json()["path"], (kind, said.text)
    for reply in (form, octets, webp, turned):
        assert reply.status_code == 200, reply.text
    assert form.json()["path"] == octets.json()["path"] == webp.json()["path"]
    assert (turned.json()["image"]["width"], turned.json()["image"]["height"]) == (60, 80)


async def test_unsure_picture(running: MergerProcess, fake: FakeModelServer) -> None:
    """A picture that the models are unsure about says so, head by head."""
    answer = (await classify(running, GREY)).json()
    assert answer["review"]["needed"]
    unsure = {reason["head"] for reason in answer["review"]["reasons"] if reason["code"] == "low_confidence"}
    assert unsure == set(tiny_models.expected("red"))


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({"content": b"", "headers": JPEG}, "image_missing"),
    "no picture": ({"content": b"hello", "headers": JPEG}, "image_unsupported"),
    "a page": ({"content": b"<!doctype html>", "headers": {"content-type": "text/html"}}, "image_unsupported"),
    "cut short": ({"content": RED[:-300], "headers": JPEG}, "image_undecodable"),
    "too large": ({"content": b"\xff" * (20 * 2**20 + 1), "headers": JPEG}, "image_too_large"),
    "too many pixels": ({"content": encode(photo(1, 1).resize((8000, 8000)), "PNG"), "headers": JPEG},
                        "image_too_many_pixels"),
    "form without picture": ({"files": {"other": ("a.jpg", RED)}}, "image_missing"),
    "form with text": ({"files": {"image": (None, "red")}}, "image_missing"),
    "form with two": ({"files": [("image", ("a", RED)), ("image", ("b", RED))]}, "invalid_request"),
    "form without boundary": ({"content": RED, "headers": {"content-type": "multipart/form-data"}}, "invalid_request"),
    "top_k too large": ({"content": RED, "headers": JPEG, "params": {"top_k": 51}}, "invalid_request"),
    "top_k no number": ({"content": RED, "headers": JPEG, "params": {"top_k": "all"}}, "invalid_request"),
    "timeout zero": ({"content": RED, "headers": JPEG, "params": {"timeout_ms": 0}}, "invalid_request"),
}  # fmt: skip


@pytest.mark.parametrize(("request_", "code"), REFUSED.values(), ids=list(REFUSED))
async def test_refuses(running: MergerProcess, fake: FakeModelServer, request_: dict[str, Any], code: str) -> None:
    """What cannot be classified is a problem of its own, before any model is asked."""
    problem(await running.http.post("/v1/classify", **request_), code)
    assert not fake.models["category"].calls


async def test_unreadable_for_the_models(running: MergerProcess, fake: FakeModelServer) -> None:
    """A picture that passes the gate but that a model cannot read is an error of the picture, not an answer."""
    fake.models["category"].unreadable = True
    problem(await classify(running, RED), "image_undecodable")


async def test_request_ids(running: MergerProcess, fake: FakeModelServer) -> None:
    """The caller's request id comes back and stands in the log; one that could forge a log line is replaced."""
    mine = f"test-{uuid.uuid4().hex}"
    reply = await running.http.post("/v1/classify", content=RED, headers=JPEG | {"x-request-id": mine})
    assert reply.headers["x-request-id"] == reply.json()["request_id"] == mine
    (line,) = await until(lambda: [line for line in running.lines() if line.get("request_id") == mine])
    assert line["path"] == reply.json()["path"] and line["release"] == "1"
    refused = await running.http.get("/nothing", headers={"x-request-id": f"{mine}-2"})
    assert refused.status_code == 404
    (line,) = await until(lambda: [line for line in running.lines() if line.get("request_id") == f"{mine}-2"])
    assert (line["message"], line["code"]) == ("call failed", "not_found")
    forged = await running.http.get("/livez", headers={"x-request-id": 'a"} {"level": "ERROR'})
    assert len(forged.headers["x-request-id"]) == 32


async def test_batch_by_form(running: MergerProcess, fake: FakeModelServer) -> None:
    """A batch keeps its order and its names; a bad picture has its own error and disturbs no other."""
    colours = list(tiny_models.COLOURS) * 4
    files = [("images", (f"{i}.jpg", tiny_models.picture(colour))) for i, colour in enumerate(colours)]
    files.insert(5, ("images", ("bad.txt", b"hello")))
    reply = await running.http.post("/v1/classify:batch", files=files, params={"top_k": 1})
    assert reply.status_code == 200, reply.text
    batch = reply.json()
    assert (batch["succeeded"], batch["failed"]) == (24, 1)
    assert [one["index"] for one in batch["results"]] == list(range(25))
    bad = batch["results"].pop(5)
    assert (bad["id"], bad["answer"], bad["error"]["code"]) == ("bad.txt", None, "image_unsupported")
    for i, (colour, one) in enumerate(zip(colours, batch["results"], strict=True)):
        assert (one["id"], one["error"]) == (f"{i}.jpg", None)
        assert one["answer"]["article_type"]["label"] == tiny_models.expected(colour, 1)["article_type"]
        assert len(one["answer"]["article_type"]["top_k"]) == 1
    assert sorted(count for _, count in fake.models["category"].calls) == [9, 15], "few calls for many pictures"


async def test_batch_by_json(running: MergerProcess, fake: FakeModelServer) -> None:
    """The same by JSON, which is the RPC's message by its field names."""
    items = [{"id": "r", "image": base64.b64encode(RED).decode()}, {"id": "empty", "image": ""}]
    reply = await running.http.post("/v1/classify:batch", json={"items": items, "options": {"top_k": 3}})
    good, bad = reply.json()["results"]
    assert len(good["answer"]["article_type"]["top_k"]) == 3
    assert bad["error"]["code"] == "image_missing"
    assert (await running.http.post("/v1/classify:batch", json={})).json()["results"] == []


@pytest.mark.parametrize("escaped", ["\\u002B", "\\u002b", "+", "%2B", "%2b"])
async def test_escapes(running: MergerProcess, fake: FakeModelServer, escaped: str) -> None:
    """Base64 that a JSON library or a URL has escaped, in lines or not, is the same picture, however long it is."""
    for data in (RED, encode(photo(600, 800), "JPEG")):
        text = base64.encodebytes(data).decode().replace("+", escaped).replace("/", "\\/").replace("\n", "\\r\\n")
        for lines in (text, text.replace("\\r\\n", " "), text.replace("\\r\\n", "\\n  ")):
            body = f'{{"items": [{{"image": "{lines}"}}]}}'
            reply = await running.http.post(
                "/v1/classify:batch", content=body, headers={"content-type": "Application/JSON"}
            )
            assert reply.json()["results"][0]["answer"]["image"]["size_bytes"] == len(data), reply.text


@pytest.mark.parametrize("prefix", ["data:image/jpeg;base64,", "DATA:;Base64,", "data:image/png;charset=x;base64,"])
@pytest.mark.parametrize("size", [(60, 80), (600, 800)])
async def test_data_urls(running: MergerProcess, fake: FakeModelServer, prefix: str, size: tuple[int, int]) -> None:
    """What a browser makes of a file is the file: the words before its Base64 are no part of the picture."""
    data = encode(photo(*size), "JPEG")
    text = base64.b64encode(data).decode()
    items = [{"image": text}, {"image": prefix + text}, {"image": prefix + text.replace("+", "%2B")}]
    reply = await running.http.post("/v1/classify:batch", json={"items": items})
    sizes = [one["answer"]["image"]["size_bytes"] for one in reply.json()["results"]]
    assert sizes == [len(data)] * 3


REFUSED_BATCHES: dict[str, tuple[dict[str, Any], str]] = {
    "too many": ({"json": {"items": [{"id": "x"}] * 65}}, "batch_too_large"),
    "too many files": ({"files": [("images", ("a", RED))] * 65}, "invalid_request"),
    "no json": ({"content": b"{", "headers": {"content-type": "application/json"}}, "invalid_request"),
    "a list": ({"json": []}, "invalid_request"),
    "unknown field": ({"json": {"pictures": []}}, "invalid_request"),
    "a number for a picture": ({"json": {"items": [{"image": 7}]}}, "invalid_request"),
    "a form of text": ({"files": {"images": (None, "red")}}, "image_missing"),
    "deep": ({"content": b"[" * 100_000, "headers": {"content-type": "application/json"}}, "invalid_request"),
    "picture": ({"content": RED, "headers": JPEG}, "invalid_request"),
    "too large": (
        {"content": b" " * (64 * 2**20 + 1), "headers": {"content-type": "application/json"}}, "request_too_large",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("request_", "code"), REFUSED_BATCHES.values(), ids=list(REFUSED_BATCHES))
async def test_refuses_batch(
    running: MergerProcess, fake: FakeModelServer, request_: dict[str, Any], code: str
) -> None:
    """A body that is no batch is a problem, whole."""
    problem(await running.http.post("/v1/classify:batch", **request_), code)


async def test_endless_body(running: MergerProcess, fake: FakeModelServer) -> None:
    """A body without an announced length is read no further than the limit."""
    sent = 0

    async def endless() -> Any:
        nonlocal sent
        while sent < 2**30:
            sent += 2**20
            yield b"\xff" * 2**20

    with pytest.raises(httpx.TransportError):  # the server closes the connection while more is coming
        await running.http.post("/v1/classify", content=endless(), headers=JPEG)
    assert sent < 200 * 2**20
    assert (await classify(running, RED)).status_code == 200


async def test_hanging_up_stops_the_work(running: MergerProcess, fake: FakeModelServer) -> None:
    """A client that goes away frees its place, and its calls to the models end."""
    fake.models["category"].delay_s = 4.0
    with pytest.raises(httpx.ReadTimeout):
        await running.http.post("/v1/classify", content=RED, headers=JPEG, timeout=0.3)

    async def is_idle() -> bool:
        text = (await running.admin.get("/metrics")).text
        return "lookbook_images_active 0.0" in text and fake.models["category"].active == 0

    await until(is_idle, patience_s=3.0)


async def test_many_at_once(running: MergerProcess, fake: FakeModelServer) -> None:
    """Answers do not get mixed up among callers."""
    colours = [tiny_models.COLOURS[i % 6] for i in range(60)]
    replies = await asyncio.gather(*(classify(running, tiny_models.picture(colour)) for colour in colours))
    for colour, reply in zip(colours, replies, strict=True):
        assert reply.json()["article_type"]["label"] == tiny_models.expected(colour, 1)["article_type"]


async def test_page(fake_server: FakeModelServer, tmp_path: Any) -> None:
    """The page is served at / and /review, its hashed files to be kept, and it hides no wrong address or method."""
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text("<p>the page</p>")
    (dist / "assets" / "app-1a2b.js").write_text("1")
    async with merger(tmp_path, fake_server.target, web_dir=dist) as running:
        root = await running.http.get("/")
        assert (root.text, root.headers["cache-control"]) == ("<p>the page</p>", "no-cache")
        assert (await running.http.get("/review")).text == root.text
        problem(await running.http.get("/review/"), "not_found")
        asset = await running.http.get("/assets/app-1a2b.js")
        assert asset.status_code == 200 and "immutable" in asset.headers["cache-control"]
        assert asset.headers["content-type"].startswith("text/javascript")
        problem(await running.http.get("/assets/../../secret"), "not_found")
        problem(await running.http.get("/assets/nothing.js"), "not_found")
        problem(await running.http.get("/v1/classify"), "method_not_allowed")
