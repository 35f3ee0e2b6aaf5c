"""``lookbook schema``: the data schema against a catalogue's data."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import click

from components.catalogue.reading.errors import CatalogueError
from pipeline.commands.common import json_option, limit_option, print_json, refusing
from pipeline.config import CURATED_SCHEMA

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0 import schema_pb2

_path = click.argument("path", type=click.Path(exists=True, path_type=Path))
_schema = click.option(
    "--schema",
    "schema_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=CURATED_SCHEMA,
    help="TFMD schema as protobuf text; default: the one Lookbook comes with.",
)


@click.group("schema")
def command() -> None:
    """See or make the changes that a catalogue needs in the data schema."""


@command.command()
@_path
@_schema
@limit_option
@json_option
@refusing(CatalogueError)
def diff(path: Path, schema_file: Path, limit: int, as_json: bool) -> None:
    """Show what the catalogue at PATH would change in the schema.

    \b
    Example:
      lookbook schema diff catalogue.zip
    """
    from components.catalogue.schema_gate.schema_diff import diff_schema, diff_text
    from components.catalogue.schema_gate.statistics import catalogue_statistics

    changes = diff_schema(catalogue_statistics(path, limit), _read(schema_file))
    if as_json:
        print_json([dataclasses.asdict(change) for change in changes])
    else:
        click.echo(diff_text(changes))


@command.command()
@_path
@_schema
@limit_option
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="Where to write it.")
@refusing(CatalogueError, OSError)
def update(path: Path, schema_file: Path, limit: int, out: Path) -> None:
    """Write a schema that the catalogue at PATH meets. Read it before you use it.

    \b
    Example:
      lookbook schema update catalogue.zip --out my_schema.pbtxt
      lookbook run --data catalogue.zip --schema my_schema.pbtxt
    """
    from google.protobuf import text_format

    from components.catalogue.schema_gate.schema_diff import updated_schema
    from components.catalogue.schema_gate.statistics import catalogue_statistics

    updated = updated_schema(catalogue_statistics(path, limit), _read(schema_file))
    out.write_text(text_format.MessageToString(updated), encoding="utf-8")
    click.echo(f"Wrote {out}; see what changed with: diff {schema_file} {out}")


def _read(path: Path) -> schema_pb2.Schema:
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2

    from components.catalogue.schema_gate.head_features import with_heads

    try:
        return with_heads(text_format.Parse(path.read_text(encoding="utf-8"), schema_pb2.Schema()))
    except text_format.ParseError as error:
        raise click.UsageError(f"{path} is no TFMD schema in protobuf text: {error}") from error
