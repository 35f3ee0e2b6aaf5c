"""A model server as a child process, on free loopback ports, for as long as a check needs it."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import grpc
from tensorflow_serving.apis import get_model_status_pb2, model_service_pb2_grpc

from components.errors import GateError
from schema import heads as table

CODE = ("serving.model_server.__main__", "serving.tensorflow_serving.local")
"""What runs here in processes of its own, for the cache key: it may not be imported."""

_READY_SECONDS = 600
_STOP_SECONDS = 10


def server_command() -> list[str]:
    """``tensorflow_model_server`` where it is installed, else the embedded server, which takes the same flags."""
    binary = shutil.which("tensorflow_model_server")
    return [binary] if binary else [sys.executable, "-m", "serving.model_server"]


@contextmanager
def model_server(models: Path, log: Path) -> Iterator[grpc.Channel]:
    """Serves ``<models>/<model>/<version>/`` as in production and yields a channel once every model is available.

    Raises:
        GateError: the server ended or was not ready in time; with the last lines of its log.
    """
    port = _free_port()
    flags = _production_flags(models, port)
    with log.open("wb") as output:
        # A run that is killed must not leave a server behind that nobody knows of.
        command = [sys.executable, "-m", "serving.local.tethered", str(os.getpid()), *server_command(), *flags]
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        # Loopback is no business of a proxy that the environment names.
        with grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.enable_http_proxy", 0)]) as channel:
            _wait_until_ready(process, channel, log)
            yield channel
    finally:
        _stop(process)


def _production_flags(models: Path, port: int) -> list[str]:
    """The flags that production starts it with, but for paths and port; writes the model config into ``models``."""
    command = [sys.executable, "-m", "serving.tensorflow_serving.local", str(models), str(models), f"port={port}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise GateError(f"the model server's flags could not be made: {done.stderr}")
    return done.stdout.splitlines()


def _wait_until_ready(process: subprocess.Popen, channel: grpc.Channel, log: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    stub = model_service_pb2_grpc.ModelServiceStub(channel)
    while not all(_is_available(stub, name) for name in table.MODELS):
        if process.poll() is not None:
            raise GateError(f"the model server ended with code {process.returncode}: {_tail(log)}")
        if time.monotonic() > deadline:
            raise GateError(f"the model server was not ready within {_READY_SECONDS} s: {_tail(log)}")
        time.sleep(0.1)


def _is_available(stub: model_service_pb2_grpc.ModelServiceStub, name: str) -> bool:
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = name
    try:
        status = stub.GetModelStatus(request, timeout=5)
    except grpc.RpcError:
        # Not listening yet, or not yet aware of the model: asked again until the deadline.
        return False
    for version in status.model_version_status:
        if version.status.error_code:
            raise GateError(f"the model server cannot load {name}: {version.status.error_message}")
    available = get_model_status_pb2.ModelVersionStatus.AVAILABLE
    return any(version.state == available for version in status.model_version_status)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _tail(log: Path, lines: int = 15) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def _stop(process: subprocess.Popen) -> None:
    # TensorFlow Serving ignores SIGTERM; it gets its chance, then SIGKILL.
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
