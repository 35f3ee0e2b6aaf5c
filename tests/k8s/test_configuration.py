"""What is deployed is what the code reads: settings, flags, files, ports, times and memory."""

import re
import subprocess
from pathlib import Path
from typing import Final

import pytest
import yaml
from google.protobuf import text_format

from schema import allocator
from schema import heads as table
from serving.local.model_server import IMAGE
from serving.merger.admission.uploads import SIZES_OF_HELD
from serving.merger.settings import Settings, rows, variable
from serving.model_server.flags import parse
from serving.stubs.tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig
from serving.tensorflow_serving.local import CONFIG_DIR, CONTAINER_CONFIG_DIR, CONTAINER_MODELS_DIR, read_flags
from tests.k8s import rendering
from tests.k8s.manifests import SECRET, Manifests, Workload

DNS_S: Final = 30
"""For so long gRPC clients and the cluster's DNS keep what they know."""
HOUR_S: Final = 3600
PATIENCE_S: Final = 60.0
IDLE_BYTES: Final = 150 * 10**6
"""A merger and its decoding processes that have nothing to do."""
PROMISED_BYTES: Final = 512 * 10**6
"""What no mix of requests makes it exceed; tests/hardening/serving/budget sends them."""
CLUSTER_FLAGS: Final = {"grpc_channel_arguments", "tensorflow_inter_op_parallelism"}
"""What a cluster needs beside start.flags."""


@pytest.fixture
def base() -> Manifests:
    """The base alone."""
    return rendering.combination()


@pytest.fixture
def merger(base: Manifests) -> Workload:
    """The mergers."""
    return base.workload("merger")


@pytest.fixture
def model_server(base: Manifests) -> Workload:
    """The model servers."""
    return base.workload("model-server")


@pytest.fixture
def settings(base: Manifests, merger: Workload) -> Settings:
    """The merger's settings as it would read them in its pod."""
    return Settings.from_environment(base.settings(merger))


def _flags(container: dict[str, list[str]]) -> dict[str, str]:
    pairs = (argument.removeprefix("--").partition("=") for argument in container["args"])
    return {name: value for name, _, value in pairs}


def _prestop_s(workload: Workload) -> int:
    hook = workload.main.get("lifecycle", {}).get("preStop", {"sleep": {"seconds": 0}})
    return int(hook["sleep"]["seconds"])


def test_every_setting_is_deployed(base: Manifests, merger: Workload) -> None:
    """The ConfigMap has each setting of the merger and nothing else: one file shows what a cluster runs with."""
    assert base.settings(merger).keys() == {variable(name) for name in rows()}


def test_targets_are_headless_services(base: Manifests, settings: Settings) -> None:
    """Both targets resolve to every model server, one address each, on the port of its gRPC API."""
    for model in table.MODELS:
        found = re.fullmatch(r"dns:///([a-z-]+):(\d+)", settings.target(model))
        assert found, settings.target(model)
        service = base.get("Service", found[1])
        assert service["spec"]["clusterIP"] == "None"
        [port] = [port for port in service["spec"]["ports"] if port["port"] == int(found[2])]
        assert [w.ports()[port["targetPort"]] for w in base.selected(service)] == [int(found[2])]


def test_the_merger_listens_where_its_pod_says(merger: Workload, settings: Settings) -> None:
    """The container's ports are those that the merger listens on, from everywhere."""
    ports = {"http": settings.http_port, "grpc": settings.grpc_port, "admin": settings.admin_port}
    assert merger.ports() == ports
    assert settings.host == "0.0.0.0"


def test_memory_is_what_is_promised(merger: Workload, settings: Settings) -> None:
    """The limit holds the merger, its decoding processes and both budgets, and room for what the settings do not count;
    it is no multiple of what is promised, or a leak would have gigabytes to grow into unseen."""
    budgets = settings.max_decoded_bytes + SIZES_OF_HELD * settings.max_held_bytes
    limit = _bytes(merger.main["resources"]["limits"]["memory"])
    assert 1.5 * (IDLE_BYTES + budgets) < limit < 2.5 * PROMISED_BYTES
    assert IDLE_BYTES < _bytes(merger.main["resources"]["requests"]["memory"]) < PROMISED_BYTES


