"""Bulk classification on Prism, by workers that share the pictures, the release and the output, and nothing else."""

import shutil

import pytest

from pipeline.bulk.run import Task, run
from pipeline.config import BEAM_DEFAULTS, Layout
from pipeline.running.engines import Engine
from tests import tiny_models
from tests.distributed.prism import HOUSE, far_workers, missing, prism
from tests.pipeline.bulk.conftest import release, rows_of

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())


def test_rows_are_the_same_on_prism():
    """Each picture has the row that it has here, to the last digit."""
    home = HOUSE / "build" / "distributed-bulk"  # not below /tmp, of which the workers have one of their own
    shutil.rmtree(home, ignore_errors=True)
    (home / "photos").mkdir(parents=True)
    for number in range(300):
        picture = tiny_models.picture(tiny_models.COLOURS[number % 6], width=60 + number)
        (home / "photos" / f"{number}.jpg").write_bytes(picture)
    (home / "photos" / "bad.jpg").write_text("no picture")
    layout: Layout = release(home)
    with prism(home) as job_server, far_workers(home) as pool:
        engine = Engine("prism", job_server, f"external:{pool}")
        there = Task(
            layout, str(home / "photos"), home / "there.parquet", beam_args=[*BEAM_DEFAULTS, *engine.beam_args()]
        )
        assert run(there, print)["failed_by"] == {"image_unsupported": 1}
    run(Task(layout, str(home / "photos"), home / "here.parquet", beam_args=BEAM_DEFAULTS), print)
    assert rows_of(home / "there.parquet") == rows_of(home / "here.parquet")
