"""How workers of one training find each other, below a root that all see; what they train is left out."""

import json
import threading
import time

import pytest

from components.training import worker

PATIENCE_S = 120


def call_for(run_dir):
    """A call for a training in a folder as TFX lays it out."""
    run_dir.mkdir(parents=True)
    return worker.Call("article_type", ["article_type"], {}, "", [], [], str(run_dir), "")


def ran(run_dir, index):
    """How often a worker's share was begun."""
    path = run_dir / f"ran-{index}"
    return len(path.read_text().splitlines()) if path.exists() else 0


@pytest.fixture
def stand_in(monkeypatch):
    """Trainings do nothing, and their first attempt fails."""
    monkeypatch.setattr(worker, "_MODULE", "tests.components.training.one_share")
    monkeypatch.setattr(worker, "_PAUSE_S", 0.1)


def test_a_training_that_fails_is_tried_again_and_its_call_taken_back(tmp_path, stand_in):
    """The second attempt comes to the end; calls of runs that were killed are not left for anybody."""
    stale = tmp_path / "artifacts/CategoryTrainer/model_run/1"
    stale.mkdir(parents=True)
    (stale / worker.CALL).write_text("{}")
    run_dir = tmp_path / "artifacts/ArticleTypeTrainer/model_run/2"
    assert worker.train_elsewhere(call_for(run_dir)) == run_dir / worker.TRAINED
    assert ran(run_dir, 0) == 2
    assert not list(tmp_path.rglob(worker.CALL))


def test_another_worker_takes_part_until_its_share_is_done(tmp_path, stand_in, monkeypatch):
    """It finds the call, tries again what failed, and does not begin a share that is done a second time."""
    cluster = {"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 1}}
    monkeypatch.setenv(worker.TF_CONFIG, json.dumps(cluster))
    assert (worker.workers(), worker.index()) == (2, 1)
    threading.Thread(target=worker.serve, args=[tmp_path / "artifacts"], daemon=True).start()
    run_dir = tmp_path / "artifacts/ArticleTypeTrainer/model_run/1"
    with worker._called(call_for(run_dir)):
        deadline = time.monotonic() + PATIENCE_S
        while not (run_dir / worker.TRAINED).exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        time.sleep(1)
    assert ran(run_dir, 1) == 2


def test_a_configuration_that_is_none_is_told(monkeypatch):
    """Words, and no training alone of what was meant for several."""
    monkeypatch.setenv(worker.TF_CONFIG, "worker 0")
    with pytest.raises(ValueError, match="must be a JSON object"):
        worker.workers()
