"""The description of the REST API against the running merger: requests made from it, right ones and wrong ones."""

import asyncio
import os
import re
from pathlib import Path

import pytest

from serving.merger.rest.forms import OTHER_PARTS
from tests.hardening.promises import Promises
from tests.serving.fake_model_server import FakeModelServer
from tests.serving.merger_process import merger

ROOT = Path(__file__).parents[3]
SCHEMATHESIS = ROOT / ".venv" / "hardening" / "bin" / "schemathesis"
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
HOOKS = Path(__file__).with_name("openapi_hooks.py")
BUDGET_S, EXAMPLES = 90, 40


def test_hooks_know_the_bound_of_forms() -> None:
    """The bound on a form's other parts that Schemathesis is told is the merger's."""
    assert f"MOST_PARTS = {OTHER_PARTS}\n" in HOOKS.read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.skipif(not SCHEMATHESIS.exists(), reason="no .venv/hardening: make hardening builds it")
async def test_the_merger_is_as_described(tmp_path: Path, promise: Promises) -> None:
    """Whatever is made from the description, the merger takes what is right, refuses the rest and never breaks."""
    models = FakeModelServer()
    models.models["article_type"].remembers = True  # else nothing would be learnt from its decisions
    await models.start()
    try:
        with promise("fuzz: REST", "answers as described, to right and to wrong requests") as row:
            store = tmp_path / "review.sqlite"
            async with merger(tmp_path, models.target, request_timeout_ms=5000, review_store=store) as running:
                await running.ready()
                told = await _attack(f"http://127.0.0.1:{running.http_port}/openapi.json", tmp_path)
                bugs = [line for line in running.lines() if line.get("level") == "ERROR"]
            assert not bugs, bugs[:3]
            row.seen = told
    finally:
        await models.stop()


async def _attack(address: str, folder: Path) -> str:
    """Runs Schemathesis, within its budget of time and examples; gives what it says of its requests."""
    limits = ["--max-examples", str(EXAMPLES), "--max-time", str(BUDGET_S), "--generation-database", "none"]
    command = [SCHEMATHESIS, "--no-color", "--config-file", CONFIGURATION, "run", address, *limits]
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},  # the hooks are a module of the tests
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output = (await asyncio.wait_for(process.communicate(), 2 * BUDGET_S))[0].decode()
    assert process.returncode == 0, output[-6000:]
    cases = re.search(r"(\d+) generated", output)
    assert cases, output
    return f"{int(cases[1]):,} requests, none answered otherwise"
