"""TFX's local runner, saying how far it is."""

import copy
import datetime
import functools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ml_metadata import MetadataStore
from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.compiler import constants
from tfx.orchestration import metadata
from tfx.orchestration.local import runner_utils
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.portable import launcher, runtime_parameter_utils
from tfx.orchestration.portable.beam_executor_operator import BeamExecutorOperator
from tfx.proto.orchestration import executable_spec_pb2, pipeline_pb2

from pipeline.running.console import Say

_CACHED = metadata_store_pb2.Execution.State.CACHED


@dataclass(frozen=True)
class Step:
    """One step of a run: its component, how long it took and whether MLMD's cache answered for it."""

    component: str
    seconds: float
    cached: bool


class ReportingDagRunner(LocalDagRunner):
    """Launches the nodes one after the other, as LocalDagRunner does, and says a line before and after each.

    LocalDagRunner has no hook for that, and its log goes quiet where a component lowers the level of absl's logger.

    Args:
      say: what the console shows goes there.
      beam_args: for every Beam pipeline. TFX counts those of the pipeline itself as part of a component's cache key,
        as if where it runs changed what comes of it; these it does not.
      before_beam: called before each step that is Beam's, and raises where it could not run.
    """

    def __init__(self, say: Say, beam_args: Sequence[str] = (), before_beam: Callable[[], object] = lambda: None):
        super().__init__()
        self._say = say
        operator = functools.partial(_beam_operator, tuple(beam_args), before_beam)
        self._beam = {executable_spec_pb2.BeamExecutableSpec: operator}
        self.steps: list[Step] = []
        self.release = 0
        """Version that these components publish: in this run, or in the one whose result the cache knows; 0: none."""

    def run_with_ir(self, pipeline: pipeline_pb2.Pipeline, run_options: pipeline_pb2.RunOptions | None = None) -> None:
        """Runs every node of the compiled pipeline; ``run_options`` (partial runs) are not supported."""
        if run_options is not None:
            raise ValueError("partial runs are not supported; what has not changed is cached anyway")
        run_id = datetime.datetime.now().isoformat()
        runtime_parameter_utils.substitute_runtime_parameter(
            pipeline, {constants.PIPELINE_RUN_ID_PARAMETER_NAME: run_id}
        )
        deployment = runner_utils.extract_local_deployment_config(pipeline)
        for index, node in enumerate(pipeline.nodes):
            component = node.pipeline_node.node_info.id
            self._say(f"{index + 1:>3}/{len(pipeline.nodes)} {component} …")
            step, release = _launch(pipeline, node.pipeline_node, deployment, self._beam)
            self.steps.append(step)
            self.release = release or self.release
            self._say(f"      {_said(self.steps[-1])}")


def _beam_operator(
    args: tuple[str, ...], before: Callable[[], object], executor_spec: Any, platform_config: Any = None
) -> BeamExecutorOperator:
    before()
    with_args = copy.deepcopy(executor_spec)
    for arg in args:
        with_args.beam_pipeline_args_placeholders.add().value.string_value = arg
    return BeamExecutorOperator(with_args, platform_config)


def _launch(
    pipeline: pipeline_pb2.Pipeline, node: pipeline_pb2.PipelineNode, deployment: Any, operators: dict[Any, Any]
) -> tuple[Step, int]:
    start = time.monotonic()
    component = node.node_info.id
    settings = deployment.metadata_connection_config
    connection = metadata.Metadata(getattr(settings, settings.WhichOneof("connection_config")))
    execution = launcher.Launcher(
        pipeline_node=node,
        mlmd_connection=connection,
        pipeline_info=pipeline.pipeline_info,
        pipeline_runtime_spec=pipeline.runtime_spec,
        executor_spec=runner_utils.extract_executor_spec(deployment, component),
        custom_driver_spec=runner_utils.extract_custom_driver_spec(deployment, component),
        custom_executor_operators=operators,
    ).launch()
    with connection as handle:
        [record] = handle.store.get_executions_by_id([execution.execution_id])
        step = Step(component, time.monotonic() - start, record.last_known_state == _CACHED)
        return step, _published(handle.store, record.id)


def _published(store: MetadataStore, execution: int) -> int:
    """The version of the release that an execution gave, which a cached one has of an earlier; 0 where it gave none."""
    events = store.get_events_by_execution_ids([execution])
    given = [event.artifact_id for event in events if event.type == metadata_store_pb2.Event.OUTPUT]
    of_releases = (artifact.custom_properties for artifact in store.get_artifacts_by_id(given))
    return next((one["version"].int_value for one in of_releases if "model_uris" in one), 0)


def _said(step: Step) -> str:
    return "nothing changed" if step.cached else f"done, {step.seconds:.1f} s"
