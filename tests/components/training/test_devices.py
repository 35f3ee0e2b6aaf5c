"""Trainings of two workers, each a process of its own, on this machine's loopback."""

import json
import os
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.components.training.shared_training import EPOCHS, ROWS

HOUSE = Path(__file__).parents[3]
PATIENCE_S = 400


def start(folder, dies_after="99", workers=2, **variables):
    """Starts the workers; each one's log lies in the folder."""
    ports = []
    for _ in range(workers):
        with socket.create_server(("127.0.0.1", 0)) as free:
            ports.append(free.getsockname()[1])
    cluster = {"worker": [f"127.0.0.1:{port}" for port in ports]}
    processes = []
    for index in range(workers):
        named = {"TF_CONFIG": json.dumps({"cluster": cluster, "task": {"type": "worker", "index": index}})}
        command = [sys.executable, "-m", "tests.components.training.shared_training", str(folder), dies_after]
        with (folder / f"log-{index}").open("ab") as log:
            environment = {**os.environ, **(named if workers > 1 else {}), "PYTHONPATH": str(HOUSE), **variables}
            processes.append(subprocess.Popen(command, cwd=HOUSE, env=environment, stdout=log, stderr=log))
    return processes


def codes(processes):
    """Their exit codes, once all have ended."""
    try:
        return [process.wait(PATIENCE_S) for process in processes]
    finally:
        for process in processes:
            process.kill()


def epochs(folder, index=0):
    """Number and figures of each epoch that a worker went through."""
    return [json.loads(line) for line in (folder / f"epochs-{index}.jsonl").read_text().splitlines()]


def best(folder):
    """Loss on eval after the best epoch, whose weights a training keeps; the others jump about in so small batches."""
    return min(figures["val_loss"] for _, figures in epochs(folder))


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The training of one process."""
    folder = tmp_path_factory.mktemp("alone")
    assert codes(start(folder, workers=1)) == [0], (folder / "log-0").read_text()
    return folder


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    """The same of two."""
    folder = tmp_path_factory.mktemp("together")
    assert codes(start(folder)) == [0, 0], (folder / "log-0").read_text()
    return folder


def test_each_row_is_seen_once_an_epoch(together):
    """By one of the two workers, which share the rows evenly; 45 rows in batches of 8 leave a remainder for nobody."""
    seen = [Counter(json.loads((together / f"seen-{index}.json").read_text())) for index in (0, 1)]
    assert seen[0] + seen[1] == Counter(dict.fromkeys(range(ROWS), EPOCHS))
    assert abs(seen[0].total() - seen[1].total()) <= EPOCHS


def test_workers_agree_and_learn_as_well_as_one(alone, together):
    """Both have the same figures, to the last digit, and at their best those of one process, within noise."""
    assert epochs(together, 0) == epochs(together, 1)
    assert [number for number, _ in epochs(together)] == [number for number, _ in epochs(alone)] == list(range(EPOCHS))
    assert epochs(alone)[-1][1]["val_accuracy"] == epochs(together)[-1][1]["val_accuracy"] == 1.0
    assert abs(best(alone) - best(together)) < 0.05
    assert not list((together / "run").glob("*backup*"))


def test_devices_of_one_process_share_the_rows_too(alone, tmp_path):
    """As several GPUs would: each row once an epoch, and at its best the same figures, within noise."""
    assert codes(start(tmp_path, workers=1, TWO_DEVICES="1")) == [0], (tmp_path / "log-0").read_text()
    seen = Counter(json.loads((tmp_path / "seen-0.json").read_text()))
    assert seen == Counter(dict.fromkeys(range(ROWS), EPOCHS))
    assert abs(best(alone) - best(tmp_path)) < 0.05


@pytest.mark.slow
def test_a_worker_that_is_killed_costs_an_epoch(tmp_path):
    """The other one ends too, and says so; started again, both go on with the last whole epoch and come to the end."""
    died, left = codes(start(tmp_path, dies_after="4"))[::-1]
    assert died == -9 and left not in (0, -9)
    gone = [number for number, _ in epochs(tmp_path)]
    assert codes(start(tmp_path, dies_after="4")) == [0, 0], (tmp_path / "log-0").read_text()
    after = [number for number, _ in epochs(tmp_path)][len(gone) :]
    assert gone[0] == 0 and after[0] in (4, 5) and after == list(range(after[0], EPOCHS))
