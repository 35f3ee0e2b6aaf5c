"""What several commands share: the root option, and how faults become exit codes."""

import functools
import json
import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from components.catalogue.reading.errors import CatalogueError
from components.storage.errors import StorageError
from components.storage.location import Location, location
from components.storage.uri import SCHEMES
from pipeline.commands.paths import PathToWrite
from pipeline.config import CURATED_SCHEMA, DEFAULT_ROOT, METADATA_URL, Layout, Remote
from pipeline.running.dataflow import Dataflow
from pipeline.running.engines import JOB_SERVERS, LOCAL, NAMES, Engine
from schema import heads as table
from schema.addresses import require_target
from schema.file_names import require_plain

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0 import schema_pb2


class FiniteRange(click.FloatRange):
    """A number of a range; click itself lets pass what is no number, of which no bound can be said."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number, or a usage error."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{number} is not in the range {self._describe_range()}, and finite.", param, ctx)
        return number


API_KEY = "LOOKBOOK_API_KEY"
"""Not an option: the command lines of all processes can be read by everyone on a machine."""
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def root_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds ``--root``; the command gets a :class:`~pipeline.config.Layout` as ``layout``."""

    @click.option(
        "--root",
        type=PathToWrite(file_okay=False, follows=True),
        default=DEFAULT_ROOT,
        show_default=True,
        envvar="LOOKBOOK_ROOT",
        help="Home of runs and releases.",
    )
    @functools.wraps(function)
    def with_layout(root: Path, **arguments: Any) -> Any:
        if root.parts and root.parts[0].removesuffix(":") in SCHEMES and root.parts[0].endswith(":"):
            raise click.UsageError(
                "--root is a folder of this machine, or of a shared volume that is mounted, and no URI"
            )
        try:
            home = root.expanduser().resolve()
        except RuntimeError as error:  # a user whom nobody knows, or links that go in circles
            raise click.UsageError(f"--root is {root}: {error}") from error
        return function(layout=Layout(home, os.environ.get(METADATA_URL, "")), **arguments)

    return with_layout


class DataPath(click.ParamType):
    """A path that is there, or the URI of what is there; asked before anything large is imported."""

    name = "path or uri"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Location:
        """The location, or an error, which shows no URI that may hold a secret."""
        if not isinstance(value, str):
            return cast(Location, value)
        try:
            found = location(value or self.fail("it is empty; give a path or a URI", param, ctx))
        except StorageError as error:
            self.fail(str(error), param, ctx)
        if isinstance(found, Path):
            return Path(click.Path(exists=True, path_type=Path).convert(str(found), param, ctx))
        try:
            found.is_file()
        except StorageError as error:
            raise click.ClickException(str(error)) from error
        return found


data_option = click.option(
    "--data",
    type=DataPath(),
    required=True,
    help="Folder or zip with styles.csv and images/<id>.jpg, or whatever `lookbook import` takes: a path, or a URI "
    "(gs://, s3://, az://, hdfs://, https://), with credentials as gcsfs, boto and adlfs take them.",
)

mapping_option = click.option(
    "--mapping",
    "mapping_file",
    type=_FILE,
    help="How data of another layout is read: the mapping.toml of a `lookbook import`.",
)

_ROWS = click.IntRange(0, 2**31 - 1)  # the record of a run holds no number without end
limit_option = click.option(
    "--limit", type=_ROWS, default=0, help="Take only this many rows, picked by the hash of their id."
)

trial_option = click.option(
    "--trial",
    is_flag=True,
    help="Release even if the test rows are too few to mean anything; all that comes of it says TRIAL.",
)

attributes_option = click.option(
    "--attributes",
    default="",
    metavar="COLUMN,…",
    callback=lambda context, option, text: tuple(name.strip() for name in text.split(",") if name.strip()),
    help=f"Learn these too, of {', '.join(head.column for head in table.attributes())}; default: none.",
)

schema_option = click.option(
    "--schema",
    "schema_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=CURATED_SCHEMA,
    help="TFMD schema as protobuf text; default: the one Lookbook comes with.",
)

