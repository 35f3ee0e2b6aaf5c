"""Kills a run in the middle of a component, by MLMD's own record of what is executing."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pipeline.config import Layout

RUNNING = 2  # of MLMD's Execution.State
_NEWEST = """
SELECT Context.name, Execution.last_known_state
FROM Execution JOIN Association ON Association.execution_id = Execution.id
JOIN Context ON Context.id = Association.context_id
JOIN Type ON Type.id = Context.type_id AND Type.name = 'node'
ORDER BY Execution.id DESC LIMIT 1
"""


def newest_execution(database: Path) -> tuple[str, int]:
    """Component and state of the newest execution on record; no name where there is none yet."""
    if not database.exists():
        return "", 0
    # Read-only, so that the look at the record can never be what changes it.
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        name, state = connection.execute(_NEWEST).fetchone() or ("", 0)
    except sqlite3.OperationalError:  # the tables are just being made, or a write is under way
        return "", 0
    finally:
        connection.close()
    return name.rpartition(".")[2], state


def kill_while_executing(
    components: Collection[str],
    layout: Layout,
    command: list[str],
    log: Path,
    signs: Mapping[str, Callable[[], object]],
) -> str:
    """Runs ``command`` until MLMD says that one of ``components`` is executing, and sends SIGKILL that very moment.

    Args:
        components: those that have never ended, so that none of them can be answered by the cache.
        layout: of the root that the command works below.
        command: for this Python.
        log: gets the command's output.
        signs: component → what must be seen as well before the signal is sent.

    Returns:
        The component that was killed.
    """
    with _started(command, log) as process:
        deadline = time.monotonic() + 240
        while not (component := _executing(components, layout, log)) or not signs.get(component, _at_once)():
            assert process.poll() is None, f"ended before any of {components} was executing: {log.read_text()[-2000:]}"
            assert time.monotonic() < deadline, f"none of {components} was executing in time"
            time.sleep(0.001)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(30)
    return component


def _executing(components: Collection[str], layout: Layout, log: Path) -> str:
    name, state = newest_execution(layout.metadata)
    # What an earlier kill left stays on record as running until it is launched anew: the log tells these apart.
    return name if state == RUNNING and name in components and _said(name, log) else ""


def _at_once() -> bool:
    return True


def _said(component: str, log: Path) -> bool:
    return f" {component} …" in log.read_text(encoding="utf-8")


@contextmanager
def _started(command: list[str], log: Path) -> Iterator[subprocess.Popen]:
    with log.open("wb") as file:
        # Temporary files beside the log, so that a command line that names one tells whose process it is.
        environment = os.environ | {"TMPDIR": str(log.parent)}
        process = subprocess.Popen([sys.executable, *command], stdout=file, stderr=subprocess.STDOUT, env=environment)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def processes_that_name(marker: str) -> list[int]:
    """Processes of this machine whose command line names ``marker``, such as a folder of one test."""
    left = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes().decode(errors="replace")
        except OSError:  # it has ended while we looked
            continue
        if marker in words and int(path.name) != os.getpid():
            left.append(int(path.name))
    return left
