"""The cluster of KUBECONFIG, by kubectl: Lookbook deployed in it, things done to its pods, all of it removed again."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import yaml

from tests.k8s import rendering

NAMESPACE: Final = "lookbook"
PATIENCE: Final = "1800s"
"""The first release is trained in the cluster."""
CALLER: Final = "caller"
FIRST_ANSWERS_S: Final = 120


class KubectlError(Exception):
    """kubectl said no; the message is its own."""


async def kubectl(*arguments: str, given: str = "") -> str:
    """Runs kubectl in the namespace; gives its output.

    Raises:
        KubectlError: it failed.
    """
    command = [rendering.kubectl(), "--namespace", NAMESPACE, *arguments]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, stderr=pipe)
    output, error = await process.communicate(given.encode())
    if process.returncode:
        raise KubectlError(f"kubectl {' '.join(arguments)}: {error.decode().strip()}")
    return output.decode()


class KubectlPods:
    """:class:`tests.k8s.live.scenarios.Pods` of a real cluster."""

    async def restart(self, deployment: str) -> None:
        """`kubectl rollout restart`."""
        await kubectl("rollout", "restart", f"deployment/{deployment}")
        await self._until_settled(deployment)

    async def kill(self, deployment: str) -> None:
        """Deletes a pod without any grace."""
        victim = (await _pods(deployment))[0]
        await kubectl("delete", victim, "--grace-period=0", "--force")
        await self._until_settled(deployment)

    async def scale(self, deployment: str, replicas: int) -> None:
        """`kubectl scale`."""
        await kubectl("scale", f"deployment/{deployment}", f"--replicas={replicas}")
        await self._until_settled(deployment)

    async def _until_settled(self, deployment: str) -> None:
        await kubectl("rollout", "status", f"deployment/{deployment}", f"--timeout={PATIENCE}")
        wanted = int(await kubectl("get", f"deployment/{deployment}", "--output", "jsonpath={.spec.replicas}"))
        while len(await _pods(deployment)) > wanted:  # those that go answer until their end
            await asyncio.sleep(1)


async def _pods(deployment: str) -> list[str]:
    selector = f"app.kubernetes.io/name={deployment}"
    return (await kubectl("get", "pods", "--selector", selector, "--output", "name")).split()


@asynccontextmanager
async def deployed() -> AsyncIterator[KubectlPods]:
    """The overlay `local`, with two pods of each Deployment, and its first release; removed afterwards.

    Raises:
        KubectlError: it cannot be deployed, or the namespace is somebody's already.
    """
    if await kubectl("get", "namespace", NAMESPACE, "--ignore-not-found", "--output", "name"):
        raise KubectlError(
            f"there is a namespace {NAMESPACE} already; it would be deleted at the end, so it must not be"
        )
    try:
        await kubectl("apply", "--filename", "-", given=_manifests())
        await kubectl("wait", "--for=condition=Complete", "job/sample-release", f"--timeout={PATIENCE}")
        for deployment in ("model-server", "merger"):
            await kubectl("rollout", "status", f"deployment/{deployment}", f"--timeout={PATIENCE}")
        yield KubectlPods()
    finally:
        await kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", f"--timeout={PATIENCE}")


def _manifests() -> str:
    with TemporaryDirectory() as folder:
        place = Path(folder).resolve()
        document = {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": [os.path.relpath(rendering.K8S / "overlays/local", place)],
            "replicas": [{"name": name, "count": 2} for name in ("merger", "model-server")],
        }
        (place / "kustomization.yaml").write_text(yaml.safe_dump(document))
        return yaml.safe_dump_all(rendering.render_folder(place).documents)


def caller_manifests() -> list[dict[str, Any]]:
    """A pod of the merger's image that calls both transports, and the script that it runs."""
    merger = rendering.overlay("local").workload("merger")
    script = (Path(__file__).parent / "caller.py").read_text()
    container = {
        "name": CALLER,
        "image": merger.main["image"],
        "imagePullPolicy": merger.main["imagePullPolicy"],
        "command": ["/opt/venv/bin/python", "/caller/caller.py"],
        "args": ["--rest=http://merger", "--grpc=dns:///merger-grpc:9090"],
        "env": [{"name": "PYTHONPATH", "value": "/opt/lookbook"}],
        "securityContext": merger.main["securityContext"],
        "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        "volumeMounts": [{"name": "script", "mountPath": "/caller", "readOnly": True}],
    }
    spec = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": merger.spec["securityContext"],
        "containers": [container],
        "volumes": [{"name": "script", "configMap": {"name": CALLER}}],
    }
    metadata = {"name": CALLER, "namespace": NAMESPACE}
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"caller.py": script}},
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec},
    ]


class Caller:
    """The pod that calls."""

    async def start(self) -> None:
        """Starts it and waits until both transports have answered.

        Raises:
            KubectlError: they did not.
        """
        await kubectl("apply", "--filename", "-", given=yaml.safe_dump_all(caller_manifests()))
        await kubectl("wait", "--for=condition=Ready", f"pod/{CALLER}", f"--timeout={PATIENCE}")
        for _ in range(FIRST_ANSWERS_S):
            seen = await self.seen()
            if seen and all(tally["releases"] for tally in seen.values()):
                return
            await asyncio.sleep(1)
        raise KubectlError(
            f"no answer within {FIRST_ANSWERS_S} s: {await kubectl('logs', f'pod/{CALLER}', '--tail=5')}"
        )

    async def seen(self) -> dict[str, dict[str, Any]]:
        """Its counts so far, by transport."""
        lines = (await kubectl("logs", f"pod/{CALLER}", "--tail=1")).splitlines()
        found: dict[str, dict[str, Any]] = json.loads(lines[-1]) if lines else {}
        return found
