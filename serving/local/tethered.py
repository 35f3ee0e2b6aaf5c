"""Runs a command that the kernel ends when the process that asked for it does, however that one ends.

A program of its own, ``python -m serving.local.tethered PARENT COMMAND …``: what is set between fork and exec would be
set in a copy of a process full of native threads. Elsewhere than on Linux a parent that is killed by SIGKILL leaves the
command running; every other end stops it in order.

The signal comes when the *thread* ends that started the command: start it from one that stays, such as the main thread.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(parent: str, *command: str) -> None:
    """Ties this process to its parent and becomes the command."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # A parent that ended before the line above sends no signal any more.
    if os.getppid() == int(parent):
        os.execvp(command[0], command)  # nosec B606 # noqa: S606 - the caller's own command, no shell


if __name__ == "__main__":
    main(*sys.argv[1:])
