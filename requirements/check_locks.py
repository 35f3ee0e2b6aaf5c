"""Are the locks in step with setup.py? Run by ``make check``, in the pipeline's environment; asks no registry.

Exit code 1 with the list of differences, and what mends them: ``make lock``.
"""

import importlib.metadata
import re
import sys
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PIPELINES = {"pipeline-py310": "3.10", "pipeline-py312": "3.12", "pipeline-py313": "3.13"}
"""Lock of the pipeline's environment → the Python that it is for. The other locks are for all of them."""

EXTRAS = {
    **dict.fromkeys(PIPELINES, ("pipeline",)),
    **{f"{base}-dev": ("pipeline", "dev", "k8s") for base in PIPELINES},
    "serving": ("serving",),
    "serving-dev": ("serving", "dev"),
}
TOOLS = ("uv", "checks", "hardening")
"""Names of the ``.in`` files, each with its lock."""

_PIN = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)(\[[^]]*\])?==(?P<version>[^\s;\\]+)( ; (?P<marker>[^\\\n]+))?", re.MULTILINE
)


def pins(lock: Path, python: str) -> dict[str, str]:
    """Package → its locked version on that version of Python."""
    return {
        canonicalize_name(match["name"]): match["version"]
        for match in _PIN.finditer(lock.read_text())
        if not match["marker"] or Marker(match["marker"].strip()).evaluate(_place(python))
    }


def _place(python: str) -> dict[str, str]:
    return {"python_version": python, "python_full_version": f"{python}.0"}


def unmet(extra: str, python: str, locked: dict[str, str]) -> list[str]:
    """Requirements of an extra of setup.py, for that version of Python, that the lock does not meet."""
    every = map(Requirement, importlib.metadata.requires("lookbook") or [])
    place = {"extra": extra, **_place(python)}
    return unmet_of([one for one in every if one.marker and one.marker.evaluate(place)], locked)


def unmet_of(wanted: list[Requirement], locked: dict[str, str]) -> list[str]:
    """Requirements that the lock does not meet."""
    return [
        f"{one.name}{one.specifier} is locked at {locked.get(canonicalize_name(one.name), 'nothing')}"
        for one in wanted
        if not one.specifier.contains(locked.get(canonicalize_name(one.name), "0"), prereleases=True)
        or canonicalize_name(one.name) not in locked
    ]


def written(file: Path, python: str) -> list[Requirement]:
    """The requirements of an ``.in`` file on that version of Python."""
    lines = (line.partition("#")[0].strip() for line in file.read_text().splitlines())
    every = [Requirement(line) for line in lines if line]
    return [one for one in every if not one.marker or one.marker.evaluate(_place(python))]


def faults_of(name: str, folder: Path, python: str) -> list[str]:
    """What is wrong with a lock made from setup.py, and with the one for development beside it."""
    locked = {part: pins(folder / f"{part}.txt", python) for part in (name, f"{name}-dev")}
    faults = [
        f"{part}.txt: {fault}"
        for part in locked
        for extra in EXTRAS[part]
        for fault in unmet(extra, python, locked[part])
    ]
    return faults + [
        f"{name}-dev.txt: {package} differs from {name}.txt"
        for package, version in locked[name].items()
        if locked[f"{name}-dev"].get(package) != version
    ]


def main() -> int:
    """Prints the differences and returns the exit code."""
    folder = Path(__file__).parent
    faults = [fault for name, python in PIPELINES.items() for fault in faults_of(name, folder, python)]
    for python in PIPELINES.values():
        faults += faults_of("serving", folder, python)
        for tool in TOOLS:
            missing = unmet_of(written(folder / f"{tool}.in", python), pins(folder / f"{tool}.txt", python))
            faults += [f"{tool}.txt: {fault} for Python {python}" for fault in missing]
    print(
        "\n".join([*dict.fromkeys(faults), "Mend it with: make lock"]) if faults else "locks are in step with setup.py"
    )
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
