"""``lookbook schema``: the data schema against a catalogue's data."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

import click

from components.catalogue.reading.errors import CatalogueError
from components.catalogue.splitting.splits import SplitBy
from components.errors import GateError
from components.storage.location import Location
from pipeline.commands.common import (
    DataPath,
    attributes_option,
    json_option,
    limit_option,
    mapping_option,
    max_bad_option,
    print_json,
    read_schema,
    refusing,
    require_attributes,
    require_plain_catalogue,
    root_option,
    schema_option,
    wrong_use,
)
from pipeline.commands.paths import PathToWrite
from pipeline.config import Layout
from pipeline.sources import bring_in, place, require_few_rejected
from schema import names

_path = click.argument("path", type=DataPath())
_to_stderr = functools.partial(click.echo, err=True)


@click.group("schema")
def command() -> None:
    """See or make the changes that a catalogue needs in the data schema."""


@command.command()
@_path
@schema_option
@max_bad_option
@limit_option
@attributes_option
@mapping_option
@root_option
@json_option
@refusing(CatalogueError, GateError)
def diff(
    layout: Layout,
    path: Location,
    mapping_file: Path | None,
    schema_file: Path,
    max_bad: float,
    limit: int,
    attributes: tuple[str, ...],
    as_json: bool,
) -> None:
    """Show what the catalogue at PATH would change in the schema.

    Opens no picture of a catalogue; data of another layout is imported below the root first, as `lookbook run` does.
    Exit code 1 if `lookbook run` would refuse the rows as they are.

    \b
    Examples:
      lookbook schema diff catalogue.zip
      lookbook schema diff export.xlsx
    """
    from components.catalogue.reading.rows import read_rows
    from components.catalogue.reading.source import open_catalogue
    from components.catalogue.report import report
    from components.catalogue.schema_gate.early import require_schema
    from components.catalogue.schema_gate.schema_diff import diff_schema, diff_text
    from components.catalogue.schema_gate.statistics import rows_statistics
    from components.catalogue.splitting.plan import limited
    from pipeline.running.early_checks import require_columns

    schema = read_schema(schema_file)
    require_plain_catalogue(path)
    require_attributes(attributes)
    found = place(layout, path, mapping_file)
    require_few_rejected(bring_in(found, _to_stderr), max_bad)
    with wrong_use():
        require_columns(found.catalogue, SplitBy.ROW.value, attributes)
    rows = limited(read_rows(open_catalogue(found.catalogue)), limit)
    report.require_few_rejected(rows.rejected, len(rows.taken) + len(rows.rejected), str(path), max_bad)
    changes = diff_schema(rows_statistics(rows.taken), schema)
    if as_json:
        print_json([dataclasses.asdict(change) for change in changes])
    else:
        click.echo(diff_text(changes))
    require_schema({names.TRAIN: rows.taken}, schema, attributes)


@command.command()
@_path
@schema_option
@limit_option
@mapping_option
@root_option
@click.option("--out", type=PathToWrite(dir_okay=False), required=True, help="Where to write it.")
@refusing(CatalogueError)
def update(layout: Layout, path: Location, mapping_file: Path | None, schema_file: Path, limit: int, out: Path) -> None:
    """Write a schema that the catalogue at PATH meets. Read it before you use it.

    Data of another layout is imported below the root first.

    \b
    Example:
      lookbook schema update catalogue.zip --out my_schema.pbtxt
      lookbook run --data catalogue.zip --schema my_schema.pbtxt
    """
    from google.protobuf import text_format

    from components.catalogue.schema_gate.schema_diff import updated_schema
    from components.catalogue.schema_gate.statistics import catalogue_statistics

    schema, found = read_schema(schema_file), place(layout, path, mapping_file)
    _require_replaceable(out)
    bring_in(found, _to_stderr)
    updated = updated_schema(catalogue_statistics(found.catalogue, limit), schema)
    out.write_text(text_format.MessageToString(updated), encoding="utf-8")
    click.echo(f"Wrote {out}; see what changed with: diff {schema_file} {out}")


def _require_replaceable(out: Path) -> None:
    """Raises click.UsageError where --out names something that is no schema, as the sheet that is read."""
    if out.is_file():
        try:
            read_schema(out)
        except click.UsageError as error:
            raise click.UsageError(
                f"--out {out} is there, and no schema: it is left as it is; {error.message}"
            ) from error
