"""One writer below a root at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.config import Layout
from pipeline.errors import RunError


@contextmanager
def locked(layout: Layout) -> Iterator[None]:
    """Makes the root and holds its lock. The kernel lets go of it when the process ends, however it ends.

    Raises:
        RunError: the root cannot be written, or another process holds the lock.
    """
    try:
        layout.root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(layout.lock, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise RunError(f"cannot write to {layout.root}: {error.strerror}; give another folder with --root") from error
    with os.fdopen(descriptor, "r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = lock.read().strip() or "unknown"
            raise RunError(
                f"another run (process {holder}) is at work in {layout.root}; wait for it, or give another --root"
            ) from error
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield
