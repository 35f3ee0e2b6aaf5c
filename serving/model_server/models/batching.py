"""Who runs with whom, and when: requests that queue up for one signature share a run; nobody waits for company.

There are no worker threads: the thread of a request that finds its queue idle runs it at once. Those that come
meanwhile line up, and when the run is over the first of them leads the next one, with all that are there by then. So a
lone request pays for no hand-over, and the busier the server, the larger its runs.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from weakref import WeakSet

from serving.model_server.config import BatchLimits
from serving.model_server.errors import ServingError, invalid_argument
from serving.model_server.metrics import Metrics
from serving.model_server.models.arrays import Arrays, Outcome, concatenate, cut, row_count, run_together
from serving.model_server.models.calls import Call, deadline_exceeded, queue_full

Run = Callable[[Arrays], Arrays]


class Task:
    """One request in a queue, and the thread that waits for it."""

    def __init__(self, inputs: Arrays, rows: int, call: Call) -> None:
        self.inputs = inputs
        self.rows = rows
        self.call = call
        self.outcome: Outcome | None = None
        self.leads = False
        """Whether its thread has to do the next run."""
        self.is_abandoned = False
        self.queued_at = time.monotonic()
        self._latch = threading.Lock()
        self._latch.acquire()

    def wait(self) -> bool:
        """Sleep until :meth:`wake`; False if the caller's time ran out first."""
        return self._latch.acquire(timeout=self.call.lock_timeout())

    def wake(self) -> None:
        """End :meth:`wait`; at most once."""
        self._latch.release()


class Turns:
    """The threads that may run models at a time, shared by all queues."""

    def __init__(self, limits: BatchLimits, metrics: Metrics) -> None:
        self.limits = limits
        self.metrics = metrics
        self._free = threading.Semaphore(limits.threads)
        self._lock = threading.Lock()
        self._waiting = 0
        self._queues: WeakSet[BatchQueue] = WeakSet()
        metrics.show_waiting(self._count_waiting)

    def add(self, queue: "BatchQueue") -> None:
        """Count ``queue`` in, for as long as it lives."""
        with self._lock:
            self._queues.add(queue)

    def _count_waiting(self) -> int:
        with self._lock:
            queues = list(self._queues)
        return self._waiting + sum(len(queue) for queue in queues)

    @contextmanager
    def take(self) -> Iterator[None]:
        """Wait for a turn and hold it."""
        with self._free:
            yield

    @contextmanager
    def take_for(self, call: Call) -> Iterator[None]:
        """Wait for a turn no longer than the caller does, and hold it.

        Raises:
            ServingError: UNAVAILABLE (the queue is full), DEADLINE_EXCEEDED or CANCELLED.
        """
        with self._lock:
            if self._waiting >= self.limits.queued_rows:
                raise queue_full(1, 0)
            self._waiting += 1
        try:
            timeout = call.lock_timeout()
            has_turn = self._free.acquire(timeout=None if timeout < 0 else timeout)
        finally:
            with self._lock:
                self._waiting -= 1
        if not has_turn:
            raise deadline_exceeded()
        try:
            if failure := call.failure():
                raise failure
            yield
        finally:
            self._free.release()


class BatchQueue:
    """The requests for one signature of one version."""

    def __init__(self, model: str, run: Run, turns: Turns) -> None:
        self._model = model
        self._run = run
        self._turns = turns
        self._limits = turns.limits
        self._lock = threading.Lock()
        self._waiting: deque[Task] = deque()
        self._is_busy = False
        turns.add(self)

    def __len__(self) -> int:
        """How many requests wait for a run."""
        with self._lock:
            return sum(not task.is_abandoned for task in self._waiting)

    def submit(self, inputs: Arrays, call: Call) -> Arrays:
        """Run a request, in company if there is any; blocks.

        Raises:
            ServingError: DEADLINE_EXCEEDED, CANCELLED, UNAVAILABLE (the queue is full), INVALID_ARGUMENT, or what
                the run raises.
        """
        if not self._limits.batching:
            return self._run_by_itself(inputs, call)
        rows = row_count(inputs)
        if rows > self._limits.rows_per_request:
            most = self._limits.rows_per_request
            raise invalid_argument(f"Task size {rows} is larger than maximum input batch size {most}")
        if rows <= self._limits.rows_per_run:
            return self._line_up(Task(inputs, rows, call))
        pieces = cut(inputs, self._limits.rows_per_run)
        return concatenate([self._line_up(Task(piece, row_count(piece), call)) for piece in pieces])

    def _run_by_itself(self, inputs: Arrays, call: Call) -> Arrays:
        started = time.monotonic()
        with self._turns.take_for(call):
            outcome = self._run_timed([inputs], [time.monotonic() - started])[0]
        if isinstance(outcome, ServingError):
            raise outcome
        return outcome

    def _line_up(self, task: Task) -> Arrays:
        self._enter(task)
        if not task.leads and not task.wait():
            self._leave(task)
        if task.outcome is None:
            self._lead(task)
        if isinstance(task.outcome, ServingError):
            raise task.outcome
        assert task.outcome is not None  # to lead is to settle
        return task.outcome

    def _enter(self, task: Task) -> None:
        with self._lock:
            if not self._is_busy:
                self._is_busy = task.leads = True
                return
            queued = sum(waiting.rows for waiting in self._waiting if not waiting.is_abandoned)
            if queued + task.rows > self._limits.queued_rows:
                raise queue_full(task.rows, self._limits.queued_rows - queued)
            self._waiting.append(task)

    def _leave(self, task: Task) -> None:
        with self._lock:
            if task.leads or task.outcome:
                return  # it was called at the last moment; a lead not taken up would block the queue for ever
            task.is_abandoned = True
        raise deadline_exceeded()

    def _lead(self, leader: Task) -> None:
        """Do one run for the leader and those behind it, then hand the lead on."""
        batch: list[Task] = []
        try:
            with self._turns.take():
                batch = self._take_batch(leader)
                now = time.monotonic()
                outcomes = self._run_timed([task.inputs for task in batch], [now - task.queued_at for task in batch])
        finally:
            self._hand_on()
        for task, outcome in zip(batch, outcomes, strict=True):
            task.outcome = outcome
            if task is not leader:
                task.wake()

    def _take_batch(self, leader: Task) -> list[Task]:
        batch: list[Task] = []
        rows = 0
        leader.outcome = leader.call.failure()
        if leader.outcome is None:
            batch, rows = [leader], leader.rows
        with self._lock:
            while self._waiting and self._fits(batch, rows, self._waiting[0]):
                task = self._waiting.popleft()
                if self._is_wanted(task):
                    batch.append(task)
                    rows += task.rows
        return batch

    def _fits(self, batch: list[Task], rows: int, task: Task) -> bool:
        if not batch:
            return True
        first = batch[0].inputs
        is_alike = all(array.shape[1:] == first[name].shape[1:] for name, array in task.inputs.items())
        return is_alike and rows + task.rows <= self._limits.rows_per_run

    def _is_wanted(self, task: Task) -> bool:
        if task.is_abandoned:
            return False
        task.outcome = task.call.failure()
        if task.outcome:
            task.wake()
        return task.outcome is None

    def _hand_on(self) -> None:
        with self._lock:
            while self._waiting:
                task = self._waiting.popleft()
                if not task.is_abandoned:
                    task.leads = True
                    task.wake()
                    return
            self._is_busy = False

    def _run_timed(self, requests: list[Arrays], waits: list[float]) -> list[Outcome]:
        if not requests:
            return []
        with self._turns.metrics.run(self._model, waits):
            return run_together(self._run, requests)
