"""What schemas cannot see: that the objects of a rendering fit each other."""

from typing import Any, Final

import pytest

from tests.k8s import rendering
from tests.k8s.manifests import Document, Manifests, Workload, matches

RENDERINGS: Final = [*rendering.OVERLAYS, "everything"]


@pytest.fixture(params=RENDERINGS)
def manifests(request: pytest.FixtureRequest) -> Manifests:
    """Each overlay, and the base with all components."""
    if request.param in rendering.OVERLAYS:
        return rendering.overlay(request.param)
    return rendering.combination(*rendering.everything())


def test_deployments_select_their_own_pods(manifests: Manifests) -> None:
    """A Deployment selects the pods that it makes and those of no other, and so does each spreading rule of its own."""
    deployments = [workload for workload in manifests.workloads() if workload.kind == "Deployment"]
    for deployment in deployments:
        selector = deployment.document["spec"]["selector"]
        assert [other.name for other in manifests.workloads() if matches(selector, other.labels)] == [deployment.name]
        for rule in deployment.spec["topologySpreadConstraints"]:
            assert matches(rule["labelSelector"], deployment.labels)


def test_services_reach_named_ports(manifests: Manifests) -> None:
    """Every Service selects pods, and each of them has a port of the name that the Service sends to."""
    for service in manifests.of_kind("Service"):
        pods = manifests.selected(service)
        assert pods, service["metadata"]["name"]
        for port in service["spec"]["ports"]:
            assert all(port["targetPort"] in pod.ports() for pod in pods)


def test_probes_ask_ports_that_are_there(manifests: Manifests) -> None:
    """Every container that serves has all three probes, on ports that it declares."""
    for workload in manifests.workloads():
        if workload.kind != "Deployment":
            continue
        ports = workload.ports()
        for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
            probe = workload.main[kind]
            asked = probe["grpc"]["port"] if "grpc" in probe else probe["httpGet"]["port"]
            assert asked in ports or asked in ports.values()


def test_names_lead_somewhere(manifests: Manifests) -> None:
    """ConfigMaps, claims and service accounts that pods name exist, and what a container mounts is a volume."""
    for workload in manifests.workloads():
        manifests.get("ServiceAccount", workload.spec["serviceAccountName"])
        volumes = workload.spec.get("volumes", [])
        for volume in volumes:
            if "configMap" in volume:
                config = manifests.get("ConfigMap", volume["configMap"]["name"])
                assert {item["key"] for item in volume["configMap"].get("items", [])} <= config["data"].keys()
            if "persistentVolumeClaim" in volume:
                manifests.get("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"])
        names = {volume["name"] for volume in volumes}
        for container in workload.containers:
            assert {mount["name"] for mount in container.get("volumeMounts", [])} <= names
            for source in container.get("envFrom", []):
                manifests.get("ConfigMap", source["configMapRef"]["name"])


def test_budgets_and_autoscalers_have_a_target(manifests: Manifests) -> None:
    """Each budget covers pods, and each autoscaler a Deployment that asks for CPU and sets no replicas of its own."""
    for budget in manifests.of_kind("PodDisruptionBudget"):
        assert any(matches(budget["spec"]["selector"], workload.labels) for workload in manifests.workloads())
    for autoscaler in manifests.of_kind("HorizontalPodAutoscaler"):
        target = manifests.workload(autoscaler["spec"]["scaleTargetRef"]["name"])
        assert target.kind == autoscaler["spec"]["scaleTargetRef"]["kind"]
        assert "replicas" not in target.document["spec"]
        assert all("cpu" in container["resources"]["requests"] for container in target.containers)
        assert autoscaler["spec"]["minReplicas"] >= 2


def test_monitors_find_each_pod_once(manifests: Manifests) -> None:
    """Each serving pod is scraped once, itself or by way of one Service, on a port of the name that its monitor has."""
    scraped: list[str] = []
    for monitor in manifests.of_kind("ServiceMonitor"):
        for service in manifests.of_kind("Service"):
            if matches(monitor["spec"]["selector"], service["metadata"]["labels"]):
                assert monitor["spec"]["endpoints"][0]["port"] in {port["name"] for port in service["spec"]["ports"]}
                scraped += [workload.name for workload in manifests.selected(service)]
    serving = [workload for workload in manifests.workloads() if workload.kind == "Deployment"]
    for monitor in manifests.of_kind("PodMonitor"):
        for workload in serving:
            if matches(monitor["spec"]["selector"], workload.labels):
                assert monitor["spec"]["podMetricsEndpoints"][0]["port"] in workload.ports()
                scraped.append(workload.name)
    assert sorted(scraped) == (sorted(w.name for w in serving) if manifests.of_kind("PodMonitor") else [])


