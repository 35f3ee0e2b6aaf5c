"""Who can call whom under the network policies: every call that the code makes, and no other."""

from collections.abc import Iterator, Mapping
from ipaddress import ip_address, ip_network
from typing import Any, Final, NamedTuple

import pytest
import yaml

from serving.merger.rest.page import ADDRESSES
from serving.proto.lookbook.v1 import classifier_pb2
from tests.k8s import rendering
from tests.k8s.manifests import Manifests, Workload, matches

HOME: Final = {"kubernetes.io/metadata.name": "lookbook"}


class Peer(NamedTuple):
    """A pod somewhere: its labels, those of its namespace (None: it is in none), its ports by name, and its address
    where a policy may name it."""

    labels: Mapping[str, str]
    namespace: Mapping[str, str] | None = HOME
    ports: Mapping[str, int] = {}
    address: str = ""


def _elsewhere(namespace: str, **labels: str) -> Peer:
    return Peer(labels, {"kubernetes.io/metadata.name": namespace})


STRANGERS: Final = {
    "ingress controller": _elsewhere("ingress-nginx"),
    "gateway": _elsewhere("envoy-gateway-system"),
    "prometheus": Peer({"app.kubernetes.io/name": "prometheus"}, {"kubernetes.io/metadata.name": "monitoring"}),
    "grafana": _elsewhere("monitoring"),
    "client": Peer({}, {"kubernetes.io/metadata.name": "shop", "lookbook/client": "true"}),
    "stranger": _elsewhere("default"),
    "dns": Peer({"k8s-app": "kube-dns"}, {"kubernetes.io/metadata.name": "kube-system"}, {"dns": 53}),
    "node-local dns": Peer({}, None, address="169.254.20.10"),
    "google's metadata": Peer({}, None, address="169.254.169.254"),
    "gke's metadata by calico": Peer({}, None, address="169.254.169.252"),
    "eks pod identity": Peer({}, None, address="169.254.170.23"),
    "internet": Peer({}, None),
}
IDENTITY: Final = {("google's metadata", 80), ("gke's metadata by calico", 988), ("eks pod identity", 80)}
"""What tells a pod who it is, for stores that take that in place of keys; both ports are open to all three."""
PORTS: Final = (53, 80, 443, 988, 5432, 8080, 8500, 8501, 9090, 9091)


def _peers(manifests: Manifests) -> dict[str, Peer]:
    pods = {workload.name: Peer(workload.labels, HOME, workload.ports()) for workload in manifests.workloads()}
    return STRANGERS | pods


def _is_peer(rule: Mapping[str, Any], peer: Peer) -> bool:
    """Whether one entry of `from` or `to` means this pod."""
    if "ipBlock" in rule:
        return bool(peer.address) and ip_address(peer.address) in ip_network(rule["ipBlock"]["cidr"])
    if peer.namespace is None:
        return False
    if "namespaceSelector" in rule and not matches(rule["namespaceSelector"], peer.namespace):
        return False
    if "namespaceSelector" not in rule and peer.namespace != HOME:
        return False
    return "podSelector" not in rule or matches(rule["podSelector"], peer.labels)


def _allows(policy: Mapping[str, Any], direction: str, other: Peer, target: Peer, port: int) -> bool:
    key = {"ingress": "from", "egress": "to"}[direction]
    for rule in policy["spec"].get(direction, []):
        numbers = {target.ports.get(str(entry["port"]), entry["port"]) for entry in rule.get("ports", [])}
        peers = rule.get(key)
        if (not numbers or port in numbers) and (peers is None or any(_is_peer(peer, other) for peer in peers)):
            return True
    return False


def _may(manifests: Manifests, direction: str, pod: Peer, other: Peer, target: Peer, port: int) -> bool:
    """Whether the policies of ``pod`` let it talk to ``other`` in that direction."""
    if pod.namespace != HOME:
        return True
    applying = [
        policy
        for policy in manifests.of_kind("NetworkPolicy")
        if matches(policy["spec"]["podSelector"], pod.labels)
        and direction.capitalize() in policy["spec"]["policyTypes"]
    ]
    return not applying or any(_allows(policy, direction, other, target, port) for policy in applying)


