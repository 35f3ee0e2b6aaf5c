"""A whole run on Prism, whose worker dies in the middle of each step."""

import json
import shutil
from pathlib import Path

import pytest

from components.catalogue.sample import draw_catalogue
from tests.distributed.prism import HOUSE, decoder, far_workers, first_worker_killed, missing, prism
from tests.drawing import zipped
from tests.e2e.conftest import Home
from tests.e2e.small_catalogue import SETTINGS

pytestmark = [pytest.mark.skipif(bool(missing()), reason=missing()), pytest.mark.slow, pytest.mark.timeout(7200)]


STEPS = ("StylesExampleGen", "StatisticsGen", "Transform", "ArticleTypeEvaluator", "CategoryEvaluator")
"""All that Beam works for."""


def test_a_release_is_the_same_wherever_its_steps_ran():
    """A worker that is killed in the middle of a step ends the run in words, and the same command again does that step
    anew and goes on, up to a release. Models that were evaluated on Prism, which has had a worker killed in each of
    its steps, have the same figures when they are calibrated and evaluated here."""
    home = HOUSE / "build" / "distributed-whole"  # not below /tmp, of which the workers have one of their own
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    draw_catalogue(home / "sample", count=300)
    root = Home(home / "root", zipped(home / "sample", home / "sample.zip"))
    with prism(home) as job_server, far_workers(home) as pool:
        engine = ("--runner", "prism", "--job-server", job_server, "--workers", f"external:{pool}")
        for step in STEPS:
            killed_in(root, step, engine)
        root.run(*SETTINGS, *engine)
    # Two trainings are never equal to the last digit, so nothing is trained anew.
    root.run(*SETTINGS, "--set", "review_precision=0.6")
    last = {step: states[-1] for step, states in root.executions().items()}
    assert {last[step] for step in ("StylesExampleGen", "Transform", "CategoryTrainer")} == {"CACHED"}
    assert {last[step] for step in ("ArticleTypeEvaluator", "CategoryEvaluator")} == {"COMPLETE"}
    there, here = map(figures, root.manifests())
    assert here == pytest.approx(there, abs=1e-6)


def killed_in(root: Home, step: str, engine: tuple[str, ...]) -> None:
    """Runs until a worker is killed in a step; those before it are done, it is not, and there is no release."""
    in_use = root.data if step == "StylesExampleGen" else decoder()
    with first_worker_killed(in_use, root.root / "artifacts" / step) as killed:
        broken = root.run(*SETTINGS, *engine, check=False)
    assert len(killed) == 1, broken.stderr
    assert (broken.returncode, "SDK worker disconnected" in broken.stderr) == (1, True), broken.stderr
    done = root.executions()
    assert all(done[one][-1] in ("COMPLETE", "CACHED") for one in STEPS[: STEPS.index(step)])
    assert done[step] == ["FAILED"]
    assert not root.manifests()


def figures(manifest: Path) -> dict[str, float]:
    """Head and metric → what the evaluation found."""
    metrics = json.loads(manifest.read_text(encoding="utf-8"))["metrics"]
    return {f"{head} {name}": value for head, found in metrics.items() for name, value in found.items()}
