"""``make test-beside`` on machines of all kinds, made of a PATH alone: where it can have no other stack it says why and
stays green, and what is the sources' own fault is red."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.machines import machine

ROOT: Final = Path(__file__).parents[1]
MAKEFILE: Final = """PYTEST_ARGS ?=
env:
test-beside:
\t./requirements/test_other_stack.sh build/other-stack test-e2e
test-e2e test-cross:
\t@printf '<%s>' $@ $(PYTEST_ARGS)
"""
SCRIPTS: Final = ("other_stack.sh", "test_other_stack.sh", "find_python.sh")
TOOLS: Final = (
    "bash", "cat", "chmod", "cp", "cut", "dirname", "env", "grep", "head", "mkdir", "mv", "printf", "rm", "sed", "sort",
    "tail", "tar", "tee", "touch", "true",
)  # fmt: skip
BOTH: Final = {
    "df": "echo Avail; echo ' 40'",
    "git": 'printf "Makefile\\0"',
    "make": "exit 0",
    "uname": "echo Linux x86_64",
}
ROOT_FOLDER: Final = (
    'for word in "$@"; do [[ $word != /* ]] || root=$word; done; [ ! -e $root ] && mkdir -p $root/etc/ssl/certs'
)
UNSHARE: Final = 'while [[ $1 = --* ]]; do shift; done; exec "$@"'
CHROOT: Final = 'shift; for word in "$@"; do shift; [[ $word = PATH=* ]] || set -- "$@" "$word"; done; exec "$@"'
"""Both run the command outside, where the rest of this PATH is."""
MACHINES: Final = {
    "py310": BOTH
    | {
        "chroot": CHROOT,
        "getconf": "echo glibc 2.36",
        "id": "echo 0",
        "mmdebstrap": ROOT_FOLDER,
        "mount": "exit 0",
        "unshare": UNSHARE,
    },
    "py313": BOTH
    | {
        "getconf": "echo glibc 2.41",
        "id": "echo 1000",
        "python3.10": 'case "$2" in *base_prefix*) echo py310 /its/bin/python3.10;; esac',
    },
}
"""The stack of a machine → what is on it where everything works: an old Debian's root, a new one's user."""


def _clone(folder: Path, stack: str) -> Path:
    """Sources whose environments are of this stack."""
    (folder / "requirements").mkdir(parents=True)
    for name in SCRIPTS:
        shutil.copy(ROOT / "requirements" / name, folder / "requirements")
        os.utime(folder / "requirements" / name, (1, 1))
    (folder / "Makefile").write_text(MAKEFILE, encoding="utf-8")
    (folder / ".venv").mkdir()
    (folder / ".venv/stack.txt").write_text(f"{stack} /its/python\n", encoding="utf-8")
    return folder


def _test(clone: Path, path: Path, *command: str) -> tuple[int, str, str]:
    """Exit status of a command, what it said, and what ``make test`` would end with."""
    done = subprocess.run(
        command or ("requirements/test_other_stack.sh", "build/other-stack", "test-e2e"),
        env={"PATH": str(path), "HOME": str(path)},
        cwd=clone,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    skipped = clone / "build/skipped.txt"
    return done.returncode, done.stdout + done.stderr, skipped.read_text("utf-8") if skipped.exists() else ""


CANNOT: Final = {
    "nobody but a user": ("py310", {"id": "echo 1000"}, "only root can make and enter a Debian 13 root"),
    "no namespaces": ("py310", {"unshare": "exit 1"}, "no mount namespace can be made here"),
    "no mmdebstrap, none to be had": ("py310", {"mmdebstrap": "", "apt-get": "exit 100"}, "there is no mmdebstrap"),
    "no mirror": (
        "py310",
        {"mmdebstrap": f"{ROOT_FOLDER}; echo 'E: Failed to fetch' >&2; echo 'E: failed to run' >&2; exit 1"},
        "could not make a Debian 13 root: E: Failed to fetch\n",
    ),
    "no mounts": (
        "py310",
        {"mount": "echo 'mount: permission denied.' >&2; exit 32"},
        "a Debian 13 root cannot be entered: mount: permission denied.",
    ),
    "a full disk": ("py310", {"df": "echo Avail; echo ' 3'"}, "GB of disk, and 3 are free"),
    "no git checkout": ("py310", {"git": "echo 'fatal: not a git repository' >&2; exit 128"}, "fatal: not a git"),
    "no older Python": ("py313", {"python3.10": "exit 1"}, "no Python 3.10 was found"),
    "no registry": (
        "py313",
        {"make": "echo 'error sending request for url'; exit 2"},
        "could not be fetched: error sending request for url",
    ),
    "a disk that gets full": (
        "py313",
        {"make": "echo 'No space left on device (os error 28)'; exit 2"},
        "could not be fetched: No space left on device",
    ),
}


@pytest.mark.parametrize(("stack", "change", "reason"), CANNOT.values(), ids=list(CANNOT))
def test_a_machine_that_can_not_says_why(tmp_path: Path, stack: str, change: dict[str, str], reason: str) -> None:
    """No other stack can be made for a reason that is not the sources': the test is left out, and its reason is one of
    the last lines of ``make test``; nothing half-made stays."""
    programs = {name: script for name, script in (MACHINES[stack] | change).items() if script}
    path = machine(tmp_path / "machine", TOOLS, programs)
    clone = _clone(tmp_path / "clone", stack)
    code, said, skipped = _test(clone, path)
    assert code == 0, said
    assert skipped.startswith("  the other stack: ") and skipped.count("\n") == 1
    assert reason in skipped and reason in said
    assert not (clone / "build/other-stack/root.new").exists()


def test_what_a_killed_run_left_is_no_bar(tmp_path: Path) -> None:
    """Half a root and half a copy of the sources are made anew; environments that were there stay."""
    clone = _clone(tmp_path / "clone", "py310")
    for half in ("root.new/usr", "new/tests", "checkout/.venv/pipeline", "checkout/gone"):
        (clone / "build/other-stack" / half).mkdir(parents=True)
    code, said, skipped = _test(clone, machine(tmp_path / "machine", TOOLS, MACHINES["py310"]))
    assert (code, skipped) == (0, ""), said
    assert sorted(path.name for path in (clone / "build/other-stack/checkout").iterdir()) == [".venv", "Makefile"]
    assert (clone / "build/other-stack/checkout/.venv/pipeline").is_dir()


RED: Final = {
    "a lock that does not fit": "[ $1 != env ] || { echo 'hash mismatch'; exit 2; }",
    "one behind packages whose names are words of a network": (
        "[ $1 != env ] || { echo ' + cloud-sql-python-connector==1'; echo ' + async-timeout==5'; exit 2; }"
    ),
    "a test of the other stack": "[ $2 != test-e2e ] || { echo 'a server timed out'; exit 2; }",
    "a test of both": "[ $2 != test-cross ] || { echo 'cannot connect'; exit 2; }",
}


@pytest.mark.parametrize("stack", ["py310", "py313"])
@pytest.mark.parametrize("make", RED.values(), ids=list(RED))
def test_what_fails_in_it_is_red(tmp_path: Path, stack: str, make: str) -> None:
    """A fault of the sources is none of the machine's, whatever its words are."""
    path = machine(tmp_path / "machine", TOOLS, MACHINES[stack] | {"make": make})
    code, said, skipped = _test(_clone(tmp_path / "clone", stack), path)
    assert code != 0, said
    assert skipped == ""


