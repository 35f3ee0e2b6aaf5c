"""Which model server there is on this machine, and the command that starts it on a release.

All get the flags and files of ``serving/tensorflow_serving``.
"""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from serving.local.processes import python_with
from serving.tensorflow_serving.local import (
    CONFIG_DIR,
    CONTAINER_CONFIG_DIR,
    CONTAINER_MODELS_DIR,
    local_flags,
    read_flags,
)

BINARY: Final = "tensorflow_model_server"
ENGINES: Final = ("docker", "podman")
IMAGE: Final = "docker.io/tensorflow/serving:2.16.1"
ASK_S: Final = 10.0
PULL_S: Final = 600.0


@dataclass(frozen=True)
class ModelServerCommand:
    """How to start a model server.

    Args:
        kind: which one, in words.
        command: starts it in the foreground.
        stop_command: ends it; empty when a signal does.
    """

    kind: str
    command: tuple[str, ...]
    stop_command: tuple[str, ...] = ()


def find_model_server(release: Path, work: Path, port: int) -> ModelServerCommand:
    """The best model server that there is.

    Args:
        release: folder that holds the models' base paths.
        work: folder for the model config with local paths.
        port: for gRPC, on loopback.

    Raises:
        StackError: there is none, not even an environment with TensorFlow.
    """
    if binary := shutil.which(BINARY):
        return ModelServerCommand(f"TensorFlow Serving ({binary})", (binary, *local_flags(release, work, port=port)))
    if engine := next((name for name in ENGINES if _has_image(name)), None):
        return _container(engine, release, port)
    python = python_with("tensorflow", "pipeline")
    command = (python, "-m", "serving.model_server", *local_flags(release, work, port=port))
    return ModelServerCommand("the embedded model server: no TensorFlow Serving and no container engine", command)


def _container(engine: str, release: Path, port: int) -> ModelServerCommand:
    name = f"lookbook-model-server-{port}"
    flags = [f"--{flag}={value}" for flag, value in read_flags().items()]
    command = (
        *(engine, "run", "--rm", "--name", name),
        *("--publish", f"127.0.0.1:{port}:8500"),
        *("--volume", f"{release.resolve()}:{CONTAINER_MODELS_DIR.rstrip('/')}:ro"),
        *("--volume", f"{CONFIG_DIR}:{CONTAINER_CONFIG_DIR.rstrip('/')}:ro"),
        *("--entrypoint", BINARY, IMAGE, *flags),
    )
    # TensorFlow Serving ignores SIGTERM, so the engine must end it.
    return ModelServerCommand(f"TensorFlow Serving ({engine}, {IMAGE})", command, (engine, "stop", "--time", "2", name))


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
