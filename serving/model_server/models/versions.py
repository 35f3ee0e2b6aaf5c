"""One version of a model: its state, and its way from disk into service and out again."""

import enum
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grpc import StatusCode

from schema.allocator import give_memory_back
from serving.model_server.errors import ServingError
from serving.model_server.models.batching import BatchQueue, Turns
from serving.model_server.models.saved_model import LoadOptions, SavedModel, Signature
from serving.model_server.models.warmup import warm_up


def is_version(name: str) -> bool:
    """Whether ``name`` is the number of a version, which on the wire has 63 bits."""
    return name.isascii() and name.isdecimal() and len(name) < 20 and int(name) < 2**63


class State(enum.IntEnum):
    """The states of ModelVersionStatus, with their numbers on the wire."""

    START = 10
    LOADING = 20
    AVAILABLE = 30
    UNLOADING = 40
    END = 50


class Version:
    """A version of a model that the server knows of. One thread at a time may change it; any may use it."""

    def __init__(self, model: str, number: int, path: Path) -> None:
        self.model = model
        self.number = number
        self.path = path
        self.state = State.START
        self.is_aspired = True
        """Whether the version policy wants it."""
        self.error: ServingError | None = None
        """Why the last try to load it failed."""
        self.failures = 0
        self._retry_at = 0.0
        self._saved_model: SavedModel | None = None
        self._queues: dict[str, BatchQueue] = {}
        self._users = 0
        self._changed = threading.Condition()

    def load(self, options: LoadOptions, warmup_iterations: int, turns: Turns) -> None:
        """Load and warm up; blocks. Ends AVAILABLE, or still LOADING with ``error`` set."""
        self.state = State.LOADING
        try:
            model = _load(self.path, options, warmup_iterations)
        except ServingError as error:
            self.error, self.failures = error, self.failures + 1
            return
        self._saved_model = model
        self._queues = {name: BatchQueue(self.model, s.run, turns) for name, s in model.signatures.items()}
        self.state, self.error = State.AVAILABLE, None

    def is_due(self) -> bool:
        """Whether it should be loaded now."""
        return self.state in (State.START, State.LOADING) and time.monotonic() >= self._retry_at

    def retry_in(self, seconds: float) -> None:
        """Let it be due only after a while. It stays LOADING, as in TensorFlow Serving."""
        self._retry_at = time.monotonic() + seconds

    def give_up(self) -> None:
        """End it without its having served."""
        self.state = State.END

    def acquire(self) -> bool:
        """Keep it loaded until :meth:`release`; False if it doesn't serve."""
        with self._changed:
            if self.state is not State.AVAILABLE:
                return False
            self._users += 1
            return True

    def release(self) -> None:
        """Undo one :meth:`acquire`."""
        with self._changed:
            self._users -= 1
            self._changed.notify_all()

    def start_unloading(self) -> None:
        """Take no new requests."""
        with self._changed:
            self.state = State.UNLOADING

    def unload(self) -> None:
        """Wait for the requests under way, then free the memory."""
        with self._changed:
            self._changed.wait_for(lambda: not self._users)
        model, self._saved_model, self._queues = self._loaded, None, {}
        model.close()
        del model
        give_memory_back()
        self.state = State.END

    # While acquired:

    @property
    def _loaded(self) -> SavedModel:
        if self._saved_model is None:
            raise RuntimeError(f"Version {self.number} of {self.model} is not loaded")
        return self._saved_model

    @property
    def signature_defs(self) -> Mapping[str, Any]:
        """Signature name → SignatureDef."""
        return self._loaded.signature_defs

    def signature(self, name: str) -> tuple[Signature, BatchQueue]:
        """The signature called ``name`` and its queue.

        Raises:
            ServingError: FAILED_PRECONDITION, there is none of that name.
        """
        if name not in self._queues:
            raise ServingError(StatusCode.FAILED_PRECONDITION, f'Serving signature key "{name}" not found.')
        return self._loaded.signatures[name], self._queues[name]


def _load(path: Path, options: LoadOptions, warmup_iterations: int) -> SavedModel:
    model = SavedModel(path, options)
    try:
        warm_up(model, path, warmup_iterations)
    except ServingError:
        model.close()
        raise
    except Exception as error:
        model.close()
        raise ServingError(StatusCode.INTERNAL, f"Warm-up failed: {type(error).__name__}: {error}") from error
    give_memory_back()  # a graph is copied several times before it runs
    return model
