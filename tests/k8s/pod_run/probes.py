"""A pod's probes, asked as a kubelet asks them."""

import asyncio
from collections.abc import Mapping

import grpc.aio
import httpx
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.k8s.manifests import Document, Workload
from tests.k8s.pod_run.translate import probe_port


async def ask(probe: Document, workload: Workload, ports: Mapping[int, int]) -> bool:
    """Whether one probe succeeds now.

    Args:
        probe: its specification.
        workload: whose pod it is.
        ports: number in the container → number here.
    """
    timeout_s = probe.get("timeoutSeconds", 1)
    if "httpGet" in probe:
        port = ports[probe_port(workload, probe["httpGet"]["port"])]
        return await _http(f"http://127.0.0.1:{port}{probe['httpGet']['path']}", timeout_s)
    if "grpc" in probe:
        return await _grpc(ports[probe["grpc"]["port"]], probe["grpc"].get("service", ""), timeout_s)
    raise NotImplementedError(f"a probe of {sorted(probe)}; there are httpGet and grpc")


async def _http(url: str, timeout_s: float) -> bool:
    try:
        async with httpx.AsyncClient(timeout=timeout_s) as client:
            return 200 <= (await client.get(url)).status_code < 400
    except httpx.HTTPError:
        return False


async def _grpc(port: int, service: str, timeout_s: float) -> bool:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=service))
        try:
            reply = await asyncio.wait_for(call, timeout_s)
        except (grpc.aio.AioRpcError, asyncio.TimeoutError):
            return False
        return bool(reply.status == health_pb2.HealthCheckResponse.SERVING)


async def until_failing(probe: Document, workload: Workload, ports: Mapping[int, int]) -> None:
    """Asks again and again; returns once it has failed as often in a row as the threshold says."""
    failures = 0
    while failures < probe.get("failureThreshold", 3):
        await asyncio.sleep(probe.get("periodSeconds", 10))
        failures = 0 if await ask(probe, workload, ports) else failures + 1


async def until_succeeding(probe: Document, workload: Workload, ports: Mapping[int, int]) -> bool:
    """Asks until it succeeds; False once it has failed as often as the threshold says."""
    for _ in range(probe.get("failureThreshold", 3)):
        if await ask(probe, workload, ports):
            return True
        await asyncio.sleep(probe.get("periodSeconds", 10))
    return False
