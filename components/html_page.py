"""HTML pages from Jinja2 templates: text is never taken for markup, and a page needs nothing from outside."""

import base64
import io
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from PIL import Image

_SHOWN_SIZE: Final = (120, 120)  # at most; pixels
_DOCTYPE: Final = b"<!doctype html"


def render_html(package: str, template: str, **values: Any) -> str:
    """The page that a template makes of ``values``.

    Args:
        package: dotted name of the package whose ``templates/`` folder holds it.
        template: its file name.
        **values: what the template names; each must be given.

    Raises:
        jinja2.TemplateNotFound: the package has no such template.
        jinja2.UndefinedError: the template names a value that was not given.
    """
    environment = Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["data_url"] = _data_url
    return environment.get_template(template).render(**values)


def write_html(file: Path, page: str) -> None:
    """Writes a page; of what may be there already, only another page is replaced.

    Raises:
        FileExistsError: something else is there, as the sheet that was read, or the photo.
        OSError: it cannot be written.
    """
    if file.is_file():
        with file.open("rb") as there:
            begin = there.read(100).lstrip().lower()
        if begin and not begin.startswith(_DOCTYPE):
            raise FileExistsError(f"{file} is there, and no page: it is left as it is; give the page another name")
    file.write_text(page, encoding="utf-8")


def small_jpeg(image: bytes) -> bytes:
    """A picture of 120 pixels at most, to be shown beside others."""
    with Image.open(io.BytesIO(image)) as opened:
        small = opened.convert("RGB")
    small.thumbnail(_SHOWN_SIZE)
    encoded = io.BytesIO()
    small.save(encoded, "JPEG", quality=80)
    return encoded.getvalue()


def _data_url(image: bytes) -> str:
    """A PNG or JPEG file as the address of itself."""
    kind = "png" if image.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(image).decode()}"
