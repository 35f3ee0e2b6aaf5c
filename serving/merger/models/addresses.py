"""Which model servers there are: the addresses behind a DNS name, looked up again and again.

gRPC itself looks a name up again only when a connection breaks or ends, so a server that came later would stand idle
for a minute, and nothing tells how many there are.
"""

import asyncio
import logging
import re
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Final

log = logging.getLogger(__name__)

LOOK_UP_S: Final = 5.0
"""Time between two looks; the cluster's own DNS may be some seconds behind as well."""

LOOK_UP_TIMEOUT_S: Final = 2.0
_NAMED: Final = re.compile(r"dns:///(?P<host>[^/:\[\]]+):(?P<port>\d+)")
_LISTED: Final = re.compile(r"(?P<family>ipv[46]:)(?P<addresses>.+)")

Resolve = Callable[[str, int], Awaitable[set[str]]]
"""(host, port) → its IP addresses.

Raises:
    OSError: the name cannot be looked up.
"""


async def resolve(host: str, port: int) -> set[str]:
    """The IPv4 addresses of a name, else its IPv6 addresses: a gRPC target can hold one kind alone."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    by_family = {family: {info[4][0] for info in found if info[0] == family} for family in (_V4, _V6)}
    return {str(address) for address in by_family[_V4] or by_family[_V6]}


_V4, _V6 = socket.AF_INET, socket.AF_INET6


class Addresses:
    """The addresses of one gRPC target.

    Args:
        target: followed if it is ``dns:///host:port``, and taken apart if it is a list (``ipv4:a:1,b:1``); others
            (``host:port``, ``unix:…``) are gRPC's alone.
        resolve: looks a name up.
    """

    def __init__(self, target: str, resolve: Resolve = resolve) -> None:
        self._target = target
        self._named = _NAMED.fullmatch(target)
        self._resolve = resolve
        self._known: set[str] = set()
        self._looked_s = -LOOK_UP_S

    @property
    def authority(self) -> str:
        """The name and port that the servers go by; "" where gRPC knows it."""
        return f"{self._named['host']}:{self._named['port']}" if self._named else ""

    @property
    def targets(self) -> list[str]:
        """A gRPC target for each server that is known; what was given, where gRPC alone can look it up."""
        if listed := _LISTED.fullmatch(self._target):
            return [listed["family"] + address for address in listed["addresses"].split(",")]
        if not self._named or not self._known:
            return [self._target]
        port = self._named["port"]
        return [
            f"ipv6:[{address}]:{port}" if ":" in address else f"ipv4:{address}:{port}"
            for address in sorted(self._known)
        ]

    async def look(self) -> bool:
        """Looks the name up if the last look is long enough ago; True when the addresses have changed.

        A name that cannot be looked up keeps its addresses: the servers may well be there while DNS is not.
        """
        now = time.monotonic()
        if not self._named or now - self._looked_s < LOOK_UP_S:
            return False
        self._looked_s = now
        host, port = self._named["host"], int(self._named["port"])
        try:
            found = await asyncio.wait_for(self._resolve(host, port), LOOK_UP_TIMEOUT_S)
        except (OSError, asyncio.TimeoutError) as error:
            log.warning("a name could not be looked up", extra={"host": host, "reason": str(error) or "no answer"})
            return False
        if not found or found == self._known:
            return False
        self._known = found
        log.info("the model servers' addresses changed", extra={"host": host, "addresses": sorted(found)})
        return True
