"""Runs a command that the kernel ends when the process that asked for it does, however that one ends.

A script of its own: what is set between fork and exec would be set in a copy of a process full of native threads.

    python tethered.py PARENT COMMAND ...
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

_PR_SET_PDEATHSIG = 1


def tethered(command: Sequence[str]) -> list[str]:
    """The command line that runs ``command`` for as long as this process lives, and no longer."""
    return [sys.executable, __file__, str(os.getpid()), *command]


def main(parent: str, *command: str) -> None:
    """Ties this process to its parent and becomes the command."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # A parent that ended before the line above sends no signal any more.
    if os.getppid() == int(parent):
        os.execvp(command[0], command)  # nosec B606 # noqa: S606 - the caller's own command, no shell


if __name__ == "__main__":
    main(*sys.argv[1:])
