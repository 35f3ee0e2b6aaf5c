"""What every HTTP request goes through: a request id, who calls, bounds on its body, headers that harden, counting."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from typing import Any, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.merger.admission.api_keys import ApiKeys
from serving.merger.admission.upload import Upload
from serving.merger.admission.uploads import Uploads
from serving.merger.core.calls import REQUEST_ID_HEADER, request_id
from serving.merger.core.errors import LookbookError, RequestTooLarge
from serving.merger.rest.problems import problem_response
from serving.merger.telemetry import ABORTED

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS: Final = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}

CLOSED: Final = "the handler is closed"
"""How uvloop says that what is written to is no more."""
LINGER_S: Final = 15.0
WITHOUT_PICTURES: Final = "/v1/review/"
"""What is asked for there takes no model's time, and is not refused where pictures are too many."""
SMALL_REST_BYTES: Final = 64 * 2**10

log = logging.getLogger(__name__)

Observer = Callable[[str, str, float, str], None]
Shed = Callable[[str, str], LookbookError | None]


class ClientGone(Exception):
    """The client hung up while its answer was worked on."""


class Gate:
    """ASGI middleware.

    ``scope["state"]`` gets ``request_id``, and for a POST ``caller`` and ``upload``. A handler may set ``code`` (an
    error's) there.

    Args:
        app: behind the gate.
        max_body_bytes: reading more of a body raises RequestTooLarge.
        callers: tells who calls, before anything of a body is read.
        uploads: the budget that bodies come out of.
        shed: given caller and request id, the reason why no more pictures are taken from it right now, if there is one:
            refusing is then spared all that comes after the gate, and what is spared answers those who are let in.
        observer: is told handler, code, seconds and request id of each request.
    """

    def __init__(
        self, app: ASGIApp, max_body_bytes: int, callers: ApiKeys, uploads: Uploads, shed: Shed, observer: Observer
    ) -> None:
        self._app = app
        self._limit = max_body_bytes
        self._callers = callers
        self._uploads = uploads
        self._shed = shed
        self._observer = observer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        headers = Headers(scope=scope)
        name = request_id(headers.get(REQUEST_ID_HEADER))
        state = scope.setdefault("state", {})
        state["request_id"] = name
        body = _Body(headers, receive, self._limit)
        try:
            await self._answer_in_any_case(scope, body, _hardened(send, name, body), name)
        except (ClientDisconnect, ClientGone):
            state["code"] = ABORTED
        except asyncio.CancelledError:
            state["code"] = ABORTED
            raise
        finally:
            self._observer(_handler(scope), state.get("code", "ok"), time.perf_counter() - started, name)

    async def _answer_in_any_case(self, scope: Scope, body: "_Body", send: Send, name: str) -> None:
        """A bug ends here: what stands before the gate would neither count it nor harden its answer."""
        try:
            await self._answer(scope, body, send, name)
        except (ClientDisconnect, ClientGone):
            raise
        except Exception:
            log.exception("a bug", extra={"request_id": name})
            error = LookbookError("The server made a mistake; its log says more under this request id.")
            scope["state"]["code"] = error.code
            if not body.is_answered:
                await problem_response(error, name)(scope, body.receive, send)

    async def _answer(self, scope: Scope, body: "_Body", send: Send, name: str) -> None:
        if scope["method"] != "POST":
            await self._app(scope, body.receive, send)
            return
        state = scope["state"]
        try:
            caller = state["caller"] = identify(self._callers, scope)
            refusal = None if scope["path"].startswith(WITHOUT_PICTURES) else self._shed(caller, name)
        except LookbookError as error:
            caller, refusal = "", error
        with self._uploads.upload(caller) if refusal is None else contextlib.nullcontext() as upload:
            body.upload = state["upload"] = upload
            app = self._app if refusal is None else problem_response(refusal, name)
            if refusal is not None:
                state["code"] = refusal.code
            await app(scope, body.receive, send)


