"""What a changed file re-runs: TFX makes a component's cache key of its settings, and a hash of its code is one."""

import dataclasses

import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx.components.statistics_gen.component import StatisticsGen
from tfx.orchestration import metadata
from tfx.orchestration.pipeline import Pipeline

from components import source_hash
from components.catalogue.example_gen.component import StylesExampleGen
from components.catalogue.sample import draw_catalogue
from pipeline.config import BEAM_DEFAULTS, Layout, PipelineConfig
from pipeline.pipeline import create_components, create_pipeline
from pipeline.profiles import PROFILES
from pipeline.running.dag_runner import ReportingDagRunner
from pipeline.running.record_store import open_store

HASHES = ("_source", "_files", "_house_imports")


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    draw_catalogue(folder / "sample", count=40)
    return PipelineConfig(Layout(folder / "root"), folder / "sample", "quick", PROFILES["quick"])


def forget():
    for name in HASHES:
        getattr(source_hash, name).cache_clear()


def keys(config):
    """Component → what of its cache key is not made of other components' outputs."""
    forget()
    found = {one.id: str(sorted(one.exec_properties.items())) for one in create_components(config)}
    forget()
    return found


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ("serving.model_server.models.batching", "_source"),
        ("serving.model_server.api.predict", "_source"),
        ("serving.tensorflow_serving.local", "_source"),
        ("serving.tensorflow_serving.local", "_files"),  # start.flags, batching.config, models.config
    ],
)
def test_a_changed_model_server_is_checked_again(config, monkeypatch, changed, kind):
    """A file of the model server, or its configuration, re-runs the check that serves by it, and nothing before it."""
    before = keys(config)
    read = getattr(source_hash, kind)

    def read_changed(module):
        found = read(module)
        return found + b"changed" if module == changed else found

    read_changed.cache_clear = read.cache_clear
    monkeypatch.setattr(source_hash, kind, read_changed)
    after = keys(config)
    assert {name for name in after if after[name] != before[name]} == {"ServingCheck"}


def test_the_same_code_has_the_same_key(config):
    """Nothing re-runs for no reason."""
    assert keys(config) == keys(config)


def imported(config, root, *beam_args):
    """Runs the import and its statistics below ``root`` with these arguments for Beam; the runner's steps."""
    layout = Layout(root)
    example_gen = StylesExampleGen(str(config.data), max_bad=0.5)
    runner = ReportingDagRunner(print, [*BEAM_DEFAULTS, *beam_args])
    runner.run(
        Pipeline(
            pipeline_name="test",
            pipeline_root=str(layout.artifacts),
            components=[example_gen, StatisticsGen(examples=example_gen.outputs["examples"])],
            enable_cache=True,
            metadata_connection_config=metadata.sqlite_metadata_connection_config(str(layout.metadata)),
        )
    )
    return runner.steps


def test_where_beam_runs_is_no_part_of_the_key(config, tmp_path):
    """Another runner or one more argument for Beam re-runs nothing: MLMD's record says that all was cached."""
    imported(config, tmp_path)
    imported(config, tmp_path, "--direct_num_workers=2")
    imported(config, tmp_path, "--runner=NoSuchRunner")
    states = [one.last_known_state for one in open_store(Layout(tmp_path)).get_executions()]
    complete, cached = metadata_store_pb2.Execution.COMPLETE, metadata_store_pb2.Execution.CACHED
    assert states == [complete, complete, cached, cached, cached, cached]


def test_arguments_for_beam_reach_it(config, tmp_path):
    """What is not part of the key is not lost: where something is to be done, a runner that is none is an error."""
    with pytest.raises(Exception, match="NoSuchRunner"):
        imported(config, tmp_path, "--runner=NoSuchRunner")


def test_no_step_of_the_pipeline_carries_arguments_for_beam(config):
    """Each component of a run is compiled without them, so that none has them in its key."""
    made = create_pipeline(dataclasses.replace(config, beam_args=("--direct_num_workers=2",)))
    assert not made.beam_pipeline_args
