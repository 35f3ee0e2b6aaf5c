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
    module._files.cache_clear()
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


def test_a_template_is_source(house):
    """A template, or a file beside a module, that is new or changed changes the hash of whoever imports the module."""
    (house / "pages").mkdir()
    for name, source in {"__init__": "", "page": "X = 1"}.items():
        (house / "pages" / f"{name}.py").write_text(source)
    (house / "b.py").write_text("from components_x.pages import page")
    (house / "pages" / "templates").mkdir()
    seen = [hashed("a")]
    (house / "pages" / "start.flags").write_text("--port=1")
    seen.append(hashed("a"))
    for name in ("page.html", "style.css"):
        (house / "pages" / "templates" / name).write_text("<p>")
        seen.append(hashed("a"))
    (house / "pages" / "templates" / "page.html").write_text("<p>changed")
    seen.append(hashed("a"))
    assert len(set(seen)) == 5


def test_what_an_editor_leaves_is_no_source(house):
    """A file that is open in an editor, or that a merge left, trains nothing anew, beside a module or a template."""
    (house / "templates").mkdir()
    (house / "templates" / "page.html").write_text("<p>")
    before = hashed("b")
    for name in (".b.py.swp", ".DS_Store", "b.py~", "b.py.orig", "b.py.rej", "#b.py#", "page.html~", ".page.html.swp"):
        (house / name).write_text("left")
        (house / "templates" / name).write_text("left")
    assert hashed("b") == before


def test_the_quality_report_follows_its_templates(monkeypatch):
    """What draws the released report runs again when its template changes."""
    component = "components.evaluation.quality_report.component"
    monkeypatch.setattr(module, "_files", lambda name: b"")
    without = module.source_hash(component)
    monkeypatch.undo()
    assert module.source_hash(component) != without
