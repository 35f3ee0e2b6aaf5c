"""A model server in a process of its own, from any environment: imports neither TensorFlow nor gRPC.

::

    tiny_models.write(models)
    with model_server(models, tmp_path) as server:
        grpc.insecure_channel(server.target)
"""

import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from serving.tensorflow_serving.local import CONFIG_DIR, local_flags
from tests.tiny_models import PIPELINE_PYTHON, ROOT

PATIENCE_SECONDS: Final = 120


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def rest_flags(port: int) -> dict[str, object]:
    """What opens the REST port with the metrics on it, which production leaves closed."""
    return {"rest_api_port": port, "monitoring_config_file": CONFIG_DIR / "monitoring.config"}


class ModelServerProcess:
    """``python -m serving.model_server`` and what is known of it."""

    def __init__(self, flags: list[str], port: int, rest_port: int, log: Path) -> None:
        self.target = f"127.0.0.1:{port}"
        self.rest_url = f"http://127.0.0.1:{rest_port}"
        self.log = log
        with log.open("w") as out:
            command = [str(PIPELINE_PYTHON), "-m", "serving.model_server", *flags]
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out)

    def wait_until_up(self) -> None:
        """Wait until it answers; its models are loaded by then, if there are any."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._answers():
            assert self.process.poll() is None, f"The model server has ended:\n{self.log.read_text()}"
            assert time.monotonic() < deadline, f"The model server does not come up:\n{self.log.read_text()}"
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(f"{self.rest_url}/v1/models", timeout=1).close()
        except urllib.error.HTTPError:
            return True  # 400 for want of a name, but an answer
        except OSError:
            return False
        return True

    def terminate(self) -> int:
        """SIGTERM; waits for the end and returns the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_SECONDS)

    def close(self) -> None:
        """End it for certain."""
        self.process.kill()
        self.process.wait()


@contextmanager
def model_server(models: Path, folder: Path, **flags: object) -> Iterator[ModelServerProcess]:
    """Serve ``models`` (``article_type/`` and ``category/``) by the committed configuration with ``flags`` changed.

    Args:
        models: folder that holds the models' base paths.
        folder: for its log and its configuration.
        flags: e.g. ``file_system_poll_wait_seconds=1``; the ports are free ones unless given.
    """
    port, rest_port = int(str(flags.get("port", free_port()))), int(str(flags.get("rest_api_port", free_port())))
    command_line = local_flags(models, folder, **{**rest_flags(rest_port), **flags, "port": port})
    server = ModelServerProcess(command_line, port, rest_port, folder / "model_server.log")
    try:
        server.wait_until_up()
        yield server
    finally:
        server.close()
