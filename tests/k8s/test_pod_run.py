"""The rendered pods as processes: they start, answer, roll and take a new release under load without one failed call.

The slow part, with two replicas of everything, takes three minutes on two busy cores.
"""

import asyncio
import copy
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import httpx
import pytest
import pytest_asyncio
from prometheus_client.parser import text_string_to_metric_families

from schema import heads as table
from schema import names
from serving.stubs.tensorflow_serving.apis.predict_pb2 import PredictRequest
from serving.stubs.tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub
from tests import tiny_models
from tests.k8s import rendering
from tests.k8s.live.scenarios import SCENARIOS
from tests.k8s.manifests import Manifests
from tests.k8s.pod_run.cluster import Cluster, cluster
from tests.k8s.pod_run.load import COLOUR, Seen, load
from tests.k8s.pod_run.pod import until

pytestmark = pytest.mark.asyncio(loop_scope="module")
PATIENCE_S = 60.0


async def _release(root: Path, version: int) -> None:
    """Writes a release into the volume, as the pipeline does; each gives other answers."""
    await asyncio.to_thread(tiny_models.write, root / "release", "--version", version, "--weights", version)


def _withdraw(root: Path, version: int) -> None:
    """Takes a release away, as `lookbook rollback` does."""
    for model in table.MODELS:
        (root / "release" / model / str(version)).rename(root / f"{model}-{version}")


