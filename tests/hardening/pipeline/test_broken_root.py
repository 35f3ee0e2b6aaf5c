"""A root that cannot be used: one clear sentence, exit code 1, nothing pushed."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.hardening.promises import Promises

REPOSITORY = Path(__file__).parents[3]


def run(data: Path, root: Path) -> subprocess.CompletedProcess[str]:
    """``lookbook run``."""
    command = [sys.executable, "-m", "pipeline.runner", "run", "--data", str(data), "--root", str(root)]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A catalogue of one row: no run here gets as far as reading it."""
    folder = tmp_path / "data"
    (folder / "images").mkdir(parents=True)
    (folder / "styles.csv").write_text("id,articleType,subCategory,masterCategory\n1,Shirts,Topwear,Apparel\n")
    return folder


def noise(file: Path, stack: ExitStack) -> None:
    file.write_bytes(bytes(range(256)) * 20)


def cut_short(file: Path, stack: ExitStack) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE Type (name TEXT)")
        connection.executemany("INSERT INTO Type VALUES (?)", [("x" * 1000,)] * 100)
        connection.commit()
    file.write_bytes(file.read_bytes()[: 4096 * 5])


def held(file: Path, stack: ExitStack) -> None:
    connection = stack.enter_context(closing(sqlite3.connect(file)))
    connection.execute("CREATE TABLE Type (name TEXT)")
    connection.execute("BEGIN EXCLUSIVE")


def a_folder(file: Path, stack: ExitStack) -> None:
    file.mkdir()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as opened:
        yield opened


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [(noise, "is damaged"), (cut_short, "is damaged"), (held, "database is locked"), (a_folder, "cannot be used")],
    ids=["noise", "cut short", "locked", "a folder"],
)
def test_metadata(
    promise: Promises,
    data: Path,
    tmp_path: Path,
    stack: ExitStack,
    spoil: Callable[[Path, ExitStack], None],
    complaint: str,
) -> None:
    """A record of runs that cannot be used stops a run with its name and what to do, and is left as it was."""
    root = tmp_path / "root"
    root.mkdir()
    spoil(root / "metadata.sqlite", stack)
    with promise(f"pipeline: metadata.sqlite {spoil.__name__}", "exit 1, a sentence, nothing pushed") as row:
        done = run(data, root)
        [*_, said] = done.stderr.strip().splitlines()
        row.seen = f"exit {done.returncode}: {said.replace(str(tmp_path), '…')}"
        assert done.returncode == 1 and "metadata.sqlite" in said and complaint in said
        assert "Traceback" not in done.stderr and not (root / "release").exists()


def test_root_that_cannot_be_written(promise: Promises, data: Path) -> None:
    """A root where nothing can be written, even by root, is named with what would be right."""
    with promise("pipeline: read-only root", "exit 1, a sentence") as row:
        done = run(data, Path("/proc/lookbook"))
        row.seen = f"exit {done.returncode}: {done.stderr.strip()}"
        assert done.returncode == 1 and "give another folder with --root" in done.stderr
        assert "Traceback" not in done.stderr
