"""A mistake of ours is told as any other error is, counted as what it is, and logged once."""

import logging
from typing import Any, NoReturn

import httpx
import pytest
from starlette.datastructures import UploadFile

from serving.merger import views
from tests.serving.merger.rest.asking import RED, problem
from tests.serving.merger_within import merger_within

SHOP = "https://shop.example"


def fail(*_: Any, **__: Any) -> NoReturn:
    raise KeyError("a secret of the inside")


async def count(server: Any) -> float | None:
    """Calls that the critical alert counts as our mistakes."""
    async with httpx.AsyncClient() as client:
        page = (await client.get(f"http://127.0.0.1:{server.admin_port}/metrics")).text
    lines = [line for line in page.splitlines() if line.startswith("lookbook_calls_total") and "internal" in line]
    return sum(float(line.split()[-1]) for line in lines)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_mistake(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, method: str) -> None:
    """It has the headers of every answer and no word of the inside; the alert sees it, and the log has it once."""
    monkeypatch.setattr(views, "models", fail)
    monkeypatch.setattr(UploadFile, "close", fail)
    address = {"GET": "/v1/models", "POST": "/v1/classify"}[method]
    files = {"image": RED} if method == "POST" else None
    async with merger_within(cors_origins=SHOP) as (server, client):
        reply = await client.request(method, address, files=files, headers={"origin": SHOP})
        assert problem(reply, "internal") and "secret" not in reply.text
        assert reply.headers["x-content-type-options"] == "nosniff" and reply.headers["content-security-policy"]
        assert reply.headers["access-control-allow-origin"] == SHOP
        assert await count(server) == 1
    errors = [one for one in caplog.records if one.levelno >= logging.ERROR]
    assert [one.getMessage() for one in errors] == ["a bug"]
    assert errors[0].__dict__["request_id"] == reply.headers["x-request-id"]
