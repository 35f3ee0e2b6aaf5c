"""Bounds the services that are not ours, health and reflection: their own handlers take messages of any size.

Anybody may call them, without a key too. So their messages come in by turns and within the budget, as ours do, have a
few kilobytes at most, and streams end when nothing happens on them.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

import grpc.aio
from google.protobuf.message import DecodeError

from serving.merger.admission.api_keys import sender
from serving.merger.admission.streams import Stream, Streams
from serving.merger.admission.uploads import Uploads
from serving.merger.core.errors import InvalidRequest, LookbookError, RequestTooLarge
from serving.merger.grpc.guard import Context, Requests, abort, address, read, told, write
from serving.merger.settings import Settings

STREAMS_OF_ONE: Final = 32
"""Streams of these services that one address may hold open."""
MOST_BYTES: Final = 4 * 2**10
"""Of a message: the longest that makes sense is the name of a service or file."""


class BoundedServices(grpc.aio.ServerInterceptor):
    """Wraps the handlers of all services but one.

    Args:
        own: name of the service that bounds itself.
        uploads: the budget that messages come out of.
        settings: times, most connections.
    """

    def __init__(self, own: str, uploads: Uploads, settings: Settings) -> None:
        self._own = own
        self._uploads = uploads
        self._idle_s = settings.stream_idle_timeout_ms / 1000
        self._streams = Streams(settings.max_connections, STREAMS_OF_ONE)

    async def intercept_service(
        self, continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]], details: grpc.HandlerCallDetails
    ) -> Any:
        """The handler, bounded.

        It takes a stream of bytes whatever the contract says: gRPC's own handlers of a single message receive it before
        anyone can look.
        """
        handler = await continuation(details)
        if handler is None or details.method.startswith(f"/{self._own}/"):
            return handler
        if handler.response_streaming:
            return grpc.stream_stream_rpc_method_handler(self._streaming(handler), None, handler.response_serializer)
        return grpc.stream_unary_rpc_method_handler(self._single(handler), None, handler.response_serializer)

    def _single(self, handler: Any) -> Callable[[Requests, Context], Awaitable[Any]]:
        async def bounded(_: Requests, context: Context) -> Any:
            try:
                return await handler.unary_unary(await self._first(handler, context), context)
            except LookbookError as error:
                return await abort(context, told(error), "")

        return bounded

    def _streaming(self, handler: Any) -> Callable[[Requests, Context], Awaitable[None]]:
        async def bounded(_: Requests, context: Context) -> None:
            try:
                with self._streams.open(sender(address(context.peer()))) as stream:
                    if handler.request_streaming:
                        answers = handler.stream_stream(self._messages(handler, context, stream), context)
                    else:
                        answers = handler.unary_stream(await self._first(handler, context), context)
                    await self._run(answers, stream, context)
            except LookbookError as error:
                await abort(context, told(error), "")

        return bounded

    async def _run(self, answers: Any, stream: Stream, context: Context) -> None:
        """Runs a handler of either kind: one that writes its answers, or that yields them."""
        if asyncio.iscoroutine(answers):
            await answers
            return
        async for answer in answers:
            await write(context, answer, self._idle_s)
            stream.owed -= 1

    async def _first(self, handler: Any, context: Context) -> Any:
        message = await self._received(handler, context)
        if message is None:
            raise InvalidRequest("The call ended without a message.")
        return message

    async def _messages(self, handler: Any, context: Context, stream: Stream) -> AsyncIterator[Any]:
        while (message := await self._received(handler, context, stream)) is not None:
            stream.owed += 1
            yield message

    async def _received(self, handler: Any, context: Context, stream: Stream | None = None) -> Any | None:
        """The next message; None at the end.

        Raises:
            LookbookError: it is too large, no message of this kind, or did not come in time.
        """
        with self._uploads.upload(sender(address(context.peer())), is_counted=False) as upload:
            if stream is not None:
                stream.awaited = upload
            data = await upload.receive(lambda: read(context), self._idle_s)
        if data is None:
            return None
        if len(data) > MOST_BYTES:
            raise RequestTooLarge(f"The message has {len(data):,} bytes; at most {MOST_BYTES:,} are allowed.")
        try:
            return handler.request_deserializer(data)
        except DecodeError:
            raise InvalidRequest("The message cannot be read.") from None
