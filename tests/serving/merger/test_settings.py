"""Settings come from the environment, and every one of them is explained."""

import os
import subprocess
import sys

import pytest

from serving.merger.core.errors import SettingsError
from serving.merger.settings import Settings, rows, table, variable


def test_every_setting_is_explained() -> None:
    """The help names each variable with its default and a sentence; units are in the names of numbers."""
    text = table()
    for name, row in rows().items():
        assert f"{variable(name)}={getattr(Settings, name)}" in text
        assert row.sentence.endswith(".") and row.sentence in text
        is_number = type(getattr(Settings, name)) is int
        units = (
            "_ms",
            "_bytes",
            "_pixels",
            "_images",
            "_streams",
            "_port",
            "_attempts",
            "_failures",
            "_calls",
            "_per_s",
            "_connections",
            "_processes",
            "_days",
        )
        assert not is_number or name.endswith((*units, "_per_s")), name


def test_reads_the_environment() -> None:
    """A variable that is set wins over the default, an empty one does not; other variables are left alone."""
    settings = Settings.from_environment({"LOOKBOOK_HTTP_PORT": "81", "LOOKBOOK_HOST": "", "PATH": "/bin"})
    assert settings.http_port == 81
    assert settings.host == Settings.host


@pytest.mark.parametrize(
    ("name", "value"), [("HTTP_PORT", "http"), ("MAX_IMAGE_BYTES", "0"), ("RESERVE_MS", "-1"), ("GRPC_PORT", "1.5")]
)
def test_refuses_nonsense(name: str, value: str) -> None:
    """A value that makes no sense is refused with the variable, the value and the rule."""
    with pytest.raises(SettingsError, match=rf"LOOKBOOK_{name} is '{value}'; it must be a whole number of at least"):
        Settings.from_environment({f"LOOKBOOK_{name}": value})


@pytest.mark.parametrize(
    ("name", "value", "most"),
    [
        ("HTTP_PORT", "65536", 65535),
        ("GRPC_PORT", "99999", 65535),
        ("MAX_REQUEST_BYTES", "3000000000", 2**31 - 1),
        ("KEEPALIVE_MS", "3000000000", 2**31 - 1),
        ("DECODING_PROCESSES", "100000000", 256),
        ("MAX_HELD_BYTES", "9" * 30, 2**63 - 1),
    ],
)
def test_refuses_what_is_too_much(name: str, value: str, most: int) -> None:
    """A number that gRPC, a socket or the machine could not take is refused: a port would be another, modulo 65536."""
    with pytest.raises(SettingsError, match=rf"LOOKBOOK_{name} is '{value}'; .* at most {most}\."):
        Settings.from_environment({f"LOOKBOOK_{name}": value})


def test_refuses_a_level_that_is_none() -> None:
    """A log level that nobody knows is refused with those that there are, in whatever case they are written."""
    for level in ("debug", "WARN", "Critical", "FATAL", "NOTSET"):
        assert Settings.from_environment({"LOOKBOOK_LOG_LEVEL": level}).log_level == level
        configured = "from serving.merger.json_logs import configure_logging as start; start"
        subprocess.run([sys.executable, "-c", f"{configured}({level!r})"], check=True)
    with pytest.raises(SettingsError, match="LOOKBOOK_LOG_LEVEL is 'loud'; it must be DEBUG or INFO"):
        Settings.from_environment({"LOOKBOOK_LOG_LEVEL": "loud"})


@pytest.mark.parametrize("target", ["model-server", "::1:8500", "bad host:8500", "host:http"])
def test_refuses_a_target_that_is_none(target: str) -> None:
    """A model server that nobody could ever reach is no reason to wait for it."""
    for good in ("dns:///model-server:8500", "unix:/run/s", "[::1]:8500", "host:8500"):
        assert Settings.from_environment({"LOOKBOOK_CATEGORY_TARGET": good}).category_target == good
    with pytest.raises(SettingsError, match=f"LOOKBOOK_CATEGORY_TARGET: '{target}' is not HOST:PORT"):
        Settings.from_environment({"LOOKBOOK_CATEGORY_TARGET": target})


@pytest.mark.parametrize(("text", "host"), [("[::1]", "::1"), ("::1", "::1"), (" 127.0.0.1 ", "127.0.0.1")])
def test_a_host_may_be_written_as_in_urls(text: str, host: str) -> None:
    """An IPv6 address with its brackets, or spaces around an address, is the address, and no stranger."""
    settings = Settings.from_environment({"LOOKBOOK_HOST": text})
    assert settings.host == host and not settings.is_open


@pytest.mark.parametrize("value", ["maybe", "1", "yes"])
def test_switches_are_true_or_false(value: str) -> None:
    """A switch takes two words, and no guess is made for another."""
    assert Settings.from_environment({"LOOKBOOK_ANONYMOUS": "True"}).anonymous
    with pytest.raises(SettingsError, match=f"LOOKBOOK_ANONYMOUS is '{value}'; it must be true or false"):
        Settings.from_environment({"LOOKBOOK_ANONYMOUS": value})


@pytest.mark.parametrize(
    ("environment", "is_open"),
    [
        ({}, False),
        ({"HOST": "localhost"}, False),
        ({"HOST": "::1"}, False),
        ({"HOST": "0.0.0.0"}, True),
        ({"HOST": "::"}, True),
        ({"HOST": "10.0.0.7"}, True),
        ({"HOST": "shop.internal"}, True),
        ({"HOST": "0.0.0.0", "ANONYMOUS": "true"}, False),
        ({"HOST": "0.0.0.0", "API_KEYS_FILE": "/keys"}, False),
    ],
)
def test_strangers_need_a_key_or_a_word(environment: dict[str, str], is_open: bool) -> None:
    """Where others than this machine can reach the merger, it has keys or says in so many words that it needs none."""
    settings = Settings.from_environment({f"LOOKBOOK_{name}": value for name, value in environment.items()})
    assert settings.is_open is is_open


def test_an_open_merger_does_not_start() -> None:
    """It ends with the reason and with both ways out."""
    environment = os.environ | {"LOOKBOOK_HOST": "0.0.0.0"}
    command = [sys.executable, "-m", "serving"]
    refused = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=120)
    assert refused.returncode == 2
    assert "LOOKBOOK_API_KEYS_FILE" in refused.stderr and "LOOKBOOK_ANONYMOUS=true" in refused.stderr


def test_names_unknown_variables() -> None:
    """A misspelt setting is found."""
    assert Settings.unknown({"LOOKBOOK_HTPP_PORT": "1", "LOOKBOOK_HTTP_PORT": "1", "X": "1"}) == ["LOOKBOOK_HTPP_PORT"]


def test_command_line() -> None:
    """``--help`` prints the table; a wrong setting ends the process with the reason on standard error."""
    command = [sys.executable, "-m", "serving"]
    shown = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True)
    assert table() in shown.stdout
    environment = os.environ | {"LOOKBOOK_GRPC_PORT": "x"}
    refused = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert refused.returncode == 2
    assert "LOOKBOOK_GRPC_PORT is 'x'" in refused.stderr
