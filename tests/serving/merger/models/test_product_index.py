"""Similar products among more than a model remembers, through a real merger that reads the release's own index."""

import sqlite3
from array import array
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio

from schema import names
from schema.products.index import INSERT, TABLE, TEXTS, VECTORS, index_folder
from serving.stubs.tensorflow.core.framework import types_pb2
from tests import tiny_models
from tests.serving.fake_model_server import FakeModelServer
from tests.serving.merger_process import MergerProcess, merger

pytestmark = pytest.mark.asyncio(loop_scope="module")

faiss = pytest.importorskip("faiss", reason="needs the extra lookbook[index]")

WIDTH = 8
PRODUCTS = 300
RANDOM = np.random.default_rng(4)
KNOWN = RANDOM.normal(size=(PRODUCTS, WIDTH)).astype(np.float32)
KNOWN /= np.linalg.norm(KNOWN, axis=1, keepdims=True)


def write_index(releases: Path, version: int, width: int = WIDTH) -> Path:
    folder = index_folder(releases, version)
    folder.mkdir(parents=True)
    index = faiss.index_factory(width, "IVF8,SQ8", faiss.METRIC_INNER_PRODUCT)
    index.train(KNOWN[:, :width].copy())
    index.add(KNOWN[:, :width].copy())
    index.nprobe = 8
    faiss.write_index(index, str(folder / VECTORS))
    with sqlite3.connect(folder / TEXTS) as store:
        store.execute(TABLE)
        store.executemany(INSERT, ((i, f"id {i}", f"type {i % 3}", f"name {i}") for i in range(PRODUCTS)))
    return folder


@pytest.fixture(scope="module")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Release 1 has an index, 2 none, that of 3 is broken, 4 lacks the texts, 5 is of another model."""
    folder = tmp_path_factory.mktemp("releases")
    write_index(folder, 1)
    (write_index(folder, 3) / VECTORS).write_bytes(b"nonsense")
    (write_index(folder, 4) / TEXTS).unlink()
    write_index(folder, 5, WIDTH - 1)
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(
    fake_server: FakeModelServer, releases: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[MergerProcess]:
    async with merger(tmp_path_factory.mktemp("merger"), fake_server.target, thumbnails_dir=releases) as process:
        await process.ready()
        yield process


def telling(embedding: np.ndarray) -> Any:
    def spoil(reply: Any) -> None:
        if names.NEIGHBOUR_IDS in reply.outputs:
            tensor = reply.outputs[names.EMBEDDING]
            tensor.dtype = types_pb2.DT_FLOAT
            for size in (1, len(embedding)):
                tensor.tensor_shape.dim.add(size=size)
            tensor.tensor_content = array("f", embedding.tolist()).tobytes()

    return spoil


async def similar(running: MergerProcess, fake: FakeModelServer, version: int, embedding: np.ndarray) -> dict:
    fake.models[names.ARTICLE_TYPE].spoil = telling(embedding)
    fake.serve_versions(version)
    await running.ready(release=version)
    reply = await running.http.post(
        "/v1/similar", content=tiny_models.picture("red"), headers={"content-type": "image/jpeg"}, params={"k": 5}
    )
    assert reply.status_code == 200, reply.text
    found: dict = reply.json()
    return found


async def test_products_come_from_the_index(running: MergerProcess, fake: FakeModelServer) -> None:
    """The nearest of all three hundred, nearest first, with what is told of them, and twenty are counted by type."""
    found = await similar(running, fake, 1, KNOWN[17])
    right = np.argsort(-(KNOWN @ KNOWN[17]))[:5]
    assert [one["id"] for one in found["products"]] == [f"id {i}" for i in right]
    assert found["products"][0] | {"thumbnail": ""} == {
        "id": "id 17", "name": "name 17", "article_type": "type 2",
        "similarity": pytest.approx(1, abs=0.02), "thumbnail": "",
    }  # fmt: skip
    assert found["counted"] == 20 == sum(one["count"] for one in found["nearest"])


@pytest.mark.parametrize("version", [2, 3, 4, 5])
async def test_without_one_the_model_is_asked(running: MergerProcess, fake: FakeModelServer, version: int) -> None:
    """Where a release has no index, or one that cannot be read or is of another model, the answer is the model's."""
    found = await similar(running, fake, version, KNOWN[17])
    assert {one["id"] for one in found["products"]} <= set(tiny_models.known_pictures(version)["ids"])


async def test_an_embedding_that_is_no_number_is_the_models_fault(
    running: MergerProcess, fake: FakeModelServer
) -> None:
    """Nonsense is refused as any of a model."""
    fake.models[names.ARTICLE_TYPE].spoil = telling(np.full(WIDTH, np.nan))
    reply = await running.http.post(
        "/v1/similar", content=tiny_models.picture("red"), headers={"content-type": "image/jpeg"}
    )
    assert reply.json()["code"] == "model_failed"