def _bytes(quantity: str) -> int:
    """Of a quantity of memory as Kubernetes writes it."""
    return int(quantity[:-2]) * {"Mi": 2**20, "Gi": 2**30}[quantity[-2:]]


def test_the_grace_period_outlasts_the_merger_s_end(merger: Workload, settings: Settings) -> None:
    """The merger is killed only after it has said 'not ready', waited and drained."""
    end_ms = _prestop_s(merger) * 1000 + settings.shutdown_delay_ms + settings.drain_timeout_ms
    assert merger.spec["terminationGracePeriodSeconds"] * 1000 > end_ms


def test_a_merger_outlives_what_callers_know_of_it(settings: Settings) -> None:
    """gRPC clients ask DNS again when a connection ends, but at most every 30 s: a merger that goes answers until the
    last of them has new addresses."""
    assert 0 < settings.grpc_connection_age_ms <= 10_000
    assert settings.shutdown_delay_ms >= DNS_S * 1000 + settings.grpc_connection_age_ms


def test_strangers_are_let_in_on_purpose_alone(base: Manifests, merger: Workload, settings: Settings) -> None:
    """The base asks for keys, from a Secret that it mounts; only the overlay for one's own machine does not."""
    [mount] = merger.main["volumeMounts"]
    assert Path(settings.api_keys_file).parent == Path(mount["mountPath"])
    assert merger.volume(mount["name"])["secret"]["secretName"] == "merger-api-keys"
    local = rendering.overlay("local")
    assert Settings.from_environment(local.settings(local.workload("merger"))).anonymous
    prod = rendering.overlay("prod")
    assert not Settings.from_environment(prod.settings(prod.workload("merger"))).anonymous


@pytest.mark.parametrize("track", ["merger", "merger-canary"])
def test_the_review_store_is_named_by_a_secret(track: str) -> None:
    """The database's URL, which holds a password, is in no manifest; a Secret's counts before the ConfigMap's, in both
    tracks, and no merger starts without it. Who may decide is named."""
    manifests = rendering.combination("canary", "review-store")
    workload = manifests.workload(track)
    settings = manifests.settings(workload)
    assert settings[variable("review_store")] == f"{SECRET}review-store/url"
    [entry] = [one for one in workload.main["env"] if one["name"] == variable("review_store")]
    assert "optional" not in entry["valueFrom"]["secretKeyRef"]
    assert Settings.from_environment(settings).reviewers == "review"
    assert settings.keys() == {variable(name) for name in rows()}


def test_model_servers_wait_for_the_first_release(model_server: Workload, tmp_path: Path) -> None:
    """The container before TensorFlow Serving, which would end without a version, waits until both models have one."""
    [waiting] = model_server.spec["initContainers"]
    models = waiting["volumeMounts"][0]["mountPath"]
    command = [word.replace(models, str(tmp_path)).replace("sleep 5", "sleep 0.1") for word in waiting["command"]]
    assert waiting["image"] == model_server.main["image"], "no more images than needed"
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for model in table.MODELS:
            assert process.stdout and process.stdout.readline() == f"waiting for the first release of {model}\n"
            (tmp_path / model / "1").mkdir(parents=True)
            while process.poll() is None and model in process.stdout.readline():
                pass
        assert process.wait(PATIENCE_S) == 0


def test_a_first_deploy_may_wait_for_a_first_run(base: Manifests) -> None:
    """A run on a large catalogue takes an hour; neither Deployment is called failed meanwhile."""
    for name in ("merger", "model-server"):
        assert base.workload(name).document["spec"]["progressDeadlineSeconds"] >= 2 * HOUR_S


