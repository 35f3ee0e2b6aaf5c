"""Hash of a module's source and of all of the house that it imports: the part of the cache key that TFX leaves out.

What a module reads counts as source: whatever is in a folder ``templates`` beside it, and in its own folder the files
that are no Python; hidden files and what editors leave do not. Code that runs in a process of its own is named to it: a
component may not import ``serving``.
"""

import ast
import hashlib
import importlib.util
from functools import cache
from pathlib import Path

_HOUSE = ("components", "schema", "serving")
_NO_SOURCE = (".py", ".pyi", ".pyc", "~", ".bak", ".orig", ".rej", ".swp", ".tmp")
"""Ends of names: Python, which is hashed as such, and what editors and merges leave lying about."""


def source_hash(*modules: str) -> str:
    """Short hash over the source files of ``modules`` (dotted names) and of what they import from the house."""
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += _house_imports(module)
    digest = hashlib.sha256()
    for module in sorted(found):
        digest.update(module.encode() + b"\0" + (_source(module) or b"") + b"\0" + _files(module))
    return digest.hexdigest()[:16]


@cache
def _house_imports(module: str) -> list[str]:
    source = _source(module)
    imports: list[str] = []
    for node in ast.walk(ast.parse(source)) if source else ():
        if isinstance(node, ast.Import):
            imports += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            # "from package import name": the name may be a module too.
            imports += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return [name for name in imports if name.split(".")[0] in _HOUSE and _source(name) is not None]


@cache
def _source(module: str) -> bytes | None:
    path = _path(module)
    return path.read_bytes() if path else None


@cache
def _files(module: str) -> bytes:
    path = _path(module)
    found = [*(path.parent / "templates").rglob("*"), *path.parent.iterdir()] if path else []
    files = sorted(file for file in found if file.is_file() and _is_source(file.name))
    return b"".join(file.name.encode() + b"\0" + file.read_bytes() + b"\0" for file in files)


def _is_source(name: str) -> bool:
    return not name.startswith((".", "#")) and not name.endswith(_NO_SOURCE)


def _path(module: str) -> Path | None:
    try:
        spec = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        # A name imported from a module that is not a package.
        return None
    return Path(spec.origin) if spec and spec.origin else None
