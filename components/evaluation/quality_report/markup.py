"""Pieces of HTML: tables that sort, pictures inside, text that is never taken for markup."""

import base64
import html
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { padding: .25rem .75rem; border-bottom: 1px solid #8884; text-align: left; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
thead th { position: sticky; top: 0; background: Canvas; }
th button { all: unset; cursor: pointer; font-weight: bold; }
th button:focus-visible { outline: 2px solid; }
img { max-width: 100%; background: white; }
.scroll { max-height: 28rem; overflow: auto; }
.row { display: flex; flex-wrap: wrap; gap: 1rem; align-items: flex-start; }
.row img.plot { max-height: 22rem; }
figure { margin: 0; width: 9rem; font-size: .8rem; }
figure img { height: 8rem; border: 1px solid #8884; }
"""

SORTING = """
document.querySelectorAll("th button").forEach(button => button.addEventListener("click", () => {
  const cell = button.parentElement, body = cell.closest("table").tBodies[0];
  const index = [...cell.parentElement.children].indexOf(cell);
  const up = cell.getAttribute("aria-sort") !== "ascending";
  cell.parentElement.querySelectorAll("th").forEach(other => other.removeAttribute("aria-sort"));
  cell.setAttribute("aria-sort", up ? "ascending" : "descending");
  const value = row => row.cells[index].textContent;
  const compare = (a, b) => value(a).localeCompare(value(b), undefined, { numeric: true });
  [...body.rows].sort((a, b) => up ? compare(a, b) : compare(b, a)).forEach(row => body.append(row));
}));
"""


def table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table; a click on a heading sorts by it. Floats get three decimals."""
    head = "".join(f"<th><button type=button>{escape(cell)}</button></th>" for cell in header)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def plot(path: Path) -> str:
    """A PNG file, inside the page."""
    return _image(path.read_bytes(), "png", f'class=plot alt="{escape(path.stem.replace("_", " "))}"')


def photo(image: bytes, caption: str) -> str:
    """A product's picture (JPEG or PNG bytes) with words below."""
    kind = "png" if image.startswith(b"\x89PNG") else "jpeg"
    return f"<figure>{_image(image, kind, 'alt')}<figcaption>{escape(caption)}</figcaption></figure>"


def escape(text: Any) -> str:
    """Text as it may stand in HTML."""
    return html.escape(str(text))


def _cell(value: Any) -> str:
    kind = " class=number" if isinstance(value, int | float) else ""
    return f"<td{kind}>{escape(f'{value:.3f}' if isinstance(value, float) else value)}</td>"


def _image(data: bytes, kind: str, attributes: str) -> str:
    return f'<img {attributes} src="data:image/{kind};base64,{base64.b64encode(data).decode()}">'
