"""The whole stack on this machine: a model server and the merger as child processes, for as long as a block runs.

For example::

    with stack(Path("build/lookbook/release")) as running:
        ClassifierClient(running.grpc_target)

The model server is ``tensorflow_model_server`` when it is on PATH, else TensorFlow Serving's container when a container
engine answers and has or gets the image, else the embedded model server.
"""

import contextlib
import os
import re
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from schema import heads as table
from schema.release_folder import ReleaseError, ReleaseFolder
from serving.client.http import get
from serving.local.model_server import find_model_server
from serving.local.processes import Child, StackError, free_port, python_with, stop_all, wait_for
from serving.merger.settings import variable

READY_S: Final = 180.0
ASK_S: Final = 2.0
LOGS: Final = Path("build/serve")
PLACES: Final = ("/tmp", "/var/tmp")  # noqa: S108 # nosec B108 - for a folder that nobody else may enter
PLAIN_PLACE: Final = re.compile(r"[\w./+-]{1,60}", re.ASCII)


@dataclass(frozen=True)
class Stack:
    """A running stack.

    Args:
        http_url: of REST and the page.
        grpc_target: of the merger.
        metrics_url: of the merger's metrics.
        model_target: of the model server.
        kind: which model server it is, in words.
        children: its processes, in the order of their start.
    """

    http_url: str
    grpc_target: str
    metrics_url: str
    model_target: str
    kind: str
    children: tuple[Child, ...]


@contextlib.contextmanager
def stack(
    release: Path,
    *,
    http_port: int = 0,
    grpc_port: int = 0,
    metrics_port: int = 0,
    logs: Path = LOGS,
    ready_s: float = READY_S,
) -> Iterator[Stack]:
    """Runs the stack on a release; leaving stops it, the merger first.

    Args:
        release: folder that holds ``article_type/<version>`` and ``category/<version>``.
        http_port: of the merger, on loopback; 0 picks a free one.
        grpc_port: of the merger, on loopback; 0 picks a free one.
        metrics_port: of the merger's metrics and probes, on loopback; 0 picks a free one.
        logs: folder for the children's logs and the model server's config.
        ready_s: longest wait until both models answer.

    Raises:
        StackError: there is no release, its files are not those that its manifest lists, a port is taken, a process
            ended, or it did not get ready in time.
    """
    _check_release(release)
    logs.mkdir(parents=True, exist_ok=True)
    http_port, grpc_port, metrics_port = (_port(one) for one in (http_port, grpc_port, metrics_port))
    scheme = "https" if os.environ.get(variable("tls_certificate_file")) else "http"
    children: list[Child] = []
    private = _private_folder()
    try:
        server = find_model_server(release, logs, Path(private.name))
        log = logs / "model_server.log"
        children.append(Child("model server", server.command, log, stop_command=server.stop_command))
        children.append(_start_merger(server.target, release, http_port, grpc_port, metrics_port, logs / "merger.log"))
        wait_for(lambda: _is_ready(metrics_port), children, ready_s)
        yield Stack(
            f"{scheme}://127.0.0.1:{http_port}",
            f"127.0.0.1:{grpc_port}",
            f"http://127.0.0.1:{metrics_port}/metrics",
            server.target,
            server.kind,
            tuple(children),
        )
    finally:
        stop_all(reversed(children))
        private.cleanup()


def _private_folder() -> "tempfile.TemporaryDirectory[str]":
    """A folder for a socket: its path must be short, and gRPC reads it as a part of a URL."""
    places = (tempfile.gettempdir(), *PLACES)
    fit = [place for place in places if PLAIN_PLACE.fullmatch(place) and os.access(place, os.W_OK | os.X_OK)]
    if not fit:
        raise StackError(
            f"no socket can be made in {', '.join(places)}: set TMPDIR to a folder that can be written, with a short "
            "path of letters and digits"
        )
    return tempfile.TemporaryDirectory(prefix="lookbook-", dir=fit[0])


def _port(number: int) -> int:
    """That port, if it is free; a free one for 0."""
    if not number:
        return free_port()
    try:
        socket.create_server(("127.0.0.1", number)).close()
    except (OSError, OverflowError) as error:
        raise StackError(f"port {number} cannot be had ({error}); end what listens there, or give another") from error
    return number


def _check_release(release: Path) -> None:
    try:
        ReleaseFolder(release).require_served()
    except ReleaseError as error:
        raise StackError(str(error)) from error
    missing = [model for model in table.MODELS if not any(p.name.isdigit() for p in (release / model).glob("*"))]
    if missing:
        raise StackError(
            f"{release} has no version of {' and '.join(missing)}; it must hold <model>/<version>, as a pipeline run "
            "leaves them"
        )


def _start_merger(
    model_target: str, release: Path, http_port: int, grpc_port: int, admin_port: int, log: Path
) -> Child:
    environment = {
        variable("thumbnails_dir"): str(release.resolve()),
        "LOOKBOOK_HTTP_PORT": str(http_port),
        "LOOKBOOK_GRPC_PORT": str(grpc_port),
        "LOOKBOOK_ADMIN_PORT": str(admin_port),
        **{variable(f"{model}_target"): model_target for model in table.MODELS},
        "LOOKBOOK_SHUTDOWN_DELAY_MS": "0",  # nothing in front of it has to notice
    }
    return Child("merger", [python_with("uvloop", "serving"), "-m", "serving"], log, environment=environment)


def _is_ready(admin_port: int) -> bool:
    url = f"http://127.0.0.1:{admin_port}/readyz"
    try:
        get(url, ASK_S)
    except OSError:
        return False
    return True
