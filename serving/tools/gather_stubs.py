"""Gathers the stubs of TensorFlow Serving's API into :mod:`serving.stubs`, so that a client needs no TensorFlow.

``tensorflow_serving.apis`` imports all of TensorFlow (8 s, 570 MB), though its ``*_pb2`` files need only each other.
This tool copies the few files that Predict, GetModelMetadata and GetModelStatus reach, and points their imports at
``serving.stubs``, so that nobody mistakes the copy for an installed TensorFlow::

    .venv/pipeline/bin/python -m serving.tools.gather_stubs              # from the installed packages (make stubs)
    python -m serving.tools.gather_stubs --wheel tensorflow-….whl --wheel tensorflow_serving_api-….whl
    python -m serving.tools.gather_stubs --check                         # changes nothing; 1 if the copy is stale

It imports neither package, and writes the versions it read into ``serving/stubs/NOTICE``.
"""

import argparse
import re
import shutil
import sys
import sysconfig
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

_Root: TypeAlias = Path | zipfile.Path

PACKAGE = "serving.stubs"
TARGET = Path(__file__).parents[1] / "stubs"
DISTRIBUTIONS = ("tensorflow", "tensorflow_serving_api")
SERVICES = (
    "tensorflow_serving/apis/prediction_service_pb2_grpc.py",
    "tensorflow_serving/apis/model_service_pb2_grpc.py",
)
OWN_PACKAGES = re.compile(r"^(from|import) (tensorflow(?:_serving)?)\b", re.MULTILINE)
BUILT_MODULE = re.compile(r"(BuildTopDescriptorsAndMessages\(DESCRIPTOR, ')(tensorflow)")
IMPORTED = re.compile(r"^from ([\w.]+) import (\w+_pb2)", re.MULTILINE)

NOTICE = """\
The Python files below this folder are the generated protocol buffer and gRPC code of

{sources}

both Copyright The TensorFlow Authors, Apache License, Version 2.0 (https://www.apache.org/licenses/LICENSE-2.0).
They were copied by serving/tools/gather_stubs.py. The only change: they import each other from {package}.
"""


def gather(sources: Iterable[_Root]) -> dict[str, str]:
    """The files a client needs, ready to be written.

    Args:
        sources: roots to look in, in order: a ``site-packages`` folder or opened wheels (``zipfile.Path``).

    Returns:
        Path below ``serving/stubs`` → text, ``__init__.py`` files and ``NOTICE`` included.

    Raises:
        FileNotFoundError: a file is in none of the sources.
    """
    roots = list(sources)
    files: dict[str, str] = {}
    wanted = list(SERVICES)
    while wanted:
        name = wanted.pop()
        if name not in files:
            original = _read(roots, name)
            files[name] = _relocate(original)
            wanted += [
                f"{package.replace('.', '/')}/{module}.py"
                for package, module in IMPORTED.findall(original)
                if package.startswith("tensorflow")
            ]
    return files | _package_files(files) | {"NOTICE": _notice(roots)}


def write(files: Mapping[str, str], target: Path = TARGET) -> None:
    """Replaces ``target`` by ``files``."""
    shutil.rmtree(target, ignore_errors=True)
    for name, text in files.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def stale(files: Mapping[str, str], target: Path = TARGET) -> list[str]:
    """Names of the files that are missing from ``target``, differ from it, or should not be there."""
    present = {
        path.relative_to(target).as_posix(): path.read_text(encoding="utf-8")
        for path in target.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    return sorted(name for name in present.keys() | files.keys() if present.get(name) != files.get(name))


def _read(roots: list[_Root], name: str) -> str:
    for root in roots:
        file = root.joinpath(name)
        if file.is_file():
            return file.read_text(encoding="utf-8")
    raise FileNotFoundError(
        f"{name} is in none of {', '.join(map(str, roots))}; install tensorflow-serving-api or give both wheels"
    )


def _relocate(text: str) -> str:
    text = OWN_PACKAGES.sub(rf"\1 {PACKAGE}.\2", text)
    return BUILT_MODULE.sub(rf"\1{PACKAGE}.\2", text)


def _package_files(files: Iterable[str]) -> dict[str, str]:
    folders = {parent.as_posix() for name in files for parent in Path(name).parents}
    made = {f"{folder}/__init__.py": "" for folder in folders if folder != "."}
    return made | {"__init__.py": '"""Generated code of TensorFlow Serving\'s API: see NOTICE."""\n'}


def _notice(roots: list[_Root]) -> str:
    found = {
        match.group(1): match.group(2)
        for root in roots
        for entry in root.iterdir()
        if (match := re.fullmatch(r"(\w+)-([\w.]+)\.dist-info", entry.name)) and match.group(1) in DISTRIBUTIONS
    }
    lines = [f"  {name.replace('_', '-')} {version}" for name, version in sorted(found.items())]
    return NOTICE.format(sources="\n".join(lines), package=PACKAGE)


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(description="Gather the stubs of TensorFlow Serving's API without TensorFlow.")
    parser.add_argument("--wheel", type=Path, action="append", help="read this wheel, not the installed packages")
    parser.add_argument("--check", action="store_true", help="only compare; exit status 1 if anything differs")
    options = parser.parse_args(arguments)
    wheels: list[_Root] = [zipfile.Path(wheel) for wheel in options.wheel or ()]
    files = gather(wheels or [Path(sysconfig.get_path("purelib"))])
    if options.check:
        different = stale(files)
        print("\n".join(["stale:", *different]) if different else "up to date")
        return bool(different)
    write(files)
    print(f"{len(files)} files in {TARGET}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
