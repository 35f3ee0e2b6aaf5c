"""Which stack a machine gets: ``requirements/find_python.sh`` before machines of all kinds, made of a PATH alone."""

import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest

from tests.machines import machine, program

SCRIPT: Final = Path(__file__).parents[1] / "requirements/find_python.sh"
TOOLS: Final = ("bash", "cat", "cut", "env", "head", "sed", "sort")
LINUX: Final = "Linux x86_64"


def _machine(folder: Path, glibc: str, pythons: Iterable[str], lacks: str = "nothing", system: str = LINUX) -> Path:
    """A PATH with these commands (``python3.13``), each the Python that its name says, and ``python3`` the last.

    None of them has ``lacks``: ``ensurepip``, or ``Python.h``.
    """
    programs = {"getconf": f"echo glibc {glibc}" if glibc else "exit 1", "uname": f"echo {system}"}
    for name in pythons:
        stack = name.removeprefix("python").replace(".", "")
        programs[name] = programs["python3"] = (
            f'case "$2" in *{lacks}*) exit 1;; *base_prefix*) echo py{stack} /its/bin/{name};; *) exit 0;; esac'
        )
    return machine(folder, TOOLS, programs)


def _pick(path: Path, **variables: str) -> tuple[int, str, str]:
    environment = {"PATH": str(path), "HOME": str(path), **variables}
    done = subprocess.run([SCRIPT], env=environment, cwd=path, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.strip(), done.stderr


def _environment(folder: Path, stack: str) -> Path:
    """An environment of the pipeline that was made before anything kept note of the stack."""
    python = folder / "pipeline/bin/python"
    python.parent.mkdir(parents=True)
    program(python, f"echo {stack}")
    return folder


PICKS: Final = {
    "Debian 12 with pyenv": ("2.36", ["python3.12", "python3.11", "python3.10"], "py310", "too old for the newer"),
    "Ubuntu 24.04": ("2.39", ["python3.12"], "py312", "newest that this machine has"),
    "Debian 13": ("2.41", ["python3.13"], "py313", "newest that this machine has"),
    "all": (
        "2.41",
        ["python3.10", "python3.12", "python3.13"],
        "py313",
        "newest that this machine has",
    ),
    "both of the older": (
        "2.41",
        ["python3.10", "python3.12"],
        "py312",
        "newest that this machine has",
    ),
    "the oldest alone": ("2.41", ["python3.11", "python3.10"], "py310", "there is no Python 3.13 or 3.12"),
}


@pytest.mark.parametrize(("glibc", "pythons", "stack", "words"), PICKS.values(), ids=list(PICKS))
def test_a_machine_gets_what_it_can_run(tmp_path: Path, glibc: str, pythons: list[str], stack: str, words: str) -> None:
    """The newest stack that glibc and the Pythons allow, and a line of why."""
    code, picked, said = _pick(_machine(tmp_path, glibc, pythons))
    assert (code, picked) == (0, f"{stack} /its/bin/python3.{stack[3:]}")
    assert said.count("\n") == 1
    assert f"Stack {stack}" in said
    assert words in said


def test_an_environment_keeps_its_stack(tmp_path: Path) -> None:
    """Nobody is moved to another one than theirs; a variable moves them, and one that can't be had is no bar."""
    machine = _machine(tmp_path, "2.41", ["python3.10", "python3.13"])
    for mine, others in (("py310", "py313"), ("py313", "py310")):
        made = str(_environment(tmp_path / mine, mine))
        code, picked, said = _pick(machine, VENV=made)
        assert (code, picked.partition(" ")[0]) == (0, mine)
        assert "the environment that is there is of it" in said
        assert _pick(machine, VENV=made, LOOKBOOK_STACK=others)[1].startswith(others)
        assert _pick(machine, VENV=made, LOOKBOOK_PYTHON=f"python3.{others[3:]}")[1].startswith(others)
    gone = str(_environment(tmp_path / "gone", "py312"))
    assert _pick(machine, VENV=gone)[0] == 0


def test_a_variable_forces_a_stack(tmp_path: Path) -> None:
    """LOOKBOOK_STACK wins over the default."""
    machine = _machine(tmp_path, "2.41", ["python3.10", "python3.12", "python3.13"])
    assert _pick(machine, LOOKBOOK_STACK="py312")[:2] == (0, "py312 /its/bin/python3.12")
    assert _pick(machine, LOOKBOOK_STACK="py310")[:2] == (0, "py310 /its/bin/python3.10")
    assert _pick(machine, LOOKBOOK_PYTHON="python3.10")[:2] == (0, "py310 /its/bin/python3.10")


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


LACKING: Final = {
    "ensurepip": "/its/bin/python3.13 makes no environments; on Debian and Ubuntu: apt-get install python3-venv",
    "Python.h": "/its/bin/python3.13 has no headers; on Debian and Ubuntu: apt-get install python3-dev",
}


@pytest.mark.parametrize("lacks", LACKING)
def test_a_python_that_lacks_something_is_named(tmp_path: Path, lacks: str) -> None:
    """Debian's Python without one of its packages is passed over, with the command that mends it, once."""
    code, _, said = _pick(_machine(tmp_path, "2.41", ["python3.13"], lacks))
    assert code == 1
    assert said.count(LACKING[lacks]) == 1


@pytest.mark.parametrize("system", ["Darwin arm64", "Darwin x86_64", "Linux aarch64"])
def test_where_tfx_has_no_wheels_serving_runs_alone(tmp_path: Path, system: str) -> None:
    """No environment is begun that could not be finished; the error names the target that works there."""
    machine = _machine(tmp_path, "" if "Darwin" in system else "2.41", ["python3.13", "python3.11"], system=system)
    code, picked, said = _pick(machine)
    assert (code, picked) == (1, "")
    assert system in said
    assert "make env-serving" in said
    assert _pick(machine, LOOKBOOK_STACK="serving")[:2] == (0, "serving /its/bin/python3.13")


def test_uv_fetches_the_newest_where_there_is_no_python(tmp_path: Path) -> None:
    """A uv on PATH is asked for the newest Python that the machine can run, once nothing else was found."""
    machine = _machine(tmp_path, "2.41", ["python3.13"])
    (machine / "python3.13").rename(machine / "fetched")
    (machine / "python3").unlink()
    program(
        machine / "uv",
        f'echo "$*" >> {machine}/calls\ncase "$*" in'
        f' "python install 3.13") echo fetched > {machine}/there;;'
        f' "python find 3.13") [ -e {machine}/there ] && echo {machine}/fetched;; *) exit 1;; esac',
    )
    code, picked, said = _pick(machine)
    assert (code, picked) == (0, "py313 /its/bin/python3.13"), said
    assert "uv fetched its Python" in said
