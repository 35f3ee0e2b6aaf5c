"""The pod that calls a real cluster, held to what can be held without one."""

import json
import sys
from pathlib import Path

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


@pytest.mark.parametrize(("lost", "status"), [(0, 0), (1, 1)])
def test_check_cluster_goes_through(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], lost: int, status: int
) -> None:
    """The whole command against a stand-in for kubectl: it deploys, does all that is planned, counts, and cleans up."""
    from tests.k8s.live import __main__ as command

    stand_in = tmp_path / "kubectl"
    stand_in.write_text(
        f'#!/bin/sh\nexec {sys.executable} {Path(__file__).with_name("stand_in.py")} {tmp_path} {lost} "$@"\n'
    )
    stand_in.chmod(0o755)
    monkeypatch.setenv("REAL_KUBECTL", rendering.kubectl())
    monkeypatch.setattr(rendering, "kubectl", lambda: str(stand_in))
    monkeypatch.setattr(command, "CALM_S", 0.0)
    assert command.main() == status
    table, commands = capsys.readouterr().out, (tmp_path / "commands").read_text()
    assert all(scenario.name in table for scenario in SCENARIOS)
    assert ("LOST" in table) == bool(lost)
    assert "rollout restart deployment/merger" in commands and "--replicas=3" in commands
    assert commands.splitlines()[-1].startswith("--namespace lookbook delete namespace lookbook")


def test_only_a_killed_merger_may_cost_a_call() -> None:
    """Whatever is planned costs nothing."""
    assert [scenario.name for scenario in SCENARIOS if scenario.most_lost != NONE] == ["a merger is killed"]
