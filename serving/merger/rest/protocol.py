"""uvicorn's HTTP/1.1 with bounds on the head of a request, which uvicorn lacks.

Without them whoever sends a head byte by byte, or one without end, holds a connection and memory for nothing.
"""

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_S: Final = 10.0
"""From the connection, or a request's first byte, to the end of its head."""
MOST_HEAD_BYTES: Final = 64 * 2**10


class BoundedHeads(HttpToolsProtocol):
    """Hangs up on whoever takes too long over a head, or makes it too large."""

    _timer: asyncio.TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: Any) -> None:
        """Expects the first head."""
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Expects nothing more."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Counts what belongs to a head."""
        if self._timer is not None:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._timer is not None and self._head_bytes > MOST_HEAD_BYTES:
            self._hang_up()

    def on_message_begin(self) -> None:
        """A head begins."""
        if self._timer is None:
            self._expect_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A head has ended; the body has bounds of its own."""
        self._stop_timer()
        super().on_headers_complete()

    def _expect_head(self) -> None:
        self._head_bytes = 0
        self._timer = self.loop.call_later(HEAD_S, self._hang_up)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _hang_up(self) -> None:
        self._stop_timer()
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()