def _calls(manifests: Manifests) -> Iterator[tuple[str, str, int]]:
    """Every (caller, called, port) that the policies let through and that touches a pod of ours."""
    peers = _peers(manifests)
    for caller, source in peers.items():
        for called, target in peers.items():
            if caller == called or HOME not in (source.namespace, target.namespace):
                continue
            for port in PORTS:
                if _may(manifests, "egress", source, target, target, port) and _may(
                    manifests, "ingress", target, source, target, port
                ):
                    yield caller, called, port


def test_each_call_has_a_way_and_no_other_has() -> None:
    """In production exactly the calls that the code, its callers and Prometheus make get through."""
    assert set(_calls(rendering.overlay("prod"))) == {
        ("merger", "model-server", 8500),
        ("merger", "dns", 53),
        ("merger", "node-local dns", 53),
        ("gateway", "merger", 8080),
        ("gateway", "merger", 9090),
        ("ingress controller", "merger", 8080),
        ("ingress controller", "merger", 9090),
        ("client", "merger", 8080),
        ("client", "merger", 9090),
        ("prometheus", "merger", 9091),
        ("prometheus", "model-server", 8501),
    }


def test_without_policies_everybody_may_call() -> None:
    """The evaluation above is no formality: without the component the same question finds strangers."""
    assert ("stranger", "model-server", 8500) in set(_calls(rendering.combination()))


def _identity(calls: set[tuple[str, str, int]]) -> set[tuple[str, int]]:
    return {(called, port) for _, called, port in calls if port in (80, 988)}


def test_copying_from_a_bucket_adds_the_ways_out_that_it_needs() -> None:
    """Model servers that copy releases reach names, HTTPS and what tells a pod who it is; nobody else reaches them."""
    plain = set(_calls(rendering.combination("network-policies")))
    with_bucket = set(_calls(rendering.combination("network-policies", "models-from-bucket")))
    assert {call for call in with_bucket - plain if call[0] != "model-server"} == set()
    assert {(called, port) for _, called, port in with_bucket - plain} >= {
        ("dns", 53),
        ("node-local dns", 53),
        ("internet", 443),
    }
    assert {port for _, _, port in with_bucket - plain} == {53, 80, 443, 988}
    assert IDENTITY <= _identity(with_bucket - plain) <= {(name, port) for name, _ in IDENTITY for port in (80, 988)}


def test_a_review_store_adds_one_way_out() -> None:
    """Mergers of both tracks reach PostgreSQL, and nobody reaches anything else that they did not."""
    plain = set(_calls(rendering.combination("canary", "network-policies")))
    with_store = set(_calls(rendering.combination("canary", "network-policies", "review-store")))
    assert {(caller, port) for caller, _, port in with_store - plain} == {("merger", 5432), ("merger-canary", 5432)}
    assert ("merger", "internet", 5432) in with_store


def test_a_review_store_alone_cuts_nothing_off() -> None:
    """Where its policy is the only one, mergers still find the model servers, and look up where they are."""
    calls = set(_calls(rendering.combination("review-store")))
    assert {("merger", "model-server", 8500), ("merger", "dns", 53), ("merger", "node-local dns", 53)} <= calls


def test_training_workers_reach_each_other_and_nobody_reaches_them() -> None:
    """Under policies that shut all others off, too: names, each other's port, and for a catalogue elsewhere HTTPS and
    what tells a pod who it is."""
    manifests = rendering.combination("network-policies", "pipeline-training-workers")
    worker = _peers(manifests)["training"]
    for direction in ("egress", "ingress"):
        assert _may(manifests, direction, worker, worker, worker, worker.ports["workers"])
    calls = {call for call in _calls(manifests) if "training" in call}
    assert IDENTITY <= _identity(calls) <= {(name, port) for name, _ in IDENTITY for port in (80, 988)}
    assert {call for call in calls if call[2] not in (80, 988)} == {
        ("training", "dns", 53),
        ("training", "node-local dns", 53),
        *(("training", called, 443) for called, peer in STRANGERS.items() if peer.namespace != HOME),
    }


