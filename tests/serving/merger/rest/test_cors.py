"""Pages of other origins may ask where a setting names them, and nowhere else."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from serving.merger.core.errors import SettingsError
from serving.merger.settings import Settings
from tests.serving.fake_model_server import FakeModelServer
from tests.serving.merger.rest.asking import JPEG, RED, problem
from tests.serving.merger_process import MergerProcess, merger

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHOP = "https://shop.example"
KEY = "0123456789abcdef"
PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "content-type,x-api-key"}
ALLOW = "access-control-allow-origin"
SETTING = "LOOKBOOK_CORS_ORIGINS"


async def preflight(running: MergerProcess, origin: str, **headers: str) -> httpx.Response:
    return await running.http.request("OPTIONS", "/v1/classify", headers={"origin": origin, **PREFLIGHT, **headers})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def open_to_shop(
    fake_server: FakeModelServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[MergerProcess]:
    """A merger that wants keys and lets a shop's pages ask."""
    folder: Path = tmp_path_factory.mktemp("cors")
    (folder / "keys").write_text(f"shop {KEY}\n")
    settings = {"api_keys_file": folder / "keys", "cors_origins": f"{SHOP}, http://localhost:5173"}
    async with merger(folder, fake_server.target, **settings) as process:
        await process.ready()
        yield process


async def test_off_by_default(running: MergerProcess, fake: FakeModelServer) -> None:
    """No page of another origin gets leave, before or with an answer."""
    refused = await preflight(running, SHOP)
    problem(refused, "method_not_allowed")
    answered = await running.http.post("/v1/classify", content=RED, headers=JPEG | {"origin": SHOP})
    assert not {name for name in (*refused.headers, *answered.headers) if name.startswith("access-control")}


@pytest.mark.parametrize("origin", [SHOP, "http://localhost:5173"])
async def test_preflight_needs_no_key(open_to_shop: MergerProcess, origin: str) -> None:
    """A browser asks without the key whether it may send one; it may, for this origin, by name, without credentials."""
    reply = await preflight(open_to_shop, origin)
    assert (reply.status_code, reply.headers[ALLOW]) == (200, origin)
    assert {"POST", "GET"} == set(reply.headers["access-control-allow-methods"].split(", "))
    allowed = reply.headers["access-control-allow-headers"].lower().split(", ")
    assert {"content-type", "x-api-key", "authorization", "x-request-id"} <= set(allowed)
    assert "access-control-allow-credentials" not in reply.headers and "Origin" in reply.headers["vary"]


async def test_answers_and_refusals_can_be_read(open_to_shop: MergerProcess) -> None:
    """The shop's page reads its answer, and why it got none: a refusal before the body is read carries leave too."""
    asked = {**JPEG, "origin": SHOP}
    refused = await open_to_shop.http.post("/v1/classify", content=RED, headers=asked)
    problem(refused, "unauthenticated")
    answered = await open_to_shop.http.post("/v1/classify", content=RED, headers=asked | {"x-api-key": KEY})
    assert answered.status_code == 200, answered.text
    for reply in (refused, answered):
        assert reply.headers[ALLOW] == SHOP
        assert "x-request-id" in reply.headers["access-control-expose-headers"]
        assert "access-control-allow-credentials" not in reply.headers


@pytest.mark.parametrize("origin", ["https://evil.example", "https://shop.example.evil", "null", f"{SHOP}:8443"])
async def test_other_origins_get_no_leave(open_to_shop: MergerProcess, origin: str) -> None:
    """An origin that is not named gets none, however like a named one it is, and with a good key neither."""
    assert ALLOW not in (await preflight(open_to_shop, origin)).headers
    asked = JPEG | {"origin": origin, "x-api-key": KEY}
    assert ALLOW not in (await open_to_shop.http.post("/v1/classify", content=RED, headers=asked)).headers


async def test_any_origin_without_credentials(fake_server: FakeModelServer, tmp_path: Path) -> None:
    """Where every page may ask, no browser is told to send what it knows by itself."""
    async with merger(tmp_path, fake_server.target, cors_origins="*") as running:
        reply = await preflight(running, SHOP, cookie="session=1")
        assert (reply.status_code, reply.headers[ALLOW]) == (200, "*")
        assert "access-control-allow-credentials" not in reply.headers


@pytest.mark.parametrize(
    "origin",
    ["shop.example", "https://shop.example/", "https://shop.example:443", "HTTPS://shop.example", "null", "*.example"],
)
async def test_what_no_browser_sends_is_no_origin(origin: str) -> None:
    """A setting that would let nobody in is refused, with its value and the form of an origin."""
    with pytest.raises(SettingsError, match="scheme://host"):
        Settings.from_environment({SETTING: f"{SHOP},{origin}"})


async def test_any_stands_alone() -> None:
    """Any origin and one by name are two minds."""
    assert Settings.from_environment({SETTING: "*"}).allowed_origins == ["*"]
    with pytest.raises(SettingsError, match="stands alone"):
        Settings.from_environment({SETTING: f"*,{SHOP}"})
