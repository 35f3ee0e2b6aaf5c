"""Machines of all kinds, made of a PATH alone, for tests of shell scripts."""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path


def machine(folder: Path, tools: Iterable[str], programs: Mapping[str, str]) -> Path:
    """A PATH: these tools of this machine, and these programs, each with its script of bash."""
    folder.mkdir(parents=True, exist_ok=True)
    for tool in tools:
        (folder / tool).symlink_to(str(shutil.which(tool)))
    for name, script in programs.items():
        program(folder / name, script)
    return folder


def program(path: Path, script: str) -> None:
    """A file that can be run."""
    path.write_text(f"#!/usr/bin/env bash\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
