"""Counts every call by which a process changes the disk, and lets one of them be the last, or fail.

What is counted are the functions of ``os`` that change something, ``open`` for writing, and each write of such a file:
one for each system call of these kinds, as ``strace`` confirms.
"""

import builtins
import errno
import io
import multiprocessing
import os
import pathlib
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

_CHANGES = (
    *("mkdir", "rename", "replace", "unlink", "remove", "rmdir", "link", "symlink", "truncate", "ftruncate"),
    *("chmod", "utime", "setxattr", "write", "sendfile", "fsync", "fdatasync"),
)
_FLUSHES = ("fsync", "fdatasync")
_NEED_ROOM = ("mkdir", "rename", "replace", "link", "symlink", "setxattr", "write", "sendfile", "open", "fsync")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class Call(NamedTuple):
    """One change: the function, what it was given first, and its second path, as of a rename."""

    name: str
    path: str
    target: str


class DiskCalls:
    """Stands between a process and the disk once :meth:`install` was called. Flushes are counted and left out."""

    def __init__(self, act: Callable[[int, str], None]) -> None:
        """``act`` is called with the number of each call, from 0, and its name, before it is made."""
        self.calls: list[Call] = []
        self._act = act

    def install(self) -> None:
        """For the rest of the process's life."""
        # pathlib of Python 3.10 keeps functions of its own; later ones ask os each time.
        accessor = getattr(pathlib, "_NormalAccessor", None)
        self._real_open = io.open
        for name in _CHANGES:
            counted = self._counted(name, getattr(os, name))
            setattr(os, name, counted)
            if hasattr(accessor, name):
                setattr(accessor, name, staticmethod(counted))
        os.open = self._counted("open", os.open, lambda path, flags, *_, **__: bool(flags & _WRITING))
        builtins.open = io.open = self._open  # type: ignore[assignment]
        if accessor:
            accessor.open = staticmethod(self._open)

    def _counted(self, name: str, real: Any, counts: Callable[..., bool] = lambda *_, **__: True) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            if counts(*arguments, **options):
                self._count(name, *arguments[:2])
            # A kill loses nothing that the kernel has; waiting for the disk hundreds of times would take minutes.
            return None if name in _FLUSHES else real(*arguments, **options)

        return call

    def _count(self, name: str, *paths: Any) -> None:
        number = len(self.calls)
        path, target = (*paths, "", "")[:2]
        self.calls.append(Call(name, _named(path), "" if isinstance(target, int) else _named(target)))
        self._act(number, name)

    def _open(self, file: Any, mode: str = "r", buffering: int = -1, *arguments: Any, **options: Any) -> Any:
        if not isinstance(file, (str, os.PathLike)) or not set(mode) & set("wax+"):
            return self._real_open(file, mode, buffering, *arguments, **options)
        self._count("open", file)
        raw = _Raw(file, mode.replace("b", "").replace("t", ""), self._count)
        binary = io.BufferedWriter(raw)
        return binary if "b" in mode else io.TextIOWrapper(binary, *arguments, **options)


class _Raw(io.FileIO):
    def __init__(self, file: Any, mode: str, count: Callable[..., None]) -> None:
        super().__init__(os.fspath(file), mode)
        self._count = count

    def write(self, data: Any) -> int:
        self._count("write", self.name)
        return super().write(data)


def _named(what: Any) -> str:
    if isinstance(what, int):
        return str(Path(f"/proc/self/fd/{what}").readlink())
    return os.fsdecode(what) if isinstance(what, (str, bytes, os.PathLike)) else ""


def kill_at(number: int) -> Callable[[int, str], None]:
    """SIGKILL before that call."""

    def act(seen: int, _: str) -> None:
        if seen == number:
            os.kill(os.getpid(), signal.SIGKILL)

    return act


def full_from(number: int) -> Callable[[int, str], None]:
    """No space left from that call on, for whatever needs some."""

    def act(seen: int, name: str) -> None:
        if seen >= number and name in _NEED_ROOM:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    return act


def fails_at(number: int) -> Callable[[int, str], None]:
    """That call fails, and no other."""

    def act(seen: int, _: str) -> None:
        if seen == number:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    return act


def nothing(_: int, __: str) -> None:
    """All calls go through."""


class Ended(NamedTuple):
    """How a process ended: its exit code (-9 if killed), what it said, and what it changed."""

    code: int
    said: str
    calls: list[Call]


def run(
    operation: Callable[..., str], *arguments: Any, act: Callable[..., Any] = nothing, at: int | None = None
) -> Ended:
    """Runs ``operation(*arguments)`` in a process of its own; it returns what it has to say.

    Args:
        operation: a function of a module; an ``OSError`` or other error that leaves it is not caught.
        arguments: of it.
        act: one of this module's, or what makes one of ``at``.
        at: the number of the call.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([operation.__module__])
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(there, operation, arguments, act, at))
    process.start()
    there.close()
    try:
        said, calls = here.recv()
    except EOFError:  # killed before it could say anything
        said, calls = "", []
    process.join()
    return Ended(process.exitcode or 0, said, [Call(*call) for call in calls])


def _child(there: Any, operation: Callable[..., str], arguments: tuple[Any, ...], act: Any, at: int | None) -> None:
    disk = DiskCalls(act if at is None else act(at))
    disk.install()
    said = operation(*arguments)
    disk._act = nothing
    there.send((said, [tuple(call) for call in disk.calls]))
