"""A training in processes of its own: one for each worker that ``TF_CONFIG`` names, or one for this machine's GPUs.

Worker 0 is ``lookbook run``: it leaves a call in the run's folder, below a root that all workers see, starts the
process of its own share, and goes on from the weights that come of it. Each other worker is the same command, which
waits for calls instead. A process that dies takes the others' down with it, all are started again, and go on with the
last whole epoch.
"""

import dataclasses
import json
import logging
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from schema.addresses import host_and_port
from schema.plain_json import parsed

CALL: Final = "call.json"
TRAINED: Final = "trained.weights.h5"
_MODULE: Final = "components.training.worker"
_ATTEMPTS: Final = 10
_ATTEMPTS_IN_VAIN: Final = 4
"""So many in a row that end without a new epoch fail for a reason, and not because a machine was taken away."""
_PAUSE_S: Final = 2.0
_HOUSE: Final = Path(__file__).parents[2]
TF_CONFIG: Final = "TF_CONFIG"
_JOB: Final = "worker"
_EXAMPLE: Final = '{"cluster": {"worker": ["a:2222", "b:2222"]}, "task": {"type": "worker", "index": 0}}'
_log = logging.getLogger("lookbook.trainer")


def workers() -> int:
    """How many workers ``TF_CONFIG`` names; 1 where it names none.

    Raises:
        ValueError: it says something that no training could go by.
    """
    return _place()[0]


def index() -> int:
    """This worker's place among them.

    Raises:
        ValueError: as of :func:`workers`.
    """
    return _place()[1]


@dataclasses.dataclass(frozen=True)
class Call:
    """What a training takes, as :func:`components.training.trainer.run_fn` has it; all workers have the same paths."""

    model: str
    heads: list[str]
    hyperparameters: dict[str, Any]
    transform_output: str
    train_files: list[str]
    eval_files: list[str]
    run_dir: str
    backbone_weights: str
    id: str = dataclasses.field(default_factory=lambda: uuid.uuid4().hex)

    @classmethod
    def read(cls, path: Path) -> "Call":
        """The call in a file."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))


def train_elsewhere(call: Call) -> Path:
    """Trains, together with whoever is called; gives the file with the trained weights.

    Raises:
        RuntimeError: the processes ended too often without being done, or without a new epoch; the log has their words.
    """
    run_dir, in_vain = Path(call.run_dir), 0
    with _called(call) as path:
        for attempt in range(1, _ATTEMPTS + 1):
            before = _epochs(run_dir)
            with _process(path) as process:
                code = process.wait()
            if code == 0:
                return run_dir / TRAINED
            _log.info(
                "%s: the training's process ended with %d; attempt %d of %d", call.model, code, attempt, _ATTEMPTS
            )
            in_vain = in_vain + 1 if _epochs(run_dir) == before else 0
            if in_vain == _ATTEMPTS_IN_VAIN:
                break
            time.sleep(_PAUSE_S)
    raise RuntimeError(
        f"the training of {call.model} ended {attempt} times without being done, {in_vain} of them in a row without a "
        "new epoch; the log has the words"
    )


def _epochs(run_dir: Path) -> set[str]:
    """Names of the backups of :mod:`components.training.backups`, which is heavy to import."""
    return {path.name for path in run_dir.glob("backup-*")}


def serve(artifacts: Path) -> None:
    """Takes part in each training that is called for below a folder, until this process is ended."""
    done: set[str] = set()
    while True:
        for path in artifacts.glob(f"*/model_run/*/{CALL}"):
            try:
                call = Call.read(path)
            except FileNotFoundError:
                continue  # taken back meanwhile
            if call.id not in done and _take_part(path):
                done.add(call.id)
        time.sleep(_PAUSE_S)


def train(call: Call) -> None:
    """One worker's share, in a process in which TensorFlow has done nothing yet."""
    from components.training.devices import open_devices

    devices = open_devices()
    import keras
    import tensorflow_transform as tft

    from components.training import training_data
    from components.training.hyperparameters import HyperParameters
    from components.training.loop import train_classifier

    parameters, run_dir = HyperParameters.from_dict(call.hyperparameters), Path(call.run_dir)
    keras.utils.set_random_seed(parameters.seed)
    transform_output = tft.TFTransformOutput(call.transform_output)
    labels = training_data.read_labels(call.train_files, transform_output, call.heads)
    counts = training_data.class_counts(labels, transform_output)
    with training_data.cache_folder(run_dir, str(index())) as cache:
        rows, evaluation = (
            training_data.read_split(files, transform_output, call.heads, f"{cache}/{number}")
            for number, files in enumerate((call.train_files, call.eval_files))
        )
        base = Path(call.backbone_weights) if call.backbone_weights else None
        batches = evaluation.batch(parameters.batch_size)
        model, _ = train_classifier(call.model, rows, batches, counts, parameters, run_dir, base, devices)
    if devices.is_chief:
        model.save_weights(run_dir / TRAINED)


