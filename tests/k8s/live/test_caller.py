"""The pod that calls a real cluster, held to what can be held without one."""

import json

import kubernetes_validate
import pytest

from tests.k8s import rendering
from tests.k8s.live import kubectl
from tests.k8s.live.scenarios import NONE, SCENARIOS


@pytest.mark.parametrize("version", ["1.30", "1.37"])
def test_its_manifests_are_valid(version: str) -> None:
    """An API server would take them, and the namespace's restrictions let the pod run."""
    for document in kubectl.caller_manifests():
        kubernetes_validate.validate(json.loads(json.dumps(document)), version, strict=True)
    security = kubectl.caller_manifests()[1]["spec"]["containers"][0]["securityContext"]
    assert security["readOnlyRootFilesystem"] and security["capabilities"] == {"drop": ["ALL"]}


def test_it_calls_services_that_are_there() -> None:
    """The names and ports of its arguments are those of the overlay's Services."""
    manifests = rendering.overlay("local")
    rest, rpc = kubectl.caller_manifests()[1]["spec"]["containers"][0]["args"]
    assert rest == "--rest=http://merger" and manifests.get("Service", "merger")["spec"]["ports"][0]["port"] == 80
    assert rpc == f"--grpc=dns:///merger-grpc:{manifests.get('Service', 'merger-grpc')['spec']['ports'][0]['port']}"


def test_no_cluster_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a cluster the command says what kubectl says, and ends with 2."""
    from tests.k8s.live.__main__ import main

    monkeypatch.setenv("KUBECONFIG", "/nowhere")
    assert main() == 2


def test_only_a_killed_merger_may_cost_a_call() -> None:
    """Whatever is planned costs nothing."""
    assert [scenario.name for scenario in SCENARIOS if scenario.most_lost != NONE] == ["a merger is killed"]
