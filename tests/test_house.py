"""The house: files and rooms stay small enough to be read, and ``make help`` leaves nothing out."""

import re
import subprocess
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
MOST_LINES: Final = 300
MOST_FILES: Final = 12
GENERATED: Final = ("serving/stubs/", "serving/proto/lookbook/", "serving/web/")
"""Made by tools, or with rules of its own (the page's linters)."""
ROOMS: Final = ("schema", "components", "pipeline", "serving", "tests", "requirements")


def _files(*suffixes: str) -> list[PurePosixPath]:
    """What git tracks of the rooms' files."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    done = subprocess.run(["git", "ls-files", *ROOMS], cwd=ROOT, capture_output=True, text=True, check=True)
    paths = [PurePosixPath(line) for line in done.stdout.splitlines() if not line.startswith(GENERATED)]
    return [path for path in paths if path.suffix in suffixes and (ROOT / path).is_file()]


def test_no_file_is_longer_than_a_person_reads() -> None:
    """A file of more than 300 lines has more than one job."""
    lines = {str(path): len((ROOT / path).read_bytes().splitlines()) for path in _files(".py", ".sh", ".mjs", ".html")}
    assert len(lines) > 200
    assert {path: count for path, count in lines.items() if count > MOST_LINES} == {}


def test_no_room_has_more_files_than_a_person_keeps_apart() -> None:
    """A folder with more than 12 files, beside ``__init__.py``, is several rooms."""
    rooms = Counter(str(path.parent) for path in _files(".py") if path.name != "__init__.py")
    assert len(rooms) > 30
    assert {room: count for room, count in rooms.items() if count > MOST_FILES} == {}


def test_make_help_lists_every_target_and_variable() -> None:
    """What a person can ask of make, make tells."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    done = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    listed = {line.split()[1] for line in done.stdout.splitlines() if line.startswith("  make ")}
    phony = re.search(r"^\.PHONY: ((?:.*\\\n)*.*)", makefile, re.MULTILINE)
    assert phony
    assert listed == set(phony[1].replace("\\\n", " ").split())
    public = re.findall(r"^([A-Z_]+) \?=", makefile, re.MULTILINE)
    assert len(public) >= 5
    assert [name for name in public if f"\n  {name} " not in done.stdout] == []