def test_images_for_one_architecture_run_there(base: Manifests) -> None:
    """TensorFlow Serving's image and TFX's wheels are for amd64 alone; the merger runs anywhere."""
    everything = rendering.combination(*rendering.everything())
    for workload in everything.workloads():
        selector = workload.spec.get("nodeSelector", {})
        is_merger = workload.labels["app.kubernetes.io/name"] == "merger"
        assert selector == ({} if is_merger else {"kubernetes.io/arch": "amd64"}), workload.name


def test_model_servers_finish_what_they_began(model_server: Workload, settings: Settings) -> None:
    """TensorFlow Serving does not drain: between the end of preStop and its kill the longest call must find time."""
    left_ms = (model_server.spec["terminationGracePeriodSeconds"] - _prestop_s(model_server)) * 1000
    assert left_ms > settings.request_timeout_ms


def test_model_servers_get_the_start_flags(model_server: Workload) -> None:
    """The container's flags are those of start.flags, in order, and those that a cluster needs; all are known."""
    flags = _flags(model_server.main)
    assert dict(list(flags.items())[: len(read_flags())]) == read_flags()
    assert flags.keys() - read_flags().keys() == CLUSTER_FLAGS
    options = parse(model_server.main["args"])
    assert (model_server.ports(), options.rest_api_port) == ({"grpc": options.port}, 0)
    assert options.enable_grpc_healthcheck_service, "the probes ask it"


def test_model_servers_use_as_many_threads_as_cpus(model_server: Workload) -> None:
    """TensorFlow takes as many threads as CPUs are asked for, not as the node has."""
    asked = model_server.main["resources"]["requests"]["cpu"]
    assert _flags(model_server.main)["tensorflow_inter_op_parallelism"] == asked


def test_model_servers_keep_freed_memory(model_server: Workload) -> None:
    """What is said to a model server's C library is what a local one is told."""
    assert {one["name"]: one["value"] for one in model_server.main["env"]} == allocator.ENVIRONMENT


def test_model_servers_read_the_committed_files(base: Manifests, model_server: Workload) -> None:
    """The files are those of serving/tensorflow_serving, byte by byte, mounted where the flags look for them."""
    config = base.get("ConfigMap", "tensorflow-serving")["data"]
    assert config.keys() == {"models.config", "batching.config", "monitoring.config"}
    for name, text in config.items():
        assert text == (CONFIG_DIR / name).read_text()
    mounted = {mount["mountPath"]: mount for mount in model_server.main["volumeMounts"]}
    assert f"{model_server.volume(mounted['/etc/tensorflow_serving']['name'])}".count("tensorflow-serving") == 1
    assert {CONTAINER_CONFIG_DIR.rstrip("/"), CONTAINER_MODELS_DIR.rstrip("/")} <= mounted.keys()
    files = [value for value in _flags(model_server.main).values() if value.startswith("/")]
    assert {file.removeprefix(CONTAINER_CONFIG_DIR) for file in files} == config.keys() - {"monitoring.config"}


@pytest.mark.parametrize("track", ["model-server", "model-server-canary"])
def test_rest_is_open_for_metrics_alone(track: str) -> None:
    """Only monitoring opens the port of the REST API, in pods and Services of both tracks, with the metrics on it."""
    monitored = rendering.combination("canary", "monitoring")
    server = monitored.workload(track)
    options = parse(server.main["args"])
    assert options.monitoring_config_file == f"{CONTAINER_CONFIG_DIR}monitoring.config"
    assert server.ports()["rest"] == options.rest_api_port == 8501
    ports = monitored.get("Service", track)["spec"]["ports"]
    assert {port["name"] for port in ports} == {"grpc", "rest"}


def test_the_image_is_that_of_the_local_stack(model_server: Workload) -> None:
    """`make serve` and a cluster run the same TensorFlow Serving."""
    assert model_server.main["image"] == IMAGE


