"""The streams that a process is started with, which whoever starts it may have closed."""

import os
import sys


def open_closed() -> None:
    """Leads standard streams that are closed to nowhere.

    Else the next files that are opened get their numbers, and what is said, or a library warns of, goes into them.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # which gets the lowest number that is free
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "w" if number else "r", encoding="utf-8", closefd=False))
