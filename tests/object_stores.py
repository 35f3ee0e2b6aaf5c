"""Object stores on loopback, spoken to by their real protocols: S3 by moto's server, GCS by fake-gcs-server."""

import json
import os
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import requests

FAKE_GCS: Final = "github.com/fsouza/fake-gcs-server@v1.52.3"


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """Address of an S3 server."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def gcs_program(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The program of a GCS server, built by Go where it is not on PATH."""
    if found := shutil.which("fake-gcs-server"):
        return found
    if not shutil.which("go"):
        pytest.skip("needs fake-gcs-server or Go on PATH, to speak GCS")
    # Kept between runs, below Go's own cache.
    cache = subprocess.run(["go", "env", "GOCACHE"], capture_output=True, text=True, check=True).stdout.strip()
    program = Path(cache or tmp_path_factory.mktemp("go"), "lookbook", "fake-gcs-server")
    if not program.exists():
        environment = os.environ | {"GOBIN": str(program.parent), "GOFLAGS": "-p=2"}
        built = subprocess.run(
            ["go", "install", FAKE_GCS], env=environment, capture_output=True, text=True, check=False
        )
        if built.returncode:
            pytest.skip(f"Go could not build fake-gcs-server: {built.stderr.strip()[-200:]}")
    return str(program)


@pytest.fixture(scope="session")
def gcs_endpoint(gcs_program: str) -> Iterator[str]:
    """Address of a GCS server. It says port 0 where it was told that, so a free one is looked up before."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [
        gcs_program,
        "-scheme=http",
        "-host=127.0.0.1",
        f"-port={port}",
        f"-external-url={url}",
        "-backend=memory",
    ]
    with subprocess.Popen([*command, "-log-level=error"]) as server:
        _until_it_answers(f"{url}/storage/v1/b", server)
        yield url
        server.kill()


def _until_it_answers(url: str, server: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        assert server.poll() is None
        try:
            requests.get(url, timeout=30).raise_for_status()
        except requests.ConnectionError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"{url} did not answer")


@pytest.fixture
def s3_bucket(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """URI of a new, empty bucket of S3."""
    import boto3

    keys = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_DEFAULT_REGION": "us-east-1"}
    for name, value in {**keys, "AWS_ENDPOINT_URL": s3_endpoint}.items():
        monkeypatch.setenv(name, value)
    name = f"shop-{uuid.uuid4().hex[:12]}"
    boto3.client("s3").create_bucket(Bucket=name)
    return f"s3://{name}"


@pytest.fixture
def gs_bucket(gcs_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """URI of a new, empty bucket of GCS."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", gcs_endpoint)
    monkeypatch.setenv("NO_GCE_CHECK", "true")  # this is no machine of Google's, and finding that out takes seconds
    name = f"shop-{uuid.uuid4().hex[:12]}"
    body = json.dumps({"name": name})
    made = requests.post(f"{gcs_endpoint}/storage/v1/b", data=body, params={"project": "lookbook"}, timeout=30)
    made.raise_for_status()
    return f"gs://{name}"


@pytest.fixture(params=["s3", "gs"])
def bucket(request: pytest.FixtureRequest) -> str:
    """URI of a new, empty bucket, of each protocol in turn."""
    return str(request.getfixturevalue(f"{request.param}_bucket"))
