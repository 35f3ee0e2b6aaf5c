"""Prometheus metrics under the names that TensorFlow Serving gives them, times in microseconds as there."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import Metric

MICROSECONDS: Final = 1e6
LATENCY_BUCKETS: Final = tuple(10 * 1.8**power for power in range(32))
BATCH_SIZE_BUCKETS: Final = tuple(2**power for power in range(11))
PREFIX: Final = ":tensorflow:serving:"


class RequestCounter:
    """``request_count``; a Counter of the client library would have ``_total`` added to its name."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, model: str, status: str) -> None:
        """Count one request."""
        with self._lock:
            self._counts[model, status] += 1

    def collect(self) -> Iterable[Metric]:
        """The metric as the client library wants it."""
        metric = Metric(f"{PREFIX}request_count", "The total number of requests.", "untyped")
        with self._lock:
            for (model, status), count in self._counts.items():
                metric.add_sample(metric.name, {"model_name": model, "status": status}, count)
        yield metric


class Metrics:
    """What the server counts and times."""

    def __init__(self) -> None:
        disable_created_metrics()
        self._registry = CollectorRegistry()
        self._requests = RequestCounter()
        self._registry.register(self._requests)
        ProcessCollector(registry=self._registry)
        self._request_latency = self._histogram(
            "request_latency", "Time of an answered request.", ("model_name", "API", "entrypoint"), LATENCY_BUCKETS
        )
        self._runtime_latency = self._histogram(
            "runtime_latency", "Time of a run of the model.", ("model_name", "API", "runtime"), LATENCY_BUCKETS
        )
        self._queuing_latency = self._histogram(
            "batching_session:queuing_latency", "Time in the queue.", ("model_name",), LATENCY_BUCKETS
        )
        self._batch_size = self._histogram(
            "batching_session:batch_size", "Requests that shared a run.", ("model_name",), BATCH_SIZE_BUCKETS
        )
        self._running = self._gauge("running", "Runs under way.")
        self._child = cache(lambda histogram, *labels: histogram.labels(*labels))

    def _histogram(self, name: str, help_text: str, labels: Sequence[str], buckets: Sequence[float]) -> Histogram:
        return Histogram(f"{PREFIX}{name}", help_text, labels, buckets=buckets, registry=self._registry)

    def _gauge(self, name: str, help_text: str) -> Gauge:
        return Gauge(f"{PREFIX}batching_session:{name}", help_text, registry=self._registry)

    def show_waiting(self, count: Callable[[], int]) -> None:
        """Have ``count`` asked for the number of requests in queues whenever the metrics are read."""
        self._gauge("waiting", "Requests in queues.").set_function(count)

    def request(self, model: str, entrypoint: str, status: str, seconds: float) -> None:
        """Count a Predict request; the latency is that of the answered ones, as in TensorFlow Serving."""
        self._requests.add(model, status)
        if status == "OK":
            self._child(self._request_latency, model, "Predict", entrypoint).observe(seconds * MICROSECONDS)

    @contextmanager
    def run(self, model: str, waits: Sequence[float]) -> Iterator[None]:
        """Time a run of the model; ``waits`` are the seconds that each of its requests was in the queue."""
        started = time.monotonic()
        with self._running.track_inprogress():
            yield
        seconds = time.monotonic() - started
        self._child(self._runtime_latency, model, "Predict", "TF1").observe(seconds * MICROSECONDS)
        self._child(self._batch_size, model).observe(len(waits))
        for wait in waits:
            self._child(self._queuing_latency, model).observe(wait * MICROSECONDS)

    def page(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self._registry)
