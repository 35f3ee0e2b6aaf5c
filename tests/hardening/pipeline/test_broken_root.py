"""Roots that were damaged, locked or copied by half: an error that says what to do, and nothing is released."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from components.release.store import ReleaseStore
from pipeline.config import Layout
from schema import heads as table
from schema import names
from schema.release_folder import ReleaseFolder
from tests.drawing import product, write_catalogue


def lookbook(*arguments: object, through: Iterable[str] = ()) -> subprocess.CompletedProcess:
    command = [*through, sys.executable, "-m", "pipeline.runner", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=480, check=False)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path / "root")
    layout.root.mkdir()
    return layout


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    return write_catalogue(tmp_path / "data", [product(str(number), number) for number in range(3)])


@pytest.fixture
def record(layout: Layout) -> Path:
    """A sound SQLite file of many pages, in the place of MLMD's."""
    with closing(sqlite3.connect(layout.metadata)) as connection, connection:
        connection.execute("CREATE TABLE Execution (id INTEGER PRIMARY KEY, note TEXT)")
        connection.executemany("INSERT INTO Execution (note) VALUES (?)", [("x" * 500,)] * 500)
    return layout.metadata


def assert_refused(result: subprocess.CompletedProcess, *words: object) -> str:
    """The last line of an error for a person: each of ``words`` is in it, and no traceback is anywhere."""
    everything = result.stdout + result.stderr
    assert result.returncode in (1, 2), everything
    assert "Traceback" not in everything
    for word in words:
        assert str(word) in result.stderr, everything
    return result.stderr.strip().splitlines()[-1]


def assert_nothing_pushed(layout: Layout) -> None:
    assert ReleaseFolder(layout.releases).releases() == []
    assert not list(layout.root.glob("release/*/[0-9]*"))
    assert not layout.artifacts.exists()


def garbage(path: Path) -> None:
    path.write_bytes(os.urandom(9000))


def truncated(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2 - 100)


def overwritten(path: Path) -> None:
    """A header that is right, and noise for what follows it."""
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(8192))


@pytest.mark.parametrize("spoil", [garbage, truncated, overwritten])
def test_a_damaged_record_is_said_so(promise, layout: Layout, catalogue: Path, record: Path, spoil) -> None:
    """A metadata.sqlite that cannot be trusted stops the run at once, with the file and what to do about it."""
    spoil(record)
    with promise(f"pipeline: metadata.sqlite {spoil.__name__}", "a clear error, nothing released") as row:
        result = lookbook("run", "--data", catalogue, "--root", layout.root)
        row.seen = assert_refused(result, record, "damaged", "backup", "remove it", layout.artifacts)
        assert_nothing_pushed(layout)


