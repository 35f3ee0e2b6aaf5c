"""What memory this process has, and how much of it the C library keeps for itself."""

import ctypes
import os
from pathlib import Path
from typing import Final

STATM: Final = Path("/proc/self/statm")
LIBC: Final = ctypes.CDLL(None)
M_MMAP_THRESHOLD: Final = -3
LARGE_BLOCK: Final = 256 * 2**10


def resident_bytes() -> int:
    """Memory of this process."""
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def return_large_blocks() -> None:
    """From now on large blocks go back to the system when they are freed; else the C library learns to keep them."""
    if hasattr(LIBC, "mallopt"):
        LIBC.mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK)
