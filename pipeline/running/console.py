"""A quiet console: a line a step for the person, everything else into a log file."""

import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Say = Callable[[str], None]


@contextmanager
def quiet_console(log: Path) -> Iterator[Say]:
    """Sends all output of this process, native libraries' and children's too, to ``log``.

    Yields a function that prints a line on the real console, and in the log. Records of the ``lookbook`` loggers show
    on both as well.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    saved_out, saved_err = os.dup(1), os.dup(2)
    with log.open("ab") as file, os.fdopen(os.dup(saved_out), "w", buffering=1) as console:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)

        def say(line: str) -> None:
            print(line, file=console)
            print(line, flush=True)

        handlers = _add_handlers(say)
        try:
            yield say
        finally:
            _remove_handlers(handlers)
            sys.stdout.flush()
            sys.stderr.flush()
            os.dup2(saved_out, 1)
            os.dup2(saved_err, 2)
            os.close(saved_out)
            os.close(saved_err)


class _SayHandler(logging.Handler):
    def __init__(self, say: Say):
        super().__init__(logging.INFO)
        self._say = say

    def emit(self, record: logging.LogRecord) -> None:
        self._say(f"      {record.getMessage()}")


def _add_handlers(say: Say) -> dict[str, logging.Handler]:
    everything = logging.StreamHandler()
    everything.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handlers: dict[str, logging.Handler] = {"": everything, "lookbook": _SayHandler(say)}
    for name, handler in handlers.items():
        logging.getLogger(name).addHandler(handler)
        logging.getLogger(name).setLevel(logging.INFO)
    logging.captureWarnings(True)
    return handlers


def _remove_handlers(handlers: dict[str, logging.Handler]) -> None:
    for name, handler in handlers.items():
        logging.getLogger(name).removeHandler(handler)
