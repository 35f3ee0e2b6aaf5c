"""Writes the pipeline as Kubeflow's intermediate representation (KFP v2), offline.

Kubeflow knows two fixed resolver strategies, and neither tells the two models of one type apart. So there the
candidates are not compared with the latest release: the absolute gates hold, the regression gate does not.
"""

from pathlib import Path

from tfx.orchestration import pipeline as tfx_pipeline
from tfx.orchestration.kubeflow.v2.kubeflow_v2_dag_runner import KubeflowV2DagRunner, KubeflowV2DagRunnerConfig

from pipeline.config import BEAM_DEFAULTS, PIPELINE_NAME, PipelineConfig
from pipeline.pipeline import create_components


def compile_for_kubeflow(config: PipelineConfig, image: str, pipeline_root: str, out: Path) -> None:
    """Writes a pipeline spec that KFP takes as it is.

    Args:
        config: of the run; its paths are those inside the containers, but for ``data``, which is read here as well.
        image: of the pipeline.
        pipeline_root: URI that the cluster keeps artifacts under, for example ``gs://bucket/lookbook``.
        out: a ``.yaml`` or ``.json`` file.
    """
    pipeline = tfx_pipeline.Pipeline(
        pipeline_name=PIPELINE_NAME,
        pipeline_root=pipeline_root,
        components=create_components(config, with_baseline=False),
        enable_cache=True,
        beam_pipeline_args=[*BEAM_DEFAULTS, *config.beam_args],
    )
    runner = KubeflowV2DagRunner(
        KubeflowV2DagRunnerConfig(default_image=image), output_dir=str(out.parent.resolve()), output_filename=out.name
    )
    runner.run(pipeline, write_out=True)
