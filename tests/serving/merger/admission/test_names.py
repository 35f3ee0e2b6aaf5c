"""By what names a caller reaches the merger, and by what address it is known behind proxies."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from serving.merger.admission.api_keys import ApiKeys
from serving.merger.core.errors import SettingsError
from serving.merger.settings import Settings
from tests import tiny_models
from tests.ipv6 import has_ipv6
from tests.serving.fake_model_server import FakeModelServer
from tests.serving.merger_process import MergerProcess, merger

pytestmark = pytest.mark.asyncio(loop_scope="module")

RED = tiny_models.picture("red")
KEY = "correct-horse-battery"


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
@pytest.mark.parametrize("proxy", ["127.0.0.1", "127.0.0.0/8", "::ffff:127.0.0.1", "*"])
async def test_a_proxy_on_a_socket_of_both_families(fake: FakeModelServer, tmp_path: Path, proxy: str) -> None:
    """A proxy with an IPv4 address is trusted as what it is, where it is ::ffff:… to the socket."""
    limits = {"rate_images_per_s": 1, "rate_burst_images": 1, "host": "::", "anonymous": True}
    async with merger(tmp_path, fake.target, trusted_proxies=proxy, **limits) as running:
        await running.ready()
        for caller in ("10.0.0.1", "10.0.0.2", "10.0.0.3"):
            reply = await running.http.post("/v1/classify", content=RED, headers={"x-forwarded-for": caller})
            assert reply.status_code == 200, reply.text


@pytest.mark.parametrize("proxies", ["10.1.2.3/8", "ingress", "10.0.0.7 10.0.0.8", "*, 10.0.0.7", "::1/"])
async def test_proxies_are_addresses(proxies: str) -> None:
    """What can be no address of a proxy would trust nobody without a word: it stops the start."""
    with pytest.raises(SettingsError, match=r"LOOKBOOK_TRUSTED_PROXIES: .* would be an address"):
        Settings.from_environment({"LOOKBOOK_TRUSTED_PROXIES": proxies})


async def asked(running: MergerProcess, host: str) -> list[httpx.Response]:
    """Answers to somebody who calls the merger by that name."""
    by = {"host": host, "content-type": "application/json"}
    return [
        await running.http.post("/v1/classify", content=RED, headers={"host": host}),
        await running.http.post("/v1/review/claim", content=b"{}", headers=by),
        await running.http.get("/v1/review/cards", headers=by),
        await running.http.request("DELETE", "/v1/review/cards/1", headers=by),
    ]


async def test_nobody_elses_name(fake: FakeModelServer, tmp_path: Path) -> None:
    """A page whose name is made to mean this machine gets nothing of a merger that asks for no keys."""
    async with merger(tmp_path, fake.target, review_store=tmp_path / "review.sqlite") as running:
        await running.ready()
        for host in (
            "evil.example",
            f"evil.example:{running.http_port}",
            "localhost.evil.example",
            "[",
            "127.0.0.1.nip",
        ):
            replies = await asked(running, host)
            assert {(one.status_code, one.json()["code"]) for one in replies} == {(403, "forbidden")}, host
        for host in ("localhost", "LOCALHOST:80", f"127.0.0.1:{running.http_port}", "[::1]:8080", "page.localhost:1"):
            assert 403 not in {one.status_code for one in await asked(running, host)}, host


@pytest.mark.parametrize("way", ["keys", "anonymous"])
async def test_names_that_are_meant(fake: FakeModelServer, tmp_path: Path, way: str) -> None:
    """Behind a proxy the merger may have any name: who runs it says who may call."""
    (tmp_path / "keys").write_text(f"shop {KEY}\n")
    said: dict[str, Any] = {"api_keys_file": tmp_path / "keys"} if way == "keys" else {"anonymous": True}
    async with merger(tmp_path, fake.target, **said) as running:
        await running.ready()
        headers = {"host": "shop.example", "x-api-key": KEY}
        assert (await running.http.post("/v1/classify", content=RED, headers=headers)).status_code == 200


async def test_a_mark_at_the_beginning(tmp_path: Path) -> None:
    """Editors that put one before a file's first line change no name in it."""
    (tmp_path / "keys").write_text(f"shop {KEY}\n", encoding="utf-8-sig")
    assert ApiKeys(str(tmp_path / "keys")).identify({"x-api-key": KEY}, "") == "shop"
