"""--ssl_config_file: the gRPC API with certificates, as tensorflow_model_server has it."""

from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
import trustme

from schema import names
from serving.model_server import config
from serving.model_server.flags import Options
from serving.model_server.protos import ConfigError, SSLConfig
from tests import tiny_models
from tests.model_server.running import RunningServer, Shelf, best_labels

Start = Callable[..., RunningServer]


def pem(blob: trustme.Blob) -> str:
    return blob.bytes().decode()


def test_mutual_tls(serve: Start, models: Path, shelf: Shelf, tmp_path: Path) -> None:
    """A caller with a certificate of the authority is answered; one without is not let in."""
    from google.protobuf import text_format

    authority = trustme.CA()
    server, caller = authority.issue_cert("127.0.0.1"), authority.issue_cert("merger.example.org")
    ca = authority.cert_pem.bytes()
    ssl_config = SSLConfig(
        server_key=pem(server.private_key_pem),
        server_cert=pem(server.cert_chain_pems[0]),
        custom_ca=ca.decode(),
        client_verify=True,
    )
    file = tmp_path / "ssl.config"
    file.write_text(text_format.MessageToString(ssl_config))
    shelf.push(models, "plain", 1)
    known = grpc.ssl_channel_credentials(ca, caller.private_key_pem.bytes(), caller.cert_chain_pems[0].bytes())
    running = serve(credentials=known, ssl_config_file=str(file))
    running.wait_for(names.CATEGORY, 1, "AVAILABLE")
    [label] = best_labels(running.predict(names.CATEGORY, "red"), "sub_category")
    assert label == tiny_models.expected("red")["sub_category"]
    for stranger in (
        grpc.secure_channel(running.target, grpc.ssl_channel_credentials(ca)),
        grpc.insecure_channel(running.target),
    ):
        with stranger, pytest.raises(grpc.FutureTimeoutError):
            grpc.channel_ready_future(stranger).result(1)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('server_cert: "x"', "lacks server_key"),
        ('server_cert: "x" server_key: "x" client_verify: true', "lacks custom_ca"),
        ('certificate: "x"', 'no field named "certificate"'),
    ],
)
def test_wrong_ssl_config(tmp_path: Path, text: str, complaint: str) -> None:
    """A file without what it needs stops the start instead of serving openly."""
    file = tmp_path / "ssl.config"
    file.write_text(text)
    with pytest.raises(ConfigError, match=complaint):
        config.server_credentials(Options(model_base_path="/m", ssl_config_file=str(file)))


def test_broken_certificate(serve: Start, tmp_path: Path) -> None:
    """A certificate that is none stops the start, and the file that holds it is told, not only the port."""
    file = tmp_path / "ssl.config"
    file.write_text('server_cert: "x" server_key: "x"')
    with pytest.raises(ConfigError, match="or is --ssl_config_file no certificate with its key"):
        serve(ssl_config_file=str(file))
