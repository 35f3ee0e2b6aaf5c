"""``lookbook classify --input … --output …``: very many photos, without a server."""

import functools
import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from components.catalogue.reading.errors import CatalogueError
from components.storage.errors import StorageError
from components.storage.location import Location, Remote, location
from pipeline.commands.common import engine_options, print_json, wrong_use
from pipeline.config import BEAM_DEFAULTS, Layout
from pipeline.errors import RunError
from pipeline.running.beam_arguments import require_beam_arguments
from pipeline.running.console import quiet_console
from pipeline.running.engines import LOCAL, Engine

SUFFIXES: Final = (".parquet", ".csv", ".tfrecord")
_ROOM_BYTES: Final = 2**20
_INTERRUPTED: Final = 130


@dataclass(frozen=True)
class Bulk:
    """What is to be classified in bulk, and by what.

    Attributes:
        given: folder, zip, glob, ``styles.csv`` or picture, as a path or URI.
        output: folder to be made; its suffix names the format.
        version: of the release; None for the current one.
        engine: what runs it.
        beam_args: handed to Beam as they are.
    """

    given: str
    output: Location
    version: int | None
    engine: Engine
    beam_args: tuple[str, ...]


def bulk_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds ``--input``, ``--output`` and what goes with them; the command gets a :class:`Bulk` or None as ``bulk``."""

    @click.option(
        "--input",
        "given",
        metavar="PATH|GLOB|URI",
        help="Folder, zip, glob, a catalogue's styles.csv or a picture, here or at a URI (gs://, s3://, az://, hdfs://).",
    )
    @click.option(
        "--output",
        metavar="PATH|URI",
        help=f"Folder to be made of it, with tables of this suffix: {', '.join(SUFFIXES)}; resumed if it was begun.",
    )
    @click.option(
        "--version", type=click.IntRange(min=1), help="With --input: of the release; default: the current one."
    )
    @engine_options
    @functools.wraps(function)
    def with_bulk(
        given: str | None,
        output: str | None,
        version: int | None,
        engine: Engine,
        beam_args: tuple[str, ...],
        **arguments: Any,
    ) -> Any:
        if given is None and output is None:
            if version or beam_args or engine.name != LOCAL:
                raise click.UsageError("--version, --runner and --beam-arg go with --input and --output")
            return function(bulk=None, **arguments)
        if not given or not output:
            raise click.UsageError(f"--input and --output go together; --{'output' if given else 'input'} is missing")
        return function(bulk=Bulk(given, _output(output), version, engine, beam_args), **arguments)

    return with_bulk


def classify_in_bulk(layout: Layout, bulk: Bulk, product_names: Mapping[str, str], as_json: bool) -> None:
    """Classifies, and says what came of it.

    Args:
        layout: the root, with its releases.
        bulk: what is asked for.
        product_names: key of a picture → what its product is called; see :class:`pipeline.bulk.run.Task`.
        as_json: whether the summary is told as JSON.

    Raises:
        RunError: it could not be done to its end, or some pictures failed.
        CatalogueError: there are no pictures.
    """
    from pipeline.bulk.listing import split_glob

    arguments = [*BEAM_DEFAULTS, *bulk.engine.beam_args(), *bulk.beam_args]
    with wrong_use():
        require_beam_arguments(arguments if bulk.beam_args else ())
        bulk.engine.require_within_reach("--input", split_glob(bulk.given)[0])
        bulk.engine.require_within_reach("--output", bulk.output)
    bulk.engine.require_reachable()
    if remark := bulk.engine.remark():
        click.echo(remark, err=True)
    summary = _run(layout, bulk, product_names, arguments)
    if as_json:
        print_json(summary)
    else:
        for line in _lines(summary):
            click.echo(line)
    if failed := summary["failed"] + len(summary["unreadable_folders"]):
        raise RunError(f"{failed:,} of the pictures could not be classified; their rows say why")


def _run(layout: Layout, bulk: Bulk, product_names: Mapping[str, str], arguments: list[str]) -> dict[str, Any]:
    log = layout.logs / f"classify-{time.strftime('%Y%m%d-%H%M%S')}.log"
    # Its own, since standard output is for the summary, and standard error goes into the log meanwhile.
    with os.fdopen(os.dup(2), "w", buffering=1, errors="backslashreplace") as console, quiet_console(log):

        def say(line: str) -> None:
            print(line, file=console)

        try:
            from pipeline.bulk.run import Task, run

            return run(Task(layout, bulk.given, bulk.output, bulk.version, arguments, product_names), say)
        except (KeyboardInterrupt, SystemExit) as error:
            say("interrupted; what is done stays, and the same command goes on with it")
            # Beam's threads end with nothing else, and would go on to the end.
            os._exit(error.code if isinstance(error, SystemExit) and isinstance(error.code, int) else _INTERRUPTED)
        except (RunError, CatalogueError, StorageError):
            raise
        except Exception as error:
            raise RunError(f"{_in_words(error, bulk.output)}\nThe full log is in {log}") from error


def _output(text: str) -> Location:
    """Where to write; what is no place to write is wrong use."""
    try:
        place = location(text.rstrip("/") or text)
    except StorageError as error:
        raise click.UsageError(f"--output: {error}") from error
    if os.path.splitext(place.name)[1].lower() not in SUFFIXES:  # noqa: PTH122 - a location may be a URI
        raise click.UsageError(f"--output is {text}; it must end in {', '.join(SUFFIXES)}")
    if isinstance(place, Remote) and place.uri.startswith("http"):
        raise click.UsageError(
            f"--output is {text}; a web server takes no files: give a path or gs://, s3://, az://, hdfs://"
        )
    return place if isinstance(place, Remote) else Path(os.path.abspath(place))  # noqa: PTH100 - workers have this path


def _in_words(error: Exception, output: Location) -> str:
    # Beam tells a worker's error as text, with all the frames that it came through; its last line says what it was.
    text = next(line for line in reversed(f"{type(error).__name__}: {error}".splitlines()) if line.strip())
    text = text.partition(" [while running")[0]
    is_full = isinstance(output, Path) and _free(output) < _ROOM_BYTES
    if "No space left on device" in str(error) or is_full:
        return f"there is no room left for {output}: free some, and run the same command again; what is done stays"
    return f"{text[:500]}; what is done stays, and the same command goes on with it"


def _free(path: Path) -> int:
    there = next(one for one in (path, *path.parents) if one.exists())
    return shutil.disk_usage(there).free


def _lines(summary: dict[str, Any]) -> list[str]:
    counts = f"{summary['answered']:,} answered, {summary['failed']:,} failed, {summary['resumed']:,} done before"
    skipped = [f"skipped, {why}: {count:,}" for why, count in summary["skipped"].items()]
    failed = [f"failed, {code}: {count:,}" for code, count in summary["failed_by"].items()]
    folders = [f"{name} cannot be looked into: {why}" for name, why in summary["unreadable_folders"].items()]
    return [*skipped, *failed, *folders, f"{counts}; see {summary['output']} ({summary['shards']:,} shards)"]
