"""What the C library keeps of freed memory: enough that a network's next step need not ask the system for it."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from schema import allocator

ROOT = Path(__file__).parents[2]
BLOCK = 40 * 2**20
"""Larger than what glibc ever learns by itself to keep: 32 MB."""


def faults(prepared: str, environment: dict[str, str]) -> int:
    """Pages that the system fills while a block is taken, written and freed 20 times; in a process of its own."""
    script = f"""
        import ctypes, resource
        from schema.allocator import *
        {prepared}
        libc = ctypes.CDLL(None)
        libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
        def step():
            block = libc.malloc(ctypes.c_size_t({BLOCK}))
            ctypes.memset(block, 1, {BLOCK})
            libc.free(block)
        step()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(20):
            step()
        print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=300)
    return int(done.stdout)


needs_glibc = pytest.mark.skipif(sys.platform != "linux", reason="only glibc is told anything")


@needs_glibc
def test_a_block_is_taken_again_without_asking_the_system() -> None:
    """What a step has freed the next one gets, where by default each of its pages is filled anew."""
    assert faults("", {}) > 20 * BLOCK // 4096 // 600  # of 2 MB each, where the system gives those
    assert faults(f"keep_freed_memory({allocator.SERVING_BYTES})", {}) < 20


@needs_glibc
def test_variables_say_the_same_to_other_programs() -> None:
    """A program that reads its environment alone keeps its blocks too."""
    assert faults("", dict(allocator.ENVIRONMENT)) < 20


@needs_glibc
def test_more_than_was_said_goes_back() -> None:
    """What lies above the bound is the system's again, or one large answer would be paid for until the server ends."""
    assert faults(f"keep_freed_memory({BLOCK // 2})", {}) > 20
