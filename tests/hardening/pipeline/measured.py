"""``lookbook`` as a child whose memory is measured."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

# Linux counts the memory of whoever starts a program to that program: a child of the tests, which hold
# TensorFlow, would begin with their gigabyte. This small interpreter starts it instead.
STARTER = """
import json, os, sys
report, *command = sys.argv[1:]
child = os.spawnv(os.P_NOWAIT, command[0], command)
_, status, usage = os.wait4(child, 0)
os.write(int(report), json.dumps([os.waitstatus_to_exitcode(status), usage.ru_maxrss >> 10]).encode())
"""


@dataclass(frozen=True)
class Ended:
    """What a child left: its exit code, its output and the most memory it held."""

    code: int
    output: str
    peak_mib: int


def lookbook(*arguments: object, log: Path, at_most_s: float = 480) -> Ended:
    """Runs the command line to its end."""
    command = [sys.executable, "-m", "pipeline.runner", *map(str, arguments)]
    with log.open("wb") as output, tempfile.TemporaryFile() as report:
        starter = subprocess.Popen(
            [sys.executable, "-ISc", STARTER, str(report.fileno()), *command],
            pass_fds=[report.fileno()],
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            starter.wait(at_most_s)
        finally:
            if starter.poll() is None:
                os.killpg(starter.pid, signal.SIGKILL)
        report.seek(0)
        code, peak_mib = json.load(report)
    return Ended(code, log.read_text(encoding="utf-8", errors="replace"), peak_mib)