def _path(version: int) -> tuple[str, ...]:
    """The answer of that release."""
    expected = tiny_models.expected(COLOUR, weights=version)
    return tuple(expected[head] for head in (names.MASTER_CATEGORY, names.SUB_CATEGORY, names.ARTICLE_TYPE))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def volume(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The volume of releases, with the first in it."""
    root = tmp_path_factory.mktemp("volume")
    await _release(root, 1)
    return root


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def local(volume: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    """The overlay `local`, with monitoring: one model server, one merger."""
    manifests = rendering.combination("monitoring", of="overlays/local")
    async with cluster(manifests, tmp_path_factory.mktemp("local"), {"lookbook": volume}) as running:
        await running.deploy()
        yield running


@pytest.fixture
def url(local: Cluster) -> str:
    """Of the merger."""
    return f"http://127.0.0.1:{local.addresses('merger', 'http')[0]}"


async def test_pods_start_by_their_own_commands(local: Cluster, url: str) -> None:
    """The pods' commands, settings, files and probes work as they are: both are ready, and answer from the volume."""
    assert [pod.restarts for name in ("merger", "model-server") for pod in local.pods(name)] == [[], []]
    async with load(local) as seen:
        await until(lambda: len(seen.answers) >= 20, PATIENCE_S, lambda: str(seen.failures))
    assert not seen.failures
    assert set(seen.answers) == {("1", _path(1))}


async def test_paths_from_outside_are_those_of_the_merger(url: str) -> None:
    """Every path of the ingress leads to something; those of the page, where the page is built."""
    rules = rendering.combination("ingress").get("Ingress", "rest")["spec"]["rules"]
    paths = [path["path"] for rule in rules for path in rule["http"]["paths"]]
    addresses = [{"/v1": "/v1/models", "/assets": "/"}.get(path, path) for path in paths]
    page = {"/", "/review", *(f"/{file.name}" for file in (rendering.ROOT / "serving/web/public").iterdir())}
    is_page_built = (rendering.ROOT / "serving/web/dist/index.html").exists()
    async with httpx.AsyncClient(base_url=url) as client:
        for address in addresses:
            if is_page_built or address not in page:
                assert (await client.get(address)).status_code in (200, 307), address


async def test_monitors_find_metrics(local: Cluster) -> None:
    """Both monitors' paths and ports give metrics that Prometheus can read."""
    found: dict[str, set[str]] = {}
    for name, endpoint in rendering.combination("monitoring").monitored().items():
        [port] = local.addresses(name, endpoint["port"])
        page = httpx.get(f"http://127.0.0.1:{port}{endpoint['path']}").text
        found[name] = {family.name for family in text_string_to_metric_families(page)}
    assert "lookbook_ready" in found["merger"]
    assert ":tensorflow:serving:request_count" in found["model-server"]


async def test_a_release_arrives_under_load(local: Cluster, volume: Path) -> None:
    """A new release and its withdrawal reach the callers by themselves; no call fails, no answer mixes two releases."""
    async with load(local) as seen:
        await _until_answered(seen, "1")
        await _release(volume, 2)
        await _until_answered(seen, "2")
        _withdraw(volume, 2)
        await _until_answered(seen, "1")
    assert not seen.failures
    assert set(seen.answers) == {("1", _path(1)), ("2", _path(2))}


async def _until_answered(seen: Seen, release: str) -> None:
    """Waits until that release answers."""
    await until(
        lambda: bool(seen.answers) and seen.answers[-1][0] == release,
        PATIENCE_S,
        lambda: f"{release} does not answer: {seen.answers[-1:]} {seen.failures[-1:]}",
    )


@pytest.mark.slow
@pytest.mark.live
@pytest.mark.timeout(1800)
async def test_everything_rolls_under_load(volume: Path, tmp_path: Path) -> None:
    """Both Deployments roll, a release arrives and a model server is killed, as TensorFlow Serving's end always is:
    no call fails, and mergers end by themselves within their grace period."""
    async with cluster(rendering.combination(), tmp_path / "pods", {"lookbook": volume}) as base:
        await base.deploy()
        async with load(base) as seen:
            await _until_answered(seen, "1")
            await asyncio.gather(base.restart("model-server"), base.restart("merger"))
            await _release(volume, 3)
            await _until_answered(seen, "3")
            killed = base.pods("model-server")[0]
            os.kill(killed.pid, signal.SIGKILL)
            await until(lambda: killed.restarts and killed.is_ready, 150, lambda: "it did not come back")
            await base.settle()
    assert not seen.failures
    assert set(seen.answers) == {("1", _path(1)), ("3", _path(3))}
    ended = [(pod.workload.name, pod.killed) for pod in base.ended]
    assert sorted(ended) == [("merger", False)] * 2 + [("model-server", False)] * 2


@pytest.mark.slow
@pytest.mark.live
@pytest.mark.timeout(3600)
async def test_scenarios_lose_no_more_than_they_may(volume: Path, tmp_path: Path) -> None:
    """What `make check-cluster` does to a real cluster, done to processes: pods roll, are killed, and multiply."""
    async with cluster(rendering.combination(), tmp_path / "pods", {"lookbook": volume}) as base:
        await base.deploy()
        for scenario in SCENARIOS:
            async with load(base, rest=1) as seen:
                await until(lambda seen=seen: len(seen.answers) >= 10, PATIENCE_S, lambda seen=seen: str(seen.failures))
                await scenario.act(base)
            lost = f"lost {dict(seen.lost) or 'none'} of {dict(seen.calls)}"
            print(f"{scenario.name:26} {lost}, 99 % within {seen.p99_s:.2f} s")
            assert all(seen.lost[transport] <= most for transport, most in scenario.most_lost.items()), seen.failures


@pytest.mark.slow
@pytest.mark.live
async def test_the_load_notices_a_merger_that_ends_at_once(volume: Path, tmp_path: Path) -> None:
    """The test above can fail: without the wait before its end, a merger that goes takes calls with it."""
    manifests = Manifests(copy.deepcopy(rendering.overlay("local").documents))
    manifests.get("ConfigMap", "merger")["data"]["LOOKBOOK_SHUTDOWN_DELAY_MS"] = "0"
    async with cluster(manifests, tmp_path / "pods", {"lookbook": volume}) as hasty:
        await hasty.deploy()
        async with load(hasty) as seen:
            await hasty.restart("merger")
            await hasty.settle()
    assert seen.failures


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_canary_answers_its_share_and_keeps_its_label(tmp_path: Path) -> None:
    """With the canary, callers of one Service get answers of both releases, each whole; the labels are still there
    after the model servers were killed and came back."""
    volume = tmp_path / "volume"
    await _release(volume, 1)
    await _release(volume, 2)
    async with cluster(rendering.combination("canary"), tmp_path / "pods", {"lookbook": volume}) as canary:
        await canary.deploy()
        servers = {"stable": canary.pods("model-server")[0], "canary": canary.pods("model-server-canary")[0]}
        async with load(canary) as seen:
            await until(lambda: seen.releases == {"1", "2"}, PATIENCE_S, lambda: f"{seen.releases} {seen.failures}")
        for pod in servers.values():
            os.kill(pod.pid, signal.SIGKILL)
        for pod in servers.values():
            await until(lambda pod=pod: pod.restarts and pod.is_ready, 150, lambda: "it did not come back")
        labelled = {label: _labelled_version(pod.ports[8500], label) for label, pod in servers.items()}
    assert not seen.failures
    assert set(seen.answers) == {("1", _path(1)), ("2", _path(2))}
    assert labelled == {"stable": 1, "canary": 2}


def _labelled_version(port: int, label: str) -> int:
    """The version that a model server answers with when asked by label."""
    request = PredictRequest()
    request.model_spec.name = names.ARTICLE_TYPE
    request.model_spec.version_label = label
    request.model_spec.signature_name = names.METADATA
    request.inputs[names.METADATA_KEYS].dtype = 7  # DT_STRING
    request.inputs[names.METADATA_KEYS].tensor_shape.dim.add(size=1)
    request.inputs[names.METADATA_KEYS].string_val.append(names.CARD_KEY.encode())
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        return int(PredictionServiceStub(channel).Predict(request, timeout=PATIENCE_S).model_spec.version.value)