@pytest.mark.parametrize("track", ["stable", "canary"])
def test_canary_configurations_pin_one_release(track: str) -> None:
    """Each track serves one version of both models, the same one, under its own label, also after a restart."""
    manifests = rendering.combination("canary")
    name = {"stable": "models.config", "canary": "canary.config"}[track]
    config = text_format.Parse(manifests.get("ConfigMap", "tensorflow-serving")["data"][name], ModelServerConfig())
    models = {model.name: model for model in config.model_config_list.config}
    assert models.keys() == set(table.MODELS)
    pinned = {tuple(model.model_version_policy.specific.versions) for model in models.values()}
    assert len(pinned) == 1 and len(next(iter(pinned))) == 1
    for model in models.values():
        assert model.base_path == f"{CONTAINER_MODELS_DIR}{model.name}"
        assert dict(model.version_labels) == {track: next(iter(pinned))[0]}
    for workload in ("model-server", "model-server-canary"):
        flags = _flags(manifests.workload(workload).main)
        assert flags["allow_version_labels_for_unavailable_models"] == "true"


def test_ingress_lets_through_what_the_merger_takes(settings: Settings) -> None:
    """The ingress controller refuses no body that the merger would take, and waits as long as it may take."""
    annotations = rendering.combination("ingress").get("Ingress", "rest")["metadata"]["annotations"]
    prefix = "nginx.ingress.kubernetes.io/proxy-"
    assert int(annotations[f"{prefix}body-size"].removesuffix("m")) * 2**20 >= settings.max_request_bytes
    longest_ms = settings.upload_timeout_ms + settings.request_timeout_ms
    assert int(annotations[f"{prefix}read-timeout"]) * 1000 > longest_ms


def test_in_flight_scaling_starts_before_pictures_wait(settings: Settings) -> None:
    """New mergers are asked for before the ones that are there are full, by the metric that the adapter makes."""
    autoscaler = rendering.combination("autoscaling-in-flight").get("HorizontalPodAutoscaler", "merger")
    [pods] = [metric["pods"] for metric in autoscaler["spec"]["metrics"] if metric["type"] == "Pods"]
    assert int(pods["target"]["averageValue"]) < settings.max_active_images
    values = yaml.safe_load(
        (rendering.K8S / "components/autoscaling-in-flight/prometheus-adapter-values.yaml").read_text()
    )
    assert [rule["name"]["as"] for rule in values["rules"]["custom"]] == [pods["metric"]["name"]]


@pytest.mark.parametrize("component", ["pipeline-cronjob", "sample-release"])
def test_runs_are_tried_again_only_when_that_helps(component: str) -> None:
    """A run that the data or a gate stopped fails at once; one that lost its node goes on; never two at a time."""
    [job] = [
        w.document["spec"].get("jobTemplate", {}).get("spec", w.document["spec"])
        for w in rendering.combination(component).workloads()
        if w.main["name"] == "pipeline"
    ]
    codes = job["podFailurePolicy"]["rules"][0]
    assert codes["action"] == "FailJob" and codes["onExitCodes"]["values"] == [1, 2]
    assert job["backoffLimit"] > 0
    if component == "pipeline-cronjob":
        schedule = rendering.combination(component).get("CronJob", "pipeline")["spec"]
        assert schedule["concurrencyPolicy"] == "Forbid"


def test_releases_go_where_model_servers_look(model_server: Workload) -> None:
    """The pipeline's root is the volume whose folder `release` is what the model servers mount."""
    pipeline = rendering.overlay("prod").workload("pipeline")
    root = {entry["name"]: entry["value"] for entry in pipeline.main["env"]}["LOOKBOOK_ROOT"]
    [written] = [mount for mount in pipeline.main["volumeMounts"] if mount["mountPath"] == root]
    [read] = [m for m in model_server.main["volumeMounts"] if m["mountPath"] == CONTAINER_MODELS_DIR.rstrip("/")]
    claims = {
        w.name: w.volume(m["name"])["persistentVolumeClaim"] for w, m in ((pipeline, written), (model_server, read))
    }
    assert claims["pipeline"] == claims["model-server"]
    assert read["subPath"] == "release" and "subPath" not in written
