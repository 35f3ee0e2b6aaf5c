"""One mutation: what is broken, and which tests must notice."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
TESTS_FAILED: Final = 1
"""pytest's exit status when tests ran and some failed; others mean that nothing was tried."""


@dataclass(frozen=True)
class Mutation:
    """One place to break.

    Attributes:
        name: what is broken, in words.
        file: that holds it.
        old: text that stands in it exactly once.
        new: in its place.
        tests: pytest's arguments for the tests that must notice.
        environment: whose Python runs them, ``pipeline`` or ``serving``.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    environment: str = "serving"

    @property
    def fits(self) -> bool:
        """Whether the text to break is there, once."""
        return (ROOT / self.file).read_text(encoding="utf-8").count(self.old) == 1

    def is_noticed(self, copy: Path) -> bool:
        """Breaks a copy of the sources, runs the tests there, and mends it again.

        Raises:
            RuntimeError: the tests could not be run.
        """
        broken = copy / self.file
        text = broken.read_text(encoding="utf-8")
        broken.write_text(text.replace(self.old, self.new), encoding="utf-8")
        try:
            done = self._run(copy)
        finally:
            broken.write_text(text, encoding="utf-8")
        if done.returncode not in (0, TESTS_FAILED):
            raise RuntimeError(f"{self.name}: pytest ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr}")
        return done.returncode == TESTS_FAILED

    def _run(self, copy: Path) -> subprocess.CompletedProcess[str]:
        python = ROOT / ".venv" / self.environment / "bin" / "python"
        command = [str(python), "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *self.tests]
        environment = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)


def copy_sources(folder: Path) -> None:
    """Copies what git knows of, as it is now, and links the environments."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv").symlink_to((ROOT / ".venv").resolve())
