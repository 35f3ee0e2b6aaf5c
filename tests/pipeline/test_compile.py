"""The pipeline as Kubeflow's specification: the same steps, in the same order, on the image that was named."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tfx.orchestration.pipeline import Pipeline

from components.catalogue.sample import draw_catalogue
from pipeline.config import Layout, PipelineConfig
from pipeline.pipeline import create_components
from pipeline.profiles import PROFILES

ROOT = Path(__file__).parents[2]
IMAGE = "registry.example/lookbook/pipeline@sha256:" + "0" * 64


def compiled(folder, *more):
    out = folder / "lookbook.yaml"
    command = ["compile", "--data", folder / "sample", "--root", folder / "root", "--out", out, "--image", IMAGE]
    command += ["--pipeline-root", "gs://bucket/lookbook", "--profile", "standard", *more]
    result = subprocess.run(
        [sys.executable, "-m", "pipeline.runner", *map(str, command)], capture_output=True, text=True, check=False
    )
    return out, result


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compile")
    draw_catalogue(folder / "sample", count=40)
    return folder


@pytest.fixture(scope="module")
def specification(folder):
    out, result = compiled(folder, "--beam-arg=--runner=DataflowRunner")
    assert result.returncode == 0, result.stderr
    return yaml.safe_load(out.read_text(encoding="utf-8"))


def test_every_step_and_dependency_of_the_local_pipeline_is_in_it(folder, specification):
    """Each component of the local run, the two baselines apart, is a task that waits for those that it waits for."""
    config = PipelineConfig(Layout(folder / "root"), folder / "sample", "standard", PROFILES["standard"])
    components = create_components(config, with_baseline=False)
    # Only a pipeline ties its components to those whose outputs they take.
    Pipeline(pipeline_name="local", pipeline_root=str(folder), components=components)
    wanted = {one.id: {node.id for node in one.upstream_nodes} for one in components}
    tasks = specification["root"]["dag"]["tasks"]
    assert {name: set(task.get("dependentTasks", ())) for name, task in tasks.items()} == wanted
    assert len(wanted) == 15


def test_every_step_runs_on_the_named_image(specification):
    """No step runs on an image that Lookbook does not know."""
    executors = specification["deploymentSpec"]["executors"].values()
    images = [executor["container"]["image"] for executor in executors if "container" in executor]
    assert set(images) == {IMAGE}
    assert len(images) >= 14


def test_every_step_s_code_is_in_the_package(specification):
    """What the containers are told to run can be imported, and no path of this checkout is in it."""
    executors = specification["deploymentSpec"]["executors"].values()
    for container in (executor["container"] for executor in executors if "container" in executor):
        arguments = container["args"]
        module, _, name = arguments[arguments.index("--executor_class_path") + 1].rpartition(".")
        assert hasattr(importlib.import_module(module), name)
        assert importlib.util.find_spec(container["command"][-1])
    assert str(ROOT) not in yaml.safe_dump(specification)


def test_beam_arguments_reach_every_step_after_the_defaults(specification):
    """A Beam argument is handed on as it is, and the last of a name counts."""
    arguments = specification["deploymentSpec"]["executors"]["Transform_executor"]["container"]["args"]
    runners = [argument for argument in arguments if "--runner=" in argument]
    assert runners[-1].endswith("DataflowRunner")


def test_dask_is_refused_with_its_reason(folder):
    """A runner that loses elements is not compiled in."""
    _, result = compiled(folder, "--beam-arg=--runner=DaskRunner")
    assert result.returncode == 2
    assert "drops and repeats elements" in result.stderr


@pytest.mark.parametrize(
    ("option", "value", "right"),
    [("--pipeline-root", "bucket", "gs://bucket"), ("--image", "", "registry.example"), ("--image", "a b", "name an")],
)
def test_what_no_cluster_could_use_is_refused(folder, option, value, right):
    """An image or a place for artifacts that is none is named, with what would be right, and nothing is written."""
    _, result = compiled(folder, option, value, "--out", folder / "wrong.yaml")
    assert result.returncode == 2
    assert f"{option} is {value!r}" in result.stderr and right in result.stderr
    assert not (folder / "wrong.yaml").exists()


def test_a_file_that_is_no_pipeline_is_left_as_it_is(folder, specification):
    """A manifest of the cluster, named by mistake, is not lost; an earlier pipeline is no reason to refuse."""
    out = folder / "deployment.yaml"
    out.write_text("kind: Deployment\n")
    _, result = compiled(folder, "--out", out)
    assert result.returncode == 2 and "left as it is" in result.stderr
    assert out.read_text() == "kind: Deployment\n"
    _, result = compiled(folder, "--image", "a b")
    assert "--image is 'a b'" in result.stderr
