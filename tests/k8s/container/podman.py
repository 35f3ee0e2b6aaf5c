"""Podman with runc: builds an image on a base made here, and plays manifests, in a store of its own."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import yaml

from tests.k8s.manifests import Document

PROGRAMS: Final = ("podman", "runc", "catatonit", "mmdebstrap", "node", "npm")
DEBIAN: Final = "bookworm"
PACKAGES: Final = "ca-certificates,libbz2-1.0,libffi8,liblzma5,libreadline8,libsqlite3-0,libssl3,libstdc++6,zlib1g"
"""What the interpreters need beside the smallest Debian."""
CERTIFICATES: Final = Path("/etc/ssl/certs")
BASE: Final = "localhost/base"


def why_not() -> str:
    """What is missing here, in words; empty where images can be built and run."""
    missing = [program for program in PROGRAMS if not shutil.which(program)]
    if missing:
        return f"{', '.join(missing)} not found; on Debian: apt-get install podman runc catatonit mmdebstrap nodejs npm"
    if os.geteuid() != 0:
        return "only root can build and run images here"
    if sys.base_prefix == "/usr":
        return "the base takes a Python that lives in a folder of its own, as pyenv and uv install it"
    return ""


class Podman:
    """An engine whose images, containers and settings are below one folder.

    Args:
        folder: for them; some gigabytes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        settings = folder / "containers.conf"
        settings.write_text(_settings())
        self._environment = os.environ | {"CONTAINERS_CONF": str(settings), "TMPDIR": str(folder)}

    def run(self, *arguments: str) -> str:
        """Standard output of one podman command.

        Raises:
            AssertionError: it failed; with what it said.
        """
        place = ["--root", str(self._folder / "root"), "--runroot", str(self._folder / "runroot")]
        done = subprocess.run(
            ["podman", *place, *arguments], capture_output=True, text=True, check=False, env=self._environment
        )
        assert done.returncode == 0, f"podman {' '.join(arguments)}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        return done.stdout

    def inspect(self, kind: str, name: str) -> Document:
        """What podman knows of an ``image`` or ``container``."""
        found: list[Any] = json.loads(self.run(kind, "inspect", name))
        return dict(found[0])

    def make_base(self) -> None:
        """Makes the image BASE, by mmdebstrap and from this machine's interpreters; half a minute."""
        archive, empty = self._folder / "debian.tar", self._folder / "empty"
        command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={PACKAGES}", DEBIAN, str(archive)]
        subprocess.run(command, check=True, cwd=self._folder)
        self.run("import", str(archive), "localhost/debian")
        archive.unlink()
        empty.mkdir()
        folders = {"python": Path(sys.base_prefix), "node": _program("node").parent, "npm": _program("npm").parents[1]}
        contexts = [f"{name}={folder}" for name, folder in (folders | {"certificates": CERTIFICATES}).items()]
        options = [word for context in contexts for word in ("--build-context", context)]
        self.build(Path(__file__).with_name("base.Dockerfile"), BASE, empty, *options)

    def build(self, dockerfile: Path, tag: str, context: Path, *options: str) -> None:
        """Builds an image; the network is that of this machine."""
        self.run("build", "--network=host", *options, f"--file={dockerfile}", f"--tag={tag}", str(context))

    @contextlib.contextmanager
    def playing(self, documents: list[Document]) -> Iterator[None]:
        """The pods of these manifests, for as long as the block runs."""
        file = self._folder / "pod.yaml"
        file.write_text(yaml.safe_dump_all(documents))
        try:
            self.run("kube", "play", str(file))
            yield
        finally:
            self.run("kube", "down", str(file))

    def clear(self) -> None:
        """Removes all containers and images, and lets go of the folder."""
        self.run("rm", "--all", "--force")
        self.run("rmi", "--all", "--force")
        # The store is a mount of its own, which podman leaves.
        subprocess.run(["umount", str(self._folder / "root/overlay")], check=False, capture_output=True)


@contextlib.contextmanager
def podman() -> Iterator[Podman]:
    """An engine that leaves nothing behind."""
    with TemporaryDirectory() as folder:
        engine = Podman(Path(folder))
        try:
            yield engine
        finally:
            engine.clear()


def _program(name: str) -> Path:
    found = shutil.which(name)
    assert found, f"there is no {name}"
    return Path(found).resolve()


def _settings() -> str:
    """Limits that any machine can give: podman's own are higher than a machine in a machine may set."""
    limits = '["nofile=1024:1024", "nproc=4096:4096"]'
    engine = '[engine]\ncgroup_manager = "cgroupfs"\nruntime = "runc"\nevents_logger = "file"\n'
    return f"{engine}[containers]\ndefault_ulimits = {limits}\n"