def test_arguments_of_pytest_arrive_whole(tmp_path: Path) -> None:
    """What a person quoted in PYTEST_ARGS is one word in the tests of the other stack and of both."""
    clone, make = _clone(tmp_path / "clone", "py313"), str(shutil.which("make"))
    path = machine(
        tmp_path / "machine", TOOLS, MACHINES["py313"] | {"make": f'exec {make} "$@"', "sh": 'exec bash "$@"'}
    )
    code, said, _ = _test(clone, path, "make", "-s", "test-beside", "PYTEST_ARGS=-k 'one or other'")
    assert code == 0, said
    for target in ("test-e2e", "test-cross"):
        assert f"<{target}><-k><one or other>" in said


def test_the_older_python_may_come_by_the_uv_of_the_environments(tmp_path: Path) -> None:
    """A new system has no Python 3.10: the uv that is there anyway is asked for it, and keeps it below the folder."""
    path = machine(tmp_path / "machine", (*TOOLS, "ls"), MACHINES["py313"])
    (path / "python3.10").rename(tmp_path / "python")
    clone = _clone(tmp_path / "clone", "py313")
    fetch = f"mkdir $UV_PYTHON_INSTALL_DIR && cp {tmp_path}/python $UV_PYTHON_INSTALL_DIR"
    machine(
        clone / ".venv/uv/bin", (), {"uv": f"case $2 in find) ls $UV_PYTHON_INSTALL_DIR/python;; *) {fetch};; esac"}
    )
    assert _test(clone, path)[::2] == (0, "")
    assert (clone / "build/other-stack/python/python").is_file()
