"""What a run says that makes nothing new: which release is its own, and which is current."""

import dataclasses

import pytest
from tfx.dsl.component.experimental.annotations import OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.orchestration import pipeline
from tfx.types import standard_artifacts

from components.release.store import ReleaseStore
from pipeline.commands.run import _say_result
from pipeline.config import Layout, PipelineConfig
from pipeline.profiles import PROFILES
from pipeline.running import run
from pipeline.running.record_store import connection_config
from schema import heads as table


@component
def Publish(
    release: OutputArtifact[standard_artifacts.PushedModel], root: Parameter[str], seed: Parameter[int]
) -> None:
    """Stands for the whole pipeline: publishes what its seed makes."""
    from pathlib import Path

    folder = Path(root, "trained", str(seed))
    for name in (*table.MODELS, "extra", "report"):
        (folder / name / "variables").mkdir(parents=True, exist_ok=True)
        (folder / name / "saved_model.pb").write_text(str(seed))
        (folder / name / "variables/variables.index").touch()
    models = {model: folder / model for model in table.MODELS}
    figures = {"top_1": seed / 100, "top_5": 1.0, "macro_f1": 1.0, "ece": 0.0, "count": 9}
    extras = dict.fromkeys(table.MODELS, folder / "extra")
    made = ReleaseStore(Path(root) / "release").publish(
        models, extras, folder / "report", {"metrics": {"article_type": figures}}
    )
    release.set_int_custom_property("version", made.version)
    release.set_string_custom_property("model_uris", "")


@pytest.fixture
def ran(tmp_path, monkeypatch, capsys):
    """What a run with a seed gives as JSON, and says."""
    monkeypatch.setattr(run, "create_pipeline", lambda config: one_step(config))
    layout = Layout(tmp_path)

    def one_step(config):
        return pipeline.Pipeline(
            pipeline_name="test",
            pipeline_root=str(layout.artifacts),
            metadata_connection_config=connection_config(layout),
            components=[Publish(root=str(tmp_path), seed=config.hyperparameters.seed)],
            enable_cache=True,
        )

    def run_with(seed):
        parameters = dataclasses.replace(PROFILES["quick"], seed=seed)
        result = run.run_pipeline(PipelineConfig(layout, tmp_path, "quick", parameters), lambda line: None)
        capsys.readouterr()
        _say_result(layout, result)
        return result.as_json(), capsys.readouterr().out

    return run_with


def test_a_run_tells_its_own_release(ran, tmp_path):
    """Back at earlier settings, or at those that a rollback withdrew, nothing is made: that is said, with the figures
    of these settings, and never another release's as the result."""
    document, said = ran(1)
    assert (document["release"], document["current"]) == (1, 1) and said.startswith("Release 1 is current")
    ran(2)
    document, said = ran(1)
    assert (document["release"], document["current"]) == (1, 2)
    assert said.startswith("This is release 1 of an earlier run, and release 2 is current (`lookbook rollback`")
    assert "top_1 0.010" in said and "reports/1/" in said
    ReleaseStore(tmp_path / "release").rollback()
    document, said = ran(2)
    assert (document["release"], document["current"]) == (2, 1)
    assert "a rollback withdrew release 2" in said and "top_1" not in said