def test_the_canary_keeps_to_the_same_ways() -> None:
    """Both tracks of mergers reach both tracks of model servers, and the model servers no one."""
    calls = set(_calls(rendering.combination("canary", "network-policies")))
    assert {call for call in calls if call[1].startswith("model-server") and call[2] == 8500} == {
        (merger, server, 8500)
        for merger in ("merger", "merger-canary")
        for server in ("model-server", "model-server-canary")
    }


def _backends(manifests: Manifests) -> dict[str, tuple[str, Any]]:
    """Path or gRPC service → Service and port, over Ingresses and routes."""
    found: dict[str, tuple[str, Any]] = {}
    for ingress in manifests.of_kind("Ingress"):
        for path in ingress["spec"]["rules"][0]["http"]["paths"]:
            service = path["backend"]["service"]
            found[path["path"]] = (service["name"], service["port"]["name"])
    for route in manifests.of_kind("HTTPRoute", "GRPCRoute"):
        [rule] = route["spec"]["rules"]
        [backend] = rule["backendRefs"]
        for match in rule["matches"]:
            path = match["path"]["value"] if "path" in match else f"/{match['method']['service']}"
            found[path] = (backend["name"], backend["port"])
    return found


@pytest.mark.parametrize("component", ["ingress", "gateway"])
def test_routes_lead_to_the_merger(component: str) -> None:
    """Each path from outside ends at a port of the merger's Service, both pages among them; operations have no path."""
    manifests = rendering.combination(component)
    service = manifests.get("Service", "merger")
    ports = {key for port in service["spec"]["ports"] for key in (port["name"], port["port"])}
    backends = _backends(manifests)
    assert all(name == "merger" and port in ports for name, port in backends.values())
    assert f"/{classifier_pb2.DESCRIPTOR.services_by_name['Classifier'].full_name}" in backends
    assert set(ADDRESSES) <= backends.keys()
    assert not {"/metrics", "/livez", "/readyz"} & backends.keys()


def test_both_ways_in_have_the_same_paths() -> None:
    """Whether by Ingress or by Gateway API, the same addresses work."""
    assert _backends(rendering.combination("ingress")).keys() == _backends(rendering.combination("gateway")).keys()


def test_everything_from_outside_is_encrypted() -> None:
    """Each host has a certificate."""
    for ingress in rendering.combination("ingress").of_kind("Ingress"):
        assert ingress["spec"]["tls"][0]["hosts"] == [rule["host"] for rule in ingress["spec"]["rules"]]
    gateway = rendering.combination("gateway").get("Gateway", "lookbook")
    routes = rendering.combination("gateway").of_kind("HTTPRoute", "GRPCRoute")
    assert {listener["protocol"] for listener in gateway["spec"]["listeners"]} == {"HTTPS"}
    listeners = {listener["name"]: listener["hostname"] for listener in gateway["spec"]["listeners"]}
    assert {
        route["spec"]["parentRefs"][0]["sectionName"]: route["spec"]["hostnames"][0] for route in routes
    } == listeners


def test_node_ports_are_those_that_kind_maps() -> None:
    """On one machine the merger answers at 127.0.0.1:8080 and :9090."""
    mapped = yaml.safe_load((rendering.K8S / "overlays/local/kind.yaml").read_text())["nodes"][0]["extraPortMappings"]
    ports = rendering.overlay("local").get("Service", "merger")["spec"]["ports"]
    assert [m["containerPort"] for m in mapped] == [port["nodePort"] for port in ports]
    assert [m["hostPort"] for m in mapped] == [8080, 9090]


def test_only_workloads_of_ours_are_meant() -> None:
    """Every policy means pods that are there: one for a label nobody has would be silently without effect."""
    manifests = rendering.overlay("prod")
    workloads: list[Workload] = list(manifests.workloads())
    for policy in manifests.of_kind("NetworkPolicy"):
        assert any(matches(policy["spec"]["podSelector"], workload.labels) for workload in workloads)
