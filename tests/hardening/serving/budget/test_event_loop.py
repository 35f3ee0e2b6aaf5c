"""No input holds the event loop up for more than 50 ms, nor does it take more memory than the merger may have."""

import asyncio
import json
from base64 import b64encode
from collections.abc import Callable
from typing import Final

import pytest
from PIL import Image

from serving.proto.lookbook.v1 import classifier_pb2 as pb
from tests.hardening.promises import Promises
from tests.hardening.serving.budget import payloads
from tests.hardening.serving.budget.http2 import hold_message
from tests.hardening.serving.budget.loop_probe import Watched
from tests.hardening.serving.budget.payloads import MEGABYTE, RED
from tests.hardening.serving.budget.senders import PATIENCE_S, batch, classify, grpc_code, held_upload, told
from tests.serving.pictures import animated, encode, photo

pytestmark = pytest.mark.asyncio(loop_scope="module")

MOST_BYTES: Final = 512e6

PICTURES: Final[dict[str, tuple[Callable[[], bytes], set[int]]]] = {
    "JPEG with 10 MB of fill bytes": (payloads.jpeg_with_fill, {200}),
    "JPEG with 100,000 Exif entries": (payloads.jpeg_with_exif, {200, 422}),
    "PNG with 300,000 chunks": (payloads.png_with_chunks, {422}),
    "PNG with 54 MB of packed texts": (payloads.text_png, {200, 422}),
    "progressive JPEG with 3,000 scans": (payloads.jpeg_with_scans, {422}),
    "WebP of 25 megapixels": (payloads.flat_webp, {413, 422}),
    "WebP of 6 megapixels": (lambda: payloads.flat_webp(2_500), {200}),
    "PNG of 49 megapixels": (lambda: payloads.flat_png(7_000), {200, 413}),
    "PNG of 36 megapixels with alpha": (lambda: payloads.flat_png(6_000, "RGBA"), {200, 413}),
    "PNG of 1 × 9,000,000": (lambda: encode(Image.new("L", (1, 9_000_000)), "PNG"), {413}),
    "PNG whose pixels unpack to 200 MB more": (payloads.png_with_tail, {200, 422}),
    "small TIFF": (lambda: encode(photo(60, 80), "TIFF"), {200}),
    "small AVIF": (lambda: encode(photo(60, 80), "AVIF"), {200}),
    "small WebP of 200 frames": (lambda: animated("WEBP", 200), {200}),
    "20 MB that are no picture": (lambda: b"\xff\xd8\xff" + b"\xff\x00" * (10 * MEGABYTE - 2), {422, 415}),
}
BATCHES: Final[dict[str, tuple[Callable[[], bytes], set[int]]]] = {
    "{} 2.9 MB": (lambda: payloads.json_of_items("{}", 2_900_000), {413}),
    "[] 17 MB": (lambda: payloads.json_of_items("[]", 17_000_000), {400, 413}),
    "quotes 17 MB": (lambda: payloads.json_of_items('""', 17_000_000), {400, 413}),
    "brackets 100,000 deep": (lambda: payloads.nested_json(100_000), {400}),
    "options with 300,000 keys": (lambda: payloads.wide_options(300_000), {400, 413}),
    "a number of 5 MB": (lambda: b'{"items":[{"id":' + b"7" * (5 * MEGABYTE) + b"}]}", {400}),
    "escaped quotes 8 MB": (lambda: b'{"items":[{"id":"' + b'\\"' * (4 * MEGABYTE) + b'"}]}', {400, 413}),
    "backslashes 8 MB": (lambda: b'{"items":[{"image":"' + b"\\\\" * (4 * MEGABYTE) + b'"}]}', {200}),  # its own error
    "a picture of 17 MB": (
        lambda: json.dumps({"items": [{"image": b64encode(bytes(17 * MEGABYTE)).decode()}]}).encode(),
        {200},
    ),
}
BATCHES_OF_LARGE: Final[dict[str, tuple[Callable[[], bytes], Callable[[], bytes]]]] = {
    "WebPs of 25 and 8 megapixels": (payloads.flat_webp, lambda: payloads.flat_webp(2_800)),
    "JPEGs of 49 and 25 megapixels": (lambda: payloads.flat_jpeg(7_000), lambda: payloads.flat_jpeg(5_000)),
}
MESSAGES: Final[dict[str, tuple[str, Callable[[], bytes], set[str]]]] = {
    "empty items 15 MB": ("ClassifyBatch", lambda: payloads.empty_items_message(15 * MEGABYTE), {"INVALID_ARGUMENT"}),
    "empty pictures 15 MB": ("Classify", lambda: payloads.empty_items_message(15 * MEGABYTE), {"INVALID_ARGUMENT"}),
    "unknown fields 15 MB": ("Classify", lambda: b"\x78\x01" * (8 * MEGABYTE), {"INVALID_ARGUMENT"}),
    "unknown fields in an item": (
        "ClassifyBatch",
        lambda: b"\x0a\x80\x80\x80\x04" + b"\x78\x01" * (4 * MEGABYTE),
        {"INVALID_ARGUMENT"},
    ),
    "options without end": (
        "Explain",
        lambda: b"\x12\x80\x80\x80\x04" + b"\x78\x01" * (4 * MEGABYTE),
        {"INVALID_ARGUMENT"},
    ),
}


async def check(promise: Promises, watched: Watched, seen: str) -> str:
    """That both figures hold and that others are answered; gives them in words."""
    assert (await classify(watched, RED)).status_code == 200
    assert watched.held_up_s() <= promise.hold_up_s, watched.told()
    assert watched.peak_bytes <= promise.most_bytes(MOST_BYTES), watched.told()
    return f"{seen}; {watched.told()}"