def _take_part(path: Path) -> bool:
    """Whether this worker's share came to its end."""
    with _process(path) as process:
        while process.poll() is None:
            if not path.exists():  # worker 0 is done with it, or gave it up
                return True
            time.sleep(_PAUSE_S / 4)
    _log.info("%s: this worker's process ended with %d", path, process.returncode)
    return process.returncode == 0


@contextmanager
def _called(call: Call) -> Iterator[Path]:
    run_dir = Path(call.run_dir)
    for old in run_dir.parents[2].glob(f"*/model_run/*/{CALL}"):
        old.unlink(missing_ok=True)  # of a run that was killed
    path = run_dir / CALL
    part = path.with_suffix(".part")
    part.write_text(json.dumps(dataclasses.asdict(call)), encoding="utf-8")
    part.replace(path)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


@contextmanager
def _process(path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A process for a call, which ends with this one."""
    environment = {**os.environ, "PYTHONPATH": f"{_HOUSE}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    command = [sys.executable, "-m", _MODULE, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


def _place() -> tuple[int, int]:
    """How many workers there are, and which of them this is."""
    text = os.environ.get(TF_CONFIG)
    if not text:
        return 1, 0
    try:
        return _place_in(parsed(text))
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{TF_CONFIG} is {text!r:.300}; it must be a JSON object with cluster and task, as {_EXAMPLE}: {error}"
        ) from error


def _place_in(document: Any) -> tuple[int, int]:
    """The same of the document, all of which is looked at: TensorFlow would do so hours later, or wait for ever."""
    config = _object("it", document)
    cluster, task = (_object(key, config.get(key, {})) for key in ("cluster", "task"))
    jobs = {job: addresses for job, addresses in cluster.items() if _are_addresses(job, addresses)}
    count = max(1, sum(map(len, jobs.values())))
    if count > 1 and list(jobs) != [_JOB]:
        raise ValueError(f"cluster names {', '.join(jobs)}; those that share a training must all be in {_JOB}")
    if count > 1 and task.get("type") != _JOB:
        raise ValueError(f"task.type is {task.get('type')!r:.60}; it must be {_JOB!r}")
    told = task.get("index", 0 if count == 1 else None)
    place = str(told)
    if isinstance(told, bool) or not (place.isascii() and place.isdecimal() and int(place) < count):
        raise ValueError(f"task.index is {told!r:.60}; it must be one of 0 to {count - 1}, as cluster names {count}")
    return count, int(place)


def _object(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{name} is {value!r:.60}; it must be an object")
    return value


def _are_addresses(job: str, value: Any) -> bool:
    """Whether a job has any; what are none are an error."""
    if not isinstance(value, list) or not all(map(_is_address, value)) or len(set(value)) < len(value):
        raise ValueError(f"cluster.{job} is {value!r:.120}; it must be a list of different HOST:PORT")
    return bool(value)


def _is_address(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(host_and_port(value))
    except ValueError:
        return False


def main(path: Path) -> None:
    """One training, in the process that :func:`train_elsewhere` or :func:`serve` starts."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    threading.Thread(target=_end_with_parent, daemon=True).start()
    train(Call.read(path))
    sys.stdout.flush()
    os._exit(0)  # no waiting for TensorFlow's threads, which wait for other workers'


if __name__ == "__main__":
    main(Path(sys.argv[1]))
