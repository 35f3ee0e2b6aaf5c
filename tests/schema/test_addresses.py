"""HOST:PORT is read as it is written."""

import pytest

from schema.addresses import bare, host_and_port, with_port


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "shop.example", "käse.example"])
def test_what_is_written_is_read(host: str) -> None:
    """An address and its port come back as they were, IPv6 in its brackets."""
    assert host_and_port(with_port(host, 9090)) == (host, 9090)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "host",
        "host:",
        ":80",
        "host:0",
        "host:65536",
        "host:8_0",
        "host:９０",
        "a b:80",
        "a..b:80",
        "::1:80",
        "[]:80",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    """What has no host, no port of a socket, or an IPv6 address without brackets is refused with the value."""
    with pytest.raises(ValueError, match=r"is not HOST:PORT, as shop\.example:9090 or \[::1\]:9090"):
        host_and_port(text)


def test_only_an_ipv6_address_loses_its_brackets() -> None:
    """A socket takes an IPv6 address without brackets; what else has some is no address, and stays one."""
    assert [bare(text) for text in ("[::1]", "::1", "[shop]", "a")] == ["::1", "::1", "[shop]", "a"]
