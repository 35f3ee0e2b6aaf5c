"""What a command starts ends with it, however the command ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from schema import heads as table
from tests.tiny_models import picture


@pytest.mark.parametrize("command", ["classify", "explain", "similar"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
def test_a_command_that_ends_ends_its_servers(tmp_path: Path, command: str, number: signal.Signals) -> None:
    """No signal, not even SIGKILL, leaves the model server or the merger of a command behind."""
    for model in table.MODELS:
        (tmp_path / "root/release" / model / "1").mkdir(parents=True)
    (tmp_path / "x.jpg").write_bytes(picture("red"))
    server = tmp_path / "bin" / "tensorflow_model_server"
    server.parent.mkdir()
    server.write_text("#!/bin/sh\nexec sleep 300\n")  # never ready, so that the command waits for it
    server.chmod(0o755)
    words = [
        sys.executable,
        "-m",
        "pipeline.runner",
        command,
        str(tmp_path / "x.jpg"),
        "--root",
        str(tmp_path / "root"),
    ]
    environment = os.environ | {"PATH": f"{server.parent}:{os.environ['PATH']}"}
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        parent = psutil.Process(process.pid)
        while len(children := parent.children(recursive=True)) < 2 or children[0].name() != "sleep":
            time.sleep(0.05)
            assert process.poll() is None, process.stdout and process.stdout.read()
        process.send_signal(number)
        process.wait(40)
        _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive
    assert process.returncode == {signal.SIGINT: 1, signal.SIGKILL: -9}.get(number, 128 + number)
