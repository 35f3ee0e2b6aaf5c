"""A process that was started with closed streams writes nothing of what it says into its files."""

import subprocess
import sys
from pathlib import Path

import pytest

SAYS = """
import sys
from serving.local.standard_streams import open_closed
open_closed()
with open(sys.argv[1], "w") as file:
    print("said")
    print("warned", file=sys.stderr)
    assert sys.stdin.read() == ""
    file.write(str(file.fileno() > 2))
"""


@pytest.mark.parametrize("closed", ["", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_what_is_said_goes_nowhere_else(tmp_path: Path, closed: str) -> None:
    """Files never get the number of a stream, whatever of them is closed, and saying something is no fault."""
    file = tmp_path / "file"
    command = f'exec "$@" {closed}'
    done = subprocess.run(
        ["sh", "-c", command, "sh", sys.executable, "-c", SAYS, str(file)], stdin=subprocess.DEVNULL, check=False
    )
    assert (done.returncode, file.read_text()) == (0, "True")
