"""Addresses of this machine and of others, and which of their words count."""

import ipaddress
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """Whether an address or name means this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def unmapped(address: str) -> str:
    """The address as IPv4 has it, where a socket for both families gives one of those as IPv6."""
    try:
        return str(ipaddress.IPv6Address(address).ipv4_mapped or address)
    except ValueError:
        return address


def is_anybodys(authority: str) -> bool:
    """Whether the host that a request names, port and all, may be a name of somebody else, who has it mean us.

    An address is what it says, and names below localhost are this machine's.
    """
    host = ""
    try:
        host = (urlsplit(f"//{authority}").hostname or "").rstrip(".")
        ipaddress.ip_address(host)
    except ValueError:
        return not f".{host}".endswith(".localhost")
    return False


def proxies(text: str) -> list[str]:
    """Networks out of a comma-separated list of those and of addresses; ``["*"]`` where that is all of it.

    Raises:
        ValueError: one is neither; the message begins with it.
    """
    given = [one.strip() for one in text.split(",") if one.strip()]
    return given if given == ["*"] else [_network(one) for one in given]


def _network(text: str) -> str:
    network = ipaddress.ip_network(text)
    mapped = network.network_address.ipv4_mapped if isinstance(network, ipaddress.IPv6Network) else None
    return str(network) if mapped is None else f"{mapped}/{max(network.prefixlen - 96, 0)}"
