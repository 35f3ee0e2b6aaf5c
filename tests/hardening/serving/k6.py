"""k6 against a merger."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from tests.hardening.serving.asking import RED
from tests.serving.merger_process import ROOT, MergerProcess

PROGRAM: Final = ROOT / ".venv/hardening/bin/k6"
needs_k6: Final = pytest.mark.skipif(not PROGRAM.exists(), reason=f"{PROGRAM} is not there; make hardening installs it")


@dataclass(frozen=True)
class Seen:
    """What the callers saw: pictures by outcome, the refused a second, and times of the accepted."""

    accepted: int
    accepted_per_s: float
    refused: int
    broken: int
    median_ms: float
    p99_ms: float
    words: str
    """Of what broke."""


async def load(running: MergerProcess, folder: Path, *, seconds: int, callers: int = 0, rate: int = 0) -> Seen:
    """Runs tests/hardening/serving/load.js: closed with so many callers, or open at a rate of pictures a second."""
    picture = folder / "picture.jpg"
    picture.write_bytes(RED)
    environment = {
        "REST_URL": f"http://127.0.0.1:{running.http_port}",
        "GRPC_TARGET": running.grpc_target,
        "PROTO_ROOT": str(ROOT),
        "PICTURE": str(picture),
        "DURATION": f"{seconds}s",
        **({"RATE": str(rate)} if rate else {"CALLERS": str(callers)}),
    }
    flags = [word for name, value in environment.items() for word in ("--env", f"{name}={value}")]
    process = await asyncio.create_subprocess_exec(
        *(PROGRAM, "run", "--quiet", "--no-usage-report", *flags, Path(__file__).with_name("load.js")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()[-2000:]
    return _seen(json.loads(out), seconds, errors.decode())


def _seen(metrics: dict[str, Any], seconds: int, errors: str) -> Seen:
    def count(name: str) -> int:
        return int(metrics.get(name, {"values": {"count": 0}})["values"]["count"])

    times = metrics["accepted_ms"]["values"]
    return Seen(
        accepted=count("accepted"),
        accepted_per_s=count("accepted") / seconds,
        refused=count("refused"),
        broken=count("broken"),
        median_ms=times["med"],
        p99_ms=times["p(99)"],
        words=errors[-300:],
    )
