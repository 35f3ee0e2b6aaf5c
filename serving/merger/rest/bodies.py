"""Pictures out of HTTP requests: raw bodies, multipart forms and JSON."""

from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from starlette.datastructures import UploadFile
from starlette.requests import Request

from serving.merger.admission.upload import Upload
from serving.merger.core.calls import Batch, Item
from serving.merger.core.errors import ImageTooLarge, InvalidRequest
from serving.merger.rest import json_batch
from serving.merger.rest.forms import read_files, read_form
from serving.merger.settings import Settings
from serving.proto.lookbook.v1 import classifier_pb2 as pb

MULTIPART: Final = "multipart/form-data"
JSON: Final = "application/json"
BINARY: Final = "application/octet-stream"
IMAGE: Final = "image/"
RAW_TYPES: Final = ("image/*", BINARY)

Body = TypeVar("Body")


async def read_image(request: Request, settings: Settings) -> bytes:
    """The one picture of a request. What it is, its content says: a raw body may be called anything, or nothing.

    Raises:
        ImageError, InvalidRequest: there is none, it is too large, or the body is no body of ours.
    """
    if content_type(request) == MULTIPART:
        files = await in_time(request, read_files(request, "image", 1), settings)
        return await _taken(files[0])
    return await in_time(request, _raw(request, settings.max_image_bytes), settings)


async def read_item(request: Request, settings: Settings) -> Item:
    """The same, and the product's name where a form has one.

    Raises:
        ImageError, InvalidRequest: as :func:`read_image`.
    """
    if content_type(request) != MULTIPART:
        return Item("", await read_image(request, settings))
    files, name = await in_time(request, read_form(request, "image", 1, text="name"), settings)
    return Item("", await _taken(files[0]), name)


async def read_batch(request: Request, settings: Settings) -> Batch:
    """The pictures of a batch; options only if the body is JSON, which may be called anything but a picture.

    Raises:
        ImageError, InvalidRequest: there is none, there are too many, or the body is no body of ours.
    """
    kind = content_type(request)
    if kind.startswith(IMAGE) or kind == BINARY:
        raise InvalidRequest(f"The content type is {kind}; send {MULTIPART} or {JSON}.")
    if kind != MULTIPART:
        return await json_batch.parse(await in_time(request, json_batch.read(request, settings), settings), settings)
    files = await in_time(request, read_files(request, "images", settings.max_batch_images), settings)
    return Batch([Item(file.filename or "", await _taken(file)) for file in files], pb.ClassifyOptions())


def content_type(request: Request) -> str:
    """What the request says that its body is, in small letters and without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def in_time(request: Request, body: Coroutine[Any, Any, Body], settings: Settings) -> Body:
    """The body, read within the time for it.

    Raises:
        UploadTimeout: it came too slowly.
    """
    upload: Upload = request.state.upload
    return await upload.read(body, settings.upload_timeout_ms / 1000)


async def _taken(file: UploadFile) -> bytes:
    """The file's bytes, which are then held once."""
    data = await file.read()
    await file.close()
    return data


async def _raw(request: Request, max_bytes: int) -> bytes:
    """The body, read no further than needed to know that it is too large."""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > max_bytes:
            raise ImageTooLarge(f"The picture has more than {max_bytes} bytes, which is all that is allowed.")
        chunks.append(chunk)
    return b"".join(chunks)
