"""Runs model server and merger on a release, until it is interrupted.

For example::

    python -m serving.stack --release build/lookbook/release --http-port 8080 --grpc-port 9090
"""

import argparse
import os
import signal
import sys
import time
from pathlib import Path
from typing import Final

from serving.local.processes import StackError
from serving.local.signals import ended_by_signals
from serving.local.stack import LOGS, stack
from serving.local.standard_streams import open_closed
from serving.merger.settings import variable

REVIEW_STORE: Final = variable("review_store")
WATCH_S: Final = 0.5


def serve(release: Path, http_port: int, grpc_port: int, metrics_port: int, logs: Path) -> None:
    """Runs the stack until it is interrupted, and says where it is.

    Raises:
        StackError: it cannot run, or one of its processes ended.
    """
    with stack(release, http_port=http_port, grpc_port=grpc_port, metrics_port=metrics_port, logs=logs) as running:
        print(f"Model server: {running.kind}, gRPC on {running.model_target}")
        print(f"Merger:       {running.http_url} (page, REST), gRPC on {running.grpc_target}")
        print(f"Metrics:      {running.metrics_url}")
        print(f"Logs:         {logs}. Ctrl-C stops it.", flush=True)
        while True:
            time.sleep(WATCH_S)
            for child in running.children:
                child.check()


def _absolute(store: str) -> str:
    return store if not store or "://" in store else str(Path(store).expanduser().absolute())


def main() -> int:
    """The command line; returns the exit status."""
    open_closed()
    parser = argparse.ArgumentParser("serving.local.stack", description="Run model server and merger on a release.")
    parser.add_argument("--release", type=Path, default=Path("build/lookbook/release"), help="default %(default)s")
    parser.add_argument("--http-port", type=int, default=8080, help="REST and page; 0 picks one (default %(default)s)")
    parser.add_argument("--grpc-port", type=int, default=9090, help="gRPC; 0 picks a free one (default %(default)s)")
    parser.add_argument("--metrics-port", type=int, default=9091, help="metrics and probes (default %(default)s)")
    parser.add_argument("--logs", type=Path, default=LOGS, help="folder for logs (default %(default)s)")
    parser.add_argument(
        "--review-store",
        metavar="URL",
        default=os.environ.get(REVIEW_STORE, ""),
        help=f"keep answers that need review, with their pictures: a path, for SQLite, or postgresql://… (default "
        f"{REVIEW_STORE}, else nowhere)",
    )
    arguments = parser.parse_args()
    try:
        # By the environment, and whole: the merger stands in another folder, and others may read a command line.
        os.environ[REVIEW_STORE] = _absolute(arguments.__dict__.pop("review_store"))
        # A second signal must not interrupt the stopping.
        with ended_by_signals(lambda _: KeyboardInterrupt(), signal.SIG_IGN):
            serve(**vars(arguments))
    except KeyboardInterrupt:
        return 0
    except StackError as error:
        print(error, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
