"""The Flink session cluster, which is no object of Kubernetes' own: its pods are valid, closed and fit the run."""

import json
import os
import re
from pathlib import Path
from typing import Any, Final

import kubernetes_validate
import pytest
import yaml

from pipeline.commands.run import command
from pipeline.running.engines import JOB_SERVERS
from tests.k8s import rendering
from tests.k8s.manifests import Document, Manifests, Workload
from tests.k8s.test_network import HOME, Peer, _may
from tests.k8s.test_rendering import VERSIONS

COMPONENT: Final = "pipeline-on-flink"
PARTS: Final = ("jobManager", "taskManager")
OPERATOR: Final = Peer(
    {"app.kubernetes.io/name": "flink-kubernetes-operator"}, {"kubernetes.io/metadata.name": "flink"}
)
OF_FLINK: Final = {"image": "flink", "command": ["/docker-entrypoint.sh"]}
"""What the operator puts into the main container."""


@pytest.fixture
def manifests() -> Manifests:
    """The base with this component and the network's policies."""
    return rendering.combination(COMPONENT, "network-policies")


@pytest.fixture
def session(manifests: Manifests) -> Document:
    """The specification of the session cluster."""
    return dict(manifests.get("FlinkDeployment", "flink")["spec"])


@pytest.fixture
def run(manifests: Manifests) -> Workload:
    """The Job."""
    return manifests.workload(COMPONENT)


def _pod(session: Document, part: str) -> Document:
    """The pod template of a part, merged as the operator does it: containers by their names."""
    common, own = session["podTemplate"], session[part].get("podTemplate", {"spec": {}})
    containers = {one["name"]: one for one in [*common["spec"]["containers"], *own["spec"].get("containers", [])]}
    containers["flink-main-container"] = OF_FLINK | containers["flink-main-container"]
    spec = {**common["spec"], **own["spec"], "containers": list(containers.values())}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": part, **common["metadata"]}, "spec": spec}


def _options(words: list[str]) -> dict[str, str]:
    pairs = (word.removeprefix("--").partition("=") for word in words if word.startswith("--"))
    return {name: value for name, _, value in pairs}


@pytest.mark.parametrize("part", PARTS)
def test_the_pods_of_flink_are_valid_and_restricted(session: Document, manifests: Manifests, part: str) -> None:
    """An API server would take them in a namespace that is restricted, and they have no rights in the cluster."""
    pod = _pod(session, part)
    for version in VERSIONS:
        kubernetes_validate.validate(pod, version, strict=True)
    assert session["mode"] == "standalone", "a JobManager that makes pods needs the right to"
    manifests.get("ServiceAccount", session["serviceAccount"])
    assert pod["spec"]["automountServiceAccountToken"] is False
    volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes", [])}
    assert all("sizeLimit" in volume["emptyDir"] for volume in volumes.values() if "emptyDir" in volume)
    for container in pod["spec"]["containers"]:
        security = {**pod["spec"]["securityContext"], **container["securityContext"]}
        assert security["runAsNonRoot"] is True and security["runAsUser"] > 0
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert (security["allowPrivilegeEscalation"], security["capabilities"]) == (False, {"drop": ["ALL"]})
        assert {mount["name"] for mount in container.get("volumeMounts", [])} <= volumes.keys()


def test_the_check_of_flink_s_pods_finds_misspelt_fields(session: Document) -> None:
    """It is strict at any depth."""
    text = json.dumps(_pod(session, "taskManager")).replace('"volumeMounts"', '"volumesMounts"')
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(json.loads(text), VERSIONS[0], strict=True)


def test_the_traps_of_flink_are_set(session: Document) -> None:
    """What a run on Flink failed for before is in its configuration, as strings, which its schema asks for."""
    configuration = session["flinkConfiguration"]
    assert configuration["taskmanager.network.sort-shuffle.min-buffers"] == "16"
    assert {"pekko.ask.timeout", "heartbeat.timeout"} <= configuration.keys()
    assert all(isinstance(value, str) for value in configuration.values())


