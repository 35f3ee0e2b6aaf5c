"""``lookbook compile``: the same pipeline, written for another orchestrator."""

from pathlib import Path
from typing import Any

import click

from components.catalogue.reading.errors import CatalogueError
from components.storage.location import Location
from pipeline.commands.common import (
    attributes_option,
    data_option,
    limit_option,
    mapping_option,
    refusing,
    root_option,
    trial_option,
    wrong_use,
)
from pipeline.commands.paths import PathToWrite
from pipeline.config import IMAGE_SCHEMA, Layout, PipelineConfig
from pipeline.profiles import PROFILES, hyperparameters
from pipeline.running.beam_arguments import require_beam_arguments
from pipeline.running.console import quiet_console
from pipeline.running.early_checks import fitted, require_plain_paths
from pipeline.sources import bring_in, place, require_few_rejected

_OF_A_PIPELINE = b"deploymentSpec"
"""A key that each of Kubeflow's specifications has, and none of Kubernetes' manifests."""


@click.command("compile")
@click.option("--target", type=click.Choice(["kubeflow"]), default="kubeflow", show_default=True)
@data_option
@mapping_option
@root_option
@click.option("--profile", type=click.Choice(list(PROFILES)), default="standard", show_default=True)
@click.option(
    "--set", "settings", multiple=True, metavar="NAME=VALUE", help="Set a hyper-parameter of the profile; repeatable."
)
@click.option("--image", default="lookbook/pipeline:0.2.0", show_default=True, help="Of the pipeline, see k8s/images.")
@click.option(
    "--pipeline-root", required=True, metavar="URI", help="Where the cluster keeps artifacts: gs://… or s3://…"
)
@click.option("--out", type=PathToWrite(dir_okay=False), required=True, help="A .yaml or .json file.")
@attributes_option
@limit_option
@trial_option
@click.option("--beam-arg", "beam_args", multiple=True, help="Handed to Beam as it is; repeatable.")
@refusing(CatalogueError)
def command(
    layout: Layout,
    data: Location,
    mapping_file: Path | None,
    profile: str,
    settings: tuple[str, ...],
    target: str,
    out: Path,
    **options: Any,
) -> None:
    """Write the pipeline as Kubeflow's KFP v2 specification, without a cluster.

    The catalogue is fingerprinted here, and --data and --root must name the same folders inside the containers, for
    example on a volume that is mounted in both places. Data of another layout is imported below the root, here and now,
    and the containers read that catalogue. Candidates are not compared with the latest release there.
    Runs on Kubeflow, and on Beam's runners for Dataflow, Flink and Spark, are not exercised by Lookbook's tests;
    DaskRunner is refused, since it loses elements.

    \b
    Example:
      lookbook compile --target kubeflow --data /catalogue --root /lookbook \\
        --pipeline-root gs://bucket/lookbook --image registry.example/lookbook/pipeline:0.2.0 --out lookbook.yaml
    """
    if out.suffix not in (".yaml", ".json"):
        raise click.UsageError(f"--out is {out}; it must end in .yaml or .json")
    _require_own(out)
    image, pipeline_root = options.pop("image"), options.pop("pipeline_root")
    _require_cluster(image, pipeline_root)
    found = place(layout, data, mapping_file)
    with wrong_use():
        parameters = hyperparameters(profile, settings, options["attributes"])
        config = PipelineConfig(layout, found.catalogue, profile, parameters, schema=IMAGE_SCHEMA, **options)
        require_plain_paths(config)
        require_beam_arguments(config.beam_args)
    require_few_rejected(bring_in(found), config.max_bad)
    with wrong_use():
        config = fitted(config)
    with quiet_console(layout.logs / "compile.log") as say:
        from pipeline.kubeflow import compile_for_kubeflow

        compile_for_kubeflow(config, image, pipeline_root, out)
        say(f"{out}: Lookbook's pipeline for {target}, image {image}")


def _require_own(out: Path) -> None:
    """Raises click.UsageError where a file is there that no compiling made, as a cluster's own manifest."""
    there = out.read_bytes() if out.is_file() else b""
    if there.strip() and _OF_A_PIPELINE not in there:
        raise click.UsageError(f"--out {out} is there, and no pipeline: it is left as it is; give another name")


def _require_cluster(image: str, pipeline_root: str) -> None:
    """Raises click.UsageError where no cluster could run the image, or keep artifacts there."""
    if "://" not in pipeline_root:
        raise click.UsageError(f"--pipeline-root is {pipeline_root!r}; it must be a URI, as gs://bucket/lookbook")
    if image.split() != [image]:
        raise click.UsageError(f"--image is {image!r}; it must name an image, as registry.example/lookbook:1")
