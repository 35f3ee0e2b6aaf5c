"""SIGKILL in the middle of every component: nothing half-made is seen, and the next run gets further."""

import json
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from components.catalogue.sample import draw_held_out
from pipeline.config import Layout
from schema import heads as table
from schema.release_folder import ReleaseFolder
from tests.e2e.small_catalogue import SETTINGS as SHORTEST
from tests.e2e.small_catalogue import draw_small_catalogue
from tests.hardening.pipeline.killing import RUNNING, kill_while_executing, newest_execution, processes_that_name

COMPONENTS = {
    "StylesExampleGen",
    "StatisticsGen",
    "SchemaGate",
    "Transform",
    "ArticleTypeTrainer",
    "CategoryTrainer",
    "ArticleTypeCalibrator",
    "CategoryCalibrator",
    "ArticleTypeEvaluator",
    "CategoryEvaluator",
    "ServingCheck",
    "QualityReport",
    "PairedRelease",
}
# Training is as short as can be: what is killed matters here, not what is learned.
SETTINGS = ("--profile", "quick", *SHORTEST)


def lookbook(*arguments: object) -> list[str]:
    return ["-m", "pipeline.runner", *map(str, arguments)]


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    folder = draw_small_catalogue(tmp_path / "sample")
    draw_held_out(folder / "held_out", per_type=1)
    return folder


def assert_nothing_half_made(layout: Layout) -> None:
    """What a release promises: both models whole, or no release."""
    store = ReleaseFolder(layout.releases)
    for release in store.releases():
        for model in table.MODELS:
            assert (store.model_path(model, release.version) / "saved_model.pb").exists()
            assert (store.model_path(model, release.version) / "variables" / "variables.index").exists()


def assert_record_is_sound(layout: Layout) -> None:
    """SQLite finds no damage; MLMD's own reader is what the next run begins with."""
    connection = sqlite3.connect(layout.metadata)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


def assert_no_process_left(folder: Path) -> None:
    """A server that a killed run started has nobody who would ever stop it."""
    deadline = time.monotonic() + 10
    while left := processes_that_name(str(folder)):
        assert time.monotonic() < deadline, f"processes {left} outlive the run that was killed"
        time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.timeout(4800)
def test_a_run_killed_in_every_component_ends_in_a_release(promise, catalogue: Path, tmp_path: Path) -> None:
    """One root that is killed in component after component shows no half release, and then releases and answers."""
    layout = Layout(tmp_path / "root")
    command = lookbook("run", "--data", catalogue, *SETTINGS, "--root", layout.root)
    with promise("pipeline: SIGKILL in each component", "no half release; the run is resumed and releases") as row:
        start, killed, left = time.monotonic(), [], set(COMPONENTS)
        # ServingCheck is killed when its server runs, which would be the one to be left behind.
        signs = {"ServingCheck": lambda: processes_that_name(f"{layout.artifacts}/ServingCheck/result/")}
        while left:
            component = kill_while_executing(left, layout, command, tmp_path / "killed.log", signs)
            left.remove(component)
            assert_record_is_sound(layout)
            assert_nothing_half_made(layout)
            assert_no_process_left(tmp_path)
            killed.append(newest_execution(layout.metadata) == (component, RUNNING))
            row.seen = f"{sum(killed)} of {len(killed)} killed while executing, in {time.monotonic() - start:.0f} s"
        resumed = subprocess.run([sys.executable, *command], capture_output=True, text=True, timeout=1600, check=False)
        assert resumed.returncode == 0, resumed.stdout + resumed.stderr
        assert_nothing_half_made(layout)
        answered = _classified(layout, catalogue)
        row.seen += f"; resumed run released, {answered} pictures answered; {time.monotonic() - start:.0f} s"
        assert sum(killed) >= len(COMPONENTS) - 1, row.seen


def _classified(layout: Layout, catalogue: Path) -> int:
    pictures = sorted((catalogue / "held_out" / "images").glob("*.jpg"))[:2]
    command = [sys.executable, *lookbook("classify", *pictures, "--json", "--root", layout.root)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=1200, check=False)
    assert result.returncode == 0, result.stderr
    answers = json.loads(result.stdout)
    assert all(one["answer"]["joint"]["article_type"] for one in answers)
    return len(answers)
