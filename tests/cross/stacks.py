"""How a command runs in this stack or in the other."""

import contextlib
import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from schema import heads as table
from serving.client import ClassifierClient
from serving.proto.json_view import as_json
from serving.tensorflow_serving.local import local_flags
from tests.model_server.process import free_port

ROOT: Final = Path(__file__).parents[2]
OTHER: Final = os.environ.get("LOOKBOOK_OTHER_STACK") or None
PATIENCE_S: Final = 300


@dataclass(frozen=True)
class Side:
    """One of the two stacks.

    Args:
        name: ``this`` or ``other``.
        enter: what stands before a command that is to run in it.
    """

    name: str
    enter: tuple[str, ...]

    def command(self, environment: str, *arguments: object) -> list[str]:
        """A command line for the Python of ``.venv/<environment>``, in the folder of the sources."""
        return [*self.enter, f".venv/{environment}/bin/python", *map(str, arguments)]

    def run(self, *arguments: object, environment: str = "pipeline", **variables: str) -> str:
        """What the command writes to stdout; it must succeed."""
        done = subprocess.run(
            self.command(environment, *arguments),
            cwd=ROOT,
            env={**_clean(), **variables},
            capture_output=True,
            text=True,
            timeout=2400,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def version(self) -> str:
        """Of its TensorFlow."""
        words = "import importlib.metadata as m; print(m.version('tensorflow'))"
        return self.run("-c", words).strip()

    @contextlib.contextmanager
    def process(self, log: Path, environment: str, *arguments: object, **variables: str) -> Iterator[None]:
        """A process of it for as long as the block runs."""
        with log.open("w") as out:
            process = subprocess.Popen(
                self.command(environment, *arguments), cwd=ROOT, env={**_clean(), **variables}, stdout=out, stderr=out
            )
        try:
            yield
            assert process.poll() is None, log.read_text()
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _clean() -> dict[str, str]:
    """Each side finds its own sources, not those that PYTHONPATH names."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


THIS: Final = Side("this", ())
THE_OTHER: Final = Side("other", (OTHER,) if OTHER else ())


@contextlib.contextmanager
def merger_over(server: Side, merger: Side, release: Path, folder: Path) -> Iterator[ClassifierClient]:
    """A client of a merger of one side, which asks a model server of the other about a release."""
    port, grpc, http, admin = (free_port() for _ in range(4))
    variables = {f"LOOKBOOK_{model.upper()}_TARGET": f"127.0.0.1:{port}" for model in table.MODELS}
    variables |= {"LOOKBOOK_GRPC_PORT": str(grpc), "LOOKBOOK_HTTP_PORT": str(http), "LOOKBOOK_ADMIN_PORT": str(admin)}
    flags = local_flags(release, folder, port=port)
    with (
        server.process(folder / "model_server.log", "pipeline", "-m", "serving.model_server", *flags),
        merger.process(folder / "merger.log", "serving", "-m", "serving", **variables),
        ClassifierClient(f"127.0.0.1:{grpc}") as client,
    ):
        _wait_until_ready(admin)
        yield client


def answers(client: ClassifierClient, pictures: list[Path]) -> list[dict[str, Any]]:
    """What the merger says of each picture; an error of one fails."""
    results = [as_json(one) for one in client.classify_stream((one.name, one.read_bytes()) for one in pictures)]
    assert [one["error"] for one in results] == [None] * len(pictures)
    return [one["answer"] for one in results]


def _wait_until_ready(admin_port: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not _is_ready(admin_port):
        assert time.monotonic() < deadline, "the merger does not get ready"
        time.sleep(0.2)


def _is_ready(admin_port: int) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{admin_port}/readyz", timeout=5):
            return True
    except OSError:
        return False
