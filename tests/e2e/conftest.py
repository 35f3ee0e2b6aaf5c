"""A pipeline that was killed, resumed, re-run and changed: one root that the tests of this folder look at in turn."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from components.catalogue.sample import draw_catalogue, draw_held_out

SETTINGS = ("--profile", "quick")


@dataclass(frozen=True)
class Home:
    """A root and the catalogue it learns from."""

    root: Path
    data: Path

    def lookbook(self, *arguments, check=True, rooted=True):
        root = ["--root", str(self.root)] if rooted else []
        command = [sys.executable, "-m", "pipeline.runner", *map(str, arguments), *root]
        result = subprocess.run(command, capture_output=True, text=True, timeout=2400, check=False)
        assert not check or result.returncode == 0, result.stdout + result.stderr
        return result

    def run(self, *more, check=True):
        return self.lookbook("run", "--data", self.data, *SETTINGS, *more, check=check)

    def manifests(self):
        return sorted((self.root / "release" / "manifests").glob("*.json"))

    def executions(self):
        """Component → states of its executions, oldest first, by MLMD's record."""
        from ml_metadata.proto import metadata_store_pb2

        from pipeline.config import Layout
        from pipeline.running.record_store import open_store

        store = open_store(Layout(self.root))
        types = {kind.id: kind.name for kind in store.get_execution_types()}
        states: dict[str, list[str]] = {}
        for execution in sorted(store.get_executions(), key=lambda one: one.id):
            contexts = store.get_contexts_by_execution(execution.id)
            node = next(one.name.rsplit(".", 1)[-1] for one in contexts if one.type == "node")
            state = metadata_store_pb2.Execution.State.Name(execution.last_known_state)
            states.setdefault(node or types[execution.type_id], []).append(state)
        return states


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """A first run that was killed with SIGKILL while it trained, and then run again to the end."""
    folder = tmp_path_factory.mktemp("e2e")
    draw_catalogue(folder / "sample")
    draw_held_out(folder / "sample" / "held_out", per_type=1)
    home = Home(folder / "root", folder / "sample")
    _kill_while_training(home)
    assert not home.manifests(), "a killed run must not leave a release"
    home.run()
    return home


def _kill_while_training(home):
    command = [sys.executable, "-m", "pipeline.runner", "run", "--data", home.data, *SETTINGS, "--root", home.root]
    with subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        deadline = time.monotonic() + 1200
        for line in process.stdout:
            if "epoch 1/" in line:
                break
            assert time.monotonic() < deadline, "training did not start"
        os.kill(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL


def read_json(path):
    return json.loads(Path(path).read_text(encoding="utf-8"))
