"""A signal ends a program in order, wherever it is just then."""

import signal
import subprocess
import sys

import pytest

from tests.tiny_models import ROOT

PROGRAM = """
import os, signal, time, weakref
from serving.local.signals import ended_by_signals

def interrupted(*_):
    os.kill(os.getpid(), {number})
    time.sleep(0)

class Finalized:
    __del__ = interrupted

def callback():
    thing = type("Thing", (), {{}})()
    reference = weakref.ref(thing, interrupted)
    del thing

def swallowed():
    try:
        interrupted()
    except BaseException:
        pass

places = {{
    "plain": interrupted, "finalizer": Finalized, "callback": callback, "swallowed": swallowed,
}}
try:
    with ended_by_signals(lambda number: SystemExit(128 + number), signal.SIG_DFL):
        try:
            places[{place!r}]()
            time.sleep(60)
        finally:
            try:
                [][0]
            except IndexError:
                time.sleep(1.5)  # several times as long as it takes to raise what was lost
            print("in order", flush=True)
finally:
    time.sleep(1)
"""
CASES = (
    ("plain", signal.SIGTERM),
    ("finalizer", signal.SIGTERM),
    ("callback", signal.SIGHUP),
    ("swallowed", signal.SIGINT),
)


@pytest.mark.parametrize(("place", "number"), CASES)
def test_no_signal_is_lost(place: str, number: signal.Signals) -> None:
    """A signal that comes where nothing can be raised ends the program as well, once, and lets it tidy up."""
    program = PROGRAM.format(number=int(number), place=place)
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=40)
    assert (done.returncode, done.stdout) == (128 + number, "in order\n"), done.stderr
