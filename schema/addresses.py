"""How an address and a port are written together, and read."""

import string
from typing import Final

LAST_PORT: Final = 2**16 - 1
_IN_NO_HOST: Final = frozenset(string.punctuation) - frozenset("-._:%")
"""What names have not; an underscore is in those of containers, and ``:`` and ``%`` are in IPv6 addresses."""
_GRPC_SCHEMES: Final = ("dns:", "ipv4:", "ipv6:", "unix:", "unix-abstract:", "xds:", "google-c2p:")


def with_port(host: str, port: int) -> str:
    """``host:port``, as URLs and gRPC have it: an IPv6 address stands in brackets (RFC 3986, 3.2.2)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def bare(host: str) -> str:
    """The host as a socket takes it: of an IPv6 address what is in the brackets."""
    return host[1:-1] if host.startswith("[") and host.endswith("]") and ":" in host else host


def host_and_port(text: str) -> tuple[str, int]:
    """The parts of what :func:`with_port` writes.

    Raises:
        ValueError: it is not of that form, or the host can be none.
    """
    host, _, port = text.rpartition(":")
    is_port = port.isascii() and port.isdecimal() and len(port) <= len(str(LAST_PORT)) and 0 < int(port) <= LAST_PORT
    if not is_port or not _is_host(bare(host)) or (":" in host and bare(host) == host):
        raise ValueError(f"{text!r:.120} is not HOST:PORT, as shop.example:9090 or [::1]:9090")
    return bare(host), int(port)


def require_target(text: str, name: str, encrypted: bool = False) -> None:
    """Refuses what gRPC would look up for ever: a target is HOST:PORT, or begins with one of its schemes.

    An ``encrypted`` one may be HOST alone; gRPC takes 443 then.

    Raises:
        ValueError: the text, which ``name`` has, is neither.
    """
    if text.lower().startswith(_GRPC_SCHEMES):
        return
    try:
        host_and_port(text)
    except ValueError as error:
        if not encrypted or ":" in text.rpartition("]")[2] or not _is_host(bare(text)):
            raise ValueError(f"{name}: {error}") from error


def _is_host(text: str) -> bool:
    """Whether it can be looked up at all: a socket raises an error of texts of what cannot, not one of the system."""
    try:
        return bool(text.encode("idna")) and not any(one.isspace() or one in _IN_NO_HOST for one in text)
    except UnicodeError:  # an empty or too long part, or half of a character
        return False
