"""``lookbook score``: how right a release is on any catalogue."""

import functools
import os
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

from components.storage.location import Location
from pipeline.commands.common import (
    data_option,
    json_option,
    limit_option,
    mapping_option,
    print_json,
    refusing,
    root_option,
)
from pipeline.config import Layout
from pipeline.errors import RunError


@click.command("score")
@data_option
@mapping_option
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
def command(
    layout: Layout,
    data: Location,
    mapping_file: Path | None,
    directory: Path | None,
    version: int | None,
    limit: int,
    as_json: bool,
) -> None:
    """Measure a release on a labelled catalogue.

    Per head: top-1 with its 95 % interval, top-5, macro-F1 over the classes present, expected calibration error, count;
    then the same for the joint answer. Rows that cannot be used are listed, not counted. Labels that the release does
    not know are named; their pictures count as wrong. Last, how well the release tells article types that it knows from
    others, and from drawn pictures of no product at all.

    Score pictures that are new to the release: it may remember those of its train and eval splits, and looks better on
    them than it is.

    \b
    Examples:
      lookbook score --data other.zip
      lookbook score --data export.csv --mapping catalogue/mapping.toml
      lookbook score --data other.zip --release /models/release --version 3 --json
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from components.catalogue.example_gen.stream import LabelledPictures
    from components.catalogue.reading.errors import CatalogueError
    from pipeline.scoring import ReleasedModels, score_catalogue
    from pipeline.sources import bring_in, place

    try:
        found = place(layout, data, mapping_file)
        outcome = bring_in(found, functools.partial(click.echo, err=as_json))
        pictures = LabelledPictures(found.catalogue, limit)
    except CatalogueError as error:
        raise RunError(str(error)) from error
    models = ReleasedModels(directory or layout.releases, version)
    with tqdm(total=len(pictures), desc="scoring", unit=" pictures", disable=None) as progress:
        score = score_catalogue(models, pictures, progress.update)
    document = score.as_json() | ({"import": outcome.as_json()} if outcome else {})
    if as_json:
        print_json(document)
    else:
        _print(document, data)


def _print(document: dict[str, Any], data: Location) -> None:
    joint = document["joint"]
    click.echo(f"release {document['release']}, {document['count']} pictures of {data}")
    for head, figures in document["heads"].items():
        click.echo(f"  {head:<16} {_line(figures)}")
    click.echo("joint answer")
    for head, figures in joint.items():
        if isinstance(figures, dict):
            click.echo(f"  {head:<16} {_line(figures)}")
    click.echo(f"  every level      {_shown(joint['all_right'])}{_interval(joint['all_right_interval'])}")
    for row in document["familiarity"] or []:
        apart = "" if row["auroc"] is None else f", AUROC {row['auroc']:.3f}"
        click.echo(f"unfamiliar: {_shown(row['flagged'])} of {row['count']}, {row['pictures']}{apart}")
    for head, labels in document["unknown_labels"].items():
        named = ", ".join(f"{label} ({count})" for label, count in labels.items())
        click.echo(f"{head}: the release does not know {named}; {sum(labels.values())} pictures count as wrong")
    click.echo(f"{len(document['rejected'])} rows rejected, {len(document['undecodable'])} pictures undecodable")


def _line(figures: dict[str, Any]) -> str:
    interval = _interval(figures["top_1_interval"])
    shown = {key: _shown(value) for key, value in figures.items() if key != "top_1_interval"}
    return ", ".join(f"{key} {value}{interval if key == 'top_1' else ''}" for key, value in shown.items())


def _interval(ends: tuple[float, float] | None) -> str:
    return f" ({ends[0]:.3f}–{ends[1]:.3f})" if ends else ""


def _shown(value: float | None) -> str:
    return "–" if value is None else str(value) if isinstance(value, int) else f"{value:.4f}"
