"""Whether this machine has IPv6."""

import socket


def has_ipv6() -> bool:
    """Whether its loopback interface can be listened on by IPv6."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True
