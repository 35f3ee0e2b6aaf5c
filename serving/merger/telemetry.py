"""What the merger counts of itself, for Prometheus, and the log lines of its answers and calls."""

import logging
from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from serving.merger.core.seen import Seen
from serving.proto.lookbook.v1 import classifier_pb2 as pb

SECONDS: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)

ABORTED: Final = "aborted"
GONE: Final = (ABORTED, "cancelled")
"""Outcomes of calls whose client went away before it had an answer, by REST and by gRPC."""

answers_log = logging.getLogger("serving.merger.answers")
calls_log = logging.getLogger("serving.merger.core.calls")


class Telemetry:
    """Metrics of one merger; they live in a registry of their own, so that a process may hold several."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self._calls = self._counter("calls", "Calls by transport, method and outcome.", "transport", "method", "code")
        self._call_seconds = self._histogram("call_seconds", "Time of a whole call.", "transport", "method")
        self._images = self._counter("images", "Pictures by outcome: ok, partial or an error's code.", "outcome")
        self._reviews = self._counter("reviews", "Answers that a person should look at, by reason.", "reason")
        self._corrected = self._counter("corrected_answers", "Answers in which people's decisions had a say.")
        self._models = self._counter("model_calls", "Calls to a model by gRPC status.", "model", "code")
        self._model_seconds = self._histogram("model_call_seconds", "Time of a call to a model.", "model")
        self._release = self._gauge("release", "Version of the release that answers; 0 when there is none.")
        self._ready = self._gauge("ready", "1 when both models can answer, else 0.")
        self.seen = Seen()
        self.registry.register(_SeenCollector(self.seen))

    def watch(self, active: Callable[[], float], queued: Callable[[], float]) -> None:
        """Reports the pictures worked on and waiting."""
        self._gauge("images_active", "Pictures being worked on.").set_function(active)
        self._gauge("images_queued", "Pictures waiting for a place.").set_function(queued)

    def model_call(self, model: str, code: str, seconds: float) -> None:
        """Counts a call to a model."""
        self._models.labels(model, code).inc()
        self._model_seconds.labels(model).observe(seconds)

    def release(self, version: int, is_ready: bool) -> None:
        """Notes which release answers."""
        self._release.set(version)
        self._ready.set(is_ready)

    def answered(self, answer: pb.ClassifyResponse) -> None:
        """Counts an answer and logs its line."""
        self._images.labels("partial" if answer.partial else "ok").inc()
        self._corrected.inc(answer.correction_share > 0)
        for reason in answer.review.reasons:
            self._reviews.labels(reason.code).inc()
        fields = {
            "request_id": answer.request_id,
            "release": answer.release,
            "path": list(answer.path),
            "confidence": answer.joint.confidence,
            "review": [reason.code for reason in answer.review.reasons],
            "partial": answer.partial,
            "total_ms": answer.timings.total_ms,
            "image": f"{answer.image.format} {answer.image.width}x{answer.image.height} {answer.image.size_bytes} B",
        }
        answers_log.info("answer", extra=fields)

    def refused(self, code: str, request_id: str, detail: str) -> None:
        """Counts a picture without an answer and logs its line."""
        self._images.labels(code).inc()
        answers_log.info("no answer", extra={"request_id": request_id, "code": code, "detail": detail})

    def called(self, transport: str, method: str, code: str, seconds: float, request_id: str) -> None:
        """Counts a whole call, and logs it when it failed; ``code`` is "ok" or an error's code."""
        self._calls.labels(transport, method, code).inc()
        self._call_seconds.labels(transport, method).observe(seconds)
        if code != "ok":
            fields = {"request_id": request_id, "transport": transport, "method": method, "code": code}
            # A client that went away is no fault of anybody here, and strangers must not fill the log with it.
            level = logging.DEBUG if code in GONE else logging.INFO
            calls_log.log(level, "call failed", extra=fields | {"seconds": round(seconds, 3)})

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"lookbook_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(f"lookbook_{name}", text, registry=self.registry)

    def _histogram(self, name: str, text: str, *labels: str) -> Histogram:
        return Histogram(f"lookbook_{name}", text, labels, buckets=SECONDS, registry=self.registry)


class _SeenCollector:
    """What pictures looked like, and what eval looked like, for Prometheus to add up and compare."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    def collect(self) -> Iterator[Metric]:
        """Counts of the releases that still answered in the hours kept."""
        labels = ["release", "measure", "bin"]
        seen = CounterMetricFamily("lookbook_seen", "Pictures by what they look like to the models.", labels=labels)
        share = GaugeMetricFamily(
            "lookbook_eval_share",
            "Share of the release's eval split in that bin; not told of a bin in which nothing is ever strange.",
            labels=labels,
        )
        rows = GaugeMetricFamily("lookbook_eval_pictures", "Pictures in the release's eval split.", labels=labels[:2])
        for version, reference in self._seen.references.items():
            for measure, bins in reference.measures.items():
                total = sum(bins.counts)
                rows.add_metric([str(version), measure], total)
                counts = self._seen.totals.get(version, {}).get(measure, [])
                for name, count, expected in zip(bins.names, counts, bins.counts, strict=False):
                    seen.add_metric([str(version), measure, name], count)
                    if not (bins.more_is_usual and name == bins.names[-1]):
                        share.add_metric([str(version), measure, name], expected / max(total, 1))
        return iter((seen, share, rows))
