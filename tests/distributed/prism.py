"""Beam's Prism, and a pool of workers for it that share nothing with who submits but the data and the root."""

import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

HOUSE = Path(__file__).parents[2]
START_SECONDS = 120


def missing() -> str:
    """Why it cannot be tried here; "" if it can."""
    if not binary():
        return "no Prism at PRISM: `make test-distributed` builds it, where Go is"
    if os.geteuid() != 0 or not shutil.which("unshare"):
        return "a mount namespace of its own takes root and `unshare`"
    return ""


def binary() -> str:
    """Path of Prism; "" where there is none."""
    path = os.environ.get("PRISM", "")
    return path if path and os.access(path, os.X_OK) else ""


@contextlib.contextmanager
def prism(folder: Path) -> Iterator[str]:
    """Runs Prism; its HOST:PORT. Its log lies in ``folder``."""
    port = _free_port()
    command = [binary(), f"-job_port={port}", "-serve_http=false", "-idle_shutdown_timeout=-1s"]
    with _running(command, folder / "prism.log", port, os.environ):
        yield f"localhost:{port}"


@contextlib.contextmanager
def far_workers(folder: Path) -> Iterator[str]:
    """Runs a worker pool with an empty /tmp of its own, another working folder and no variables; its HOST:PORT."""
    port = _free_port()
    pool = f"{sys.executable} -m apache_beam.runners.worker.worker_pool_main --service_port={port}"
    # The house stays in sight where it lies below /tmp itself.
    script = (
        f"mount --bind '{HOUSE}' /mnt && mount -t tmpfs none /tmp && mkdir -p '{HOUSE}' && mount --bind /mnt '{HOUSE}' "
        f"&& cd / && exec {pool}"
    )
    variables = {"PATH": f"{Path(sys.executable).parent}:{os.defpath}", "PYTHONPATH": str(HOUSE), "HOME": "/nowhere"}
    command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script]
    with _running(command, folder / "pool.log", port, variables):
        yield f"localhost:{port}"


def decoder() -> Path:
    """The library that reads examples: a worker that has it loaded is in the middle of a step of TFX's."""
    found = importlib.util.find_spec("tfx_bsl.cc.tfx_bsl_extension")
    assert found and found.origin
    return Path(found.origin).resolve()


@contextlib.contextmanager
def first_worker_killed(path: Path, in_step: Path) -> Iterator[list[int]]:
    """Kills the first of Beam's workers that has a file open or a library loaded; gives what becomes its list.

    Args:
        path: of the file or library.
        in_step: folder of a step's artifacts; no worker is killed before the step has made a new one there.
    """
    before = set(in_step.glob("*/*"))
    killed: list[int] = []
    over = threading.Event()

    def watch() -> None:
        while not killed and not over.wait(0.02):
            if before.issuperset(in_step.glob("*/*")):
                continue
            for worker in _workers_with(path):
                os.kill(worker, signal.SIGKILL)
                killed.append(worker)
                return

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield killed
    finally:
        over.set()
        watcher.join()


def _workers_with(path: Path) -> Iterator[int]:
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            is_worker = b"SdkHarness" in (process / "cmdline").read_bytes()
            is_open = any(file.readlink() == path for file in (process / "fd").iterdir())
            if is_worker and (is_open or str(path) in (process / "maps").read_text()):
                yield int(process.name)


@contextlib.contextmanager
def _running(command: list[str], log: Path, port: int, variables: dict[str, str]) -> Iterator[None]:
    with log.open("wb") as file, subprocess.Popen(command, stdout=file, stderr=file, env=variables) as process:
        try:
            _await(port, process, log)
            yield
        finally:
            process.terminate()
            process.wait(60)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _await(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(10 * START_SECONDS):
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise RuntimeError(f"nothing listens on port {port}: {log.read_text(errors='replace')[-2000:]}")
