"""What every call goes through: a request id, who calls, a bound on what it sends, errors as statuses, counting.

All of it comes before the message: handlers read it themselves, even where the contract has a single message, and
nothing of it is received until they do.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar
from urllib.parse import unquote

import grpc.aio
from google.protobuf import any_pb2
from google.protobuf.message import Message
from google.rpc import status_pb2

from serving.merger.admission.api_keys import ApiKeys
from serving.merger.admission.uploads import Uploads
from serving.merger.core.calls import REQUEST_ID_HEADER, Call, make_call, request_id
from serving.merger.core.errors import (
    GRPC_STATUS,
    DeadlineExceeded,
    InvalidRequest,
    LookbookError,
    UploadTimeout,
    problem,
)
from serving.merger.grpc.wire import parse
from serving.merger.settings import Settings
from serving.merger.telemetry import Telemetry
from serving.proto.lookbook.v1 import classifier_pb2 as pb

log = logging.getLogger(__name__)

DETAILS_KEY: Final = "grpc-status-details-bin"

Reply = TypeVar("Reply")
Request = TypeVar("Request", bound=Message)
Context: TypeAlias = grpc.aio.ServicerContext
Requests: TypeAlias = AsyncIterator[bytes]


class Caller(NamedTuple):
    """Whose call it is: its request id, its name, and the time it has by its own deadline."""

    request_id: str
    name: str
    context: Context

    def call(self, options: pb.ClassifyOptions, limit_ms: int) -> Call:
        """The call with these options, and at most so many milliseconds.

        Raises:
            InvalidRequest: an option is out of range.
        """
        asked_s = self.context.time_remaining()
        limit_s = limit_ms / 1000
        return make_call(self.request_id, self.name, limit_s if asked_s is None else min(limit_s, asked_s), options)


class Guard:
    """Stands before every handler."""

    def __init__(self, callers: ApiKeys, uploads: Uploads, telemetry: Telemetry, settings: Settings) -> None:
        self._callers = callers
        self._telemetry = telemetry
        self._settings = settings
        self.uploads = uploads

    async def one(
        self,
        method: str,
        kind: type[Request],
        context: Context,
        work: Callable[[Request, Caller], Awaitable[Reply]],
    ) -> Reply:
        """Awaits ``work`` with the one message of a call; its bytes are held until then."""

        async def received(caller: Caller) -> Reply:
            with self.uploads.upload(caller.name, is_counted=False) as upload:
                data = await upload.receive(lambda: read(context), self._settings.upload_timeout_ms / 1000)
                if data is None:
                    raise InvalidRequest(f"The call ended without a {kind.DESCRIPTOR.name}.")
                await upload.grow(len(data))
                working = work(parse(kind, data, self._settings.max_batch_images), caller)
                del data
                return await working

        return await self.any(method, context, received)

    async def any(self, method: str, context: Context, work: Callable[[Caller], Awaitable[Reply]]) -> Reply:
        """Awaits ``work`` if the caller may call; an error becomes a status with a Problem in its details."""
        started = time.perf_counter()
        metadata = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
        name = request_id(metadata.get(REQUEST_ID_HEADER))
        context.set_trailing_metadata(((REQUEST_ID_HEADER, name),))
        code = "ok"
        try:
            caller = self._callers.identify(metadata, address(context.peer()))
            return await work(Caller(name, caller, context))
        except LookbookError as error:
            failure = told(error)
            code = failure.code
        except asyncio.CancelledError:
            code = "cancelled"
            raise
        except Exception:
            log.exception("a bug", extra={"request_id": name, "method": method})
            failure = LookbookError("The server made a mistake; its log says more under this request id.")
            code = failure.code
        finally:
            self._telemetry.called("grpc", method, code, time.perf_counter() - started, name)
        return await abort(context, failure, name)


async def read(context: Context) -> bytes | None:
    """The next message of a call; None at its end.

    Handlers do not go through the iterator that they are given: that keeps the last message until the collector of
    garbage comes by, megabytes of each call.
    """
    message = await context.read()
    return None if message is grpc.aio.EOF else message


async def write(context: Context, message: Any, idle_s: float) -> None:
    """Sends an answer of a stream.

    Raises:
        UploadTimeout: the client has not read for ``idle_s``.
        asyncio.CancelledError: it has hung up.
    """
    try:
        await asyncio.wait_for(context.write(message), idle_s)
    except asyncio.TimeoutError:
        raise UploadTimeout(f"The stream's answers have not been read for {idle_s:g} s.") from None
    except grpc.aio.InternalError:
        raise asyncio.CancelledError from None


def address(peer: str) -> str:
    """The address in ``ipv4:10.0.0.7:4711`` or ``ipv6:%5B::1%5D:4711``, as REST has it: a caller has many ports."""
    return unquote(peer.partition(":")[2].rpartition(":")[0]).strip("[]") or peer


def told(error: LookbookError) -> LookbookError:
    """The error as gRPC has it, which knows no upload that is too slow."""
    return DeadlineExceeded(error.detail) if isinstance(error, UploadTimeout) else error.alone()


async def abort(context: Context, error: LookbookError, name: str) -> Any:
    """Ends the call; never returns."""
    # An error that REST alone should meet is a mistake of ours here.
    code = grpc.StatusCode[GRPC_STATUS.get(error.code, "INTERNAL")]
    packed = any_pb2.Any()
    packed.Pack(problem(error, name))
    status = status_pb2.Status(code=code.value[0], message=error.detail, details=[packed])
    trailing = ((REQUEST_ID_HEADER, name), (DETAILS_KEY, status.SerializeToString()))
    await context.abort(code, error.detail, trailing)
