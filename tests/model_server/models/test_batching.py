"""Who shares a run with whom: the queue by itself, with a run that the test holds in its hand."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from grpc import StatusCode

from serving.model_server.config import BatchLimits
from serving.model_server.errors import ServingError, invalid_argument
from serving.model_server.metrics import Metrics
from serving.model_server.models.arrays import Arrays
from serving.model_server.models.batching import BatchQueue, Turns
from serving.model_server.models.calls import Call
from tests.model_server.running import wait_until

LIMITS = BatchLimits(batching=True, rows_per_request=16, rows_per_run=4, queued_rows=8, threads=2)


class HeldRun:
    """Doubles ``x``. Each run waits until the test lets it go; a negative number is an error."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self._go = threading.Semaphore(0)

    def __call__(self, inputs: Arrays) -> Arrays:
        self.batches.append(inputs["x"].ravel().tolist())
        assert self._go.acquire(timeout=30)
        if (inputs["x"] < 0).any():
            raise invalid_argument("negative")
        return {"y": inputs["x"] * 2}

    def let_go(self, runs: int = 100) -> None:
        self._go.release(runs)

    def wait_for_start(self, runs: int = 1) -> None:
        wait_until(lambda: len(self.batches) >= runs, f"{runs} runs")


@pytest.fixture
def run() -> Iterator[HeldRun]:
    held = HeldRun()
    yield held
    held.let_go()


@pytest.fixture
def callers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(32) as pool:
        yield pool


class Queue:
    """A queue under test and the threads of its callers."""

    def __init__(self, run: HeldRun, callers: ThreadPoolExecutor, limits: BatchLimits = LIMITS) -> None:
        self.turns = Turns(limits, Metrics())
        self.queue = BatchQueue("model", run, self.turns)
        self._callers = callers
        self._is_busy = False

    def submit(self, *rows: Any, call: Call | None = None) -> "Future[Arrays]":
        """Submit from a thread of its own; returns once the request is in the queue, or refused, or running."""
        before = len(self.queue)
        future = self._callers.submit(self.queue.submit, {"x": np.array(rows)}, call or Call())
        is_first, self._is_busy = not self._is_busy, True
        wait_until(lambda: is_first or len(self.queue) > before or future.done(), "the request to queue")
        return future


def numbers(future: "Future[Arrays]") -> list[int]:
    return future.result(30)["y"].tolist()


def failure(future: "Future[Arrays]") -> ServingError:
    error = future.exception(30)
    assert isinstance(error, ServingError)
    return error


def held(run: HeldRun, callers: ThreadPoolExecutor, limits: BatchLimits = LIMITS) -> tuple[Queue, "Future[Arrays]"]:
    """A queue whose first run is under way."""
    queue = Queue(run, callers, limits)
    first = queue.submit(0)
    run.wait_for_start()
    return queue, first


def test_the_first_waits_for_nobody(run: HeldRun, callers: ThreadPoolExecutor) -> None:
    """A lone request runs at once and alone."""
    _, first = held(run, callers)
    run.let_go()
    assert numbers(first) == [0]
    assert run.batches == [[0]]


def test_those_that_queue_share_a_run(run: HeldRun, callers: ThreadPoolExecutor) -> None:
    """Requests that come during a run make up the next one, in order, up to the limit, and each gets its own rows."""
    queue, _ = held(run, callers)
    futures = [queue.submit(1), queue.submit(2, 3), queue.submit(4, 5)]
    run.let_go()
    assert [numbers(future) for future in futures] == [[2], [4, 6], [8, 10]]
    assert run.batches == [[0], [1, 2, 3], [4, 5]]


def test_only_alike_requests_share(run: HeldRun, callers: ThreadPoolExecutor) -> None:
    """Requests whose rows have different shapes run apart, in order."""
    queue, _ = held(run, callers)
    futures = [queue.submit(1), queue.submit([2, 3]), queue.submit(4)]
    run.let_go()
    assert [numbers(future) for future in futures] == [[2], [[4, 6]], [8]]
    assert run.batches == [[0], [1], [2, 3], [4]]


def test_a_bad_one_harms_nobody(run: HeldRun, callers: ThreadPoolExecutor) -> None:
    """When a shared run fails, each of its requests runs alone: the bad one fails, its neighbours don't."""
    queue, _ = held(run, callers)
    futures = [queue.submit(1), queue.submit(-2), queue.submit(3)]
    run.let_go()
    assert numbers(futures[0]) == [2]
    assert str(failure(futures[1])) == "negative"
    assert numbers(futures[2]) == [6]


def test_a_large_one_is_cut_up(run: HeldRun, callers: ThreadPoolExecutor) -> None:
    """A request of more rows than a run takes is run in pieces and answered whole."""
    run.let_go()
    future = Queue(run, callers).submit(*range(10))
    assert numbers(future) == list(range(0, 20, 2))
    assert [len(batch) for batch in run.batches] == [4, 4, 2]


def test_too_large(run: HeldRun, callers: ThreadPoolExecutor) -> None:
    """A request beyond the limit is refused."""
    error = failure(Queue(run, callers).submit(*range(17)))
    assert (error.code, run.batches) == (StatusCode.INVALID_ARGUMENT, [])


def test_full(run: HeldRun, callers: ThreadPoolExecutor) -> None:
    """A full queue says UNAVAILABLE at once, as TensorFlow Serving does, and serves those already in it."""
    queue, _ = held(run, callers)
    inside = [queue.submit(row) for row in range(8)]
    assert failure(queue.submit(8)).code is StatusCode.UNAVAILABLE
    run.let_go()
    assert [numbers(future)[0] for future in inside] == list(range(0, 16, 2))


