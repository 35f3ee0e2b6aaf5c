"""The local stack as a person starts it: which model server it takes, that it runs, and that it ends.

The model server is the fake one, dressed as the real binary or as a container engine.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from schema import allocator
from serving.client import ClassifierClient
from serving.local.model_server import find_model_server
from serving.local.processes import StackError, free_port, python_with
from serving.local.stack import stack
from tests import tiny_models
from tests.tiny_models import ROOT

FAKE = f"exec {sys.executable} -m tests.serving.fake_model_server"
ENGINE = f"""#!/bin/sh
echo "$@" >> "$(dirname "$0")/asked"
case "$1" in
  info) exit 0;;
  image) test -e "$(dirname "$0")/has_image";;
  pull) exit 1;;
  run) for word; do case "$word" in 127.0.0.1:*:8500) port="${{word#127.0.0.1:}}";; esac; done
       cd {ROOT}; {FAKE} --port "${{port%:8500}}";;
esac
"""


@pytest.fixture
def release(tmp_path: Path) -> Path:
    for model in ("article_type", "category"):
        (tmp_path / "release" / model / "1").mkdir(parents=True)
    return tmp_path / "release"


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing on it but what the test puts there, and the system's own tools."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setattr("serving.local.model_server.ENGINES", ("engine",))
    return folder


def script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def install_binary(path: Path) -> None:
    script(path / "tensorflow_model_server", f'#!/bin/sh\ncd {ROOT}; {FAKE} "$@"\n')


def test_takes_the_binary(release: Path, path: Path, tmp_path: Path) -> None:
    """tensorflow_model_server on PATH comes first; the stack answers, and leaving ends every process."""
    install_binary(path)
    with stack(release, logs=tmp_path / "logs") as running:
        assert running.kind.startswith("TensorFlow Serving (")
        with ClassifierClient(running.grpc_target) as client:
            answer = client.classify(tiny_models.picture("red"))
        assert answer.joint.article_type == tiny_models.expected("red", 1)["article_type"]
        processes = [psutil.Process(child.process.pid) for child in running.children]
    assert not any(process.is_running() for process in processes)
    config = (tmp_path / "logs" / "models.config").read_text()
    assert f'base_path: "{release}/article_type"' in config


def listening(processes: list[psutil.Process]) -> dict[tuple[str, int], int]:
    """(Address, port) → process of each TCP port that they listen on."""
    found = {}
    for process in processes:
        for one in process.net_connections("inet"):
            if one.status == psutil.CONN_LISTEN:
                found[one.laddr.ip.removeprefix("::ffff:"), one.laddr.port] = process.pid
    return found


@pytest.mark.parametrize("kind", ["the binary", "the embedded server"])
def test_only_the_merger_listens(path: Path, tmp_path: Path, kind: str) -> None:
    """Whoever reaches a model server can make it serve anything: no port leads there, and none beyond this machine."""
    if kind == "the binary":
        install_binary(path)
        for model in ("article_type", "category"):
            (tmp_path / "release" / model / "1").mkdir(parents=True)
    elif tiny_models.PIPELINE_PYTHON.exists():
        tiny_models.write(tmp_path / "release", "--version", 1)
    else:
        pytest.skip("needs the pipeline's environment (TensorFlow)")
    with stack(tmp_path / "release", logs=tmp_path / "logs") as running:
        merger = running.children[1].process.pid
        assert running.model_target.startswith("unix:")
        folder = Path(running.model_target.removeprefix("unix:")).parent
        assert folder.stat().st_mode & 0o077 == 0
        ports = listening(children_of(os.getpid()))
        assert set(ports.values()) == {merger} and {address for address, _ in ports} == {"127.0.0.1"}, ports
        assert len(ports) == 3
    assert not folder.exists()


def test_takes_the_container(release: Path, path: Path, tmp_path: Path) -> None:
    """Without the binary, an engine that answers runs the official image with the committed files, and stops it."""
    script(path / "engine", ENGINE)
    (path / "has_image").touch()
    with stack(release, logs=tmp_path / "logs") as running:
        assert "engine, docker.io/tensorflow/serving" in running.kind
    asked = (path / "asked").read_text().splitlines()
    (run,) = [line for line in asked if line.startswith("run")]
    assert f"--volume {release}:/models:ro" in run
    assert f"--volume {ROOT}/serving/tensorflow_serving:/etc/tensorflow_serving:ro" in run
    assert "--entrypoint tensorflow_model_server" in run and "--enable_profiler=false" in run
    assert all(f"--env={name}={value}" in run for name, value in allocator.ENVIRONMENT.items())
    assert [line for line in asked if line.startswith("stop --time")]


@pytest.mark.skipif(not tiny_models.PIPELINE_PYTHON.exists(), reason="needs the pipeline's environment (TensorFlow)")
def test_falls_back_to_the_embedded_server(release: Path, path: Path, tmp_path: Path) -> None:
    """No binary, and an engine that answers but cannot get the image: the embedded server, and it is said."""
    script(path / "engine", ENGINE)
    found = find_model_server(release, tmp_path, Path("/nobody/else"))
    assert found.command[1:3] == ("-m", "serving.model_server") and "embedded" in found.kind
    assert {"--port=0", "--grpc_socket_path=/nobody/else/model_server"} <= set(found.command)
    assert found.target == "unix:/nobody/else/model_server"
    assert f"--model_config_file={tmp_path}/models.config" in found.command


def test_says_what_is_missing(release: Path, path: Path, tmp_path: Path) -> None:
    """A folder without a release, and a model server that ends at once, are told with what would be right."""
    with pytest.raises(StackError, match="has no version of article_type and category"), stack(tmp_path):
        pass
    script(path / "tensorflow_model_server", "#!/bin/sh\necho out of luck; exit 3\n")
    died = pytest.raises(StackError, match=r"model server ended with code 3(.|\n)*out of luck")
    with died, stack(release, logs=tmp_path / "logs"):
        pass
    assert not children_of(os.getpid())


@pytest.mark.parametrize(("is_clone", "cure"), [(True, "run `make env`"), (False, "ask a running merger: --server")])
def test_what_an_environment_lacks_has_a_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_clone: bool, cure: str
) -> None:
    """In a clone the other environment can be made; in an image there is no make, but a merger can be asked."""
    monkeypatch.setattr("serving.local.processes.ROOT", tmp_path)
    if is_clone:
        (tmp_path / "Makefile").touch()
    with pytest.raises(StackError, match=f"has no not_there.*{cure}"):
        python_with("not_there", "serving")


@contextmanager
def command_line(release: Path, tmp_path: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """``python -m serving.stack``, ready, and its REST address."""
    port = free_port()
    command = [sys.executable, "-m", "serving.stack", "--release", str(release), "--http-port", str(port)]
    command += ["--grpc-port", "0", "--metrics-port", "0", "--logs", str(tmp_path / "logs")]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, **pipes) as process:
        try:
            assert process.stdout is not None
            said = [process.stdout.readline() for _ in range(3)]
            assert said[0].startswith("Model server: TensorFlow Serving"), (said, process.stderr)
            yield process, f"http://127.0.0.1:{port}"
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(30)


def children_of(pid: int) -> list[psutil.Process]:
    return [child for child in psutil.Process(pid).children(recursive=True) if child.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_command_line(release: Path, path: Path, tmp_path: Path, number: signal.Signals) -> None:
    """It says what it took and where it is, serves, and a signal ends all of it with status 0."""
    install_binary(path)
    with command_line(release, tmp_path) as (process, url):
        with urllib.request.urlopen(f"{url}/readyz") as reply:
            assert json.load(reply)["status"] == "ready"
        children = children_of(process.pid)
        assert len(children) >= 2  # the merger has some of its own
        process.send_signal(number)
        assert process.wait(30) == 0
    assert not any(child.is_running() for child in children)


def test_command_line_notices_a_dead_child(release: Path, path: Path, tmp_path: Path) -> None:
    """When one of its processes ends the whole stack ends, and says which."""
    install_binary(path)
    with command_line(release, tmp_path) as (process, _):
        children = children_of(process.pid)
        children[0].send_signal(signal.SIGKILL)
        assert process.wait(30) == 1
        assert process.stderr is not None and "model server ended with code -9" in process.stderr.read()
    deadline = time.monotonic() + 5
    while any(child.is_running() for child in children) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(child.is_running() for child in children)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGKILL])
def test_nothing_outlives_it(release: Path, path: Path, tmp_path: Path, number: signal.Signals) -> None:
    """A closed terminal and even SIGKILL leave no model server and no merger behind."""
    install_binary(path)
    with command_line(release, tmp_path) as (process, _):
        children = children_of(process.pid)
        assert len(children) >= 2  # the merger has some of its own
        process.send_signal(number)
        process.wait(30)
        _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:9", "127.0.0.1:9", "socks5h://127.0.0.1:9", ":: no address"])
def test_loopback_goes_through_no_proxy(
    release: Path, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    """A proxy that the environment names in any way, and that is dead, keeps nobody from the stack of this machine."""
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "example.com")
    for name in ("http_proxy", "https_proxy", "all_proxy", "grpc_proxy"):
        monkeypatch.setenv(name, proxy)
        monkeypatch.setenv(name.upper(), proxy)
    install_binary(path)
    with stack(release, logs=tmp_path / "logs", ready_s=60) as running, ClassifierClient(running.grpc_target) as client:
        assert client.classify(tiny_models.picture("red")).release == "1"


@pytest.mark.parametrize("name", [f"{'d' * 60}/{'e' * 60}", "per%cent #1", "x[1]", os.fsdecode(b"caf\xe9")])
def test_temporary_files_may_be_anywhere(
    release: Path, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A TMPDIR whose path no socket can have, since it is too long or means something in a URL, is no harm."""
    (tmp_path / name).mkdir(parents=True)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / name))
    monkeypatch.setenv("TMPDIR", str(tmp_path / name))
    install_binary(path)
    with stack(release, logs=tmp_path / "logs", ready_s=60) as running, ClassifierClient(running.grpc_target) as client:
        assert client.classify(tiny_models.picture("red")).release == "1"


@pytest.mark.parametrize("option", ["--http-port", "--grpc-port", "--metrics-port"])
def test_a_taken_port_is_said_at_once(release: Path, tmp_path: Path, option: str) -> None:
    """Whoever has the port is asked to go, by its number, before any process starts."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "serving.stack", "--release", str(release), "--logs", str(tmp_path / "logs")]
        ports = {"--http-port": 0, "--grpc-port": 0, "--metrics-port": 0} | {option: port}
        command += [str(one) for pair in ports.items() for one in pair]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and f"port {port} cannot be had" in done.stderr and "Traceback" not in done.stderr
