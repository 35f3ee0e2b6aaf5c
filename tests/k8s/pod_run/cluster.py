"""The pods of a rendering, and what a cluster does to them."""

import asyncio
import contextlib
import itertools
import os
import signal
import time
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Final

from tests.k8s.manifests import Manifests, Workload, matches
from tests.k8s.pod_run.pod import Pod, PodError, until
from tests.k8s.pod_run.translate import Place, free_ports

ENDPOINT_LAG_S: Final = 2.0
"""How long callers are still sent to a pod that is on its way out, until the last node has heard of it."""
READY_S: Final = 150.0


class Cluster:
    """Deployments of a rendering as pods.

    Args:
        manifests: the rendering.
        folder: for files and logs.
        claims: claim name → folder that stands for its volume.
    """

    def __init__(self, manifests: Manifests, folder: Path, claims: dict[str, Path]) -> None:
        self.manifests = manifests
        self._workloads = {w.name: w for w in manifests.workloads() if w.kind == "Deployment"}
        self._free = {name: self._slots(workload) for name, workload in self._workloads.items()}
        self._place = Place(folder, claims, self._names())
        self._numbers = itertools.count(1)
        self._pods: dict[str, list[Pod]] = {name: [] for name in self._workloads}
        self._going: set[asyncio.Task[None]] = set()
        self._gone_at: dict[Pod, float] = {}
        self.ended: list[Pod] = []
        """Pods that were terminated, in the order of their end."""

    def pods(self, workload: str) -> list[Pod]:
        """Those that are wanted."""
        return list(self._pods[workload])

    def addresses(self, service: str, port: str) -> list[int]:
        """Ports here of the pods that a Service would send a new connection to."""
        selector = {"matchLabels": self.manifests.get("Service", service)["spec"]["selector"]}
        now = time.monotonic()
        found = []
        for pod in itertools.chain(*self._pods.values(), list(self._gone_at)):
            is_known = pod.is_ready if not pod.is_going else now - self._gone_at[pod] < ENDPOINT_LAG_S
            if is_known and matches(selector, pod.workload.labels):
                found.append(pod.ports[pod.workload.ports()[port]])
        return found

    def target(self, service: str, port: str) -> str:
        """gRPC target of a headless Service: every address that it can ever have."""
        pods = self.manifests.selected(self.manifests.get("Service", service))
        return self._place.names[service][pods[0].ports()[port]]

    async def deploy(self, names: Iterable[str] = ()) -> None:
        """Starts the replicas of the Deployments and waits until they are ready."""
        pods = [self._add(name) for name in names or self._workloads for _ in range(self._replicas(name))]
        await asyncio.gather(*(pod.until_ready(READY_S) for pod in pods))

    async def restart(self, name: str) -> None:
        """`kubectl rollout restart`: a pod more, ready for minReadySeconds, then one less, until all are new."""
        spec = self._workloads[name].document["spec"]
        assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
        for old in self.pods(name):
            await self._add(name).until_ready(READY_S)
            await asyncio.sleep(spec.get("minReadySeconds", 0))
            ready = [pod for pod in self.pods(name) if pod.is_ready]
            if len(ready) <= self._replicas(name):
                raise PodError(f"{name} has {len(ready)} ready pods; none can be spared")
            self._remove(name, old)
        await self.settle()

    async def kill(self, name: str) -> None:
        """SIGKILL to one pod's container; waits until it runs again and is ready."""
        pod = self.pods(name)[0]
        os.kill(pod.pid, signal.SIGKILL)
        await until(lambda: bool(pod.restarts) and pod.is_ready, READY_S, lambda: f"{pod.name} did not come back")

    async def scale(self, name: str, replicas: int) -> None:
        """`kubectl scale`: waits until all are ready."""
        pods = self.pods(name)
        for old in pods[replicas:]:
            self._remove(name, old)
        await asyncio.gather(*(self._add(name).until_ready(READY_S) for _ in range(replicas - len(pods))))
        await self.settle()

    async def settle(self) -> None:
        """Waits until every pod that goes is gone."""
        await asyncio.gather(*self._going)

    async def destroy(self) -> None:
        """Ends everything at once."""
        for task in self._going:
            task.cancel()
        await asyncio.gather(*self._going, return_exceptions=True)
        pods = [*itertools.chain(*self._pods.values()), *self._gone_at]
        await asyncio.gather(*(pod.destroy() for pod in pods))

    def _replicas(self, name: str) -> int:
        return int(self._workloads[name].document["spec"]["replicas"])

    def _slots(self, workload: Workload) -> list[dict[int, int]]:
        """Ports for the replicas, as many that go, and one of surge."""
        numbers = list(workload.ports().values())
        count = 2 * int(workload.document["spec"]["replicas"]) + 1
        chosen = free_ports(count * len(numbers))
        return [dict(zip(numbers, chosen[i * len(numbers) :], strict=False)) for i in range(count)]

    def _names(self) -> dict[str, dict[int, str]]:
        """Headless Service → port → the addresses that its name can ever resolve to."""
        names: dict[str, dict[int, str]] = {}
        for service in self.manifests.of_kind("Service"):
            slots = [slot for w in self.manifests.selected(service) for slot in self._free.get(w.name, [])]
            names[service["metadata"]["name"]] = {
                number: "ipv4:" + ",".join(f"127.0.0.1:{slot[number]}" for slot in slots)
                for number in (slots[0] if slots else {})
            }
        return names

    def _add(self, name: str) -> Pod:
        ports = self._free[name].pop(0)
        pod = Pod(self.manifests, self._workloads[name], self._place, f"{name}-{next(self._numbers)}", ports)
        self._pods[name].append(pod)
        pod.start()
        return pod

    def _remove(self, name: str, pod: Pod) -> None:
        self._pods[name].remove(pod)
        self._gone_at[pod] = time.monotonic()
        task = asyncio.create_task(self._terminate(name, pod))
        self._going.add(task)
        task.add_done_callback(self._going.discard)

    async def _terminate(self, name: str, pod: Pod) -> None:
        await pod.terminate()
        # Callers do not hear of it sooner because it ended sooner.
        await asyncio.sleep(max(0.0, self._gone_at[pod] + ENDPOINT_LAG_S - time.monotonic()))
        del self._gone_at[pod]
        self.ended.append(pod)
        self._free[name].append(dict(pod.ports))


@contextlib.asynccontextmanager
async def cluster(manifests: Manifests, folder: Path, claims: dict[str, Path]) -> AsyncIterator[Cluster]:
    """A cluster that is gone afterwards; nothing is deployed yet."""
    running = Cluster(manifests, folder, claims)
    try:
        yield running
    finally:
        await running.destroy()
