"""models-from-bucket: the script that copies releases from a store, with a folder as the store."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from schema import heads as table
from tests.k8s import rendering

SCRIPT: Final = rendering.K8S / "components/models-from-bucket/sync.sh"

needs_rclone = pytest.mark.skipif(not shutil.which("rclone"), reason="needs rclone on PATH (apt-get install rclone)")


def _publish(store: Path, version: int, *, manifest: bool = True) -> None:
    """A release in the store; small files in place of SavedModels."""
    for model in table.MODELS:
        folder = store / model / str(version)
        (folder / "variables").mkdir(parents=True)
        (folder / "saved_model.pb").write_text(f"{model} {version}")
        (folder / "variables/variables.index").write_text("…")
    (store / "manifests").mkdir(exist_ok=True)
    if manifest:
        (store / "manifests" / f"{version}.json").write_text("{}")


def _sync(store: Path, models: Path, *, path: str = os.environ["PATH"]) -> subprocess.CompletedProcess[str]:
    """One look, ended after 5 seconds if there is nothing to be had."""
    environment = {"PATH": path, "RELEASE_REMOTE": str(store), "RELEASE_INTERVAL_S": "60", "HOME": str(models.parent)}
    command = ["timeout", "5", "sh", str(SCRIPT), str(models), "once"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def _versions(models: Path) -> dict[str, list[str]]:
    """What a model server would see."""
    return {
        model: sorted(path.name for path in (models / model).glob("*") if path.name.isdigit()) for model in table.MODELS
    }


def _both(*versions: int) -> dict[str, list[str]]:
    return {model: [str(version) for version in versions] for model in table.MODELS}


@needs_rclone
def test_the_two_newest_releases_are_kept(tmp_path: Path) -> None:
    """What arrives is whole, the two newest versions stay, and what was rolled back or is older goes."""
    store, models = tmp_path / "store", tmp_path / "models"
    for version in (8, 9, 10):
        _publish(store, version)
    assert _sync(store, models).returncode == 0
    assert _versions(models) == _both(10, 9)
    assert (models / "category/10/variables/variables.index").read_text() == "…"
    (store / "manifests/10.json").unlink()
    assert _sync(store, models).returncode == 0
    assert _versions(models) == _both(8, 9)


@needs_rclone
def test_a_release_without_its_manifest_is_none(tmp_path: Path) -> None:
    """What is still being uploaded is left alone."""
    store, models = tmp_path / "store", tmp_path / "models"
    _publish(store, 1)
    _publish(store, 2, manifest=False)
    assert _sync(store, models).returncode == 0
    assert _versions(models) == _both(1)


@needs_rclone
def test_a_store_that_is_away_takes_nothing_away(tmp_path: Path) -> None:
    """When the store cannot be read, or lists nothing, the releases that are here stay."""
    store, models = tmp_path / "store", tmp_path / "models"
    _publish(store, 1)
    assert _sync(store, models).returncode == 0
    shutil.rmtree(store)
    assert "no release could be read" in _sync(store, models).stderr
    (store / "manifests").mkdir(parents=True)
    assert _sync(store, models).returncode != 0
    assert _versions(models) == _both(1)


@needs_rclone
def test_a_copy_that_breaks_off_shows_nothing(tmp_path: Path) -> None:
    """If the second model cannot be copied, no model server sees the first either."""
    store, models = tmp_path / "store", tmp_path / "models"
    _publish(store, 1)
    real, folder = shutil.which("rclone"), tmp_path / "bin"
    folder.mkdir()
    (folder / "rclone").write_text(f'#!/bin/sh\ncase "$*" in *category*) exit 1;; esac\nexec {real} "$@"\n')
    (folder / "rclone").chmod(0o755)
    assert _sync(store, models, path=f"{folder}:{os.environ['PATH']}").returncode != 0
    assert _versions(models) == _both()
    assert _sync(store, models).returncode == 0
    assert _versions(models) == _both(1)
