"""What runs Beam's share: options that say what they mean, refused in words where they do not fit."""

import socket

import pytest

from components.catalogue.sample import draw_catalogue
from components.storage.location import location
from pipeline.config import BEAM_DEFAULTS, Layout, PipelineConfig
from pipeline.errors import RunError
from pipeline.profiles import PROFILES
from pipeline.running.dataflow import Dataflow
from pipeline.running.engines import Engine
from tests.preparing import prepare

CLOUD = Dataflow("shop-1234", "europe-west1", "gs://shop/tmp")


def test_this_machine_needs_no_arguments(tmp_path):
    """The default is Lookbook's own, and what is given by hand comes last, where it counts."""
    config = PipelineConfig(
        Layout(tmp_path), tmp_path, "quick", PROFILES["quick"], beam_args=("--direct_num_workers=2",)
    )
    assert config.all_beam_args == [*BEAM_DEFAULTS, "--direct_num_workers=2"]


@pytest.mark.parametrize(
    ("workers", "expected"),
    [
        ("", ["--environment_type=LOOPBACK"]),
        ("here", ["--environment_type=LOOPBACK"]),
        ("external:pool:50000", ["--environment_type=EXTERNAL", "--environment_config=pool:50000"]),
        ("docker:a/b:0.2", ["--environment_type=DOCKER", "--environment_config=a/b:0.2"]),
        ("process:/opt/boot", ["--environment_type=PROCESS", '--environment_config={"command": "/opt/boot"}']),
    ],
)
def test_a_job_server_gets_its_address_and_where_workers_are(workers, expected):
    """Each place of workers is what Beam calls it."""
    args = Engine("flink", "jobs:8099", workers, 2).beam_args()
    assert args[:3] == ("--runner=PortableRunner", "--job_endpoint=jobs:8099", expected[0])
    assert args[4:] == (*expected[1:], "--parallelism=2")


def test_beam_reads_what_an_engine_says():
    """No argument is one that Beam does not know."""
    from apache_beam.options.pipeline_options import PipelineOptions, PortableOptions, StandardOptions

    options = PipelineOptions(list(Engine("prism", "", "process:/opt/boot").beam_args()))
    assert options.view_as(StandardOptions).runner == "PortableRunner"
    assert options.view_as(PortableOptions).job_endpoint == "localhost:8073"
    assert options.view_as(PortableOptions).environment_config == '{"command": "/opt/boot"}'
    assert options.view_as(PortableOptions).job_server_timeout > 24 * 3600, "the longest that a step may take"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("dask",), "one of local, prism, flink, spark, dataflow"),
        (("local", "host:1"), "go with --runner prism or flink or spark"),
        (("local", "", "here"), "the local runner works in this process"),
        (("flink", "host"), "--job-server: 'host' is not HOST:PORT"),
        (("flink", "host:0"), "is not HOST:PORT"),
        (("flink", "host:９０"), "is not HOST:PORT"),
        (("flink", "a..b:80"), "--job-server: 'a..b:80' is not HOST:PORT"),
        (("flink", "a" * 70 + ":80"), "is not HOST:PORT"),
        (("flink", "", "external:.:80"), "--workers external: '.:80' is not HOST:PORT"),
        (("spark", "", "external:host"), "--workers external: 'host' is not HOST:PORT"),
        (("spark", "", "somewhere"), "here, external:HOST:PORT, docker:IMAGE or process:COMMAND"),
        (("spark", "", "docker:"), "docker:IMAGE"),
        (("flink", "", "", 0, CLOUD), "--project, --region and --temp-location go with --runner dataflow"),
        (("dataflow", "", "docker:a/b", 0), "--project is missing; it is the id of a project"),
        (("dataflow", "", "docker:a/b", 0, Dataflow("Shop!")), "--project is Shop!; it is the id"),
        (("dataflow", "", "docker:a/b", 0, Dataflow("shop-1234", "Europe")), "--region is Europe; it is a region"),
        (("dataflow", "", "docker:a/b", 0, Dataflow("shop-1234", "europe-west1", "/tmp")), "--temp-location is /tmp"),
        (("dataflow", "", "", 0, CLOUD), "give --workers docker:IMAGE and no --job-server; --workers is here"),
        (("dataflow", "host:1", "docker:a/b", 0, CLOUD), "no --job-server"),
    ],
)
def test_what_does_not_fit_is_refused_in_words(arguments, says):
    """A slip in an option is told before anything runs."""
    with pytest.raises(ValueError, match=says):
        Engine(*arguments)


def test_a_job_server_that_is_not_there_is_told_before_a_run():
    """Nobody waits for minutes to learn that nothing listens; one that listens is let be."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        Engine("prism", address).require_reachable()
    with pytest.raises(RunError, match=f"no job server of prism answers at {address}.*--job-server"):
        Engine("prism", address).require_reachable()
    Engine().require_reachable()


def test_a_job_server_that_went_is_told_before_the_next_step(tmp_path):
    """Beam would wait for it as long as for the longest job."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
    draw_catalogue(tmp_path / "sample", count=20)
    config = PipelineConfig(
        Layout(tmp_path / "root"), tmp_path / "sample", "quick", PROFILES["quick"], engine=Engine("prism", address)
    )
    with pytest.raises(RunError, match=f"no job server of prism answers at {address}"):
        prepare(config)


def test_workers_in_this_process_are_warned_about_with_flink():
    """Several TaskManagers would give workers of this process the same id."""
    assert "one TaskManager" in Engine("flink").remark()
    assert not Engine("flink", "", "external:pool:50000").remark()
    assert not Engine("prism").remark()


def test_beam_reads_what_dataflow_is_told():
    """Whose Dataflow, where, and the image with this code reach Beam; the image takes the place of Lookbook's own."""
    from apache_beam.options.pipeline_options import (
        GoogleCloudOptions,
        PipelineOptions,
        StandardOptions,
        WorkerOptions,
    )

    engine = Engine("dataflow", "", "docker:eu.example/lookbook/pipeline:1", 7, CLOUD)
    options = PipelineOptions([*BEAM_DEFAULTS, *engine.beam_args()])
    assert options.view_as(StandardOptions).runner == "DataflowRunner"
    cloud, workers = options.view_as(GoogleCloudOptions), options.view_as(WorkerOptions)
    assert (cloud.project, cloud.region, cloud.temp_location) == ("shop-1234", "europe-west1", "gs://shop/tmp")
    assert (workers.sdk_container_image, workers.max_num_workers) == ("eu.example/lookbook/pipeline:1", 7)
    engine.require_reachable()
    assert "never run" in engine.remark()


def test_dataflow_s_workers_are_given_no_path_of_this_machine(tmp_path):
    """What they could not read is refused before anything is paid for; elsewhere paths are what is usual."""
    engine = Engine("dataflow", "", "docker:a/b", 0, CLOUD)
    engine.require_within_reach("--data", location("gs://shop/catalogue.zip"))
    with pytest.raises(ValueError, match=f"--data is {tmp_path}, a path; .* give a URI"):
        engine.require_within_reach("--data", tmp_path)
    Engine("flink").require_within_reach("--data", tmp_path)
