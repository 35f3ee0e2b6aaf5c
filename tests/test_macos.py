"""The serving side alone, as on macOS: that its packages can be had there, and that it asks a server, needs no Mac."""

import subprocess
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
UV: Final = ROOT / ".venv/uv/bin/uv"
UNREACHED: Final = ("error sending request", "Failed to fetch", "dns error", "operation timed out")


@pytest.mark.parametrize("version", ["3.10", "3.11", "3.12", "3.13"])
def test_every_package_of_serving_has_a_wheel_for_apple_silicon(version: str) -> None:
    """What ``make env-serving`` installs is there as built wheels, in the locked versions, for each Python."""
    lock = ROOT / "requirements/serving-dev.txt"
    place = ("--python-platform", "aarch64-apple-darwin", "--python-version", version, "--only-binary", ":all:")
    done = subprocess.run(
        [UV, "pip", "compile", "--quiet", "--no-header", "--no-annotate", *place, lock],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode and any(words in done.stderr for words in UNREACHED):
        pytest.skip(f"the package registry cannot be reached: {done.stderr.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stderr
    assert "fastapi==" in done.stdout


def test_classify_asks_a_server_without_tensorflow() -> None:
    """Where nothing can be trained, what ``lookbook classify --server`` is made of is there all the same."""
    lines = "import pipeline.asking, pipeline.commands.asking.classify, sys; sys.exit('tensorflow' in sys.modules)"
    done = subprocess.run([ROOT / ".venv/serving/bin/python", "-c", lines], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
