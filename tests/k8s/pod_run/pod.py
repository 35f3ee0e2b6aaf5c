"""One pod's life: start, probes, end."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.k8s.manifests import Document, Manifests, Workload
from tests.k8s.pod_run import probes
from tests.k8s.pod_run.translate import ROOT, Place, Process, Translator


class PodError(Exception):
    """A container ended or never started; with the end of its log."""


class Pod:
    """A pod of one serving container, as the Deployments here have them.

    Args:
        manifests: that it is part of.
        workload: that makes it.
        place: where it lives.
        name: of its own.
        ports: number in the container → number here.
    """

    def __init__(
        self, manifests: Manifests, workload: Workload, place: Place, name: str, ports: Mapping[int, int]
    ) -> None:
        folder = place.folder / name
        folder.mkdir(parents=True)
        self.name = name
        self.workload = workload
        self.ports = ports
        self.is_ready = False
        self.is_going = False
        self.restarts: list[str] = []
        """Why its container was started anew, each time."""
        self.killed = False
        """Whether the grace period ran out."""
        self._process = Translator(manifests, workload, place, folder, ports).process(workload.main)
        self._running: asyncio.subprocess.Process | None = None
        self._life: asyncio.Task[None] | None = None

    @property
    def log(self) -> Path:
        """What its container wrote."""
        return self._process.log

    @property
    def pid(self) -> int:
        """Of the process that runs now."""
        assert self._running
        return self._running.pid

    def start(self) -> None:
        """Starts the container and its probes."""
        self._life = asyncio.create_task(self._live())

    async def until_ready(self, patience_s: float) -> None:
        """Waits for the readiness probe.

        Raises:
            PodError: it did not get ready in time.
        """
        await until(lambda: self.is_ready, patience_s, lambda: f"{self.name} is not ready: {tail(self._process)}")

    async def terminate(self) -> None:
        """Not ready, preStop, SIGTERM, and SIGKILL when the grace period is over."""
        self.is_going = True
        self.is_ready = False
        if self._life:
            self._life.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._life
        assert self._running
        try:
            await asyncio.wait_for(self._end(self._running), self.workload.spec["terminationGracePeriodSeconds"])
        except asyncio.TimeoutError:
            self.killed = True
            await self._kill()

    async def _end(self, running: asyncio.subprocess.Process) -> None:
        await asyncio.sleep(prestop_s(self.workload.main))
        with contextlib.suppress(ProcessLookupError):
            running.send_signal(signal.SIGTERM)
        await running.wait()

    async def _live(self) -> None:
        while True:
            self._running = await spawn(self._process)
            probing = asyncio.create_task(self._probe())
            ending = asyncio.create_task(self._running.wait())
            try:
                await asyncio.wait((probing, ending), return_when=asyncio.FIRST_COMPLETED)
            finally:
                probing.cancel()
                ending.cancel()
            self.is_ready = False
            code = self._running.returncode
            self.restarts.append(probing.result() if probing.done() else f"ended with {code}: {tail(self._process)}")
            await self._kill()

    async def _probe(self) -> str:
        """Returns when the container should be started anew, and why."""
        container = self.workload.main
        if not await probes.until_succeeding(container["startupProbe"], self.workload, self.ports):
            return "its startup probe failed"
        readiness = asyncio.create_task(self._follow(container["readinessProbe"]))
        try:
            await probes.until_failing(container["livenessProbe"], self.workload, self.ports)
            return "its liveness probe failed"
        finally:
            readiness.cancel()

    async def _follow(self, probe: Document) -> None:
        failures = 0
        while True:
            failures = 0 if await probes.ask(probe, self.workload, self.ports) else failures + 1
            self.is_ready = failures < probe["failureThreshold"] and (self.is_ready or failures == 0)
            await asyncio.sleep(probe["periodSeconds"])

    async def _kill(self) -> None:
        assert self._running
        if self._running.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._running.kill()
            await self._running.wait()

    async def destroy(self) -> None:
        """Ends it at once, for cleaning up."""
        if self._life:
            self._life.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._life
        if self._running:
            await self._kill()


def prestop_s(container: Document) -> float:
    """How long its preStop hook takes."""
    hook = container.get("lifecycle", {}).get("preStop")
    return float(hook["sleep"]["seconds"]) if hook else 0.0


async def spawn(process: Process) -> asyncio.subprocess.Process:
    """Starts a container's process with nothing but its own environment."""
    with process.log.open("ab") as log:
        return await asyncio.create_subprocess_exec(
            *process.command, cwd=ROOT, env=process.environment, stdout=log, stderr=log
        )


def tail(process: Process, lines: int = 15) -> str:
    """The end of its log."""
    return "\n".join(process.log.read_text(errors="replace").splitlines()[-lines:])


async def until(condition: Callable[[], bool], patience_s: float, why: Callable[[], str]) -> None:
    """Polls until the condition holds.

    Raises:
        PodError: not in time.
    """
    deadline = asyncio.get_running_loop().time() + patience_s
    while not condition():
        if asyncio.get_running_loop().time() > deadline:
            raise PodError(why())
        await asyncio.sleep(0.05)
