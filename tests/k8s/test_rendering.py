"""Every overlay and combination of components renders, into objects that Kubernetes' schemas allow."""

import json
from functools import cache
from typing import Final

import kubernetes_validate
import pytest

from tests.k8s import rendering
from tests.k8s.manifests import Document, Manifests

VERSIONS: Final = ("1.30", "1.37")
"""Oldest and newest version of Kubernetes that the manifests are for."""
CUSTOM: Final = ("monitoring.coreos.com/v1", "gateway.networking.k8s.io/v1", "flink.apache.org/v1beta1")
"""Not Kubernetes' own, so not in its schemas: see test_checkers.py, test_network.py and components/test_flink.py."""


@cache
def _check(text: str, version: str) -> None:
    document = json.loads(text)
    if document["apiVersion"] not in CUSTOM:
        kubernetes_validate.validate(document, version, strict=True)


def _check_all(manifests: Manifests) -> None:
    for document in manifests.documents:
        for version in VERSIONS:
            _check(json.dumps(document, sort_keys=True), version)


def _identity(document: Document) -> tuple[str, str, str]:
    metadata = document["metadata"]
    return document["kind"], metadata.get("namespace", ""), metadata["name"]


@pytest.mark.parametrize("name", rendering.OVERLAYS)
def test_overlays_are_valid(name: str) -> None:
    """An API server of either end of the supported versions would take each overlay."""
    _check_all(rendering.overlay(name))


@pytest.mark.parametrize("name", rendering.COMPONENTS)
def test_components_are_valid_alone(name: str) -> None:
    """Each component works without the others."""
    _check_all(rendering.combination(name))


def _check_combination(chosen: tuple[str, ...]) -> None:
    manifests = rendering.combination(*chosen)
    _check_all(manifests)
    identities = [_identity(document) for document in manifests.documents]
    assert len(identities) == len(set(identities))
    assert {d["metadata"].get("namespace") for d in manifests.documents if d["kind"] != "Namespace"} == {"lookbook"}


def test_all_components_go_together() -> None:
    """All components together are valid; nothing is defined twice, and all of it is in one namespace."""
    _check_combination(rendering.everything())


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("size", [2, 3])
def test_components_go_together(size: int) -> None:
    """So are any two and any three of them."""
    for chosen in rendering.combinations([size]):
        _check_combination(chosen)


def test_the_check_finds_misspelt_fields() -> None:
    """The schemas are strict: a field that Kubernetes does not know fails, at any depth."""
    text = json.dumps(rendering.combination().get("Deployment", "merger"))
    for version in VERSIONS:
        with pytest.raises(kubernetes_validate.ValidationError):
            _check(text.replace('"readinessProbe"', '"readynessProbe"'), version)
