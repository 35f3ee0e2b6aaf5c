"""From a container's specification to a process of this machine."""

import os
import random
import re
import shutil
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.k8s.manifests import Document, Manifests, Workload

ROOT: Final = Path(__file__).parents[3]
PIPELINE_BIN: Final = ROOT / ".venv/pipeline/bin"
SERVING_BIN: Final = ROOT / ".venv/serving/bin"
BELOW_EPHEMERAL: Final = (20_000, 32_000)
"""Ports that the system gives to nobody by itself, so that none is taken between choice and use."""

API_KEY: Final = "a-key-of-the-tests-alone"
SECRETS: Final = {"merger-api-keys": {"keys": f"tests {API_KEY}\n"}}
"""Secret → its files, which a cluster's owner makes by hand."""

PROGRAMS: Final[dict[tuple[str, str], list[str]]] = {
    ("lookbook/merger", "/opt/venv/bin/python"): [str(SERVING_BIN / "python")],
    ("lookbook/pipeline", "/opt/venv/bin/lookbook"): [str(PIPELINE_BIN / "lookbook")],
    ("docker.io/tensorflow/serving", "/usr/bin/tensorflow_model_server"): [
        shutil.which("tensorflow_model_server") or str(PIPELINE_BIN / "python"),
        *([] if shutil.which("tensorflow_model_server") else ["-m", "serving.model_server"]),
    ],
}
"""Image and program in it → command here."""


@dataclass(frozen=True)
class Place:
    """Where the pods of a run live.

    Args:
        folder: for files and logs.
        claims: claim name → folder that stands for its volume.
        names: headless Service → its pods' addresses by port number, ready for gRPC.
    """

    folder: Path
    claims: Mapping[str, Path]
    names: Mapping[str, Mapping[int, str]]


@dataclass
class Process:
    """A container as a process: what to start, and its ports by their number in the container."""

    name: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    ports: Mapping[int, int] = field(default_factory=dict)


def free_ports(count: int) -> list[int]:
    """So many ports of this machine that nobody listens on."""
    found: list[int] = []
    while len(found) < count:
        port = random.randrange(*BELOW_EPHEMERAL)
        with socket.socket() as probe:
            if port not in found and probe.connect_ex(("127.0.0.1", port)) != 0:
                found.append(port)
    return found


def program(image: str, path: str) -> list[str]:
    """The command here for a program of an image."""
    name = re.split(r"[:@](?!.*/)", image)[0]
    return PROGRAMS.get((name, path)) or [path]


class Translator:
    """Translates the containers of one pod.

    Args:
        manifests: that the pod is part of.
        workload: that makes the pod.
        place: where it lives.
        pod: folder of its own.
        ports: number in the container → number here.
    """

    def __init__(
        self, manifests: Manifests, workload: Workload, place: Place, pod: Path, ports: Mapping[int, int]
    ) -> None:
        self._manifests = manifests
        self._place = place
        self._pod = pod
        self._ports = ports
        self._volumes = {volume["name"]: self._folder(volume) for volume in workload.spec.get("volumes", [])}

    def process(self, container: Document) -> Process:
        """The container as a process; writes its configuration files."""
        paths = self._mount(container)
        words = [*container["command"], *container.get("args", [])]
        command = program(container["image"], words[0]) + [self._local(word, paths) for word in words[1:]]
        environment = {key: self._local(value, paths) for key, value in self._environment(container).items()}
        environment |= {"PATH": os.environ["PATH"], "TF_CPP_MIN_LOG_LEVEL": "3"}
        log = self._pod / f"{container['name']}.log"
        return Process(container["name"], command, environment, log, self._ports)

    def _folder(self, volume: Document) -> Path:
        if "persistentVolumeClaim" in volume:
            return self._place.claims[volume["persistentVolumeClaim"]["claimName"]]
        folder = self._pod / "volumes" / str(volume["name"])
        folder.mkdir(parents=True, exist_ok=True)
        if "secret" in volume:
            for name, text in SECRETS[volume["secret"]["secretName"]].items():
                (folder / name).write_text(text)
        if "configMap" in volume:
            data = self._manifests.get("ConfigMap", volume["configMap"]["name"])["data"]
            items = volume["configMap"].get("items") or [{"key": key, "path": key} for key in data]
            for item in items:
                (folder / item["path"]).write_text(data[item["key"]])
        return folder

    def _mount(self, container: Document) -> dict[str, Path]:
        """Mount path → folder here. Paths in configuration files become those of this container."""
        mounts: Sequence[Document] = container.get("volumeMounts", [])
        paths = {mount["mountPath"]: self._volumes[mount["name"]] / mount.get("subPath", "") for mount in mounts}
        for path in paths.values():
            path.mkdir(parents=True, exist_ok=True)
        for path in paths.values():
            if self._pod in path.parents:
                for file in path.glob("*.config"):
                    file.write_text(_with_paths(file.read_text(), paths))
        return paths

    def _environment(self, container: Document) -> dict[str, str]:
        environment: dict[str, str] = {}
        for source in container.get("envFrom", []):
            environment |= self._manifests.get("ConfigMap", source["configMapRef"]["name"])["data"]
        return environment | {entry["name"]: entry["value"] for entry in container.get("env", [])}

    def _local(self, text: str, paths: Mapping[str, Path]) -> str:
        """A word of a command or environment with the ports, names and paths of this machine."""
        target = re.fullmatch(r"dns:///([a-z-]+):(\d+)", text)
        if target:
            return self._place.names[target[1]][int(target[2])]
        flag, separator, value = text.rpartition("=")
        if value.isdigit() and int(value) in self._ports:
            return f"{flag}{separator}{self._ports[int(value)]}"
        return _with_paths(text, {"/opt/lookbook": ROOT, **paths})


def _with_paths(text: str, paths: Mapping[str, Path]) -> str:
    """The text with all mount paths replaced at once: a folder here may lie below one of them."""
    if not paths:
        return text
    longest_first = sorted(paths, key=len, reverse=True)
    pattern = rf"(?<![\w/.-])({'|'.join(map(re.escape, longest_first))})(?=[/\"\s,]|$)"
    return re.sub(pattern, lambda found: str(paths[found[1]]), text)


def probe_port(workload: Workload, named: Any) -> int:
    """The number of a probe's port, which may be given by its name."""
    return named if isinstance(named, int) else workload.ports()[named]
