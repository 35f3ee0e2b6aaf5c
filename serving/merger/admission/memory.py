"""What memory this process has."""

import os
from pathlib import Path
from typing import Final

STATM: Final = Path("/proc/self/statm")


def resident_bytes() -> int:
    """Memory of this process."""
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
