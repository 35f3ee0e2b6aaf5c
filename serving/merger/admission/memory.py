"""What memory this process has."""

import functools
import logging
import os
from pathlib import Path
from typing import Final

STATM: Final = Path("/proc/self/statm")

log = logging.getLogger(__name__)


def resident_bytes() -> int:
    """Memory of this process; 0 where the system does not tell, as macOS: then nothing gives way for want of memory."""
    file = _opened()
    return int(os.pread(file, 200, 0).split()[1]) * os.sysconf("SC_PAGE_SIZE") if file is not None else 0


@functools.cache
def _opened() -> int | None:
    # It stays open: memory must be watched too when there is no descriptor left.
    try:
        return os.open(STATM, os.O_RDONLY)
    except OSError as error:
        log.warning("this system does not tell the memory in use, which is not bounded", extra={"reason": str(error)})
        return None
