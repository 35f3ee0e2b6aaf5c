"""Files out of multipart forms, all of them or none: what a form holds besides is refused by name."""

from collections.abc import Sequence
from email.message import Message
from typing import Final

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from serving.merger.core.errors import ImageMissing, InvalidRequest
from serving.merger.settings import Settings

OTHER_PARTS: Final = 8
"""Parts that a form may have besides its pictures before it is read no further; none of them is taken."""
NAME: Final = 60
"""Characters of a field's name that a refusal repeats."""


def keep_uploads_in_memory(settings: Settings) -> None:
    """Starlette would spool uploads over 1 MB to disk, which may be read-only; the body's limit bounds memory."""
    MultiPartParser.spool_max_size = settings.max_request_bytes


async def read_files(request: Request, field: str, at_most: int) -> list[UploadFile]:
    """The files of ``field``, in order; the form has nothing else.

    Raises:
        ImageMissing, InvalidRequest: as :func:`read_form`.
    """
    files, _ = await read_form(request, field, at_most)
    return files


async def read_form(request: Request, field: str, at_most: int, text: str = "") -> tuple[list[UploadFile], str]:
    """The files of ``field``, in order, and the text of the field ``text``, which a form may have once.

    Raises:
        ImageMissing: there is none.
        InvalidRequest: the form is broken or cut short, has too many files, or other fields.
    """
    form = await _parse(request, field, at_most)
    names = [name for name, _ in form.multi_items()]
    others = sorted({name[:NAME] for name in names if name not in (field, text)})
    if field not in names:
        found = sorted({name[:NAME] for name in names})
        raise ImageMissing(f"The form has {_fields(found)}, and no picture; {_right(request, field, text)}")
    if others:
        raise InvalidRequest(f"The form has {_fields(others)}, which is unknown; {_right(request, field, text)}")
    values = form.getlist(field)
    files = [value for value in values if isinstance(value, UploadFile)]
    if len(files) < len(values):
        raise ImageMissing(f"The form's field “{field}” is text, not a file; with curl: -F {field}=@photo.jpg")
    if len(files) > at_most:
        raise InvalidRequest(f"The form has {len(files)} files; at most {at_most} are allowed.")
    return files, _one_text(form.getlist(text), text)


def _one_text(values: Sequence[str | UploadFile], field: str) -> str:
    if len(values) > 1:
        raise InvalidRequest(f"The form has {len(values)} fields “{field}”; one is right.")
    if any(isinstance(value, UploadFile) for value in values):
        raise InvalidRequest(f"The form's field “{field}” is a file, not text; with curl: --form-string {field}=…")
    return str(values[0]) if values else ""


class _Parser(MultiPartParser):
    """Starlette's, which takes a form that is cut short for one with fewer parts."""

    files_field = ""
    is_whole = False

    def on_part_begin(self) -> None:
        """Text is UTF-8, whatever the form says: of the codecs that it may name some fail, and one takes minutes."""
        self._charset = "utf-8"
        super().on_part_begin()

    def on_headers_finished(self) -> None:
        """A picture is a file by its name, by the name in its long form, or because it says that it is no text."""
        part = self._current_part
        if part.content_disposition and b"filename=" not in part.content_disposition.lower():
            said = Message()
            said["content-disposition"] = part.content_disposition.decode("latin-1")
            said["content-type"] = dict(part.item_headers).get(b"content-type", b"").decode("latin-1")
            is_ours = said.get_param("name", header="content-disposition") == self.files_field
            name = _name(said)
            if is_ours and (name is not None or said.get_content_maintype() != "text"):
                part.content_disposition += b'; filename="' + _quoted(name or b"") + b'"'
        super().on_headers_finished()

    def on_end(self) -> None:
        """The closing boundary was there."""
        self.is_whole = True


def _name(said: Message) -> bytes | None:
    """The file's name as it was sent: what it says of its encoding is the sender's word, as a form's is."""
    name = said.get_param("filename", header="content-disposition") or said.get_param("name")
    if name is None:
        return None
    return (name[2] if isinstance(name, tuple) else name).encode("latin-1")


def _quoted(name: bytes) -> bytes:
    return name.replace(b"\\", b"\\\\").replace(b'"', b'\\"')


async def _parse(request: Request, field: str, at_most: int) -> FormData:
    parser = _Parser(request.headers, request.stream(), max_files=at_most + OTHER_PARTS, max_fields=OTHER_PARTS)
    parser.files_field = field
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, ValueError) as error:  # the last: of headers that make no sense
        text = str(error.message if isinstance(error, MultiPartException) else error).rstrip(".")
        raise InvalidRequest(f"The form cannot be read: {text}. At most {at_most} pictures are allowed.") from error
    if not parser.is_whole:
        raise InvalidRequest("The form is cut short: it ends before its closing boundary.")
    return form


def _fields(names: list[str]) -> str:
    if not names:
        return "no fields"
    quoted = ", ".join(f"“{name}”" for name in names[:OTHER_PARTS])
    return f"the field{'s' if len(names) > 1 else ''} {quoted}"


def _right(request: Request, field: str, text: str) -> str:
    """What a form may have, and where all else goes."""
    options = ", ".join(query_names(request))
    may_have = (
        f"its fields are the file “{field}” and the text “{text}”" if text else f"its only field is the file “{field}”"
    )
    return f"{may_have}. Options go into the address: {options}."


def query_names(request: Request) -> list[str]:
    """Names that the query of the request's route may have."""
    return [parameter.alias for parameter in request.scope["route"].dependant.query_params]
