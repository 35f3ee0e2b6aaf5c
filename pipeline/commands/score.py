"""``lookbook score``: how right a release is on any catalogue."""

import os
from pathlib import Path

import click
from tqdm import tqdm

from pipeline.commands.common import data_option, json_option, limit_option, print_json, refusing, root_option
from pipeline.config import Layout
from pipeline.errors import RunError


@click.command("score")
@data_option
@root_option
@click.option(
    "--release",
    "directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of releases; default ROOT/release.",
)
@click.option("--version", type=click.IntRange(min=1), help="Of the release; default: the current one.")
@limit_option
@json_option
@refusing(RunError)
def command(layout: Layout, data: Path, directory: Path | None, version: int | None, limit: int, as_json: bool) -> None:
    """Measure a release on a labelled catalogue.

    Per head: top-1, top-5, macro-F1 over the classes present, expected calibration error, count; then the same for the
    joint answer. Rows that cannot be used are listed, not counted.

    Score pictures that are new to the release: it may remember those of its train and eval splits, and looks better on
    them than it is.

    \b
    Examples:
      lookbook score --data other.zip
      lookbook score --data other.zip --release /models/release --version 3 --json
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from components.catalogue.example_gen.stream import LabelledPictures
    from components.catalogue.reading.errors import CatalogueError
    from pipeline.scoring import ReleasedModels, score_catalogue

    try:
        pictures = LabelledPictures(data, limit)
    except CatalogueError as error:
        raise RunError(str(error)) from error
    models = ReleasedModels(directory or layout.releases, version)
    with tqdm(total=len(pictures), desc="scoring", unit=" pictures", disable=None) as progress:
        score = score_catalogue(models, pictures, progress.update)
    document = score.as_json()
    if as_json:
        print_json(document)
        return
    click.echo(f"release {document['release']}, {document['count']} pictures of {data}")
    for head, figures in document["heads"].items():
        click.echo(f"  {head:<16} " + ", ".join(f"{key} {_shown(value)}" for key, value in figures.items()))
    click.echo("joint answer")
    for head, figures in document["joint"].items():
        if isinstance(figures, dict):
            click.echo(f"  {head:<16} " + ", ".join(f"{key} {_shown(value)}" for key, value in figures.items()))
    click.echo(f"  all three right  {_shown(document['joint']['all_right'])}")
    click.echo(f"{len(document['rejected'])} rows rejected, {len(document['undecodable'])} pictures undecodable")


def _shown(value: float | None) -> str:
    return "–" if value is None else str(value) if isinstance(value, int) else f"{value:.4f}"
