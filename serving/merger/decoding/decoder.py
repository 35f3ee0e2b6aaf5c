"""Decodes pictures in a few processes of their own.

No input can hold up the event loop then, whatever a decoder does with the interpreter's lock; one that crashes or takes
too long costs its sender an error and a process, and nobody else anything. What is decoded at once comes out of a
budget of bytes, known before any pixel is decoded. Processes and bytes are shared out fairly among the callers.
"""

import asyncio
import logging
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from serving.merger.admission.in_flight import Limiter
from serving.merger.core.calls import Call
from serving.merger.core.errors import DeadlineExceeded, ImageError, ImageTooLarge, ImageUndecodable, LookbookError
from serving.merger.core.images import Picture, Size
from serving.merger.decoding.frames import Frame, pack, unpack_async
from serving.merger.decoding.worker import picture_of

ROOT: Final = Path(__file__).parents[3]
UNIT: Final = 2**20
"""Memory is shared out by the megabyte."""
OWN_BYTES: Final = 192 * 2**20
"""What a process may have beside the budget: itself, its libraries, and the file."""
GRACE_S: Final = 0.5
"""How long a decoder whose caller has gone may go on: nearly all are done by then, and a new process costs more."""

log = logging.getLogger(__name__)


class _Process:
    """A decoding process and the connection to it."""

    def __init__(self, most_bytes: int) -> None:
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-m", worker_module(), str(theirs.fileno()), str(most_bytes)]
        with theirs:
            self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], cwd=ROOT, stdin=subprocess.DEVNULL)
        self._socket = ours
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, frame: Frame) -> Frame:
        """The answer to a message.

        Raises:
            ImageError: the picture is refused.
            EOFError, ConnectionError: the process has ended.
        """
        reader = await self.tell(frame)
        answer = await unpack_async(reader.readexactly)
        if "error" in answer.words:
            raise _refusal(answer.words["error"], answer.words["detail"])
        return answer

    async def tell(self, frame: Frame) -> asyncio.StreamReader:
        """Sends a message; gives what its answer can be read from."""
        if self._streams is None:
            self._streams = await asyncio.open_unix_connection(sock=self._socket)
        reader, writer = self._streams
        writer.writelines(pack(frame))
        await writer.drain()
        return reader

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def end(self) -> None:
        """Ends it at once."""
        if self._streams:
            self._streams[1].transport.abort()  # closes the socket when the loop has let go of it
        else:
            self._socket.close()
        self._process.kill()
        threading.Thread(target=self._process.wait).start()  # giving much memory back takes a while


class Decoder:
    """Gives pixels, ready for the models, for the bytes of pictures.

    Args:
        processes: that decode, each one picture at a time.
        most_bytes: of memory for pixels, over all processes.
        limits: largest file in bytes, and largest picture in pixels.
    """

    def __init__(self, processes: int, most_bytes: int, limits: tuple[int, int]) -> None:
        self._most_bytes = most_bytes
        self._limits = limits
        self._turns = Limiter(processes, 0)
        self._memory = Limiter(most_bytes // UNIT, 0)
        self._count = processes
        self._idle: list[_Process] = []
        self._leaving: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Starts the processes, so that nobody's picture has to wait for it."""
        self._idle = [self._new() for _ in range(self._count)]

    def stop(self) -> None:
        """Ends the processes."""
        while self._idle:
            self._idle.pop().end()

    async def prepare(self, data: bytes, sizes: Sequence[Size], call: Call) -> Picture:
        """The picture in ``data``, ready for models that see ``sizes``.

        Raises:
            ImageError: it is refused or broken.
            DeadlineExceeded: there was no time for it.
        """
        started = asyncio.Event()
        working = asyncio.create_task(self._work(data, sizes, call, started))
        try:
            return await asyncio.wait_for(asyncio.shield(working), call.deadline.remaining_s)
        except asyncio.TimeoutError:
            raise DeadlineExceeded("The picture was not decoded in time.") from None
        finally:
            if not working.done():
                leaving = asyncio.create_task(_leave(working, GRACE_S if started.is_set() else 0))
                self._leaving.add(leaving)
                leaving.add_done_callback(self._leaving.discard)

    async def _work(self, data: bytes, sizes: Sequence[Size], call: Call, started: asyncio.Event) -> Picture:
        max_bytes, max_pixels = self._limits
        words = {"max_bytes": max_bytes, "max_pixels": max_pixels, "sizes": sizes, "most_bytes": self._most_bytes}
        async with (
            self._turns.places(1, call.deadline, caller=call.caller, call=call, is_patient=True),
            self._process() as process,
        ):
            started.set()
            cost = int((await process.ask(Frame(words, [data]))).words["cost"])
            async with self._spent(cost, process, call):
                return picture_of(await process.ask(Frame({"go": True})), data)

    @asynccontextmanager
    async def _spent(self, cost: int, process: _Process, call: Call) -> AsyncIterator[None]:
        """Holds ``cost`` bytes of the budget; without them the process is told not to go on."""
        async with AsyncExitStack() as stack:
            try:
                if cost > self._most_bytes:
                    most = f"at most {self._most_bytes:,} are allowed"
                    raise ImageTooLarge(f"The picture takes {cost:,} bytes when it is decoded; {most}.")
                places = self._memory.places(
                    -(-cost // UNIT), call.deadline, caller=call.caller, call=call, is_patient=True
                )
                await stack.enter_async_context(places)
            except LookbookError:
                await process.tell(Frame({"go": False}))
                raise
            yield

    @asynccontextmanager
    async def _process(self) -> AsyncIterator[_Process]:
        """A process for one picture; one that is left in the middle of its work, or has died, is replaced."""
        process = self._idle.pop() if self._idle else self._new()
        if not process.is_alive:
            process.end()
            process = self._new()
        is_idle = False
        try:
            yield process
            is_idle = True
        except LookbookError:
            is_idle = True
            raise
        except (EOFError, ConnectionError) as error:
            log.warning("a decoding process ended", extra={"reason": repr(error)})
            raise ImageUndecodable("The picture broke the decoder; save it anew.") from error
        finally:
            if not is_idle:
                process.end()
                process = self._new()
            self._idle.append(process)

    def _new(self) -> _Process:
        return _Process(self._most_bytes + OWN_BYTES)


async def _leave(working: "asyncio.Task[Picture]", grace_s: float) -> None:
    """Lets work that nobody waits for end by itself, or ends it."""
    with suppress(asyncio.TimeoutError, LookbookError):
        await asyncio.wait_for(working, grace_s)


def worker_module() -> str:
    """Its name, for ``python -m``."""
    return f"{__package__}.worker"


def _refusal(code: str, detail: str) -> ImageError:
    kinds = {kind.code: kind for kind in ImageError.__subclasses__()}
    return kinds[code](detail)
