"""``lookbook classify``: what do these photos show?"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from components.catalogue.reading.changes import Changes
from components.catalogue.reading.errors import CatalogueError
from pipeline.commands.asking.bulk import Bulk, bulk_options, classify_in_bulk
from pipeline.commands.asking.product_names import read_names
from pipeline.commands.common import json_option, print_json, refusing, root_option, server_options
from pipeline.commands.paths import PathToWrite
from pipeline.config import Layout, Remote
from pipeline.errors import RunError
from schema.file_names import as_text

_SHOWN = 5


@click.command("classify")
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path), metavar="[IMAGE…|DIR]")
@root_option
@server_options
@click.option(
    "--out",
    type=PathToWrite(dir_okay=False),
    help="For a DIR: results.csv or results.jsonl; resumed if it exists.",
)
@click.option("--excel", "for_excel", is_flag=True, help="With --out results.csv: a file that Excel reads as UTF-8.")
@click.option("--name", "product_name", default="", help="Of one IMAGE: its product's name or title, as a hint.")
@click.option(
    "--names",
    "sheet",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Names of the products, as hints: a CSV with a column file or id, and one of name or productDisplayName. "
    "An --input that is a catalogue's styles.csv needs none: its productDisplayName is heard.",
)
@bulk_options
@json_option
@refusing(RunError, CatalogueError)
def command(
    layout: Layout,
    paths: tuple[Path, ...],
    server: Remote | None,
    out: Path | None,
    for_excel: bool,
    product_name: str,
    sheet: Path | None,
    bulk: Bulk | None,
    as_json: bool,
) -> None:
    """Tell article type, sub-category, master category and the release's attributes of photos.

    Exit code 1 if a photo could not be classified. A DIR is looked through with all below it: by their content, not by
    their names, files are answered, or skipped with the reason. With an --out that exists, only those without a row in
    it are asked; one whose row holds an error still counts as failed.

    For very many, --input and --output ask no server: Beam's workers load the release, here or where --runner says, and
    fill a folder of tables, a row a picture. The same command again goes on where the last one ended.

    \b
    Examples:
      lookbook classify shoe.jpg shirt.png
      lookbook classify shoe.jpg --json --server localhost:9090
      lookbook classify photos/ --out results.csv --excel
      lookbook classify shoe.jpg --name "Puma Men White Casual Shoes"
      lookbook classify photos/ --out results.csv --names styles.csv
      LOOKBOOK_API_KEY=… lookbook classify shoe.jpg --server lookbook.example.com:443 --tls
      lookbook classify --input 's3://shop/photos/**/*.jpg' --output s3://shop/labels.parquet
      lookbook classify --input photos.zip --output labels.csv --names styles.csv
      lookbook classify --input photos.zip --output labels.csv --runner flink --workers external:localhost:50000
    """
    if bulk:
        given = {"IMAGE or DIR": paths, "--server": server, "--out": out, "--excel": for_excel}
        _require_alone({**given, "--name": product_name})
        classify_in_bulk(layout, bulk, _names_in(sheet), as_json)
        return
    is_folder = len(paths) == 1 and paths[0].is_dir()
    if not paths or is_folder != bool(out) or (not is_folder and any(path.is_dir() for path in paths)):
        raise click.UsageError(
            f"give image files, or one folder with --out, or --input and --output; given: {', '.join(map(str, paths))}"
        )
    if for_excel and (out is None or out.suffix.lower() != ".csv"):
        raise click.UsageError(f"--excel goes with a folder and --out results.csv; given: {out or 'no --out'}")
    if out and out.suffix.lower() not in (".csv", ".jsonl"):
        raise click.UsageError(f"--out is {out}; it must end in .csv or .jsonl")
    product_names = _product_names(paths, product_name, sheet, bool(out))
    from pipeline.asking import classify_files, connected

    with connected(layout, server) as client:
        if out:
            _classify_folder(client, paths[0], out, for_excel, product_names)
            return
        try:
            results = classify_files(client, paths, product_names=product_names)
        except ValueError as error:
            raise RunError(str(error)) from error
    if as_json:
        print_json(results)
    else:
        for result in results:
            click.echo(_line(result))
    if any(result["error"] for result in results):
        raise RunError(f"{sum(bool(result['error']) for result in results)} of {len(results)} could not be classified")


def _product_names(paths: tuple[Path, ...], name: str, sheet: Path | None, is_folder: bool) -> dict[str, str]:
    """The names given, by the keys of the files that they belong to."""
    if name and (sheet or is_folder or len(paths) > 1):
        raise click.UsageError("--name is that of one IMAGE; for several give --names with a CSV")
    return {as_text(str(paths[0])): name} if name else _names_in(sheet)


def _names_in(sheet: Path | None) -> dict[str, str]:
    changes = Changes()
    found = read_names(sheet, changes) if sheet else {}
    for change in changes.all():
        click.echo(f"{sheet}: {change}", err=True)
    return found


def _require_alone(given: dict[str, Any]) -> None:
    if others := [name for name, value in given.items() if value]:
        raise click.UsageError(f"--input and --output ask no server and take no {' and no '.join(others)}")


def _classify_folder(client: Any, folder: Path, out: Path, for_excel: bool, product_names: Mapping[str, str]) -> None:
    from serving.client.folder import classify_directory

    try:
        summary = classify_directory(client, folder, out, for_excel=for_excel, product_names=product_names)
    except ValueError as error:
        raise RunError(str(error)) from error
    for why, skipped in _by_reason(summary.skipped).items():
        more = f" and {len(skipped) - _SHOWN} more" if len(skipped) > _SHOWN else ""
        click.echo(f"skipped, {why}: {', '.join(skipped[:_SHOWN])}{more}")
    if product_names:
        click.echo(f"{summary.named} of the pictures have a name, of {len(product_names)} that were given")
    click.echo(
        f"{summary.answered} answered, {len(summary.failed)} failed, {summary.resumed} done before, "
        f"{len(summary.skipped)} skipped; see {out}"
    )
    if failed := len(summary.failed) + summary.failed_before:
        raise RunError(
            f"{failed} of the files could not be classified; their rows in {out} say why; remove one to ask again"
        )


def _by_reason(skipped: dict[str, str]) -> dict[str, list[str]]:
    reasons: dict[str, list[str]] = {}
    for name, why in skipped.items():
        reasons.setdefault(why, []).append(name)
    return reasons


def _line(result: dict[str, Any]) -> str:
    if result["error"]:
        return f"{result['file']}: {result['error']['detail']}"
    answer = result["answer"]
    look = "".join(f"\n  needs a look: {reason['message']}" for reason in answer["review"]["reasons"])
    attributes = "".join(f"\n  {_attribute(one)}" for one in answer["attributes"])
    sure = f"{answer['joint']['confidence']:.2f}{', TRIAL' if answer['trial'] else ''}"
    return f"{result['file']}: {' › '.join(answer['path'])}  ({sure}){attributes}{look}"


def _attribute(prediction: dict[str, Any]) -> str:
    unsure = ", unsure" if prediction["review"] else ""
    return f"{prediction['head'].replace('_', ' ')}: {prediction['label']}  ({prediction['confidence']:.2f}{unsure})"
