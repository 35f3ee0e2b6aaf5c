"""``lookbook`` as a child whose memory is measured."""

import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Ended:
    """What a child left: its exit code, its output and the most memory it held."""

    code: int
    output: str
    peak_mib: int


def lookbook(*arguments: object, log: Path, at_most_s: float = 120) -> Ended:
    """Runs the command line to its end."""
    with log.open("wb") as file:
        child = subprocess.Popen(
            [sys.executable, "-m", "pipeline.runner", *map(str, arguments)], stdout=file, stderr=subprocess.STDOUT
        )
    timer = threading.Timer(at_most_s, child.kill)
    timer.start()
    # wait4 gives the usage of this one child, where getrusage would give the largest of all so far.
    _, status, usage = os.wait4(child.pid, 0)
    timer.cancel()
    child.returncode = os.waitstatus_to_exitcode(status)
    return Ended(child.returncode, log.read_text(encoding="utf-8", errors="replace"), usage.ru_maxrss >> 10)
