"""The merger's image really built, and its pod really run, by podman and runc where they are installed.

Two minutes on two cores, of which base and build take one and a half; needs the registries of npm, PyPI and Debian.
"""

import copy
import json
from collections.abc import AsyncIterator, Iterator
from typing import Final, NamedTuple

import httpx
import pytest
import pytest_asyncio

from schema import heads as table
from schema import names
from tests import tiny_models
from tests.k8s import rendering
from tests.k8s.container.podman import BASE, Podman, podman, why_not
from tests.k8s.manifests import Document, Manifests, Workload
from tests.k8s.pod_run import probes
from tests.k8s.pod_run.cluster import cluster
from tests.k8s.pod_run.translate import free_ports

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(why_not()), reason=why_not()),
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(900),
]

CONTAINER: Final = "merger-pod-0-merger"
"""Podman's name of the first pod of the Deployment `merger`."""
MOST_BYTES: Final = 150 * 10**6
PATIENCE: Final = {"failureThreshold": 60}
INSIDE: Final = """
import errno, importlib.util, json, os
def why(path):
    try:
        open(path, "w")
    except OSError as error:
        return errno.errorcode[error.errno]
print(json.dumps({
    "uid": os.getuid(), "written": [why("/opt/lookbook/x"), why("/etc/x"), why("/x")],
    "tensorflow": importlib.util.find_spec("tensorflow") is not None,
    "process": open("/proc/1/status").read(),
}))
"""


class Running(NamedTuple):
    """A pod of the merger, and where its ports are here."""

    engine: Podman
    workload: Workload
    ports: dict[int, int]

    @property
    def url(self) -> str:
        """Of its REST interface."""
        return f"http://127.0.0.1:{self.ports[self.workload.ports()['http']]}"


@pytest.fixture(scope="module")
def engine() -> Iterator[Podman]:
    """An engine that has the base and the merger's image."""
    with podman() as engine:
        engine.make_base()
        bases = [f"--build-arg={name}={BASE}" for name in ("NODE_IMAGE", "PYTHON_IMAGE")]
        tag = rendering.overlay("local").workload("merger").main["image"]
        engine.build(rendering.K8S / "images/merger.Dockerfile", tag, rendering.ROOT, *bases)
        yield engine


def _documents(manifests: Manifests, ports: dict[int, int], target: str) -> list[Document]:
    """The merger's pod as rendered, but on this machine's network; podman does not ask the probes, the test does."""
    config, deployment = (copy.deepcopy(manifests.get(kind, "merger")) for kind in ("ConfigMap", "Deployment"))
    config["data"] |= {f"LOOKBOOK_{model.upper()}_TARGET": target for model in table.MODELS}
    named = manifests.workload("merger").ports()
    config["data"] |= {f"LOOKBOOK_{name.upper()}_PORT": str(ports[number]) for name, number in named.items()}
    pod = deployment["spec"]["template"]["spec"]
    pod["hostNetwork"] = True
    kept = {key: value for key, value in pod["containers"][0].items() if key != "ports" and not key.endswith("Probe")}
    pod["containers"] = [kept]
    return [config, deployment]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(engine: Podman, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """The merger's pod of the overlay `local` in containers, and its model server as a process."""
    volume, manifests = tmp_path_factory.mktemp("volume"), rendering.overlay("local")
    tiny_models.write(volume / "release", "--version", 1)
    merger = manifests.workload("merger")
    ports = dict(zip(merger.ports().values(), free_ports(len(merger.ports())), strict=True))
    async with cluster(manifests, tmp_path_factory.mktemp("pods"), {"lookbook": volume}) as processes:
        await processes.deploy(["model-server"])
        with engine.playing(_documents(manifests, ports, processes.target("model-server", "grpc"))):
            pod = Running(engine, merger, ports)
            for kind in ("startupProbe", "readinessProbe"):
                asked = await probes.until_succeeding(merger.main[kind] | PATIENCE, merger, ports)
                assert asked, engine.run("logs", CONTAINER)
            yield pod


async def test_layers_over_the_base_are_small(engine: Podman) -> None:
    """Environment, sources and page add at most 150 MB to the base."""
    sizes = {name: engine.inspect("image", name)["Size"] for name in ("lookbook/merger:0.2.0", BASE)}
    added = sizes["lookbook/merger:0.2.0"] - sizes[BASE]
    print(f"the merger's layers: {added / 10**6:.1f} MB")
    assert 0 < added <= MOST_BYTES


async def test_the_container_answers(running: Running) -> None:
    """It names a picture's product by way of the model server, and has the page."""
    async with httpx.AsyncClient(base_url=running.url) as client:
        headers = {"content-type": "image/jpeg"}
        answer = (await client.post("/v1/classify", content=tiny_models.picture("red"), headers=headers)).json()
        page = await client.get("/")
    expected = tiny_models.expected("red")
    assert answer["path"] == [expected[h] for h in (names.MASTER_CATEGORY, names.SUB_CATEGORY, names.ARTICLE_TYPE)]
    assert page.status_code == 200 and '<div id="root">' in page.text


async def test_the_container_can_do_little(running: Running) -> None:
    """It is not root, has no capability and cannot get any, writes nothing, and knows no TensorFlow."""
    inside = json.loads(running.engine.run("exec", CONTAINER, running.workload.main["command"][0], "-c", INSIDE))
    assert inside["uid"] == running.workload.spec["securityContext"]["runAsUser"] != 0
    assert inside["written"] == ["EROFS"] * 3
    assert not inside["tensorflow"]
    status = dict(line.split(":\t", 1) for line in inside["process"].splitlines())
    assert {int(status[key], 16) for key in ("CapPrm", "CapEff", "CapBnd")} == {0}
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"


async def test_the_container_ends_by_itself(running: Running) -> None:
    """SIGTERM reaches the merger in its container: it drains and ends with 0 within the pod's grace period."""
    running.engine.run("stop", f"--time={running.workload.spec['terminationGracePeriodSeconds']}", CONTAINER)
    assert running.engine.inspect("container", CONTAINER)["State"]["ExitCode"] == 0