@pytest.mark.parametrize("kind", PICTURES)
async def test_picture(promise: Promises, watched: Watched, kind: str) -> None:
    """A picture that is dear to read is refused or read at a bearable cost, and never in the event loop."""
    make, right = PICTURES[kind]
    content = make()
    await watched.reset()
    with promise(f"budget: {kind}", f"{sorted(right)}; loop ≤ 50 ms, memory ≤ 512 MB") as row:
        reply = await classify(watched, content)
        assert reply.status_code in right, reply.text
        row.seen = await check(promise, watched, f"{reply.status_code} for {len(content):,} bytes")


@pytest.mark.parametrize("kind", BATCHES)
async def test_json(promise: Promises, watched: Watched, kind: str) -> None:
    """JSON that would become a great many objects is refused before it does, and a text of no picture has an error."""
    make, right = BATCHES[kind]
    content = make()
    await watched.reset()
    with promise(f"budget: JSON, {kind}", f"{sorted(right)}; loop ≤ 50 ms, memory ≤ 512 MB") as row:
        reply = await batch(watched, content)
        assert reply.status_code in right, reply.text[:500]
        row.seen = await check(promise, watched, f"{reply.status_code} for {len(content):,} bytes")


@pytest.mark.parametrize("kind", MESSAGES)
async def test_message(promise: Promises, watched: Watched, kind: str) -> None:
    """Items and fields of a gRPC message are counted before they become objects."""
    method, make, right = MESSAGES[kind]
    message = make()
    await watched.reset()
    with promise(f"budget: gRPC, {kind}", f"{sorted(right)}; loop ≤ 50 ms, memory ≤ 512 MB") as row:
        code = await grpc_code(watched, method, message)
        assert code in right
        row.seen = await check(promise, watched, f"{code} for {len(message):,} bytes")


@pytest.mark.parametrize("name", BATCHES_OF_LARGE)
async def test_batch_of_large_pictures(promise: Promises, watched: Watched, name: str) -> None:
    """A batch of small files that are huge pictures is decoded one after the other, or refused picture by picture."""
    pictures = [make() for make in BATCHES_OF_LARGE[name] for _ in range(8)]
    await watched.reset()
    with promise(f"budget: batch of 16 {name}", "loop ≤ 50 ms, memory ≤ 512 MB") as row:
        files = [("images", (str(i), picture)) for i, picture in enumerate(pictures)]
        reply = await watched.running.http.post("/v1/classify:batch", files=files, timeout=PATIENCE_S)
        codes = [(one["error"] or {"code": "ok"})["code"] for one in reply.json()["results"]]
        assert set(codes) <= {"ok", "image_too_large", "deadline_exceeded"}
        row.seen = await check(promise, watched, told(codes))


async def test_many_small_pictures(promise: Promises, watched: Watched) -> None:
    """Small pictures are decoded in the loop itself, and a full batch of them gives others their turns."""
    with promise("budget: batch of 64 small pictures", "64 answers; loop ≤ 50 ms") as row:
        files = [("images", (f"{i}.png", payloads.flat_png(190))) for i in range(64)]
        reply = await watched.running.http.post("/v1/classify:batch", files=files, timeout=PATIENCE_S)
        assert reply.json()["succeeded"] == 64
        row.seen = await check(promise, watched, "64 answers")


async def test_all_at_once(promise: Promises, watched: Watched) -> None:
    """Everything that the limits admit, at once: the budgets hold together, and small pictures are answered."""
    picture, webp = payloads.flat_png(5_700), payloads.flat_webp(2_800)  # a hair below what may be decoded
    files = [("images", (f"{i}.webp", webp)) for i in range(16)]
    as_json = json.dumps({"items": [{"image": b64encode(bytes(17 * MEGABYTE)).decode()}]}).encode()
    message = pb.ClassifyBatchRequest(
        items=[pb.BatchItem(image=picture + bytes(11 * MEGABYTE))] * 2
    ).SerializeToString()
    small = pb.ClassifyRequest(image=RED)
    done = asyncio.Event()
    await watched.reset()
    with promise(
        "budget: large pictures, JSON, messages and held uploads at once", "loop ≤ 100 ms, memory ≤ 512 MB"
    ) as row:
        held = [asyncio.create_task(held_upload(watched, 23 * MEGABYTE, done, "127.0.0.3")) for _ in range(12)]
        held += [asyncio.create_task(hold_message(watched, 23 * MEGABYTE, done)) for _ in range(12)]
        post = watched.running.http.post
        work = [
            *(classify(watched, picture) for _ in range(4)),
            *(classify(watched, webp) for _ in range(4)),
            *(post("/v1/classify:batch", files=files, timeout=PATIENCE_S) for _ in range(3)),
            *(batch(watched, as_json) for _ in range(6)),
            *(grpc_code(watched, "ClassifyBatch", message) for _ in range(6)),
        ]
        polite = [watched.running.stub.Classify(small, timeout=PATIENCE_S) for _ in range(8)]
        outcomes = await asyncio.gather(*work)
        answers = await asyncio.gather(*polite)
        done.set()
        await asyncio.gather(*held)
        seen = told(getattr(outcome, "status_code", outcome) for outcome in outcomes)
        row.seen = f"{seen}; {watched.told()}"
        assert (await classify(watched, RED)).status_code == 200
        assert {answer.release for answer in answers} == {"1"}
        # What is large may be slow, where one process of a busy machine sends it all, and then has to give way.
        assert {outcome for outcome in outcomes if isinstance(outcome, str)} <= {"OK", "RESOURCE_EXHAUSTED"}
        assert watched.peak_bytes <= promise.most_bytes(MOST_BYTES), watched.told()
        # Two messages may be handed over in the same round.
        assert watched.held_up_s() <= 2 * promise.hold_up_s, watched.told()
