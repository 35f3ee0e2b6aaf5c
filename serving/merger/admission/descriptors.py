"""How many files and connections this process may have open."""

import logging
import resource
from typing import Final

SPARE: Final = 256
"""For files, model servers, decoding processes and the review store."""

log = logging.getLogger(__name__)


def allow(connections: int) -> None:
    """Raises the process's own limit, so that so many connections leave room for all else; tells where it cannot."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + SPARE
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    if most < wanted:
        log.warning("fewer files may be open than connections need", extra={"limit": most, "needed": wanted})
