"""The whole stack on this machine: a model server and the merger as child processes::

    python -m serving.stack --release build/lookbook/release --http-port 8080 --grpc-port 9090

or, for as long as a block runs::

    with stack(Path("build/lookbook/release")) as running:
        ClassifierClient(running.grpc_target)

The model server is ``tensorflow_model_server`` when it is on PATH, else TensorFlow Serving's container when a container
engine answers and has or gets the image, else the embedded model server.
"""

import argparse
import contextlib
import os
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from schema import names
from serving.local_model_server import find_model_server
from serving.processes import Child, StackError, free_port, python_with, stop_all, wait_for
from serving.settings import variable

READY_S: Final = 180.0
ASK_S: Final = 2.0
WATCH_S: Final = 0.5
LOGS: Final = Path("build/serve")


@dataclass(frozen=True)
class Stack:
    """A running stack.

    Args:
        http_url: of REST and the page.
        grpc_target: of the merger.
        model_target: of the model server.
        kind: which model server it is, in words.
        children: its processes, in the order of their start.
    """

    http_url: str
    grpc_target: str
    model_target: str
    kind: str
    children: tuple[Child, ...]


@contextlib.contextmanager
def stack(
    release: Path, *, http_port: int = 0, grpc_port: int = 0, logs: Path = LOGS, ready_s: float = READY_S
) -> Iterator[Stack]:
    """Runs the stack on a release; leaving stops it, the merger first.

    Args:
        release: folder that holds ``article_type/<version>`` and ``category/<version>``.
        http_port: of the merger, on loopback; 0 picks a free one.
        grpc_port: of the merger, on loopback; 0 picks a free one.
        logs: folder for the children's logs and the model server's config.
        ready_s: longest wait until both models answer.

    Raises:
        StackError: there is no release, a process ended, or it did not get ready in time.
    """
    _check_release(release)
    logs.mkdir(parents=True, exist_ok=True)
    model_port, admin_port = free_port(), free_port()
    http_port, grpc_port = http_port or free_port(), grpc_port or free_port()
    server = find_model_server(release, logs, model_port, free_port())
    scheme = "https" if os.environ.get(variable("tls_certificate_file")) else "http"
    model_target = f"127.0.0.1:{model_port}"
    children: list[Child] = []
    try:
        log = logs / "model_server.log"
        children.append(Child("model server", server.command, log, stop_command=server.stop_command))
        children.append(_start_merger(model_target, http_port, grpc_port, admin_port, logs / "merger.log"))
        wait_for(lambda: _is_ready(admin_port), children, ready_s)
        yield Stack(
            f"{scheme}://127.0.0.1:{http_port}", f"127.0.0.1:{grpc_port}", model_target, server.kind, tuple(children)
        )
    finally:
        stop_all(reversed(children))


def _check_release(release: Path) -> None:
    missing = [model for model in names.MODELS if not any(p.name.isdigit() for p in (release / model).glob("*"))]
    if missing:
        raise StackError(
            f"{release} has no version of {' and '.join(missing)}; it must hold <model>/<version>, as a pipeline run "
            "leaves them"
        )


def _start_merger(model_target: str, http_port: int, grpc_port: int, admin_port: int, log: Path) -> Child:
    environment = {
        "LOOKBOOK_HTTP_PORT": str(http_port),
        "LOOKBOOK_GRPC_PORT": str(grpc_port),
        "LOOKBOOK_ADMIN_PORT": str(admin_port),
        "LOOKBOOK_ARTICLE_TYPE_TARGET": model_target,
        "LOOKBOOK_CATEGORY_TARGET": model_target,
        "LOOKBOOK_SHUTDOWN_DELAY_MS": "0",  # nothing in front of it has to notice
    }
    return Child("merger", [python_with("uvloop", "serving"), "-m", "serving"], log, environment=environment)


def _is_ready(admin_port: int) -> bool:
    url = f"http://127.0.0.1:{admin_port}/readyz"
    try:
        with urllib.request.urlopen(url, timeout=ASK_S) as reply:  # nosec B310
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def serve(release: Path, http_port: int, grpc_port: int, logs: Path) -> None:
    """Runs the stack until it is interrupted, and says where it is.

    Raises:
        StackError: it cannot run, or one of its processes ended.
    """
    with stack(release, http_port=http_port, grpc_port=grpc_port, logs=logs) as running:
        print(f"Model server: {running.kind}, gRPC on {running.model_target}")
        print(f"Merger:       {running.http_url} (page, REST), gRPC on {running.grpc_target}")
        print(f"Logs:         {logs}. Ctrl-C stops it.", flush=True)
        while True:
            time.sleep(WATCH_S)
            for child in running.children:
                child.check()


def _interrupt(*_: Any) -> NoReturn:
    """Ends whatever runs, once: a second signal must not interrupt the stopping."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def main() -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser("serving.stack", description="Run model server and merger on a release.")
    parser.add_argument("--release", type=Path, default=Path("build/lookbook/release"), help="default %(default)s")
    parser.add_argument("--http-port", type=int, default=8080, help="REST and page; 0 picks one (default %(default)s)")
    parser.add_argument("--grpc-port", type=int, default=9090, help="gRPC; 0 picks a free one (default %(default)s)")
    parser.add_argument("--logs", type=Path, default=LOGS, help="folder for logs (default %(default)s)")
    arguments = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    try:
        serve(arguments.release, arguments.http_port, arguments.grpc_port, arguments.logs)
    except KeyboardInterrupt:
        return 0
    except StackError as error:
        print(error, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
