"""The page: the files of ``serving/web/dist``, each by its own route, so that a wrong address stays wrong."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from fastapi import FastAPI, Response
from fastapi.responses import FileResponse, RedirectResponse
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

INDEX: Final = "index.html"
ADDRESSES: Final = ("/", "/review")
"""Which of its two the page shows, it reads from its address."""
FRESH: Final = {"cache-control": "no-cache"}
FOR_EVER: Final = "public, max-age=31536000, immutable"


class _Hashed(StaticFiles):
    """Files whose names change with their content, as the page's build names them."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, to be kept for ever."""
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = FOR_EVER
        return response


def add(app: FastAPI, folder: Path) -> None:
    """Adds the page at ``/`` and ``/review`` if it is built; else ``/`` leads to the API's description."""
    if not (folder / INDEX).is_file():
        app.add_api_route("/", _to_docs, include_in_schema=False)
        return
    for entry in sorted(folder.iterdir()):
        if entry.is_dir():
            app.mount(f"/{entry.name}", _Hashed(directory=entry), entry.name)
        else:
            _add_file(app, f"/{entry.name}", entry)
    for address in ADDRESSES:
        _add_file(app, address, folder / INDEX)


def _add_file(app: FastAPI, address: str, file: Path) -> None:
    app.add_api_route(address, _sender(file), include_in_schema=False)


def _sender(file: Path) -> Callable[[], Awaitable[Response]]:
    async def page() -> Response:
        return FileResponse(file, headers=FRESH)

    return page


async def _to_docs() -> Response:
    return RedirectResponse("docs")
