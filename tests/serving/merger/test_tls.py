"""TLS to the callers, mutual TLS to the model servers; certificates made on the spot."""

import asyncio
import contextlib
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import httpx
import psutil
import pytest
import pytest_asyncio
import trustme
from cryptography.hazmat.primitives import serialization

from serving.client import ClassifierClient, ClassifyError
from serving.merger.rest.protocol import HANDSHAKE_S
from tests import tiny_models
from tests.serving.fake_model_server import FakeModelServer
from tests.serving.merger_process import ROOT, merger, until

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


async def test_connections_count_before_they_are_encrypted(
    fake: FakeModelServer, papers: Papers, tmp_path: Path
) -> None:
    """Whoever connects and says nothing holds no more connections than anybody, and keeps nobody out."""
    files = {"tls_certificate_file": papers.certificate, "tls_key_file": papers.key}
    async with merger(tmp_path, fake.target, ca=papers.ca, max_connections=20, **files) as running:
        await running.ready()
        process = psutil.Process(running.process.pid)
        before = process.num_fds()
        silent = await asyncio.gather(*(asyncio.open_connection("127.0.0.1", running.http_port) for _ in range(200)))
        ended = {asyncio.create_task(_ended(reader)) for reader, _ in silent}
        await until(lambda: sum(one.done() for one in ended) >= 180, patience_s=HANDSHAKE_S / 2)
        assert (await running.http.post("/v1/classify", content=RED, headers=JPEG)).status_code == 200
        assert not (await asyncio.wait(ended, timeout=40))[1]
        await until(lambda: process.num_fds() <= before + 5)
        for _, writer in silent:
            writer.close()


async def _ended(reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(ConnectionError):
        assert await reader.read() == b""


async def test_many_begin_at_once(fake: FakeModelServer, papers: Papers, tmp_path: Path) -> None:
    """What comes right behind the handshake is not lost, however many handshakes there are."""
    files = {"tls_certificate_file": papers.certificate, "tls_key_file": papers.key}
    trust = ssl.create_default_context(cafile=papers.ca)
    async with merger(tmp_path, fake.target, ca=papers.ca, **files) as running:

        async def livez() -> bytes:
            reader, writer = await asyncio.open_connection("127.0.0.1", running.http_port, ssl=trust)
            writer.write(b"GET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            answer = await reader.read()
            writer.close()
            return answer

        for junk in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01", b""):
            _, writer = await asyncio.open_connection("127.0.0.1", running.http_port)
            writer.write(junk)
            writer.close()
        for _ in range(3):
            assert all(b"alive" in one for one in await asyncio.gather(*(livez() for _ in range(70))))
        assert not [line for line in running.lines() if line["level"] not in ("INFO", "DEBUG")]


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


@pytest.fixture(scope="module")
def useless(papers: Papers, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Files that are there and no use: text, a key with a password, somebody else's key, an empty authority."""
    folder = tmp_path_factory.mktemp("useless")
    key = serialization.load_pem_private_key(papers.key.read_bytes(), None)
    locked = serialization.BestAvailableEncryption(b"secret")
    pem, kind = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "locked").write_bytes(key.private_bytes(pem, kind, locked))
    (folder / "text").write_text("no certificate at all\n")
    (folder / "empty").touch()
    strange = make_papers(folder, "strange", trustme.CA())
    found = {name: folder / name for name in ("locked", "text", "empty")}
    return found | {"certificate": papers.certificate, "key": papers.key, "ca": papers.ca, "strange": strange.key}


USELESS = [
    ({"TLS_KEY_FILE": "/nowhere/key.pem"}, "go together"),
    ({"TLS_KEY_FILE": "/nowhere/key.pem", "TLS_CERTIFICATE_FILE": "/nowhere/cert.pem"}, "'/nowhere/key.pem'"),
    ({"MODEL_CA_FILE": "/nowhere/ca.pem"}, "'/nowhere/ca.pem'"),
    ({"API_KEYS_FILE": "/nowhere/keys"}, "/nowhere/keys"),
    ({"TLS_KEY_FILE": "key", "TLS_CERTIFICATE_FILE": "text"}, "LOOKBOOK_TLS_CERTIFICATE_FILE"),
    ({"TLS_KEY_FILE": "strange", "TLS_CERTIFICATE_FILE": "certificate"}, "LOOKBOOK_TLS_KEY_FILE"),
    ({"TLS_KEY_FILE": "locked", "TLS_CERTIFICATE_FILE": "certificate"}, "without a password"),
    ({"MODEL_CA_FILE": "text"}, "LOOKBOOK_MODEL_CA_FILE"),
    ({"MODEL_CA_FILE": "empty"}, "LOOKBOOK_MODEL_CA_FILE"),
    (
        {"MODEL_CA_FILE": "ca", "MODEL_KEY_FILE": "key", "MODEL_CERTIFICATE_FILE": "empty"},
        "LOOKBOOK_MODEL_CERTIFICATE_FILE",
    ),
]


@pytest.mark.parametrize(("settings", "complaint"), USELESS)
async def test_wrong_papers_stop_the_start(useless: dict[str, Path], settings: dict[str, str], complaint: str) -> None:
    """A file that is missing, no use or given alone ends the start with status 2 and its name, whatever the port."""
    environment = {f"LOOKBOOK_{name}": str(useless.get(value, value)) for name, value in settings.items()}
    ports = {"LOOKBOOK_HTTP_PORT": "0", "LOOKBOOK_GRPC_PORT": "0", "LOOKBOOK_ADMIN_PORT": "0"}
    run = subprocess.run(
        [sys.executable, "-m", "serving"], cwd=ROOT, env=ports | environment, capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 2 and complaint in run.stderr and "Traceback" not in run.stderr
    assert "taken" not in run.stderr + run.stdout
