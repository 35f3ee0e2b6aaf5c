"""``lookbook import``: a catalogue from what people have."""

import codecs
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from components.catalogue.importing.columns.mapping import Mapping, read_mapping
from components.catalogue.importing.columns.words import OPTIONS
from components.catalogue.reading.errors import CatalogueError
from components.storage.location import Location
from pipeline.commands.common import DataPath, json_option, print_json, refusing
from pipeline.commands.paths import PathToWrite
from pipeline.sources import ask_on_terminal, mapping_lines, outcome_lines

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _column_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for role, option in reversed(OPTIONS.items()):
        function = click.option(option, f"of_{role}", metavar="COLUMN", help=f"The column of {role}; '' for none.")(
            function
        )
    return function


def _known_encoding(context: click.Context, option: click.Parameter, name: str) -> str:
    try:
        return codecs.lookup(name).name if name else ""
    except LookupError as error:
        raise click.BadParameter(f"{name!r} is no encoding; one is cp1250, mac-roman or shift-jis") from error


@click.command("import")
@click.argument("source", type=DataPath())
@click.option(
    "--out",
    type=PathToWrite(file_okay=False),
    required=True,
    help="Folder of the catalogue: a new or empty one, or that of an earlier import, which is gone on with.",
)
@click.option("--mapping", "mapping_file", type=_FILE, help="How to read the source: a file as an import leaves it.")
@click.option("--taxonomy", type=_FILE, help="CSV with articleType,subCategory,masterCategory: tells missing levels.")
@click.option("--pictures", type=DataPath(), help="Folder or zip with the pictures; default: SOURCE.")
@click.option("--sheet", "sheets", multiple=True, metavar="NAME", help="Sheet below SOURCE, FILE.xlsx#WORKSHEET too.")
@click.option("--encoding", default="", callback=_known_encoding, help="Of sheets of text; default: by their bytes.")
@click.option("--fetch", is_flag=True, help="Fetch pictures that are http and https URLs.")
@click.option("--allow-private", is_flag=True, help="Fetch from this machine and its own networks too.")
@_column_options
@json_option
@refusing(CatalogueError)
def command(
    source: Location,
    out: Path,
    mapping_file: Path | None,
    allow_private: bool,
    as_json: bool,
    taxonomy: Path | None,
    pictures: Location | None,
    **given: Any,
) -> None:
    """Make a catalogue (styles.csv and images/) from SOURCE: a folder, a zip or a sheet.

    Sheets: CSV, TSV, Excel (.xlsx), JSON lines, JSON, Parquet, XML, in any of their usual encodings and with any names
    of columns; COCO's annotations; Hugging Face's metadata.csv and metadata.jsonl; Roboflow's _classes.csv; VIA; Pascal
    VOC and other documents of a picture each; DeepFashion's lists. Without a sheet, the folders of the
    pictures are their labels (train/Shirts/1.jpg). Pictures lie anywhere below SOURCE and are found by path, by name
    or by id. What each column is is guessed from its name and from what it holds. What could be two things is asked on
    a terminal, and otherwise an error that names the option to give.

    \b
    OUT gets, beside the catalogue:
      mapping.toml    how SOURCE was read; change it and give it with --mapping
      rejected.csv    each row that was not taken, and why
      import.json     counts, changes, pictures that no row names

    \b
    Examples:
      lookbook import export.xlsx --pictures photos/ --out catalogue
      lookbook import shopify.csv --fetch --out catalogue            goes on where it was stopped
      lookbook import photos.zip --taxonomy taxonomy.csv --out catalogue
      lookbook import old/ --article-type Warengruppe --id SKU --out catalogue
      lookbook import next-season.csv --mapping catalogue/mapping.toml --out next

    \b
    Then:
      lookbook data check catalogue
    """
    from components.catalogue.importing.importer import import_source, open_source

    columns = {role: column for role in OPTIONS if (column := given.pop(f"of_{role}")) is not None}
    places = {"pictures": _absolute(pictures), "taxonomy": _absolute(taxonomy)}
    options = Mapping(**{**given, **places, "sheets": tuple(given["sheets"]), "columns": columns})
    mapping = (read_mapping(mapping_file) if mapping_file else Mapping()).with_given(options)
    found = open_source(source.resolve(), mapping, ask_on_terminal())
    if not as_json:
        click.echo("\n".join(mapping_lines(found)))
    with tqdm(desc="importing", unit=" pictures", disable=None, leave=False) as progress:
        outcome = import_source(found, out, allow_private, progress.update)
    if as_json:
        print_json({**outcome.as_json(), "mapping": dataclasses.asdict(found.mapping), "why": found.why})
    else:
        click.echo("\n".join(outcome_lines(outcome, out)))
        click.echo(f"How it was read is in {out / 'mapping.toml'}; next: lookbook data check {out}")


def _absolute(path: Location | None) -> str:
    return str(path.resolve()) if path else ""
