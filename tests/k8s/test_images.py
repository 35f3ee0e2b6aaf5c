"""The images: what their Dockerfiles build is what the manifests run."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
import yaml

from tests.k8s import rendering
from tests.k8s.manifests import Workload

IMAGES: Final = ("merger", "pipeline")
FOLDER: Final = rendering.K8S / "images"
DIGEST: Final = "sha256:" + "a1" * 32


def _lines(image: str) -> list[str]:
    """The instructions of a Dockerfile, each on one line."""
    text = (FOLDER / f"{image}.Dockerfile").read_text().replace("\\\n", " ")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def _last(image: str, instruction: str) -> str:
    return [line for line in _lines(image) if line.startswith(f"{instruction} ")][-1].removeprefix(f"{instruction} ")


def _version() -> str:
    found = re.search(r'version="([^"]+)"', (rendering.ROOT / "setup.py").read_text())
    assert found
    return found[1]


def _workloads(image: str) -> list[Workload]:
    manifests = rendering.combination(*rendering.everything())
    return [w for w in manifests.workloads() for c in w.containers if c["image"].startswith(f"lookbook/{image}:")]


@pytest.mark.parametrize("image", IMAGES)
def test_hadolint_is_clean(image: str) -> None:
    """The Dockerfiles follow the linter's rules, all of them."""
    linter = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([linter, FOLDER / f"{image}.Dockerfile"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


@pytest.mark.parametrize("image", IMAGES)
def test_users_and_entry_points_are_those_of_the_pods(image: str) -> None:
    """The image's user is the pod's, and its entry point starts the pod's command."""
    user = int(_last(image, "USER").partition(":")[0])
    workloads = _workloads(image)
    assert workloads
    for workload in workloads:
        assert workload.spec["securityContext"]["runAsUser"] == user
    entry = yaml.safe_load(_last(image, "ENTRYPOINT"))
    commands = [c["command"] for w in workloads for c in w.containers if c["image"].startswith(f"lookbook/{image}:")]
    assert all(command[: len(entry)] == entry or command[0] == "sleep" for command in commands)


@pytest.mark.parametrize("image", IMAGES)
def test_tags_are_the_version(image: str) -> None:
    """The manifests name the images of this version."""
    for workload in _workloads(image):
        images = {c["image"] for c in workload.containers if "lookbook/" in c["image"]}
        assert images == {f"lookbook/{image}:{_version()}"}


@pytest.mark.parametrize("image", IMAGES)
def test_sources_reach_the_build(image: str) -> None:
    """Every path that a Dockerfile copies from the checkout is there, and .dockerignore lets it through."""
    allowed = [line[1:] for line in (rendering.ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for line in _lines(image):
        words = shlex.split(line)
        if words[0] != "COPY" or words[1].startswith("--from"):
            continue
        for source in words[1:-1]:
            assert (rendering.ROOT / source).exists(), source
            assert any(source == rule or source.startswith(f"{rule}/") or Path(source).match(rule) for rule in allowed)


def test_the_pipeline_s_image_has_the_lock_of_its_python() -> None:
    """The lock that is installed is that for the Python of the base image, and `lookbook compile` looks for the schema
    where that Python has it."""
    text = (FOLDER / "pipeline.Dockerfile").read_text()
    python = re.search(r"^ARG PYTHON_IMAGE=\S+/python:3\.(\d+)-", text, re.MULTILINE)
    assert python
    assert set(re.findall(r"pipeline-(py\d+)", text)) == {f"py3{python[1]}"}
    compiled = (rendering.ROOT / "pipeline/config.py").read_text()
    assert f'"/opt/venv/lib/python3.{python[1]}/site-packages/schema/schema.pbtxt"' in compiled


def test_the_page_lies_where_the_setting_says() -> None:
    """LOOKBOOK_WEB_DIR is the folder that the Dockerfile puts the page into."""
    page = next(line for line in _lines("merger") if line.startswith("COPY --from=page"))
    manifests = rendering.combination()
    web_dir = manifests.settings(manifests.workload("merger"))["LOOKBOOK_WEB_DIR"]
    assert f"{_last('merger', 'WORKDIR')}/{page.split()[-1]}" == web_dir


def test_the_merger_s_image_has_no_tensorflow() -> None:
    """Its environment is the serving lock, which has none."""
    assert "requirements/serving.txt" in " ".join(_lines("merger"))
    assert not re.search(r"^tensorflow", (rendering.ROOT / "requirements/serving.txt").read_text(), re.MULTILINE)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what pin.sh reads and writes, and a `docker` on PATH that notes its calls and knows every digest."""
    folder = tmp_path / "checkout"
    for part in ("k8s", "serving/tensorflow_serving"):
        shutil.copytree(rendering.ROOT / part, folder / part)
    _fake_docker(folder, f'echo "$*" >> {folder}/calls; if [ "$3" = inspect ]; then echo {DIGEST}; fi')
    return folder


def _fake_docker(checkout: Path, script: str) -> None:
    docker = checkout / "bin/docker"
    docker.parent.mkdir(exist_ok=True)
    docker.write_text(f"#!/bin/sh\n{script}\n")
    docker.chmod(0o755)


def _pin(checkout: Path) -> int:
    command = [checkout / "k8s/images/pin.sh", "registry.example.com/shop", "7"]
    return subprocess.run(command, env={"PATH": f"{checkout}/bin:/usr/bin:/bin"}, check=False).returncode


def test_pinning_writes_every_digest(checkout: Path) -> None:
    """pin.sh builds and pushes both images on bases that are pinned, looks all three up, and what it writes pins every
    image of production."""
    assert _pin(checkout) == 0
    calls = (checkout / "calls").read_text()
    for image in IMAGES:
        tag = f"registry.example.com/shop/{image}:7"
        (build,) = (line for line in calls.splitlines() if f"--file k8s/images/{image}.Dockerfile" in line)
        assert "build --push --platform linux/amd64 " in build
        assert build.endswith(f"--tag {tag} .")
        for base in re.findall(r"^ARG (\w+_IMAGE=.+)$", (FOLDER / f"{image}.Dockerfile").read_text(), re.MULTILINE):
            assert f"--build-arg {base}@{DIGEST}" in build
    manifests = rendering.render_folder(checkout / "k8s/overlays/prod")
    images = {container["image"] for workload in manifests.workloads() for container in workload.containers}
    assert images == {
        f"docker.io/tensorflow/serving@{DIGEST}",
        f"registry.example.com/shop/merger@{DIGEST}",
        f"registry.example.com/shop/pipeline@{DIGEST}",
    }


def test_pinning_stops_when_an_image_cannot_be_found(checkout: Path) -> None:
    """A digest that cannot be looked up leaves the old ones in place."""
    pins = checkout / "k8s/overlays/prod/images/kustomization.yaml"
    before = pins.read_text()
    _fake_docker(checkout, '[ "$3" != inspect ]')
    assert _pin(checkout) != 0
    assert pins.read_text() == before
