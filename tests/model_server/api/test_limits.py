"""What the server does when it is too slow for its clients, or one request is bad for its neighbours."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
import tensorflow as tf
from grpc_health.v1 import health_pb2, health_pb2_grpc

from schema import heads as table
from schema import names
from tests import tiny_models
from tests.model_server.running import RunningServer, Shelf, best_labels, predict_request, wait_until

Start = Callable[..., RunningServer]
MODEL = names.CATEGORY
RED = tiny_models.picture("red")
RUNS = ":tensorflow:serving:runtime_latency_count"
WAITING = ":tensorflow:serving:batching_session:waiting"
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED
QUEUED = ":tensorflow:serving:batching_session:queuing_latency_count"


def push_slow(shelf: Shelf, models: Path) -> None:
    shelf.push(models, "slow", 1)
    shelf.push(models, "plain", 1, only=names.ARTICLE_TYPE)


@pytest.fixture
def slow(serve: Start, models: Path, shelf: Shelf) -> RunningServer:
    """A category model whose every run takes a second."""
    push_slow(shelf, models)
    return serve()


def ask(server: RunningServer, timeout: float | None = None, model: str = MODEL) -> grpc.Future:
    return server.predictions.Predict.future(predict_request(model, [RED]), timeout=timeout)


def occupy(server: RunningServer) -> grpc.Future:
    """A request that is being run."""
    future = ask(server)
    wait_until(lambda: server.metric(":tensorflow:serving:batching_session:running") == 1, "the run")
    return future


def codes(futures: list[grpc.Future]) -> list[grpc.StatusCode]:
    return [future.code() for future in futures]


def test_expired_requests_are_not_run(slow: RunningServer) -> None:
    """Requests whose deadline passes in the queue end with DEADLINE_EXCEEDED and cost no run."""
    first = occupy(slow)
    late = [ask(slow, timeout=0.1) for _ in range(5)]
    assert codes(late) == [grpc.StatusCode.DEADLINE_EXCEEDED] * 5
    assert codes([first, ask(slow)]) == [grpc.StatusCode.OK] * 2
    assert slow.metric(RUNS, model_name=MODEL) == 2
    assert slow.metric(QUEUED, model_name=MODEL) == 2


def test_cancelled_requests_are_not_run(slow: RunningServer) -> None:
    """Requests whose client hangs up in the queue cost no run."""
    first = occupy(slow)
    others = [ask(slow) for _ in range(5)]
    wait_until(lambda: slow.metric(WAITING) == 5, "the requests to queue")
    for other in others:
        other.cancel()
    assert codes([first, ask(slow)]) == [grpc.StatusCode.OK] * 2
    assert slow.metric(QUEUED, model_name=MODEL) == 2


def test_rest_timeout(serve: Start, models: Path, shelf: Shelf) -> None:
    """A REST call that waits in the queue longer than the server allows is 504."""
    push_slow(shelf, models)
    server = serve(rest_api_timeout_in_ms=100)
    first = occupy(server)
    response = server.rest.post(f"/v1/models/{MODEL}:predict", json={"instances": ["x"]})
    assert (response.status_code, "Deadline exceeded" in response.json()["error"]) == (504, True)
    assert first.code() is grpc.StatusCode.OK


def test_full_queue(serve: Start, models: Path, shelf: Shelf, tmp_path: Path) -> None:
    """When the queue is full, UNAVAILABLE (503) comes at once, in TensorFlow Serving's words; who is in is served."""
    parameters = tmp_path / "batching.config"
    parameters.write_text("max_batch_size { value: 4 } max_enqueued_batches { value: 1 }")
    push_slow(shelf, models)
    server = serve(batching_parameters_file=parameters)
    first = occupy(server)
    inside = [ask(server) for _ in range(4)]
    wait_until(lambda: server.metric(WAITING) == 4, "the queue to fill")
    refused = ask(server)
    assert refused.code() is grpc.StatusCode.UNAVAILABLE
    assert refused.details().startswith("The batch scheduling queue to which this task was submitted is full")
    assert server.rest.post(f"/v1/models/{MODEL}:predict", json={"instances": ["x"]}).status_code == 503
    assert codes([first, *inside]) == [grpc.StatusCode.OK] * 5
    assert server.metric(RUNS, model_name=MODEL) == 2


