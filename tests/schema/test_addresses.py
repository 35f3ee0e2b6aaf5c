"""HOST:PORT is read as it is written."""

import pytest

from schema.addresses import bare, host_and_port, require_target, with_port


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "::1", "fe80::1%eth0", "shop.example", "käse.example", "a_b"]
)
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
        "*:80",
        "a,b:80",
        "user@host:80",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    """What has no host, no port of a socket, or an IPv6 address without brackets is refused with the value."""
    with pytest.raises(ValueError, match=r"is not HOST:PORT, as shop\.example:9090 or \[::1\]:9090"):
        host_and_port(text)


@pytest.mark.parametrize(
    "text",
    ["host:80", "dns:///host", "DNS:///host", "Unix:/run/s", "google-c2p:///a"],
)
def test_grpc_finds_targets_of_its_schemes(text: str) -> None:
    """They are no HOST:PORT, and whoever asked for one in capitals has it looked up as well."""
    require_target(text, "--server")


@pytest.mark.parametrize("text", ["shop.example", "[::1]", "10.0.0.7"])
def test_only_an_encrypted_target_has_a_port_that_goes_without_saying(text: str) -> None:
    """Of https it is 443, and gRPC takes that; a merger without TLS is hardly there."""
    require_target(text, "--server", encrypted=True)
    with pytest.raises(ValueError, match=r"--server: .* is not HOST:PORT"):
        require_target(text, "--server")


@pytest.mark.parametrize("text", ["", "::1", "host:", "host:http", "https://shop.example", "*", "a b"])
def test_encryption_makes_no_target_of_what_is_none(text: str) -> None:
    """It is refused as it was given, without a port that nobody wrote."""
    with pytest.raises(ValueError) as refused:
        require_target(text, "--server", encrypted=True)
    assert str(refused.value).startswith(f"--server: {text!r} is not HOST:PORT")


def test_only_an_ipv6_address_loses_its_brackets() -> None:
    """A socket takes an IPv6 address without brackets; what else has some is no address, and stays one."""
    assert [bare(text) for text in ("[::1]", "::1", "[shop]", "a")] == ["::1", "::1", "[shop]", "a"]
