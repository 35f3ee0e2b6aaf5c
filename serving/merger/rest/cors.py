"""Pages of other origins that may ask: none unless a setting names them."""

from collections.abc import Sequence
from typing import Final

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from serving.merger.admission.api_keys import API_KEY_HEADER, AUTHORIZATION_HEADER
from serving.merger.core.calls import REQUEST_ID_HEADER

ASKED_WITH: Final = (API_KEY_HEADER, AUTHORIZATION_HEADER, REQUEST_ID_HEADER, "content-type", "if-none-match")
TOLD: Final = (REQUEST_ID_HEADER, "retry-after", "etag")


def add(app: FastAPI, origins: Sequence[str]) -> None:
    """Lets pages of ``origins`` ask; call it last, for refusals of what is further in need the headers too.

    No credentials: a browser then sends no cookie and no certificate of its own, and a page has to know an API key to
    use one. That makes ``*`` safe to say.
    """
    if origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=("GET", "POST"),
            allow_headers=ASKED_WITH,
            expose_headers=TOLD,
        )
