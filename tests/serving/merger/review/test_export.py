"""What was decided comes out as a folder of corrections, the same from a merger and from its store."""

import asyncio
import os
import socketserver
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from schema.corrections import read_corrections, read_picture
from serving.merger.review.store import ReviewStore
from tests.serving.fake_model_server import FakeModelServer
from tests.serving.merger.review.offering import claimed, heels, keep, name_of, unknown
from tests.serving.merger.review.test_review import queue
from tests.serving.merger_process import ROOT, MergerProcess, merger

KEYS = "anna key-of-anna-12345678\nshop key-of-the-shop-1234\n"


def export(*arguments: str | Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Runs ``lookbook corrections export``."""
    command = [sys.executable, "-m", "pipeline.runner", "corrections", "export", *map(str, arguments)]
    return subprocess.run(
        command, cwd=ROOT, env=os.environ | variables, capture_output=True, text=True, check=False, timeout=120
    )


def decided(store: ReviewStore, count: int = 25) -> None:
    """More decisions than are told at once; one is undone, one says that nobody can tell."""
    keep(store, *(f"shoe {number}" for number in range(count)))
    for _ in range(count - 1):
        card = claimed(store)
        store.decide(card.id, card.lease, heels(card))
    card = claimed(store)
    store.decide(card.id, card.lease, unknown(card))
    store.undo(1, "anna", 60)


def test_from_a_store(store: ReviewStore, target: str, tmp_path: Path) -> None:
    """Each decision that holds, with its picture, by a path as by a URL; a password is in no output."""
    decided(store)
    done = export("--out", tmp_path / "out", LOOKBOOK_REVIEW_STORE=target)
    assert (done.returncode, done.stdout) == (0, f"24 decisions in {tmp_path}/out/corrections.csv\n"), done.stderr
    found = read_corrections(tmp_path / "out")
    assert found.faults == []
    assert found.taken == [one.correction for one in store.in_force(0, limit=100)]
    names = {read_picture(tmp_path / "out", one).rstrip(b".").decode() for one in found.taken if one.picture}
    assert names == {f"shoe {number}" for number in range(25)} - {name_of(store, store.find()[0])}
    assert "s3cr" not in done.stdout + done.stderr


@pytest.mark.asyncio(loop_scope="module")
async def test_from_a_merger(fake: FakeModelServer, tmp_path: Path) -> None:
    """The same as from its store, with the key of a reviewer alone."""
    store = ReviewStore(str(tmp_path / "review.sqlite"))
    store.open()
    decided(store)
    (tmp_path / "keys").write_text(KEYS)
    settings = {"review_store": tmp_path / "review.sqlite", "api_keys_file": tmp_path / "keys", "reviewers": "anna"}
    async with merger(tmp_path, fake.target, **settings) as running:
        await running.ready()
        running.http.headers["x-api-key"] = "key-of-anna-12345678"
        await queue(running, 1)
        url, out = f"http://127.0.0.1:{running.http_port}", tmp_path / "out"
        done = await asyncio.to_thread(export, url, "--out", out, LOOKBOOK_API_KEY="key-of-anna-12345678")
        assert done.returncode == 0, done.stderr
        refused = await asyncio.to_thread(export, url, "--out", out, LOOKBOOK_API_KEY="key-of-the-shop-1234")
        assert refused.returncode == 1 and "LOOKBOOK_REVIEWERS" in refused.stderr
    assert read_corrections(out).taken == [one.correction for one in store.in_force(0, limit=100)]
    store.close()


@pytest.mark.asyncio(loop_scope="module")
async def test_large_pictures_from_a_merger(fake: FakeModelServer, tmp_path: Path) -> None:
    """All come, a few at once: 100 MB of pictures in one answer would be as much again several times in memory."""
    store = ReviewStore(str(tmp_path / "review.sqlite"))
    store.open()
    for number in range(20):
        keep(store, f"shoe {number}", size=5_000_000)
        card = claimed(store)
        store.decide(card.id, card.lease, heels(card))
    settings = {"review_store": tmp_path / "review.sqlite", "max_correction_images": 0}
    async with merger(tmp_path, fake.target, **settings) as running:
        await running.ready()
        await queue(running, 0)
        process, peak = psutil.Process(running.process.pid), 0
        before = process.memory_info().rss
        asking = asyncio.create_task(asyncio.to_thread(whole_export, running, tmp_path))
        while not asking.done():
            peak = max(peak, process.memory_info().rss - before)
            await asyncio.sleep(0.005)
        assert asking.result().returncode == 0, asking.result().stderr
        assert peak < 100e6
        without = (await running.http.get("/v1/review/decisions?limit=100")).json()["decisions"]
    assert len(read_corrections(tmp_path / "out").taken) == len(without) == 20
    store.close()


def whole_export(running: MergerProcess, folder: Path) -> "subprocess.CompletedProcess[str]":
    return export(f"http://127.0.0.1:{running.http_port}", "--out", folder / "out")


ANSWERS = {
    "/elsewhere": (b"HTTP/1.0 302 Found\r\nLocation: {}/v1/review/decisions\r\n\r\n", "redirects to http://localhost:"),
    "/list": (b"HTTP/1.0 200 OK\r\n\r\n[]", "must be the URL of a merger"),
    "/null": (b'HTTP/1.0 200 OK\r\n\r\n{"decisions": null}', "must be the URL of a merger"),
    "/other": (b'HTTP/1.0 200 OK\r\n\r\n{"decisions": [{"version": 1}]}', "tells what is no decision"),
    "/grpc": (b"\0\0\x18\4\0\0\0\0\0\r\n", "it speaks no HTTP"),
}


@pytest.mark.parametrize("path", ANSWERS)
def test_what_answers_and_is_no_merger(path: str, tmp_path: Path) -> None:
    """In words; it is asked past any proxy, and by no redirect, for the key would be given to somebody else."""
    asked: list[bytes] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            asked.append(self.rfile.readline())
            self.wfile.write(ANSWERS[path][0].replace(b"{}", f"http://localhost:{port}".encode()))

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        source, key = f"http://127.0.0.1:{port}{path}", {"LOOKBOOK_API_KEY": "s3cret"}
        done = export(source, "--out", tmp_path / "out", http_proxy="http://127.0.0.1:9", **key)
        server.shutdown()
    assert done.returncode == 1 and ANSWERS[path][1] in done.stderr, done.stderr
    assert "Traceback" not in done.stderr and "s3cret" not in done.stderr
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("http://127.0.0.1:9", "must be the URL of a merger"),
        ("http://127.0.0.1:port", "must be the URL of a merger"),
        ("http://[::1", "must be the URL of a merger"),
        ("nowhere.sqlite", "there is no review store at"),
        ("sqlite:////nowhere.sqlite", "there is no review store at"),
        ("localhost:8080", "with http:// before it"),
        (__file__, "this is no review store"),
        ("mysql://root:s3cret@db/review", "names no database that can be used"),
    ],
)
def test_what_is_no_source_is_told(source: str, words: str, tmp_path: Path) -> None:
    """In words, and nothing is written."""
    done = export(source, "--out", tmp_path / "out")
    assert done.returncode == 1 and words in done.stderr, done.stderr
    assert "Traceback" not in done.stderr and "s3cret" not in done.stderr
    assert not (tmp_path / "out" / "corrections.csv").exists()
