"""models-from-bucket: what its containers run, with an S3 server on loopback as the store."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from components.release.store import ReleaseStore
from components.storage.store import Store
from schema import heads as table
from tests.k8s import rendering
from tests.object_stores import s3_bucket, s3_endpoint

__all__ = ["s3_bucket", "s3_endpoint"]


def _pod() -> dict[str, Any]:
    return dict(rendering.combination("models-from-bucket").workload("model-server").spec)


def _first_sync(uri: str, root: Path, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
    """The init container, as a process; ended after a while if there is nothing to be had."""
    [container] = _pod()["initContainers"]
    words = [word.replace("$(RELEASE_URI)", uri) for word in [*container["command"], *container["args"]]]
    command = [str(Path(sys.executable).with_name("lookbook")), *words[1:]]
    command = [word.replace("$(RELEASE_INTERVAL_S)", "1") for word in command]
    environment = os.environ | {"LOOKBOOK_ROOT": str(root)}
    try:
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired as late:
        return subprocess.CompletedProcess(command, -1, str(late.stdout), str(late.stderr))


def _publish(root: Path) -> int:
    folder = root / "trained"
    for model in table.MODELS:
        (folder / model / "variables").mkdir(parents=True, exist_ok=True)
        (folder / model / "saved_model.pb").write_text(model)
        (folder / model / "variables" / "variables.index").write_text("…")
    (folder / "empty").mkdir(exist_ok=True)
    models = {model: folder / model for model in table.MODELS}
    extras = dict.fromkeys(table.MODELS, folder / "empty")
    return ReleaseStore(root / "release").publish(models, extras, folder / "empty", {"metrics": {}}).version


def test_what_a_push_brings_is_what_the_model_servers_get(tmp_path: Path, s3_bucket: str) -> None:
    """The init container ends once both models of the newest release lie where the model server's mount begins."""
    uri = f"{s3_bucket}/release"
    assert _publish(tmp_path / "a") == 1
    pushed = subprocess.run(
        [str(Path(sys.executable).with_name("lookbook")), "releases", "push", uri, "--root", str(tmp_path / "a")],
        check=False,
        capture_output=True,
        text=True,
    )
    assert pushed.returncode == 0, pushed.stderr
    done = _first_sync(uri, tmp_path / "b")
    assert (done.returncode, done.stdout) == (0, "Release 1 is here.\n")
    mounts = {mount["mountPath"]: mount for mount in _pod()["containers"][0]["volumeMounts"]}
    for model in table.MODELS:
        served = tmp_path / "b" / mounts["/models"]["subPath"] / model / "1" / "saved_model.pb"
        assert served.read_text() == model


def test_until_there_is_a_release_the_pod_waits(tmp_path: Path, s3_bucket: str) -> None:
    """An empty bucket, or half a release in it, is waited for and told; no model server starts on it."""
    Store(f"{s3_bucket}/release").write("category/1/saved_model.pb", b"half")
    done = _first_sync(f"{s3_bucket}/release", tmp_path / "b", timeout_s=20)
    assert done.returncode == -1
    assert "there is no release in s3://" in done.stderr
    assert not (tmp_path / "b/release/category/1").exists()
