"""The cache key follows the code: a change re-runs what it touches, and nothing else."""

import importlib
import sys

import pytest

from components import source_hash as module


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A package ``components_x`` with a → b, and c on its own."""
    package = tmp_path / "components_x"
    package.mkdir()
    for name, source in {"__init__": "", "a": "from components_x import b", "b": "X = 1", "c": "import json"}.items():
        (package / f"{name}.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(module, "_HOUSE", ("components_x",))
    yield package
    for name in [name for name in sys.modules if name.startswith("components_x")]:
        del sys.modules[name]


def hashed(name):
    module._source.cache_clear()
    module._house_imports.cache_clear()
    importlib.invalidate_caches()
    return module.source_hash(f"components_x.{name}")


def test_follows_imports(house):
    """A change in an imported module changes the hash; one in a module that is not imported does not."""
    before = hashed("a"), hashed("c")
    (house / "b.py").write_text("X = 2")
    assert hashed("a") != before[0]
    assert hashed("c") == before[1]


def test_is_stable(house):
    """The same source gives the same hash."""
    assert hashed("a") == hashed("a")