def test_the_run_finds_the_job_server_the_cluster_and_the_workers(session: Document, run: Workload) -> None:
    """Each address that one part is given is where another listens; each slot has a worker."""
    words = run.main["command"]
    asked = command.make_context("run", words[2:], resilient_parsing=True).params
    assert (words[0].rpartition("/")[2], words[1]) == ("lookbook", command.name)
    [server] = run.spec["initContainers"]
    told = _options(server["args"])
    assert asked["job_server"] == f"{told['job-host']}:{told['job-port']}" == JOB_SERVERS["flink"]
    assert told["flink-master"] == "flink-rest:8081", "the operator's Service of the session `flink`"
    [workers] = [one for one in _pod(session, "taskManager")["spec"]["containers"] if one["name"] == "workers"]
    assert asked["workers"] == f"external:localhost:{_options(workers['command'])['service_port']}"
    slots = int(session["flinkConfiguration"]["taskmanager.numberOfTaskSlots"]) * session["taskManager"]["replicas"]
    assert (asked["runner"], asked["parallelism"]) == ("flink", slots)


def test_workers_see_what_the_run_sees(session: Document, run: Workload) -> None:
    """Root and data are one volume, under one path, for the user that the image has."""
    pod = _pod(session, "taskManager")["spec"]
    [workers] = [one for one in pod["containers"] if one["name"] == "workers"]
    root = {entry["name"]: entry["value"] for entry in run.main["env"]}["LOOKBOOK_ROOT"]
    assert _options(run.main["command"])["data"].startswith(f"{root}/")
    claims = []
    for container, volumes in ((workers, pod["volumes"]), (run.main, run.spec["volumes"])):
        [mount] = [one for one in container["volumeMounts"] if one["mountPath"] == root]
        [volume] = [one for one in volumes if one["name"] == mount["name"]]
        claims.append((volume["persistentVolumeClaim"]["claimName"], mount.get("readOnly", False)))
    assert claims == [("lookbook", False)] * 2
    assert workers["securityContext"]["runAsUser"] == run.spec["securityContext"]["runAsUser"]
    assert workers["image"] == run.main["image"]


def test_versions_go_together(session: Document, run: Workload) -> None:
    """Flink is that of the job server, whose Beam is the one that the image's environment is locked to."""
    flink = re.fullmatch(r"docker.io/library/flink:(1\.\d+)\.\d+-java11", session["image"])
    server = re.fullmatch(
        r"docker.io/apache/beam_flink(1\.\d+)_job_server:(.+)", run.spec["initContainers"][0]["image"]
    )
    assert flink and server
    assert flink[1] == server[1] == session["flinkVersion"].removeprefix("v").replace("_", ".")
    [python] = set(re.findall(r"pipeline-(py\d+)", (rendering.K8S / "images/pipeline.Dockerfile").read_text()))
    lock = (rendering.ROOT / f"requirements/pipeline-{python}.txt").read_text()
    assert re.search(rf"^apache-beam(\[\w+\])?=={re.escape(server[2])}\b", lock, re.MULTILINE)


def test_pinned_images_are_the_workers_too(tmp_path: Path) -> None:
    """The digests that pin.sh writes reach a container that no Deployment has."""
    parts = [os.path.relpath(rendering.K8S / part, tmp_path.resolve()) for part in ("base", f"components/{COMPONENT}")]
    images = os.path.relpath(rendering.K8S / "overlays/prod/images", tmp_path.resolve())
    document = {"resources": parts[:1], "components": [parts[1], images]}
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(document))
    manifests = rendering.render_folder(tmp_path)
    pod = _pod(manifests.get("FlinkDeployment", "flink")["spec"], "taskManager")
    [workers] = [one for one in pod["spec"]["containers"] if one["name"] == "workers"]
    assert workers["image"] == manifests.workload(COMPONENT).main["image"]
    assert "/pipeline@sha256:" in workers["image"]


def test_nobody_but_the_run_and_the_operator_reaches_flink(manifests: Manifests, session: Document) -> None:
    """Whoever reaches Flink can run code there."""
    configuration = session["flinkConfiguration"]
    flink = Peer(session["podTemplate"]["metadata"]["labels"], HOME)
    run, merger = (Peer(manifests.workload(name).labels, HOME) for name in (COMPONENT, "merger"))
    inside = [
        6123,
        *(int(configuration[f"{name}.port"]) for name in ("blob.server", "taskmanager.rpc", "taskmanager.data")),
    ]

    def reaches(source: Peer, port: int) -> bool:
        sends = _may(manifests, "egress", source, flink, flink, port)
        return sends and _may(manifests, "ingress", flink, source, flink, port)

    assert all(reaches(flink, port) for port in inside)
    assert reaches(run, 8081) and reaches(OPERATOR, 8081)
    strangers: tuple[Any, ...] = (merger, Peer({}, {"kubernetes.io/metadata.name": "default"}))
    assert not any(reaches(one, port) for one in strangers for port in (*inside, 8081))
    assert not any(reaches(run, port) for port in inside)
