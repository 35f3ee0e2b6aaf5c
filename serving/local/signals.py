"""Signals that end this process in order, by an exception that does not get lost."""

import contextlib
import functools
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final, NoReturn

ENDING: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
AGAIN_S: Final = 0.5


@contextlib.contextmanager
def ended_by_signals(ending: Callable[[int], BaseException], second: signal.Handlers) -> Iterator[None]:
    """In this block the first of SIGTERM, SIGHUP and SIGINT raises an exception in the main thread.

    What whoever started us told us to ignore stays ignored, as under ``nohup``.

    Args:
        ending: the exception for a signal's number.
        second: what a second signal does, while the first one's exception ends the block.
    """
    numbers = [number for number in ENDING if signal.getsignal(number) is not signal.SIG_IGN]

    def end(number: int, _: Any) -> NoReturn:
        for one in numbers:
            signal.signal(one, second)
        _raise_surely(ending(number))

    for number in numbers:
        signal.signal(number, end)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _raise_surely(raised: BaseException) -> NoReturn:
    # A signal comes between any two steps, also where nothing can be raised: in a finalizer, in dir(), in the callback
    # of a weak reference, which each import has. There the exception is thrown away, so it is raised until it is not.
    signal.signal(signal.SIGALRM, functools.partial(_raise_if_lost, raised))
    signal.setitimer(signal.ITIMER_REAL, AGAIN_S, AGAIN_S)
    raise raised


def _raise_if_lost(raised: BaseException, *_: Any) -> None:
    """While the exception ends the block, it, or what came of it, is what the interrupted code is handling."""
    handled = sys.exc_info()[1]
    while handled is not None:
        if handled is raised:
            return
        handled = handled.__context__
    raise raised
