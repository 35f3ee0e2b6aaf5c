"""Checkers that need an environment of their own, .venv/checks; which `make check-k8s` makes."""

import os
import subprocess
from pathlib import Path
from typing import Final

import pytest
import yaml

from tests.k8s import rendering

CHECKS: Final = rendering.ROOT / ".venv/checks/bin"
OPERATOR: Final = """
import sys, yaml
from cloudcoil.models.prometheus_operator import v1
for document in yaml.safe_load_all(sys.stdin):
    kept = getattr(v1, document["kind"]).model_validate(document).model_dump(
        mode="json", by_alias=True, exclude_unset=True
    )
    assert kept == document, (document, kept)  # a field that the operator does not know is gone
"""
PROMETHEUS: Final = "monitoring.coreos.com/v1"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHECKS.is_dir(), reason="there is no .venv/checks; make check-k8s makes it"),
]


def _checkov(file: Path) -> subprocess.CompletedProcess[str]:
    command = [str(CHECKS / "checkov"), "--config-file", str(rendering.K8S / "checkov.yaml"), "--file", str(file)]
    # A package of its environment has the name of our own ``schema``.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def test_checkov_is_clean(tmp_path: Path) -> None:
    """checkov finds nothing in production that is not skipped with a reason."""
    file = tmp_path / "prod.yaml"
    file.write_text(yaml.safe_dump_all(rendering.overlay("prod").documents))
    done = _checkov(file)
    assert done.returncode == 0, done.stdout + done.stderr
    file.write_text(file.read_text().replace("readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false"))
    assert "CKV_K8S_22" in _checkov(file).stdout


def _operator(text: str) -> int:
    command = [str(CHECKS / "python"), "-c", OPERATOR]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False).returncode


def test_the_prometheus_operator_knows_every_field() -> None:
    """Monitors and rules have no field that the operator would ignore."""
    documents = [d for d in rendering.combination("monitoring").documents if d["apiVersion"] == PROMETHEUS]
    text = yaml.safe_dump_all(documents)
    assert len(documents) == 3
    assert _operator(text) == 0
    assert _operator(text.replace("interval:", "intervall:")) != 0
