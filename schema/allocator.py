"""How the C library deals with freed memory: a model server keeps it, a merger gives it back.

An answer is made in some hundred steps, each of which frees what the one before had made: 38 MB where 32 pictures are
at their largest. By itself glibc gives such blocks back, and the system fills each page of the next one with zeros.
"""

import ctypes
from typing import Final

SERVING_BYTES: Final = 256 * 2**20
"""Kept by a model server at most: what 32 pictures, which is what runs at once, need at their largest, twice over."""

ENVIRONMENT: Final = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": str(SERVING_BYTES),
}
"""What glibc reads when a process starts, for a model server of TensorFlow Serving."""

_LARGE_BLOCK: Final = 256 * 2**10
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_MMAP_MAX: Final = -4
_M_ARENA_MAX: Final = -8


def keep_freed_memory(most: int) -> None:
    """From now on glibc keeps up to ``most`` bytes of what is freed; other C libraries are left as they are.

    To be called before there are threads: an arena of a thread's own has 64 MB at most, so from now on they get none.
    The variables :data:`ENVIRONMENT` say the same to a process that is not ours.
    """
    _set({_M_ARENA_MAX: 1, _M_MMAP_MAX: 0, _M_TRIM_THRESHOLD: most})


def return_large_blocks() -> None:
    """From now on large blocks go back to the system when they are freed; else the C library learns to keep them."""
    _set({_M_MMAP_THRESHOLD: _LARGE_BLOCK})


def give_memory_back() -> None:
    """Has the C library return to the system what it keeps of freed memory, where it can."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        trim(0)


def _set(options: dict[int, int]) -> None:
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        for option, value in options.items():
            mallopt(option, value)
