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
        is_number = isinstance(getattr(Settings, name), int)
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
