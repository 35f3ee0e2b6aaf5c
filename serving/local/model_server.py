"""Which model server there is on this machine, and the command that starts it on a release.

All get the flags and files of ``serving/tensorflow_serving``.
"""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from schema import allocator
from serving.local.processes import free_port, python_with
from serving.tensorflow_serving.local import (
    CONFIG_DIR,
    CONTAINER_CONFIG_DIR,
    CONTAINER_MODELS_DIR,
    local_flags,
    read_flags,
)

BINARY: Final = "tensorflow_model_server"
SOCKET: Final = "model_server"
ENGINES: Final = ("docker", "podman")
IMAGE: Final = "docker.io/tensorflow/serving:2.20.0"
ASK_S: Final = 10.0
PULL_S: Final = 600.0
_MALLOC: Final = tuple(f"{name}={value}" for name, value in allocator.ENVIRONMENT.items())


@dataclass(frozen=True)
class ModelServerCommand:
    """How to start a model server.

    Args:
        kind: which one, in words.
        command: starts it in the foreground.
        target: where gRPC finds it then.
        stop_command: ends it; empty when a signal does.
    """

    kind: str
    command: tuple[str, ...]
    target: str
    stop_command: tuple[str, ...] = ()


def find_model_server(release: Path, work: Path, private: Path) -> ModelServerCommand:
    """The best model server that there is.

    Whoever reaches it can make it serve anything, so it listens on no port, which every user of this machine could
    reach, and tensorflow_model_server's even all others, but on a socket. A container's port is published to loopback.

    Args:
        release: folder that holds the models' base paths.
        work: folder for the model config with local paths.
        private: folder for the socket, which nobody else may enter; its path must be short.

    Raises:
        StackError: there is none, not even an environment with TensorFlow.
    """
    path = private / SOCKET
    flags = local_flags(release, work, port=0, grpc_socket_path=path)
    if binary := shutil.which(BINARY):
        command = ("env", *_MALLOC, binary, *flags)
        return ModelServerCommand(f"TensorFlow Serving ({binary})", command, f"unix:{path}")
    if engine := next((name for name in ENGINES if _has_image(name)), None):
        return _container(engine, release, free_port())
    python = python_with("tensorflow", "pipeline")
    kind = "the embedded model server: no TensorFlow Serving and no container engine"
    return ModelServerCommand(kind, (python, "-m", "serving.model_server", *flags), f"unix:{path}")


def _container(engine: str, release: Path, port: int) -> ModelServerCommand:
    name = f"lookbook-model-server-{port}"
    flags = [f"--{flag}={value}" for flag, value in read_flags().items()]
    command = (
        *(engine, "run", "--rm", "--name", name),
        *("--publish", f"127.0.0.1:{port}:8500"),
        *("--volume", f"{release.resolve()}:{CONTAINER_MODELS_DIR.rstrip('/')}:ro"),
        *("--volume", f"{CONFIG_DIR}:{CONTAINER_CONFIG_DIR.rstrip('/')}:ro"),
        *(f"--env={setting}" for setting in _MALLOC),
        *("--entrypoint", BINARY, IMAGE, *flags),
    )
    # TensorFlow Serving ignores SIGTERM, so the engine must end it.
    stop = (engine, "stop", "--time", "2", name)
    return ModelServerCommand(f"TensorFlow Serving ({engine}, {IMAGE})", command, f"127.0.0.1:{port}", stop)


def _has_image(engine: str) -> bool:
    """Whether the engine answers and has the image, or can get it."""
    return (
        shutil.which(engine) is not None
        and _succeeds([engine, "info"], ASK_S)
        and (_succeeds([engine, "image", "inspect", IMAGE], ASK_S) or _succeeds([engine, "pull", IMAGE], PULL_S))
    )


def _succeeds(command: Sequence[str], at_most_s: float) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=at_most_s).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
