"""Which stack a machine gets: ``requirements/find_python.sh`` before machines of all kinds, made of a PATH alone."""

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest

SCRIPT: Final = Path(__file__).parents[1] / "requirements/find_python.sh"
TOOLS: Final = ("bash", "cat", "cut", "head", "sort")


def _program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def _machine(folder: Path, glibc: str, pythons: Iterable[str], without_venv: Iterable[str] = ()) -> Path:
    """A PATH with these commands (``python3.13``), each the Python that its name says, and ``python3`` the last."""
    for tool in TOOLS:
        (folder / tool).symlink_to(str(shutil.which(tool)))
    _program(folder / "getconf", f"echo glibc {glibc}")
    for name in pythons:
        stack = name.removeprefix("python").replace(".", "")
        can = 1 if name in without_venv else 0
        _program(folder / name, f'case "$2" in *ensurepip*) exit {can};; esac\necho py{stack} /its/bin/{name}')
        shutil.copy(folder / name, folder / "python3")
    return folder


def _pick(path: Path, **variables: str) -> tuple[int, str, str]:
    environment = {"PATH": str(path), "HOME": str(path), **variables}
    done = subprocess.run([SCRIPT], env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.strip(), done.stderr


PICKS: Final = {
    "Debian 12 with a Python 3.10": ("2.36", ["python3.11", "python3.10"], "py310"),
    "Ubuntu 24.04": ("2.39", ["python3.12"], "py312"),
    "Debian 13": ("2.41", ["python3.13"], "py313"),
    "both of the newer": ("2.41", ["python3.12", "python3.13"], "py313"),
    "all": ("2.41", ["python3.10", "python3.12", "python3.13"], "py310"),
}


@pytest.mark.parametrize(("glibc", "pythons", "stack"), PICKS.values(), ids=list(PICKS))
def test_a_machine_gets_what_it_can_run(tmp_path: Path, glibc: str, pythons: list[str], stack: str) -> None:
    """The older stack where a Python 3.10 is, else the newest that glibc and the Pythons allow, and a line of why."""
    code, picked, said = _pick(_machine(tmp_path, glibc, pythons))
    assert (code, picked) == (0, f"{stack} /its/bin/python3.{stack[3:]}")
    assert said.count("\n") == 1
    assert f"Stack {stack}" in said


def test_a_variable_forces_a_stack(tmp_path: Path) -> None:
    """LOOKBOOK_STACK wins over the default."""
    machine = _machine(tmp_path, "2.41", ["python3.10", "python3.12", "python3.13"])
    assert _pick(machine, LOOKBOOK_STACK="py312")[:2] == (0, "py312 /its/bin/python3.12")
    assert _pick(machine, LOOKBOOK_PYTHON="python3.13")[:2] == (0, "py313 /its/bin/python3.13")


REFUSED: Final = {
    "too old a glibc": ("2.38", ["python3.13"], {"LOOKBOOK_STACK": "py313"}, "needs glibc 2.39 or newer"),
    "no such stack": ("2.41", ["python3.13"], {"LOOKBOOK_STACK": "py311"}, "there are py310, py312 and py313"),
    "no Python that fits": ("2.36", ["python3.13"], {}, "looked for: py310)"),
    "forced, not there": ("2.41", ["python3.13"], {"LOOKBOOK_STACK": "py312"}, "looked for: py312)"),
}


@pytest.mark.parametrize(("glibc", "pythons", "variables", "words"), REFUSED.values(), ids=list(REFUSED))
def test_a_machine_that_can_not_is_told(
    tmp_path: Path, glibc: str, pythons: list[str], variables: dict[str, str], words: str
) -> None:
    """Nothing is printed that make could take for a Python, and the error says what was given and what would do."""
    code, picked, said = _pick(_machine(tmp_path, glibc, pythons), **variables)
    assert (code, picked) == (1, "")
    assert words in said


def test_a_python_that_makes_no_environments_is_named(tmp_path: Path) -> None:
    """Debian's Python without its package for environments is passed over, with the command that mends it."""
    machine = _machine(tmp_path, "2.41", ["python3.13"], without_venv=["python3.13"])
    code, _, said = _pick(machine)
    assert code == 1
    assert "/its/bin/python3.13 makes no environments; on Debian and Ubuntu: apt-get install python3-venv" in said
