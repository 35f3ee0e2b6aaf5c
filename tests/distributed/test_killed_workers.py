"""A worker that dies in the middle of a step of TFX's own."""

import dataclasses
import shutil
from pathlib import Path

import pytest

from components.catalogue.sample import draw_catalogue
from pipeline.config import Layout, PipelineConfig
from pipeline.profiles import PROFILES
from pipeline.running.engines import Engine
from tests.distributed.prism import HOUSE, decoder, far_workers, first_worker_killed, missing, prism
from tests.preparing import files, prepare

pytestmark = [pytest.mark.skipif(bool(missing()), reason=missing()), pytest.mark.slow, pytest.mark.timeout(3600)]

HOME = HOUSE / "build" / "distributed-killed"  # not below /tmp, of which the workers have one of their own


def test_a_step_whose_worker_dies_fails_in_words_and_is_done_by_the_same_command() -> None:
    """Nothing of StatisticsGen is published, and what the same command then makes is what an undisturbed one makes."""
    shutil.rmtree(HOME, ignore_errors=True)
    draw_catalogue(HOME / "sample", count=300)
    config = PipelineConfig(Layout(HOME / "root"), HOME / "sample", "quick", PROFILES["quick"], trial=True)
    prepare(config, steps=1)
    with prism(HOME) as job_server, far_workers(HOME) as pool:
        there = dataclasses.replace(config, engine=Engine("prism", job_server, f"external:{pool}"))
        step = HOME / "root" / "artifacts" / "StatisticsGen"
        with first_worker_killed(decoder(), step) as killed, pytest.raises(Exception, match="disconnected"):
            prepare(there)
        assert len(killed) == 1
        assert not files(HOME / "root", "StatisticsGen/*/*/Split-*/*")
        prepare(there)
    prepare(dataclasses.replace(config, layout=Layout(HOME / "undisturbed")))
    assert files(HOME / "root", "StatisticsGen/*/*/Split-*/*")
    assert made(HOME / "root") == made(HOME / "undisturbed")


def made(root: Path) -> dict[str, bytes]:
    """The vocabularies, which have the same bytes each time."""
    vocabularies = files(root, "Transform/transform_graph/*/transform_fn/assets/*")
    assert vocabularies
    return {name: path.read_bytes() for name, path in vocabularies.items()}
