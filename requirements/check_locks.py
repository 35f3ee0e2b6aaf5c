"""Are the locks in step with setup.py? Run by ``make check``, in the pipeline's environment; asks no registry.

Exit code 1 with the list of differences, and what mends them: ``make lock``.
"""

import importlib.metadata
import re
import sys
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LOCKS = {
    "pipeline.txt": ("pipeline",),
    "pipeline-dev.txt": ("pipeline", "dev", "k8s"),
    "serving.txt": ("serving",),
    "serving-dev.txt": ("serving", "dev"),
}
TOOLS = ("uv", "checks", "hardening")
"""Names of the ``.in`` files, each with its lock."""

_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(\[[^]]*\])?==(?P<version>[^\s;\\]+)", re.MULTILINE)


def pins(lock: Path) -> dict[str, str]:
    """Package → its locked version."""
    return {canonicalize_name(match["name"]): match["version"] for match in _PIN.finditer(lock.read_text())}


def unmet(extra: str, locked: dict[str, str]) -> list[str]:
    """Requirements of an extra of setup.py that the lock does not meet."""
    every = map(Requirement, importlib.metadata.requires("lookbook") or [])
    return unmet_of([one for one in every if one.marker and one.marker.evaluate({"extra": extra})], locked)


def unmet_of(wanted: list[Requirement], locked: dict[str, str]) -> list[str]:
    """Requirements that the lock does not meet."""
    return [
        f"{one.name}{one.specifier} is locked at {locked.get(canonicalize_name(one.name), 'nothing')}"
        for one in wanted
        if not one.specifier.contains(locked.get(canonicalize_name(one.name), "0"), prereleases=True)
        or canonicalize_name(one.name) not in locked
    ]


def written(file: Path) -> list[Requirement]:
    """The requirements of an ``.in`` file."""
    lines = (line.partition("#")[0].strip() for line in file.read_text().splitlines())
    return [Requirement(line) for line in lines if line]


def main() -> int:
    """Prints the differences and returns the exit code."""
    folder = Path(__file__).parent
    locked = {name: pins(folder / name) for name in LOCKS}
    faults = [
        f"{name}: {fault}" for name, extras in LOCKS.items() for extra in extras for fault in unmet(extra, locked[name])
    ]
    for tool in TOOLS:
        missing = unmet_of(written(folder / f"{tool}.in"), pins(folder / f"{tool}.txt"))
        faults += [f"{tool}.txt: {fault}" for fault in missing]
    for base in ("pipeline", "serving"):
        dev = locked[f"{base}-dev.txt"]
        faults += [
            f"{base}-dev.txt: {name} differs from {base}.txt"
            for name, version in locked[f"{base}.txt"].items()
            if dev.get(name) != version
        ]
    print("\n".join([*faults, "Mend it with: make lock"]) if faults else "locks are in step with setup.py")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
