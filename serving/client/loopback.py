"""Whether an address is this machine itself, which is no business of a proxy that the environment names."""

import contextlib
import ipaddress
import re
import socket
from urllib.parse import unquote


def is_loopback(target: str) -> bool:
    """Whether a gRPC target, with all its addresses, is this machine itself, in any of the ways to write it."""
    if target.startswith(("unix:", "unix-abstract:")):
        return True
    names = re.sub(r"^(dns|ipv4|ipv6):(///?)?", "", unquote(target))
    return all(_is_here(re.sub(r":\d+$", "", name).strip("[]").rstrip(".").lower()) for name in names.split(","))


def _is_here(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = _address(host)
    address = getattr(address, "ipv4_mapped", None) or address
    # What is unspecified is all that this machine is called.
    return address is not None and (address.is_loopback or address.is_unspecified)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address that a host is written as, also by fewer numbers than four, as 127.1 is; None: it is a name."""
    for read in (str, socket.inet_aton):
        with contextlib.suppress(OSError, ValueError):
            return ipaddress.ip_address(read(host))
    return None
