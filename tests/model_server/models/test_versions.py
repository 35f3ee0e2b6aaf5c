"""Versions come and go under the eyes of their clients: releases, rollbacks, broken ones, warm-up."""

import shutil
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest
import tensorflow as tf
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusRequest
from tensorflow_serving.apis.predict_pb2 import PredictRequest
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog

from schema import heads as table
from schema import names
from serving.model_server.protos import ConfigError
from tests import tiny_models
from tests.model_server.running import RunningServer, Shelf, best_labels, wait_until

Start = Callable[..., RunningServer]
MODEL = names.ARTICLE_TYPE
WARMUP = Path("assets.extra/tf_serving_warmup_requests")


def label(server: RunningServer, **spec: Any) -> str:
    return best_labels(server.predict(MODEL, "red", **spec), MODEL)[0]


def expected(weights: int) -> str:
    return tiny_models.expected("red", weights)[MODEL]


def health(server: RunningServer) -> str:
    response = health_pb2_grpc.HealthStub(server.channel).Check(health_pb2.HealthCheckRequest())
    return health_pb2.HealthCheckResponse.ServingStatus.Name(response.status)


def error_of(server: RunningServer, version: int) -> str:
    request = GetModelStatusRequest()
    request.model_spec.name = MODEL
    request.model_spec.version.value = version
    return server.models.GetModelStatus(request).model_version_status[0].status.error_message


def test_release_under_load(serve: Start, models: Path, shelf: Shelf) -> None:
    """While two releases arrive and one is rolled back, no request fails and each answer is its version's own."""
    shelf.push(models, "plain", 1)
    server = serve()
    weights = {1: 0, 2: 1, 3: 2}
    answers: Counter[tuple[int, str]] = Counter()
    is_over = threading.Event()

    def ask() -> None:
        while not is_over.is_set():
            response = server.predict(MODEL, "red")
            answers[response.model_spec.version.value, best_labels(response, MODEL)[0]] += 1

    def has_answered(version: int) -> bool:
        return any(seen == version for seen, _ in list(answers))

    with ThreadPoolExecutor(8) as pool:
        clients = [pool.submit(ask) for _ in range(8)]
        try:
            for version, variant in ((2, "other"), (3, "third")):
                shelf.push(models, variant, version)
                wait_until(partial(has_answered, version), f"answers of version {version}")
            server.wait_for(MODEL, 1, "END")
            shutil.move(models / MODEL / "3", models / MODEL / ".withdrawn-3")
            server.wait_for(MODEL, 3, "END")
            before = answers[2, expected(1)]
            wait_until(lambda: answers[2, expected(1)] > before, "answers of the rolled-back version")
        finally:
            is_over.set()
    for client in clients:
        client.result()
    assert set(answers) == {(version, expected(weight)) for version, weight in weights.items()}


@pytest.mark.parametrize("variant", ["garbage", "empty"])
def test_broken_version(serve: Start, models: Path, shelf: Shelf, variant: str) -> None:
    """A broken new version ends with its reason in the status, and the old one serves on, by name and as the latest."""
    shelf.push(models, "plain", 1)
    server = serve(max_num_load_retries=0)
    shelf.push(models, variant, 2)
    server.wait_for(MODEL, 2, "END")
    assert "SavedModel" in error_of(server, 2)
    assert label(server) == label(server, version=1) == expected(0)
    assert health(server) == "SERVING"
    with pytest.raises(grpc.RpcError, match=r"Specific\(article_type, 2\)"):
        server.predict(MODEL, "red", version=2)


def test_old_serves_until_a_new_one_does(serve: Start, models: Path, shelf: Shelf) -> None:
    """If the only aspired versions are broken, the one that they were to replace is kept."""
    shelf.push(models, "plain", 1)
    server = serve(max_num_load_retries=0)
    for version in (2, 3):
        shelf.push(models, "garbage", version)
    server.wait_for(MODEL, 3, "END")
    shelf.push(models, "other", 4)
    wait_until(lambda: label(server) == expected(1), "answers of version 4")
    server.wait_for(MODEL, 1, "END")
    assert server.states(MODEL)[4] == "AVAILABLE"


def test_failed_load_is_retried(serve: Start, models: Path, shelf: Shelf) -> None:
    """A version that failed to load is LOADING until the retries are used up, and serves if one of them succeeds."""
    shelf.push(models, "plain", 1)
    server = serve(max_num_load_retries=50, load_retry_interval_micros=10_000)
    shelf.push(models, "garbage", 2, only=MODEL)
    wait_until(lambda: 2 in server.states(MODEL) and "SavedModel" in error_of(server, 2), "the first failure")
    assert server.states(MODEL)[2] == "LOADING"
    shelf.push(models / "mended", "other", 2, only=MODEL)
    shutil.copytree(models / "mended" / MODEL / "2", models / MODEL / "2", dirs_exist_ok=True)
    server.wait_for(MODEL, 2, "AVAILABLE")
    assert error_of(server, 2) == ""