def test_deadline(run: HeldRun, callers: ThreadPoolExecutor) -> None:
    """Who waits longer than its deadline is told so then, is never run, and leaves its room in the queue to others."""
    queue, _ = held(run, callers)
    late = [queue.submit(row, call=Call(time.monotonic() + 0.1)) for row in range(1, 9)]
    assert {failure(future).code for future in late} == {StatusCode.DEADLINE_EXCEEDED}
    after = queue.submit(9)
    run.let_go()
    assert numbers(after) == [18]
    assert run.batches == [[0], [9]]


def test_expired_before_the_run(run: HeldRun, callers: ThreadPoolExecutor) -> None:
    """A request that comes too late is not run, even by an idle queue, and the queue goes on."""
    queue = Queue(run, callers)
    assert failure(queue.submit(1, call=Call(time.monotonic() - 1))).code is StatusCode.DEADLINE_EXCEEDED
    run.let_go()
    assert numbers(queue.submit(2)) == [4]
    assert run.batches == [[2]]


def test_caller_has_left(run: HeldRun, callers: ThreadPoolExecutor) -> None:
    """A request whose caller hung up is dropped from the queue, whether it would lead the run or follow."""
    queue, _ = held(run, callers)
    gone = Call(is_alive=lambda: False)
    futures = [queue.submit(1, call=gone), queue.submit(2), queue.submit(3, call=gone), queue.submit(4)]
    run.let_go()
    assert [failure(futures[i]).code for i in (0, 2)] == [StatusCode.CANCELLED] * 2
    assert [numbers(futures[i]) for i in (1, 3)] == [[4], [8]]
    assert run.batches == [[0], [2, 4]]


def test_unforeseen_failure(callers: ThreadPoolExecutor) -> None:
    """A fault in a run is INTERNAL to its caller, tells nothing of itself, and blocks nobody."""

    def fail(_: Arrays) -> Arrays:
        raise ZeroDivisionError("secret")

    queue = BatchQueue("model", fail, Turns(LIMITS, Metrics()))
    for _ in range(3):
        with pytest.raises(ServingError, match="Internal error") as caught:
            queue.submit({"x": np.array([1])}, Call())
        assert caught.value.code is StatusCode.INTERNAL


def test_outputs_without_rows(callers: ThreadPoolExecutor) -> None:
    """A signature whose output has no row for each input can't share runs, and answers each request alone."""
    started, go = threading.Event(), threading.Event()

    def total(inputs: Arrays) -> Arrays:
        started.set()
        assert go.wait(30)
        return {"y": inputs["x"].sum()}

    queue = BatchQueue("model", total, Turns(LIMITS, Metrics()))
    first = callers.submit(queue.submit, {"x": np.array([1, 2])}, Call())
    assert started.wait(30)
    others = [callers.submit(queue.submit, {"x": np.array([row])}, Call()) for row in (3, 4)]
    wait_until(lambda: len(queue) == 2, "two requests to queue")
    go.set()
    assert [int(future.result(30)["y"]) for future in (first, *others)] == [3, 3, 4]


def test_queues_share_the_threads(callers: ThreadPoolExecutor) -> None:
    """No more runs are under way than there are threads, over all queues."""
    under_way: list[int] = []
    most: list[int] = []

    def run(inputs: Arrays) -> Arrays:
        under_way.append(1)
        most.append(len(under_way))
        time.sleep(0.005)
        under_way.pop()
        return inputs

    turns = Turns(LIMITS._replace(queued_rows=100), Metrics())
    queues = [BatchQueue("model", run, turns) for _ in range(6)]
    futures = [callers.submit(queue.submit, {"x": np.array([1])}, Call()) for queue in queues * 10]
    assert all(future.result(30)["x"].tolist() == [1] for future in futures)
    assert max(most) <= LIMITS.threads


def test_without_batching(run: HeldRun, callers: ThreadPoolExecutor) -> None:
    """Without batching every request runs alone, as many at a time as there are threads, and the line is bounded."""
    limits = BatchLimits(batching=False, rows_per_request=1, rows_per_run=1, queued_rows=2, threads=2)
    queue = BatchQueue("model", run, Turns(limits, Metrics()))

    def submit(row: int, call: Call) -> "Future[Arrays]":
        return callers.submit(queue.submit, {"x": np.array([row])}, call)

    running = [submit(1, Call()), submit(2, Call())]
    run.wait_for_start(2)
    late = submit(3, Call(time.monotonic() + 0.1))
    assert failure(late).code is StatusCode.DEADLINE_EXCEEDED
    in_line = [submit(4, Call()), submit(5, Call())]
    wait_until(lambda: queue._turns._waiting == 2, "two requests to line up")
    assert failure(submit(6, Call())).code is StatusCode.UNAVAILABLE
    run.let_go()
    assert [numbers(future) for future in running + in_line] == [[2], [4], [8], [10]]


def test_under_load(callers: ThreadPoolExecutor) -> None:
    """Many callers at once, some of them impatient: each gets its own answer or its deadline, and nobody hangs."""

    def run(inputs: Arrays) -> Arrays:
        time.sleep(0.001)
        return {"y": inputs["x"] * 2}

    limits = LIMITS._replace(queued_rows=1000)
    queue = BatchQueue("model", run, Turns(limits, Metrics()))

    def ask(number: int) -> bool:
        patience = 0.002 if number % 3 == 0 else 30.0
        try:
            answer = queue.submit({"x": np.array([number])}, Call(time.monotonic() + patience))
        except ServingError as error:
            return error.code is StatusCode.DEADLINE_EXCEEDED and number % 3 == 0
        return answer["y"].tolist() == [number * 2]

    assert all(callers.map(ask, range(2000)))