def test_call_limit(serve: Start, models: Path, shelf: Shelf) -> None:
    """Calls beyond grpc_max_threads are RESOURCE_EXHAUSTED, status too; health is not; afterwards all is as before."""
    push_slow(shelf, models)
    server = serve(grpc_max_threads=3)
    inside = [occupy(server), ask(server), ask(server)]
    wait_until(lambda: server.metric(WAITING) == 2, "the calls")
    refused = ask(server)
    assert (refused.code(), refused.details()) == (EXHAUSTED, "Server Threadpool Exhausted")
    with pytest.raises(grpc.RpcError) as caught:
        server.states(MODEL)
    assert (caught.value.code(), caught.value.details()) == (EXHAUSTED, "Server Threadpool Exhausted")
    health = health_pb2_grpc.HealthStub(server.channel).Check(health_pb2.HealthCheckRequest())
    assert health.status == health_pb2.HealthCheckResponse.SERVING
    assert codes(inside) == [grpc.StatusCode.OK] * 3
    assert codes([ask(server) for _ in range(3)]) == [grpc.StatusCode.OK] * 3


def test_slow_model_keeps_nothing_else_waiting(slow: RunningServer) -> None:
    """While one model is busy with a long line, the other answers, and so do status and health."""
    line = [ask(slow) for _ in range(40)]
    assert ask(slow, model=names.ARTICLE_TYPE).code() is grpc.StatusCode.OK
    assert slow.states(MODEL) == {1: "AVAILABLE"}
    assert not all(future.done() for future in line)
    assert set(codes(line)) == {grpc.StatusCode.OK}


def test_broken_pictures_among_neighbours(slow: RunningServer) -> None:
    """Requests that share a run with broken pictures get the answers that they would get alone."""
    first = occupy(slow)
    pictures = [tiny_models.picture(c) if i % 3 else b"broken" for i, c in enumerate(tiny_models.COLOURS * 3)]
    futures = [slow.predictions.Predict.future(predict_request(MODEL, [picture])) for picture in pictures]
    for i, (future, colour) in enumerate(zip(futures, tiny_models.COLOURS * 3, strict=True)):
        response = future.result()
        image_ok = tf.make_ndarray(response.outputs[names.IMAGE_OK]).tolist()
        wanted = tiny_models.expected(colour)[names.SUB_CATEGORY] if i % 3 else ""
        assert (image_ok, best_labels(response, names.SUB_CATEGORY)) == ([i % 3 != 0], [wanted])
    assert first.code() is grpc.StatusCode.OK
    assert slow.metric(RUNS, model_name=MODEL) == 2, "they did share a run"


def test_model_that_fails(serve: Start, models: Path, tmp_path: Path) -> None:
    """A model that fails on a broken picture says why, but nothing of its graph, and not to the neighbours."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name=names.IMAGE)])
    def strict(image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        sizes = tf.map_fn(lambda b: tf.size(tf.io.decode_image(b)), image_bytes, fn_output_signature=tf.int32)
        return {"sizes": sizes}

    tf.saved_model.save(tf.Module(), str(tmp_path / "strict"), signatures={"serving_default": strict})
    for model in table.MODELS:
        shutil.copytree(tmp_path / "strict", models / model / "1")
    server = serve()
    futures = [
        server.predictions.Predict.future(predict_request(MODEL, [picture]))
        for picture in [RED, b"broken", b"", RED] * 10
    ]
    for i, future in enumerate(futures):
        if i % 4 in (0, 3):
            assert tf.make_ndarray(future.result().outputs["sizes"]).tolist() == [60 * 80 * 3]
        else:
            assert future.code() is grpc.StatusCode.INVALID_ARGUMENT
            assert re.fullmatch(r'Running signature "serving_default" failed: [\w ,.:]+', future.details())