def test_updates_never_take_the_last_pod(manifests: Manifests) -> None:
    """A new pod is ready before an old one goes."""
    for deployment in manifests.of_kind("Deployment"):
        assert deployment["spec"]["strategy"] == {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
        }


def _security(workload: Workload, container: Document) -> dict[str, Any]:
    return {**workload.spec["securityContext"], **container["securityContext"]}


def test_pods_are_restricted(manifests: Manifests) -> None:
    """Every container meets the Pod Security standard `restricted` and writes nowhere but into its volumes."""
    namespace = manifests.of_kind("Namespace")[0]
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for workload in manifests.workloads():
        assert workload.spec["automountServiceAccountToken"] is False
        assert workload.spec["enableServiceLinks"] is False
        assert not {"hostNetwork", "hostPID", "hostIPC"} & workload.spec.keys()
        for volume in workload.spec.get("volumes", []):
            assert volume.keys() - {"name"} <= {"configMap", "emptyDir", "persistentVolumeClaim", "secret"}
        for container in workload.containers:
            security = _security(workload, container)
            assert security["runAsNonRoot"] is True and security["runAsUser"] > 0
            assert security["seccompProfile"] == {"type": "RuntimeDefault"}
            assert security["allowPrivilegeEscalation"] is False
            assert security["capabilities"] == {"drop": ["ALL"]}
            assert security["readOnlyRootFilesystem"] is True
            assert "command" in container, "an entry point of an image is out of our hands"
    assert all(account["automountServiceAccountToken"] is False for account in manifests.of_kind("ServiceAccount"))


def test_containers_ask_for_what_they_need(manifests: Manifests) -> None:
    """Every container asks for CPU and memory and has a limit to its memory."""
    for workload in manifests.workloads():
        for container in workload.containers:
            assert container["resources"]["requests"].keys() == {"cpu", "memory"}
            assert "memory" in container["resources"]["limits"]


def test_empty_directories_are_bounded(manifests: Manifests) -> None:
    """No pod can fill its node's disk."""
    for workload in manifests.workloads():
        for volume in workload.spec.get("volumes", []):
            assert "emptyDir" not in volume or volume["emptyDir"]["sizeLimit"]


def test_production_pins_every_image_by_digest() -> None:
    """What runs in production is named to the byte."""
    images = [c["image"] for workload in rendering.overlay("prod").workloads() for c in workload.containers]
    assert len(images) >= 4
    for image in images:
        name, _, digest = image.partition("@sha256:")
        assert name and len(digest) == 64, image


def test_model_servers_only_read_the_models() -> None:
    """Nothing but the pipeline writes the volume of releases."""
    for name in ("prod", "local"):
        for workload in rendering.overlay(name).workloads():
            for container in workload.containers:
                for mount in container.get("volumeMounts", []):
                    claim = workload.volume(mount["name"]).get("persistentVolumeClaim", {}).get("claimName")
                    is_pipeline = workload.labels["app.kubernetes.io/name"] == "pipeline"
                    assert claim != "lookbook" or is_pipeline or mount["readOnly"]


def test_canary_is_apart() -> None:
    """The canary's mergers ask the canary's model servers, and callers of `merger` come to both tracks."""
    manifests = rendering.combination("canary")
    targets = {name: manifests.settings(manifests.workload(name)) for name in ("merger", "merger-canary")}
    assert targets["merger"]["LOOKBOOK_CATEGORY_TARGET"] == "dns:///model-server:8500"
    assert targets["merger-canary"]["LOOKBOOK_CATEGORY_TARGET"] == "dns:///model-server-canary:8500"
    reached = {s["metadata"]["name"]: {w.name for w in manifests.selected(s)} for s in manifests.of_kind("Service")}
    assert reached["model-server"] == {"model-server"}
    assert reached["model-server-canary"] == {"model-server-canary"}
    assert reached["merger"] == reached["merger-grpc"] == {"merger", "merger-canary"}
