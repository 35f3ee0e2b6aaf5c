"""The options of commands that run Beam somewhere."""

import functools
from collections.abc import Callable
from typing import Any

import click

from pipeline.running.engines import JOB_SERVERS, LOCAL, Engine

_PORTS = ", ".join(f"{address} for {name}" for name, address in JOB_SERVERS.items())


def engine_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds ``--runner`` and what goes with it; the command gets an :class:`Engine` as ``engine``, and ``beam_args``."""

    @click.option(
        "--runner",
        type=click.Choice([LOCAL, *JOB_SERVERS]),
        default=LOCAL,
        show_default=True,
        help="What runs Beam's steps: this process, or a job server. See k8s/engines.md.",
    )
    @click.option("--job-server", default="", metavar="HOST:PORT", help=f"Where it listens; default: {_PORTS}.")
    @click.option(
        "--workers",
        default="",
        metavar="WHERE",
        help="here (in this process, the default), external:HOST:PORT, docker:IMAGE or process:COMMAND.",
    )
    @click.option("--parallelism", type=click.IntRange(min=1), help="Workers at once; default: as the engine likes.")
    @click.option("--beam-arg", "beam_args", multiple=True, help="Handed to Beam as it is; repeatable.")
    @functools.wraps(function)
    def with_engine(runner: str, job_server: str, workers: str, parallelism: int | None, **arguments: Any) -> Any:
        try:
            engine = Engine(runner, job_server, workers, parallelism or 0)
        except ValueError as error:
            raise click.UsageError(str(error)) from error
        return function(engine=engine, **arguments)

    return with_engine