class HeadAsGet:
    """ASGI middleware: HEAD is GET without a body (RFC 9110, 9.3.2), which uvicorn leaves out.

    Args:
        app: gets a GET for each HEAD.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request."""
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}  # a copy: uvicorn reads its own
        await self._app(scope, receive, send)


def identify(callers: ApiKeys, scope: Scope) -> str:
    """Who sends the request.

    Raises:
        Unauthenticated: a key is asked for, and there is none that is known.
    """
    client = scope.get("client")
    return callers.identify(dict(Headers(scope=scope)), client[0] if client else "")


class _Body:
    """The body of one request, bounded."""

    def __init__(self, headers: Headers, receive: Receive, limit: int) -> None:
        announced = headers.get("content-length", "")
        self._is_announced_too_large = announced.isdigit() and int(announced) > limit
        self._waits_for_us = headers.get("expect", "").lower() == "100-continue"
        self._receive = receive
        self._limit = limit
        self._came = 0
        self._announced = int(announced) if announced.isdigit() else limit
        self.is_whole = False
        self.is_answered = False
        """Whether the answer has begun."""
        self.upload: Upload | None = None

    async def receive(self) -> Message:
        """The next message.

        Raises:
            RequestTooLarge: more came, or was announced, than is allowed.
            Overloaded: too much is held already, and this comes the slowest.
        """
        if not self._is_announced_too_large:
            message = await self._next()
            if self._came <= self._limit:
                if self.upload is not None:
                    await self.upload.grow(len(message.get("body", b"")))
                return message
        raise RequestTooLarge(f"The request has more than the {self._limit} bytes that are allowed.")

    @property
    def is_worth_reading(self) -> bool:
        """Whether the little that is missing costs less than a new connection."""
        return self._announced - self._came <= SMALL_REST_BYTES

    async def linger(self) -> None:
        """Reads on for a while and forgets it.

        Closing a connection with unread bytes resets it, and a client that is still sending would not see our answer.
        """
        if self.is_whole or (self._waits_for_us and not self._came):
            return
        try:
            await asyncio.wait_for(self._discard(), LINGER_S)
        except asyncio.TimeoutError:
            return

    async def _discard(self) -> None:
        enough = self._came + 3 * self._limit
        while not self.is_whole and self._came < enough:
            await self._next()

    async def _next(self) -> Message:
        message = await self._receive()
        self._came += len(message.get("body", b""))
        self.is_whole |= not message.get("more_body", False)
        return message


def _hardened(send: Send, name: str, body: _Body) -> Send:
    is_last = False

    async def hardened(message: Message) -> None:
        nonlocal is_last
        if message["type"] == "http.response.start":
            body.is_answered = True
            headers = MutableHeaders(scope=message)
            headers[REQUEST_ID_HEADER] = name
            for key, value in HEADERS.items():
                headers.setdefault(key, value)
            if message["status"] >= 400 and body.is_worth_reading:
                await body.linger()
            if message["status"] >= 400 and not body.is_whole:
                headers["connection"] = "close"
            is_last = headers.get("connection") == "close"
        elif is_last and not message.get("more_body", False):
            # The whole answer goes out before the rest is read: the connection is closed with its last message.
            await _sent(send, {**message, "more_body": True})
            await body.linger()
            message = {"type": "http.response.body", "body": b""}
        await _sent(send, message)

    return hardened


async def _sent(send: Send, message: Message) -> None:
    """Sends part of an answer.

    Raises:
        ClientGone: the connection is closed, and the loop has told nobody yet.
    """
    try:
        await send(message)
    except RuntimeError as error:
        if CLOSED not in str(error):
            raise
        raise ClientGone from None


def _handler(scope: Scope) -> str:
    """Name of the function that handled the request; never the path, which a stranger may choose."""
    endpoint: Any = scope.get("endpoint")
    return getattr(endpoint, "__name__", "none" if endpoint is None else "page")
