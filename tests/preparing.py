"""The steps of a run that come before training, and what they leave behind."""

from pathlib import Path
from typing import Final

from tfx.orchestration import metadata
from tfx.orchestration.pipeline import Pipeline

from pipeline.config import PipelineConfig
from pipeline.pipeline import create_components
from pipeline.running.dag_runner import ReportingDagRunner

BEFORE_TRAINING: Final = 6
"""StylesExampleGen, StatisticsGen, schema, ExampleValidator, SchemaGate, Transform."""


def prepare(config: PipelineConfig, steps: int = BEFORE_TRAINING) -> None:
    """Runs the first steps; what is done already is not done again."""
    config.layout.root.mkdir(exist_ok=True)
    pipeline = Pipeline(
        pipeline_name="test",
        pipeline_root=str(config.layout.artifacts),
        components=create_components(config)[:steps],
        metadata_connection_config=metadata.sqlite_metadata_connection_config(str(config.layout.metadata)),
    )
    ReportingDagRunner(print, config.all_beam_args, config.engine.require_reachable).run(pipeline)


def files(root: Path, pattern: str) -> dict[str, Path]:
    """What of the artifacts' files does not depend on the root's own name."""
    return {f"{path.parent.name}/{path.name}": path for path in sorted((root / "artifacts").glob(pattern))}
