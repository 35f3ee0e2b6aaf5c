"""TLS to the callers, mutual TLS to the model servers; certificates made on the spot."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import httpx
import pytest
import pytest_asyncio
import trustme

from serving.client import ClassifierClient, ClassifyError
from tests import tiny_models
from tests.serving.fake_model_server import FakeModelServer
from tests.serving.merger_process import ROOT, merger

pytestmark = pytest.mark.asyncio(loop_scope="module")

RED = tiny_models.picture("red")
JPEG = {"content-type": "image/jpeg"}


@dataclass
class Papers:
    """The files of one certificate, and of the authority that vouches for it."""

    ca: Path
    certificate: Path
    key: Path


def make_papers(folder: Path, name: str, authority: trustme.CA) -> Papers:
    """A certificate for loopback."""
    issued = authority.issue_cert("127.0.0.1", "localhost")
    papers = Papers(*(folder / f"{name}.{part}.pem" for part in ("ca", "cert", "key")))
    authority.cert_pem.write_to_path(papers.ca)
    issued.private_key_pem.write_to_path(papers.key)
    for blob in issued.cert_chain_pems:
        blob.write_to_path(papers.certificate, append=True)
    return papers


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    """A certificate that our callers trust."""
    return make_papers(tmp_path_factory.mktemp("papers"), "server", trustme.CA())


@pytest_asyncio.fixture(loop_scope="module")
async def strict_models(papers: Papers) -> AsyncIterator[FakeModelServer]:
    """A model server that takes no call without a certificate of our authority."""
    server = FakeModelServer()
    pair = (papers.key.read_bytes(), papers.certificate.read_bytes())
    server.credentials = grpc.ssl_server_credentials([pair], papers.ca.read_bytes(), require_client_auth=True)
    await server.start()
    yield server
    await server.stop()


async def test_callers_are_answered_over_tls(fake: FakeModelServer, papers: Papers, tmp_path: Path) -> None:
    """REST and gRPC answer over TLS alone, while probes and metrics stay plain on their own port."""
    files = {"tls_certificate_file": papers.certificate, "tls_key_file": papers.key}
    async with merger(tmp_path, fake.target, ca=papers.ca, **files) as running:
        await running.ready()
        reply = await running.http.post("/v1/classify", content=RED, headers=JPEG)
        assert reply.status_code == 200
        with ClassifierClient(running.grpc_target, ca=papers.ca.read_bytes()) as client:
            assert (await asyncio.to_thread(client.classify, RED)).release == "1"
        with ClassifierClient(running.grpc_target, timeout_s=2) as plain, pytest.raises(ClassifyError):
            await asyncio.to_thread(plain.models)
        async with httpx.AsyncClient() as plain_http:
            with pytest.raises(httpx.TransportError):
                await plain_http.get(f"http://127.0.0.1:{running.http_port}/livez")
        assert "lookbook_ready" in (await running.admin.get("/metrics")).text


async def test_model_servers_see_our_certificate(
    strict_models: FakeModelServer, papers: Papers, tmp_path: Path
) -> None:
    """With mutual TLS the merger reaches model servers that refuse strangers."""
    files = {"model_ca_file": papers.ca, "model_certificate_file": papers.certificate, "model_key_file": papers.key}
    async with merger(tmp_path, strict_models.target, **files) as running:
        await running.ready()
        reply = await running.http.post("/v1/classify", content=RED, headers=JPEG)
        assert reply.status_code == 200


@pytest.mark.parametrize("wrong", ["nothing", "a stranger's", "another authority"])
async def test_without_the_right_papers_no_model_is_reached(
    strict_models: FakeModelServer, papers: Papers, tmp_path: Path, wrong: str
) -> None:
    """No certificate, one of another authority, or a model server that nobody vouches for: not ready, and said so."""
    strange = make_papers(tmp_path, "strange", trustme.CA())
    shown = strange if wrong == "a stranger's" else papers
    files: dict[str, Path] = {"model_ca_file": strange.ca if wrong == "another authority" else papers.ca}
    if wrong != "nothing":
        files |= {"model_certificate_file": shown.certificate, "model_key_file": shown.key}
    async with merger(tmp_path, strict_models.target, **files) as running:
        await asyncio.sleep(1.0)
        assert (await running.admin.get("/readyz")).status_code == 503
        reply = await running.http.post("/v1/classify", content=RED, headers=JPEG)
        assert (reply.status_code, reply.json()["code"]) == (503, "not_ready")


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"TLS_KEY_FILE": "/nowhere/key.pem"}, "go together"),
        ({"TLS_KEY_FILE": "/nowhere/key.pem", "TLS_CERTIFICATE_FILE": "/nowhere/cert.pem"}, "'/nowhere/key.pem'"),
        ({"MODEL_CA_FILE": "/nowhere/ca.pem"}, "'/nowhere/ca.pem'"),
        ({"API_KEYS_FILE": "/nowhere/keys"}, "/nowhere/keys"),
    ],
)
async def test_wrong_papers_stop_the_start(settings: dict[str, str], complaint: str) -> None:
    """A file that is missing or given alone ends the start with status 2 and its name, instead of serving openly."""
    environment = {f"LOOKBOOK_{name}": value for name, value in settings.items()}
    ports = {"LOOKBOOK_HTTP_PORT": "0", "LOOKBOOK_GRPC_PORT": "0", "LOOKBOOK_ADMIN_PORT": "0"}
    run = subprocess.run(
        [sys.executable, "-m", "serving"], cwd=ROOT, env=ports | environment, capture_output=True, text=True, timeout=30
    )
    assert run.returncode == 2 and complaint in run.stderr and "Traceback" not in run.stderr
