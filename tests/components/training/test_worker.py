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


def test_a_training_that_fails_for_a_reason_is_given_up(tmp_path, stand_in, monkeypatch):
    """A few attempts in a row without a new epoch are enough; the words tell how many there were."""
    monkeypatch.setenv("ALWAYS_FAILS", "1")
    run_dir = tmp_path / "artifacts/ArticleTypeTrainer/model_run/1"
    with pytest.raises(RuntimeError, match="article_type ended 4 times without being done, 4 of them in a row without"):
        worker.train_elsewhere(call_for(run_dir))
    assert ran(run_dir, 0) == 4
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


def config(workers=("a:1", "b:1"), task=(("type", "worker"), ("index", 0)), **jobs):
    """The text of a configuration."""
    return json.dumps({"cluster": {"worker": workers, **jobs}, "task": dict(task)})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("worker 0", "must be a JSON object"),
        ("[]", r"it is \[\]; it must be an object"),
        ("[" * 100_000, "must be a JSON object"),
        ('{"cluster": 5}', "cluster is 5"),
        ('{"cluster": {"worker": ["a:1", "b:1"]}, "task": null}', "task is None"),
        (config("host:2222"), "cluster.worker is 'host:2222'; it must be a list"),
        (config([1, 2]), "different HOST:PORT"),
        (config(["a", "b"]), "different HOST:PORT"),
        (config(["a:1", "a:1"]), "different HOST:PORT"),
        (config(["a:1", "b:99999"]), "different HOST:PORT"),
        (config(["a:1", " :1"]), "different HOST:PORT"),
        (config(ps=["c:1"]), "cluster names worker, ps;"),
        (config(["a:1"], chief=["c:1"]), "cluster names worker, chief;"),
        (config(task={"type": "ps", "index": 0}), "task.type is 'ps'"),
        (config(task={}), "task.type is None"),
        (config(task={"type": "worker"}), "task.index is None"),
        (config(task={"type": "worker", "index": "x"}), "task.index is 'x'"),
        (config(task={"type": "worker", "index": 2}), "task.index is 2; it must be one of 0 to 1"),
        (config(task={"type": "worker", "index": -1}), "task.index is -1"),
        (config(task={"type": "worker", "index": 0.9}), "task.index is 0.9"),
        (config(task={"type": "worker", "index": True}), "task.index is True"),
        (config(task={"type": "worker", "index": float("nan")}), "NaN is no number of JSON"),
        (config(["a:1"], {"index": 1}), "task.index is 1; it must be one of 0 to 0"),
        ('{"task": {"index": 1}}', "as cluster names 1"),
    ],
)
def test_a_configuration_that_no_training_could_go_by_is_told(monkeypatch, text, words):
    """Words at once: no training alone of what was meant for several, no waiting for ever, no fault hours later."""
    monkeypatch.setenv(worker.TF_CONFIG, text)
    for ask in (worker.workers, worker.index):
        with pytest.raises(ValueError, match=rf"^TF_CONFIG is .*{words}"):
            ask()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", (1, 0)),
        ("{}", (1, 0)),
        (config(task={"type": "worker", "index": "1"}), (2, 1)),
        (config(["[::1]:2222", "b.c:1", "d:1"], {"type": "worker", "index": 2}, ps=[]), (3, 2)),
        ('{"cluster": {"chief": ["a:1"]}, "task": {"type": "chief", "index": 0}, "environment": "cloud"}', (1, 0)),
    ],
)
def test_a_configuration_names_the_workers_and_this_one(monkeypatch, text, place):
    """Alone where it names one or nobody; as a text too, which a template may have put the index in as."""
    monkeypatch.setenv(worker.TF_CONFIG, text)
    assert (worker.workers(), worker.index()) == place