def test_same_number_again(serve: Start, models: Path, shelf: Shelf) -> None:
    """A version that was withdrawn and comes back, perhaps changed, is loaded anew."""
    shelf.push(models, "plain", 1)
    shelf.push(models, "other", 2)
    server = serve()
    shutil.rmtree(models / MODEL / "2")
    server.wait_for(MODEL, 2, "END")
    shelf.push(models, "third", 2, only=MODEL)
    wait_until(lambda: label(server) == expected(2), "answers of the new version 2")


def test_starts_with_one_sound_version(serve: Start, models: Path, shelf: Shelf) -> None:
    """A model comes up with the version that can be loaded, though a newer one can't, and after a retry if need be."""
    shelf.push(models, "plain", 1)
    shelf.push(models, "garbage", 2)
    server = serve(max_num_load_retries=0)
    assert server.states(MODEL) == {2: "END", 1: "AVAILABLE"}
    assert label(server) == expected(0)


def test_start_waits_for_a_retry(serve: Start, models: Path, shelf: Shelf, caplog: pytest.LogCaptureFixture) -> None:
    """While a version that failed to load may be tried again, the server does not give up."""
    shelf.push(models, "garbage", 1)
    shelf.push(models / "mended", "other", 1)

    def mend() -> None:
        wait_until(lambda: any("will retry" in line for line in caplog.messages), "the first failure")
        for model in table.MODELS:
            shutil.copytree(models / "mended" / model / "1", models / model / "1", dirs_exist_ok=True)

    with ThreadPoolExecutor(1) as pool:
        mended = pool.submit(mend)
        server = serve(max_num_load_retries=50, load_retry_interval_micros=100_000)
        mended.result()
    assert label(server) == expected(1)


def test_health(serve: Start, models: Path, shelf: Shelf) -> None:
    """The health service says NOT_SERVING once a model has no version any more, and SERVING when it has one again."""
    shelf.push(models, "plain", 1)
    server = serve()
    assert health(server) == "SERVING"
    shutil.move(models / MODEL / "1", models / "away")
    wait_until(lambda: health(server) == "NOT_SERVING", "health after the last version went")
    with pytest.raises(grpc.RpcError, match=r"Latest\(article_type\)"):
        server.predict(MODEL, "red")
    shutil.move(models / "away", models / MODEL / "1")
    wait_until(lambda: health(server) == "SERVING", "health")


def test_staging_folders_are_ignored(serve: Start, models: Path, shelf: Shelf) -> None:
    """Folders without a number for a name, or one too large for the wire, and files, are no versions."""
    shelf.push(models, "plain", 1)
    for name in (".incoming-2", "-2", "2.tmp", "٢", str(2**63), "20261129211143000000"):
        shutil.copytree(models / MODEL / "1", models / MODEL / name)
    (models / MODEL / "notes.txt").touch()
    assert serve().states(MODEL) == {1: "AVAILABLE"}


def test_missing_base_path(serve: Start, models: Path, shelf: Shelf, caplog: pytest.LogCaptureFixture) -> None:
    """While one base path is missing, what is loaded serves on and no model gets a new version; then all do."""
    shelf.push(models, "plain", 1)
    server = serve()
    shutil.move(models / MODEL, models / "away")
    shelf.push(models, "other", 2, only=names.CATEGORY)
    looks = "filesystem access error: Could not find base path"
    wait_until(lambda: sum(looks in line for line in caplog.messages) >= 2, "two looks at the disk")
    assert server.states(MODEL) == server.states(names.CATEGORY) == {1: "AVAILABLE"}
    shutil.move(models / "away", models / MODEL)
    shelf.push(models, "other", 2, only=MODEL)
    wait_until(lambda: label(server) == expected(1), "answers of version 2")
    server.wait_for(names.CATEGORY, 2, "AVAILABLE")


def test_warmup(serve: Start, models: Path, shelf: Shelf) -> None:
    """A version whose warm-up requests run is served; one that can't answer its own is not."""
    shelf.push(models, "third", 1)
    server = serve(max_num_load_retries=0)
    assert label(server) == expected(2)
    request = PredictRequest()
    request.model_spec.signature_name = names.SCORES
    request.inputs[names.IMAGE].CopyFrom(tf.make_tensor_proto([1.0]))
    shelf.push(models, "third", 20, only=MODEL)
    with tf.io.TFRecordWriter(str(models / MODEL / "20" / WARMUP)) as writer:
        writer.write(PredictionLog(predict_log={"request": request}).SerializeToString())
    shutil.move(models / MODEL / "20", models / MODEL / "21")
    server.wait_for(MODEL, 21, "END")
    assert "Expected input image_bytes to be string but get float" in error_of(server, 21)
    assert label(server) == expected(2)


def test_broken_warmup_file(serve: Start, models: Path, shelf: Shelf) -> None:
    """A damaged warm-up file is named, and without warm-up it doesn't matter."""
    shelf.push(models, "plain", 1)
    for model in table.MODELS:
        (models / model / "1" / WARMUP).parent.mkdir(exist_ok=True)
        (models / model / "1" / WARMUP).write_bytes(b"no records" * 9)
    with pytest.raises(ConfigError, match="TFRecord"):
        serve(max_num_load_retries=0)
    assert serve(enable_model_warmup=False).states(MODEL) == {1: "AVAILABLE"}