def test_a_locked_record_is_said_so(promise, layout: Layout, catalogue: Path, record: Path) -> None:
    """A metadata.sqlite that another program holds in a transaction stops the run after a few seconds."""
    with promise("pipeline: metadata.sqlite locked", "a clear error, nothing released") as row:
        with closing(sqlite3.connect(record, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            result = lookbook("run", "--data", catalogue, "--root", layout.root)
        row.seen = assert_refused(result, record, "locked", "close", "--root")
        assert_nothing_pushed(layout)


@pytest.fixture
def bound_by_permissions(layout: Layout) -> Iterator[list[str]]:
    """What to run a command through so that permissions count for it: for root they do not."""
    yield _without_privilege()
    for path in (layout.root, layout.metadata):
        if path.exists():
            path.chmod(0o755)


def _without_privilege() -> list[str]:
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    through = [str(setpriv), "--bounding-set=-dac_override", "--inh-caps=-dac_override"]
    if not setpriv or subprocess.run([*through, "true"], check=False, capture_output=True).returncode:
        pytest.skip("root may write everywhere, and there is no setpriv that could take that from it")
    return through


def test_a_read_only_root_is_said_so(promise, layout: Layout, catalogue: Path, bound_by_permissions) -> None:
    """A root without the right to write is refused with its path and another way."""
    layout.root.chmod(0o555)
    with promise("pipeline: root read-only", "a clear error, nothing released") as row:
        result = lookbook("run", "--data", catalogue, "--root", layout.root, through=bound_by_permissions)
        row.seen = assert_refused(result, layout.root, "Permission denied", "--root")
        assert_nothing_pushed(layout)


def test_a_read_only_record_is_said_so(promise, layout: Layout, catalogue: Path, record: Path, bound_by_permissions):
    """A metadata.sqlite without the right to write is refused before anything runs."""
    record.chmod(0o444)
    with promise("pipeline: metadata.sqlite read-only", "a clear error, nothing released") as row:
        result = lookbook("run", "--data", catalogue, "--root", layout.root, through=bound_by_permissions)
        row.seen = assert_refused(result, record, "cannot be written", "--root")
        assert_nothing_pushed(layout)


@pytest.fixture
def release(layout: Layout) -> Path:
    """A folder of releases as a copy that broke off would leave it, but for what each test takes away."""
    for model in table.MODELS:
        path = layout.releases / model / "1"
        (path / "variables").mkdir(parents=True)
        (path / "saved_model.pb").write_text("graph")
        (path / "variables" / "variables.index").write_text("weights")
    manifests = layout.releases / "manifests"
    manifests.mkdir()
    (manifests / "1.json").write_text(json.dumps({"version": 1, "created_at": "now", "metrics": {}}))
    return layout.releases


def commands(layout: Layout, catalogue: Path) -> list[tuple[object, ...]]:
    picture = next((catalogue / "images").iterdir())
    return [("run", "--data", catalogue), ("classify", picture), ("score", "--data", catalogue)]


def test_a_half_copied_release_is_said_so(promise, layout: Layout, release: Path, catalogue: Path) -> None:
    """A release whose copy broke off is named by every command that needs it, before it waits or trains."""
    shutil.rmtree(release / names.CATEGORY / "1" / "variables")
    with promise("pipeline: release copied by half", "a clear error, nothing released") as row:
        for arguments in commands(layout, catalogue):
            result = lookbook(*arguments, "--root", layout.root)
            row.seen = assert_refused(result, release / names.CATEGORY / "1", "not whole", "remove")
        assert [path.name for path in release.glob("*/*")] == ["1", "1", "1.json"]


def test_a_cut_manifest_is_said_so(promise, layout: Layout, release: Path, catalogue: Path) -> None:
    """A manifest that is no JSON is named by every command that reads it."""
    manifest = release / "manifests" / "1.json"
    manifest.write_text(manifest.read_text()[:-9])
    with promise("pipeline: manifest cut", "a clear error, nothing released") as row:
        for arguments in [*commands(layout, catalogue), ("releases",), ("rollback",)]:
            result = lookbook(*arguments, "--root", layout.root)
            row.seen = assert_refused(result, manifest, "cannot be read", "remove")


def changed(path: Path) -> Path:
    (path / "variables" / "variables.index").write_text("others!")
    return path / "variables" / "variables.index"


def missing(path: Path) -> Path:
    (path / "assets.extra" / "requests").unlink()
    return path / "assets.extra" / "requests"


def extra(path: Path) -> Path:
    (path / "assets" / "more").mkdir(parents=True)
    (path / "assets" / "more" / "vocabulary.txt").write_text("more")
    return path / "assets" / "more" / "vocabulary.txt"


@pytest.mark.parametrize("spoil", [changed, missing, extra])
def test_a_file_that_is_not_the_manifests_is_said_so(promise, layout: Layout, catalogue: Path, tmp_path, spoil) -> None:
    """A file of a release that was changed, is missing or came later is named wherever the release is opened."""
    for _ in range(2):
        publish_by_hand(layout, tmp_path)
    file = spoil(layout.releases / names.CATEGORY / "1")
    picture = next((catalogue / "images").iterdir())
    opening = [("rollback",), ("score", "--data", catalogue, "--version", 1)]
    opening += [("classify", picture), ("explain", picture)] if spoil is changed else []
    with promise(f"pipeline: file of a release {spoil.__name__}", "a clear error with its name") as row:
        for arguments in opening:
            row.seen = assert_refused(lookbook(*arguments, "--root", layout.root), file, "copy it anew")
        command = [sys.executable, "-m", "serving.stack", "--release", str(layout.releases)]
        assert_refused(subprocess.run(command, capture_output=True, text=True, timeout=240, check=False), file)
        assert [one.version for one in ReleaseFolder(layout.releases).releases()] == [1, 2]


def publish_by_hand(layout: Layout, folder: Path) -> None:
    """A release whose files need no TensorFlow to be written."""
    source = folder / "source"
    for path in ("model/saved_model.pb", "model/variables/variables.index", "extra/requests", "report/index.html"):
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_text("content")
    models, extras = (dict.fromkeys(table.MODELS, source / part) for part in ("model", "extra"))
    ReleaseStore(layout.releases).publish(models, extras, source / "report", {"metrics": {}, "created_at": "now"})
