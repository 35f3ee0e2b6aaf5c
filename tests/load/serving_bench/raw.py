"""The signatures in process: prints the figures as JSON. Runs in the pipeline's environment.

``python -m tests.load.serving_bench.raw RELEASE VERSION PICTURES SECONDS CALLERS BATCH``
"""

import itertools
import json
import os
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

from schema import heads as table
from schema import names
from tests.load.serving_bench.load import Usage, summarize

WARM_UP_S = 2.0


def main() -> None:
    """The command line."""
    release, version, folder, seconds, callers, batch = sys.argv[1:]
    models = [tf.saved_model.load(f"{release}/{model}/{version}") for model in table.MODELS]
    signatures = [model.signatures[names.SCORES] for model in models]
    pictures = [path.read_bytes() for path in sorted(Path(folder).iterdir())]
    rows = [pictures[i % len(pictures) :][: int(batch)] for i in range(0, len(pictures), int(batch))]
    batches = [tf.constant((row * int(batch))[: int(batch)], tf.string) for row in rows]
    _run(signatures, batches, int(callers), WARM_UP_S)
    before, started = Usage.of([os.getpid()]), time.perf_counter()
    latencies_s = _run(signatures, batches, int(callers), float(seconds))
    # A call of a batch answers all of its pictures.
    answered = [latency for latency in latencies_s for _ in range(int(batch))]
    print(json.dumps(asdict(summarize(answered, time.perf_counter() - started, before, Usage.of([os.getpid()])))))


def _run(signatures: list, batches: list[tf.Tensor], callers: int, seconds: float) -> list[float]:
    until = time.perf_counter() + seconds
    latencies_s: list[float] = []

    def call(first: int) -> None:
        for i in itertools.count(first, callers):
            started = time.perf_counter()
            if started > until:
                return
            for signature in signatures:
                for output in signature(image_bytes=batches[i % len(batches)]).values():
                    output.numpy()
            latencies_s.append(time.perf_counter() - started)

    threads = [threading.Thread(target=call, args=(i,)) for i in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return latencies_s


if __name__ == "__main__":
    main()
