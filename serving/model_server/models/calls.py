"""The caller's side of a request: how long it waits, and whether it still does."""

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from grpc import StatusCode

from serving.model_server.errors import ServingError


class Call(NamedTuple):
    """How long somebody waits for an answer."""

    deadline: float = float("inf")
    """``time.monotonic()`` at which the caller gives up."""
    is_alive: Callable[[], bool] = lambda: True
    """Whether the caller still waits."""

    def lock_timeout(self) -> float:
        """Seconds left as ``Lock.acquire`` wants them, -1 for no limit."""
        if self.deadline == float("inf"):
            return -1
        return min(max(self.deadline - time.monotonic(), 0), threading.TIMEOUT_MAX)

    def failure(self) -> ServingError | None:
        """Why work for this caller would be wasted; None if it wouldn't."""
        if time.monotonic() >= self.deadline:
            return deadline_exceeded()
        if not self.is_alive():
            return ServingError(StatusCode.CANCELLED, "The caller has left")
        return None


def deadline_exceeded() -> ServingError:
    """What a caller is told whose time ran out in a queue."""
    return ServingError(StatusCode.DEADLINE_EXCEEDED, "Deadline exceeded before the request was run")


def queue_full(rows: int, capacity: int) -> ServingError:
    """What a caller of ``rows`` is told whom the queue can't take, since it has room for ``capacity`` rows.

    UNAVAILABLE, as in TensorFlow Serving, though clients by habit send such a call again at once: who calls a model
    server has to know these words from those of one that can't be reached.
    """
    return ServingError(
        StatusCode.UNAVAILABLE,
        "The batch scheduling queue to which this task was submitted is full; "
        f"task size is {rows} but scheduling capacity is only {capacity}",
    )
