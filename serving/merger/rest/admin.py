"""What operators and their tools ask: how the process is, its metrics and what it saw, on a port of their own."""

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from serving.merger.lifecycle import Lifecycle
from serving.merger.rest.middleware import HeadAsGet
from serving.merger.telemetry import Telemetry


def make_admin_app(lifecycle: Lifecycle, telemetry: Telemetry) -> FastAPI:
    """``/metrics``, ``/seen``, ``/livez`` and ``/readyz``: no key, no TLS, so not for the outside."""
    app = FastAPI(title="Lookbook: operations", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    app.add_middleware(HeadAsGet)
    add_health(app, lifecycle)

    @app.get("/metrics")
    async def metrics() -> Response:
        """Metrics for Prometheus."""
        return Response(generate_latest(telemetry.registry), media_type=CONTENT_TYPE_LATEST)

    @app.get("/seen")
    async def seen() -> Response:
        """What the pictures of the last hours looked like, and eval, as counts: ``lookbook drift`` compares them."""
        return JSONResponse(telemetry.seen.as_json())

    return app


def add_health(app: FastAPI, lifecycle: Lifecycle) -> None:
    """Adds ``/livez`` and ``/readyz``, which tell a stranger nothing that the answers do not."""

    @app.get("/livez", tags=["operations"])
    async def livez() -> Response:
        """Whether the process lives whole: 200, or 503 where a part of it has ended, so that it is started anew."""
        return JSONResponse({"status": "broken"}, 503) if lifecycle.is_broken else JSONResponse({"status": "alive"})

    @app.get("/readyz", tags=["operations"])
    async def readyz() -> Response:
        """Whether calls are welcome: 200 or 503, and why."""
        return JSONResponse(lifecycle.report(), 200 if lifecycle.is_serving else 503)
