"""A whole run on Prism, whose worker dies in the middle of a step."""

import json
import shutil
from pathlib import Path

import pytest

from components.catalogue.sample import draw_catalogue
from tests.distributed.prism import HOUSE, far_workers, first_worker_killed, missing, prism
from tests.drawing import zipped
from tests.e2e.conftest import Home
from tests.e2e.small_catalogue import SETTINGS

pytestmark = [pytest.mark.skipif(bool(missing()), reason=missing()), pytest.mark.slow, pytest.mark.timeout(7200)]


def test_a_release_is_the_same_wherever_its_steps_ran():
    """A worker that is killed while it reads pictures ends the run in words, and the same command again goes on to a
    release. Models that were evaluated on Prism have the same figures when they are calibrated and evaluated here."""
    home = HOUSE / "build" / "distributed-whole"  # not below /tmp, of which the workers have one of their own
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    draw_catalogue(home / "sample", count=300)
    data = zipped(home / "sample", home / "sample.zip")
    root = Home(home / "root", data)
    with prism(home) as job_server, far_workers(home) as pool:
        engine = ("--runner", "prism", "--job-server", job_server, "--workers", f"external:{pool}")
        with first_worker_killed(data) as killed:
            broken = root.run(*SETTINGS, *engine, check=False)
        assert len(killed) == 1
        assert (broken.returncode, "SDK worker disconnected" in broken.stderr) == (1, True), broken.stderr
        assert root.executions()["StylesExampleGen"] == ["FAILED"]
        root.run(*SETTINGS, *engine)
    # Two trainings are never equal to the last digit, so nothing is trained anew.
    root.run(*SETTINGS, "--set", "review_precision=0.6")
    last = {step: states[-1] for step, states in root.executions().items()}
    assert {last[step] for step in ("StylesExampleGen", "Transform", "CategoryTrainer")} == {"CACHED"}
    assert {last[step] for step in ("ArticleTypeEvaluator", "CategoryEvaluator")} == {"COMPLETE"}
    there, here = map(figures, root.manifests())
    assert here == pytest.approx(there, abs=1e-6)


def figures(manifest: Path) -> dict[str, float]:
    """Head and metric → what the evaluation found."""
    metrics = json.loads(manifest.read_text(encoding="utf-8"))["metrics"]
    return {f"{head} {name}": value for head, found in metrics.items() for name, value in found.items()}
