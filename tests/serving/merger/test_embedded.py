"""The merger over the embedded model server and real SavedModels: foreign clients, and a release that arrives."""

import base64
import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.client import ClassifierClient
from serving.local.stack import Stack, stack
from serving.proto.lookbook.v1 import classifier_pb2 as pb
from tests import tiny_models

pytestmark = pytest.mark.skipif(
    not tiny_models.PIPELINE_PYTHON.exists(), reason="needs the pipeline's environment (TensorFlow)"
)
GRPCURL = shutil.which("grpcurl") or shutil.which("grpcurl", path=str(Path(sys.executable).parent))
CURL = shutil.which("curl")


ATTRIBUTES = {"1": ("gender", "pattern"), "2": ("pattern",)}
"""Release → its heads outside the taxonomy; no table of ours knows of a pattern."""


def assert_whole(answer: pb.ClassifyResponse, colour: str) -> None:
    """All heads are what the release that the answer names says of the colour."""
    weights, attributes = int(answer.release) - 1, ATTRIBUTES[answer.release]
    expected = tiny_models.expected(colour, weights, attributes)
    assert {one.head: one.label for one in answer.attributes} == {name: expected.pop(name) for name in attributes}
    assert {head: getattr(answer, head).label for head in expected} == expected
    assert {head: getattr(answer.joint, head) for head in expected} == expected


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("release")
    tiny_models.write(root, "--version", 1, "--attributes", *ATTRIBUTES["1"])
    return root


@pytest.fixture(scope="module")
def running(release: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with stack(release, logs=tmp_path_factory.mktemp("logs")) as started:
        yield started


@pytest.fixture(scope="module")
def client(running: Stack) -> Iterator[ClassifierClient]:
    with ClassifierClient(running.grpc_target) as opened:
        yield opened


def test_answers(client: ClassifierClient) -> None:
    """Each colour is what the models say of it, one at a time, in a batch and in a stream."""
    items = [(colour, tiny_models.picture(colour)) for colour in tiny_models.COLOURS]
    for colour, image in items:
        assert_whole(client.classify(image), colour)
    for result in [*client.classify_batch(items).results, *client.classify_stream(items * 5)]:
        assert_whole(result.answer, result.id)


def test_pictures_of_all_kinds(client: ClassifierClient) -> None:
    """What the merger rewrites is read by the real models as the same picture."""
    for image_format in ("JPEG", "PNG", "WEBP"):
        for width, height in ((10, 10), (60, 80), (1500, 2000)):
            picture = tiny_models.picture("cyan", width=width, height=height, image_format=image_format)
            assert_whole(client.classify(picture), "cyan")


def test_explains_an_attribute(client: ClassifierClient) -> None:
    """A head that only the models know can be asked what it rests on."""
    explanation = client.explain(tiny_models.picture("red"), pb.ExplainOptions(head="pattern", cells=12))
    assert (explanation.head, explanation.label) == ("pattern", "red")
    assert len(explanation.heat) == explanation.rows * explanation.columns > 1


@pytest.mark.skipif(CURL is None, reason="no curl on PATH")
def test_curl(running: Stack, tmp_path: Path) -> None:
    """REST as anyone would call it from a shell."""
    file = tmp_path / "red.jpg"
    file.write_bytes(tiny_models.picture("red"))
    url = f"{running.http_url}/v1/classify"
    for how in (["-F", f"image=@{file}"], ["-H", "Content-Type: image/jpeg", "--data-binary", f"@{file}"]):
        run = subprocess.run([str(CURL), "-sS", "--fail", *how, url], capture_output=True, check=True)
        answer = json.loads(run.stdout)
        assert (
            answer["joint"]["article_type"] == tiny_models.expected("red", int(answer["release"]) - 1)["article_type"]
        )


@pytest.mark.skipif(GRPCURL is None, reason="no grpcurl on PATH")
def test_grpcurl(running: Stack) -> None:
    """gRPC by reflection alone: list, describe, call, health, and an error whose details can be read."""

    def grpcurl(*arguments: str, data: str = "{}") -> subprocess.CompletedProcess[str]:
        command = [str(GRPCURL), "-plaintext", "-d", data, running.grpc_target, *arguments]
        if arguments[0] in ("list", "describe"):
            del command[2:4]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert "lookbook.v1.Classifier" in grpcurl("list").stdout
    assert (
        "rpc ClassifyStream ( stream .lookbook.v1.ClassifyStreamRequest )"
        in grpcurl("describe", "lookbook.v1.Classifier").stdout
    )
    image = base64.b64encode(tiny_models.picture("red")).decode()
    answer = json.loads(grpcurl("lookbook.v1.Classifier/Classify", data=json.dumps({"image": image})).stdout)
    expected = tiny_models.expected("red", int(answer["release"]) - 1)
    assert {head: answer["joint"][head] for head in expected} == expected
    assert '"SERVING"' in grpcurl("grpc.health.v1.Health/Check").stdout
    refused = grpcurl("lookbook.v1.Classifier/Classify").stderr
    assert "Code: InvalidArgument" in refused and "image_missing" in refused


def test_release_arrives_under_load(running: Stack, release: Path) -> None:
    """A new release is pushed while eight clients ask: nobody gets an error, nobody gets a mixture, all move on."""
    done = threading.Event()
    answers: list[tuple[str, pb.ClassifyResponse]] = []
    errors: list[Exception] = []

    def keep_asking(colour: str) -> None:
        with ClassifierClient(running.grpc_target) as own:
            while not done.is_set():
                try:
                    answers.append((colour, own.classify(tiny_models.picture(colour))))
                except Exception as error:
                    errors.append(error)
                time.sleep(0.02)  # the release is being written on the same two cores

    threads = [threading.Thread(target=keep_asking, args=(tiny_models.COLOURS[i % 6],)) for i in range(8)]
    for thread in threads:
        thread.start()
    try:
        tiny_models.write(release, "--version", 2, "--weights", 1, "--attributes", *ATTRIBUTES["2"])
        deadline = time.monotonic() + 60
        while answers[-1][1].release != "2" and time.monotonic() < deadline:
            time.sleep(0.1)
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert not errors
    assert {answer.release for _, answer in answers} == {"1", "2"}
    for colour, answer in answers:
        assert_whole(answer, colour)
