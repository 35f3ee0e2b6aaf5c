"""``lookbook corrections export``: what reviewers decided, as files."""

from pathlib import Path

import click

from pipeline.commands.common import json_option, print_json, read_key, refusing
from pipeline.commands.paths import PathToWrite
from pipeline.errors import RunError
from schema.corrections import CorrectionsError
from serving.client.http import is_url
from serving.local.processes import StackError


@click.command()
@click.argument("source", metavar="SOURCE", envvar="LOOKBOOK_REVIEW_STORE")
@click.option(
    "--out",
    type=PathToWrite(file_okay=False),
    required=True,
    help="Folder for corrections.csv and pictures/; a list that is there is replaced.",
)
@click.option(
    "--ca",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="PEM certificates that vouch for a merger with https.",
)
@click.option(
    "--api-key-file",
    "key_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with an API key that may review; default: the variable LOOKBOOK_API_KEY.",
)
@json_option
@refusing(RunError, StackError, CorrectionsError)
def export(source: str, out: Path, ca: Path | None, key_file: Path | None, as_json: bool) -> None:
    """Write what reviewers decided as a folder of corrections.

    SOURCE is a merger (https://lookbook.example) or its review store (a path, or postgresql://USER:PASSWORD@HOST/DATABASE;
    better set LOOKBOOK_REVIEW_STORE, since others can read command lines). Decisions that were undone are left out.

    \b
    Examples:
      lookbook corrections export http://127.0.0.1:8080 --out corrections
      lookbook corrections export review.sqlite --out corrections
      lookbook corrections merge corrections --data catalogue --out catalogue-2
    """
    from pipeline.correcting.export import Merger, from_merger, from_store

    count = from_merger(Merger(source, read_key(key_file), ca), out) if is_url(source) else from_store(source, out)
    if as_json:
        print_json({"decisions": count, "out": str(out)})
        return
    click.echo(f"{count:,} decision{'' if count == 1 else 's'} in {out / 'corrections.csv'}")
