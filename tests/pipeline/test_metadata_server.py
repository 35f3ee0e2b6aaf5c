"""MLMD on a database server: the record and the cache of runs work as on SQLite, and no password is shown."""

import subprocess
import sys
from pathlib import Path

import pytest
from tfx.orchestration import pipeline

from components.catalogue.example_gen.component import StylesExampleGen
from pipeline.config import BEAM_DEFAULTS, Layout
from pipeline.errors import RunError
from pipeline.running.dag_runner import ReportingDagRunner
from pipeline.running.record_store import connection_config, open_store
from pipeline.running.run_record import require_usable_record
from tests.drawing import product, write_catalogue
from tests.pipeline.postgres import PASSWORD, database, postgres

__all__ = ["database", "postgres"]


def _run(layout: Layout, catalogue: Path) -> bool:
    """Runs the first step; whether the cache answered for it."""
    runner = ReportingDagRunner(lambda line: None)
    runner.run(
        pipeline.Pipeline(
            pipeline_name="test",
            pipeline_root=str(layout.artifacts),
            components=[StylesExampleGen(str(catalogue))],
            enable_cache=True,
            metadata_connection_config=connection_config(layout),
            beam_pipeline_args=list(BEAM_DEFAULTS),
        )
    )
    return runner.steps[-1].cached


def test_runs_are_recorded_and_cached_on_postgresql(
    tmp_path: Path, database: str, capfd: pytest.CaptureFixture
) -> None:
    """The database is made, the second run has nothing to do, and nothing of it lies below the root."""
    catalogue = write_catalogue(tmp_path / "catalogue", [product(str(number), number) for number in range(40)])
    layout = Layout(tmp_path / "root", database)
    require_usable_record(layout)
    assert [_run(layout, catalogue), _run(layout, catalogue)] == [False, True]
    assert len(open_store(layout).get_artifacts_by_type("Examples")) == 1
    assert not layout.metadata.exists()
    assert PASSWORD not in "".join(capfd.readouterr())
    assert PASSWORD not in repr(layout)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("s3cr%40t", "s3cret"), "does not take the record of runs"),
        (("127.0.0.1", "nowhere.invalid"), "cannot be reached"),
        (("127.0.0.1", "no..where"), "cannot be reached"),
        (("postgresql://", "oracle://"), "is no URL of a database"),
        (("lookbook:", ":"), "is no URL of a database"),
        (("127.0.0.1:", "127.0.0.1:9"), "is no URL of a database"),
    ],
)
def test_a_server_that_does_not_take_the_record_is_told(
    tmp_path: Path, database: str, change: tuple[str, str], words: str
) -> None:
    """Before any data is read, in words without the password."""
    url = database.replace(*change)
    with pytest.raises(RunError, match=words) as refused:
        require_usable_record(Layout(tmp_path, url))
    assert "s3c" not in str(refused.value)


def test_the_command_line_takes_the_server_from_the_environment(tmp_path: Path, postgres: str) -> None:
    """LOOKBOOK_METADATA is looked at by run, which ends at once where it is wrong."""
    catalogue = write_catalogue(tmp_path / "catalogue", [product(str(number), number) for number in range(3)])
    url = f"postgresql://lookbook:wrong@{postgres}/runs"
    done = subprocess.run(
        [Path(sys.executable).with_name("lookbook"), "run", "--data", catalogue, "--root", tmp_path / "root"],
        env={"PATH": "/usr/bin:/bin", "LOOKBOOK_METADATA": url, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "does not take the record of runs" in done.stderr
    assert "wrong" not in done.stderr