max_bad_option = click.option(
    "--max-bad",
    type=FiniteRange(0, 1),
    default=0.01,
    show_default=True,
    help="Share of rows that may be rejected.",
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines.")


def server_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds ``--server`` and what goes with it.

    The command gets a :class:`~pipeline.config.Remote` or None as ``server``.
    """

    @click.option("--server", metavar="HOST:PORT", help="gRPC address of a running merger; else one of its own is run.")
    @click.option("--ca", type=_FILE, help="PEM certificates that vouch for a server with TLS.")
    @click.option("--tls", is_flag=True, help="The server has TLS with a certificate that this machine trusts.")
    @click.option("--api-key-file", type=_FILE, help="File with the API key; default: the variable LOOKBOOK_API_KEY.")
    @functools.wraps(function)
    def with_server(server: str | None, ca: Path | None, tls: bool, api_key_file: Path | None, **arguments: Any) -> Any:
        if not server:
            return function(server=None, **arguments)
        with wrong_use():
            require_target(server, "--server (its gRPC port; for https add --tls)", encrypted=tls or ca is not None)
        key = read_key(api_key_file)
        trusted = ca.read_bytes() if ca else (b"" if tls else None)
        return function(server=Remote(server, key, trusted), **arguments)

    return with_server


def read_key(file: Path | None) -> str:
    """The API key of a file, else that of the environment; a mark of UTF-8 in front is none of it."""
    try:
        return file.read_text(encoding="utf-8-sig").strip() if file else os.environ.get(API_KEY, "")
    except UnicodeDecodeError as error:
        raise click.UsageError(f"--api-key-file {file} is not UTF-8: {error}; save it as UTF-8") from error


_listening = ", ".join(f"{address} for {name}" for name, address in JOB_SERVERS.items())


def engine_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds ``--runner`` and what goes with it; the command gets an :class:`Engine` as ``engine``, and ``beam_args``."""

    @click.option(
        "--runner",
        type=click.Choice(NAMES),
        default=LOCAL,
        show_default=True,
        help="What runs Beam's steps: this process, a job server, or Dataflow. See k8s/engines.md.",
    )
    @click.option("--job-server", default="", metavar="HOST:PORT", help=f"Where it listens; default: {_listening}.")
    @click.option(
        "--workers",
        default="",
        metavar="WHERE",
        help="here (in this process, the default), external:HOST:PORT, docker:IMAGE or process:COMMAND.",
    )
    @click.option("--parallelism", type=click.IntRange(min=1), help="Workers at once; default: as the engine likes.")
    @click.option(
        "--project", default="", metavar="ID", help="Of Google Cloud, for --runner dataflow, which never ran."
    )
    @click.option("--region", default="", metavar="NAME", help="Of Dataflow, as europe-west1.")
    @click.option(
        "--temp-location", default="", metavar="gs://…", help="Folder for what Dataflow's workers are handed."
    )
    @click.option("--beam-arg", "beam_args", multiple=True, help="Handed to Beam as it is; repeatable.")
    @functools.wraps(function)
    def with_engine(
        runner: str,
        job_server: str,
        workers: str,
        parallelism: int | None,
        project: str,
        region: str,
        temp_location: str,
        **arguments: Any,
    ) -> Any:
        try:
            cloud = Dataflow(project, region, temp_location)
            engine = Engine(runner, job_server, workers, parallelism or 0, cloud)
        except ValueError as error:
            raise click.UsageError(str(error)) from error
        return function(engine=engine, **arguments)

    return with_engine


def refusing(*errors: type[Exception]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Turns these errors, and those of stores and of the system, into their message and exit code 1."""
    # Whatever a command does, what it says may meet a full disk.
    caught: tuple[type[Exception], ...] = (*errors, StorageError, OSError)

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def guarded(*arguments: Any, **named: Any) -> Any:
            try:
                return function(*arguments, **named)
            except caught as error:
                raise click.ClickException(str(error)) from error

        return guarded

    return decorate


def shown_figure(value: float | None) -> str:
    """A share for people; one that could not be measured is a dash."""
    return "–" if value is None else f"{value:.3f}"


def trial_mark(manifest: dict[str, Any]) -> str:
    """What stands before all that is said of a release that is a trial."""
    return "TRIAL  " if manifest.get("trial") else ""


def print_json(document: Any) -> None:
    """Prints a document as indented JSON."""
    # Half of a surrogate pair, which no stream takes, becomes JSON's own escape.
    click.echo(json.dumps(document, indent=2, ensure_ascii=False).encode("utf-8", "backslashreplace").decode())


def read_schema(path: Path) -> "schema_pb2.Schema":
    """The schema in a file of protobuf text.

    Raises:
        click.UsageError: it is none.
    """
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2

    from components.catalogue.schema_gate.head_features import with_heads

    try:
        return with_heads(text_format.Parse(path.read_text(encoding="utf-8"), schema_pb2.Schema()))
    except (text_format.ParseError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{path} is no TFMD schema in protobuf text: {error}") from error


@contextmanager
def wrong_use() -> Iterator[None]:
    """Turns what is refused into exit code 2; a catalogue that cannot be read is none of it."""
    try:
        yield
    except CatalogueError:
        raise
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def require_plain_catalogue(path: Location) -> None:
    """Raises click.UsageError where a run would take the catalogue's path for a pattern."""
    with wrong_use():
        require_plain(str(path.resolve()), "catalogue")


def require_attributes(attributes: tuple[str, ...]) -> None:
    """Raises click.UsageError where one of the attributes is none of the table's."""
    with wrong_use():
        table.chosen(attributes)
