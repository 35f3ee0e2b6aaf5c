"""Runs the pipeline below a root, and says what came of it."""

import dataclasses
import hashlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from components.catalogue.schema_gate.head_features import with_heads
from pipeline.config import Layout, PipelineConfig
from pipeline.errors import RunError
from pipeline.pipeline import create_pipeline
from pipeline.running.console import Say
from pipeline.running.dag_runner import ReportingDagRunner, Step
from schema.release_folder import Release, ReleaseFolder


@dataclass(frozen=True)
class RunResult:
    """A finished run.

    Attributes:
        steps: of it.
        seconds: that it took.
        version: of the release that comes of its data, code and settings, perhaps in an earlier run.
        release: the same; None where it is no more.
        current: the release that answers after it, which may be another.
        withdrawn: whether a rollback took the release away, and no prune.
    """

    steps: list[Step]
    seconds: float
    version: int
    release: Release | None
    current: Release
    withdrawn: bool = False

    def as_json(self) -> dict[str, Any]:
        """For machines: both versions, and each step with its seconds and whether it was cached."""
        steps = [dataclasses.asdict(step) for step in self.steps]
        return {"release": self.version, "current": self.current.version, "seconds": self.seconds, "steps": steps}


def _pinned(schema: Path, layout: Layout) -> Path:
    """A copy of the schema, completed for the heads, whose name is its content.

    ImportSchemaGen's cache knows its schema by the path alone.
    """
    try:
        parsed = text_format.Parse(schema.read_text(encoding="utf-8"), schema_pb2.Schema())
    except (text_format.ParseError, UnicodeDecodeError) as error:
        raise RunError(f"{schema} is no TFMD schema in protobuf text: {error}") from error
    content = text_format.MessageToString(with_heads(parsed)).encode()
    pinned = layout.root / "schema" / f"{hashlib.sha256(content).hexdigest()[:16]}.pbtxt"
    pinned.parent.mkdir(parents=True, exist_ok=True)
    pinned.write_bytes(content)
    return pinned


def run_pipeline(config: PipelineConfig, say: Say) -> RunResult:
    """Runs every component that the cache does not answer for.

    Raises:
        CatalogueError: the catalogue cannot be used.
        GateError: the data or a model did not pass.
        RunError: the schema cannot be read, or the release of an earlier run was removed by hand.
    """
    start = time.monotonic()
    runner = ReportingDagRunner(say, config.all_beam_args, config.engine.require_reachable)
    runner.run(create_pipeline(dataclasses.replace(config, schema=_pinned(config.schema, config.layout))))
    folder = ReleaseFolder(config.layout.releases)
    releases = {release.version: release for release in folder.releases()}
    if not releases:
        raise RunError(
            f"the releases below {config.layout.releases} were removed, and nothing has changed since they were made; "
            f"remove {config.layout.metadata} and {config.layout.artifacts} too, to train anew"
        )
    current = releases[max(releases)]
    version = runner.release or current.version
    withdrawn = version in folder.withdrawn()
    return RunResult(runner.steps, time.monotonic() - start, version, releases.get(version), current, withdrawn)
