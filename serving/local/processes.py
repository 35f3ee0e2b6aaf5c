"""Child processes that are started, watched and stopped in order, each by its own id."""

import contextlib
import importlib.util
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
STOP_S: Final = 20.0
POLL_S: Final = 0.05
TAIL_LINES: Final = 15
LOWEST_PORT: Final = 20_000
PORTS: Final = 12_000
"""So many from the lowest: all below what Linux picks from."""


class StackError(Exception):
    """The stack cannot run, and why."""


class Child:
    """A running process, which ends when this one does, however that ends.

    Args:
        name: in messages.
        command: what runs.
        log: file for its output.
        environment: added to ours.
        stop_command: stops it when SIGTERM alone does not, as with a container.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        *,
        environment: Mapping[str, str] | None = None,
        stop_command: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.log = log
        self._stop_command = stop_command
        with log.open("wb") as stream:
            # In a session of its own, so that Ctrl-C reaches us alone and we stop it in order.
            self.process = subprocess.Popen(
                [sys.executable, "-m", "serving.local.tethered", str(os.getpid()), *command],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                env=os.environ | dict(environment or {}),
                cwd=ROOT,
                start_new_session=True,
            )

    def check(self) -> None:
        """Raises StackError, with the end of its log, if it has ended."""
        code = self.process.poll()
        if code is not None:
            raise StackError(f"the {self.name} ended with code {code}; the end of {self.log}:\n{self.tail()}")

    def tail(self) -> str:
        """The last lines of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-TAIL_LINES:])

    def stop(self) -> None:
        """SIGTERM, time to end, SIGKILL."""
        if self.process.poll() is not None:
            return
        if self._stop_command:
            subprocess.run(self._stop_command, check=False, capture_output=True, timeout=2 * STOP_S)
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def stop_all(children: Iterable[Child]) -> None:
    """Stops the children one after another."""
    for child in children:
        child.stop()


def wait_for(condition: Callable[[], bool], children: Sequence[Child], at_most_s: float) -> None:
    """Waits until ``condition`` holds.

    Raises:
        StackError: a child ended, or it took too long.
    """
    deadline = time.monotonic() + at_most_s
    while not condition():
        for child in children:
            child.check()
        if time.monotonic() > deadline:
            logs = "\n".join(f"{child.log}:\n{child.tail()}" for child in children)
            raise StackError(f"the stack was not ready within {at_most_s:g} s; the end of its logs:\n{logs}")
        time.sleep(POLL_S)


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on.

    Out of a range that the system gives to nobody by itself: one that it picked could become an outgoing connection's
    before whoever asked here has bound it.
    """
    while True:
        port = LOWEST_PORT + secrets.randbelow(PORTS)
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def python_with(module: str, environment: str) -> str:
    """This Python if it has ``module``, else that of ``.venv/<environment>``.

    Raises:
        StackError: neither exists.
    """
    if importlib.util.find_spec(module):
        return sys.executable
    found = ROOT / ".venv" / environment / "bin" / "python"
    if not found.exists():
        if not (ROOT / "Makefile").exists():  # an image has one environment, and nothing to make the other one with
            raise StackError(f"{sys.executable} has no {module}; ask a running merger: --server HOST:PORT, or its URL")
        raise StackError(f"{sys.executable} has no {module}, and there is no {found}; run `make env`")
    return str(found)
