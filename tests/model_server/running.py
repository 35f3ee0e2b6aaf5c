"""A model server inside the test's own process: TensorFlow is imported once, and the ports are real."""

import asyncio
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import grpc
import httpx
import tensorflow as tf
from tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusRequest, ModelVersionStatus
from tensorflow_serving.apis.model_service_pb2_grpc import ModelServiceStub
from tensorflow_serving.apis.predict_pb2 import PredictRequest, PredictResponse
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

from schema import heads as table
from schema import names
from serving.model_server import config
from serving.model_server.flags import parse
from serving.model_server.protos import ConfigError
from serving.model_server.server import ModelServer
from serving.tensorflow_serving.local import local_flags
from tests import tiny_models
from tests.model_server.process import free_port, rest_flags
from tests.tiny_models.graph import write_release

PATIENCE_SECONDS: Final = 60
VARIANTS: Final[dict[str, dict[str, Any]]] = {
    "plain": {},
    "other": {"weights": 1},
    "third": {"weights": 2, "warmup": True},
    "shares": {"shares": True, "hears": True},
    "slow": {"delay_seconds": 1.0, "models": ["category"]},
    "garbage": {"weights": 3, "broken": "garbage"},
    "empty": {"broken": "empty"},
}


class Shelf:
    """Tiny releases by name, written when first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def push(self, models: Path, variant: str, version: int, only: str | None = None) -> None:
        """Publish a copy as ``version`` under the base paths in ``models``, each model's by a rename."""
        source = self._folder / variant
        if not source.exists():
            write_release(source, **VARIANTS[variant])
        for model in [only] if only else table.MODELS:
            if (source / model).exists():
                staging = models / model / f".incoming-{version}"
                shutil.copytree(source / model / "1", staging)
                staging.rename(models / model / str(version))


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Poll until ``condition`` holds."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE_SECONDS} s in vain: {what}"
        time.sleep(0.02)


def predict_request(model: str, pictures: list[bytes], signature: str = "", **spec: Any) -> PredictRequest:
    """A Predict request; ``version`` or ``version_label`` may be given."""
    request = PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = signature
    if "version" in spec:
        request.model_spec.version.value = spec["version"]
    if "version_label" in spec:
        request.model_spec.version_label = spec["version_label"]
    request.inputs[names.IMAGE].CopyFrom(tf.make_tensor_proto(pictures, tf.string, [len(pictures)]))
    return request


def best_labels(response: PredictResponse, head: str) -> list[str]:
    """The best label of ``head`` for each picture."""
    rows = tf.make_ndarray(response.outputs[names.labels_tensor(head)])
    return [row[0].decode() for row in rows]


class RunningServer:
    """A server on loopback and its official stubs."""

    def __init__(
        self, flags: list[str], port: int, rest_port: int, credentials: grpc.ChannelCredentials | None
    ) -> None:
        """Start it.

        Raises:
            ConfigError: it can't start.
        """
        self.target = f"127.0.0.1:{port}"
        self.rest = httpx.Client(base_url=f"http://127.0.0.1:{rest_port}", timeout=PATIENCE_SECONDS)
        self.channel = (
            grpc.secure_channel(self.target, credentials) if credentials else grpc.insecure_channel(self.target)
        )
        self.predictions = PredictionServiceStub(self.channel)
        self.models = ModelServiceStub(self.channel)
        options = parse(flags)
        self._server = ModelServer(options, config.read(options))
        self._loop = asyncio.new_event_loop()
        self._stopped = asyncio.Event()
        self._thread = threading.Thread(target=self._run)
        self._failure: ConfigError | None = None
        self._thread.start()
        is_ready = grpc.channel_ready_future(self.channel)
        wait_until(lambda: is_ready.done() or not self._thread.is_alive(), "the server")
        if self._failure:
            self.close()
            raise self._failure

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._server.run(self._stopped))
        except ConfigError as error:
            self._failure = error

    def stop(self) -> None:
        """End it as SIGTERM would, and wait for its end."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join()
        self._loop.close()

    def close(self) -> None:
        """Stop it and hang up."""
        self.stop()
        self.channel.close()
        self.rest.close()

    def predict(self, model: str, *colours: str, signature: str = "", **spec: Any) -> PredictResponse:
        """Ask for pictures of these colours."""
        pictures = [tiny_models.picture(colour) for colour in colours]
        request = predict_request(model, pictures, signature, **spec)
        return self.predictions.Predict(request, timeout=PATIENCE_SECONDS)

    def states(self, model: str) -> dict[int, str]:
        """Version → name of its state; empty if there has been none."""
        request = GetModelStatusRequest()
        request.model_spec.name = model
        try:
            statuses = self.models.GetModelStatus(request, timeout=PATIENCE_SECONDS).model_version_status
        except grpc.RpcError as error:
            if error.code() is grpc.StatusCode.NOT_FOUND:
                return {}
            raise
        return {status.version: ModelVersionStatus.State.Name(status.state) for status in statuses}

    def wait_for(self, model: str, version: int, state: str) -> None:
        """Wait until a version has reached a state."""
        wait_until(lambda: self.states(model).get(version) == state, f"{model} version {version} {state}")

    def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples that carry ``labels``, 0 if there is none."""
        lines = self.rest.get("/monitoring/prometheus/metrics").raise_for_status().text.splitlines()
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        samples = [
            line
            for line in lines
            if line.startswith((f"{name}{{", f"{name} ")) and all(label in line for label in wanted)
        ]
        return sum(float(line.rsplit(" ", 1)[1]) for line in samples)


@contextmanager
def start(
    models: Path, config: Path, credentials: grpc.ChannelCredentials | None = None, **flags: Any
) -> Iterator[RunningServer]:
    """Serve ``models`` by the committed configuration, with ``flags`` changed, on free ports."""
    for model in table.MODELS:
        (models / model).mkdir(parents=True, exist_ok=True)
    port, rest_port = free_port(), free_port()
    ours = {"port": port, "file_system_poll_wait_seconds": 1} | rest_flags(rest_port)
    running = RunningServer(local_flags(models, config, **ours, **flags), port, rest_port, credentials)
    try:
        yield running
    finally:
        running.close()
