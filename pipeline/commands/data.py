"""``lookbook data``: draw, fetch and check catalogues."""

import functools
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click
from tqdm import tqdm

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
    trial_option,
    wrong_use,
)
from pipeline.commands.paths import PathToWrite
from pipeline.config import Layout
from pipeline.errors import RunError
from schema import names

if TYPE_CHECKING:
    from components.catalogue.report.report import Report

KAGGLE_HANDLE = "paramaggarwal/fashion-product-images-small"
HELD_OUT = "held_out"
_MARKER = ".lookbook-sample"


@click.group("data")
def command() -> None:
    """Draw a sample catalogue, fetch the Kaggle one, or check yours."""


@command.command()
@click.argument("directory", type=PathToWrite(file_okay=False))
@click.option("--count", type=click.IntRange(min=18), default=600, show_default=True, help="Pictures to draw.")
@click.option("--seed", type=click.IntRange(min=0), default=7, show_default=True)
@refusing(RunError)
def sample(directory: Path, count: int, seed: int) -> None:
    """Draw a catalogue of made-up products into DIRECTORY.

    The same count and seed give the same files. A folder that holds others is left alone. DIRECTORY/held_out gets
    pictures that are in no split, for asking the models afterwards.

    \b
    Example:
      lookbook data sample build/sample
    """
    from components.catalogue.sample import draw_catalogue, draw_held_out

    marker = directory / _MARKER
    if directory.is_dir() and any(directory.iterdir()) and not marker.exists():
        raise RunError(f"{directory} holds files that are not a sample of Lookbook's; give a new or an empty folder")
    directory.mkdir(parents=True, exist_ok=True)
    for drawn in (names.IMAGES_DIR, HELD_OUT):  # of another count
        shutil.rmtree(directory / drawn, ignore_errors=True)
    marker.write_text("Drawn by `lookbook data sample`, which may draw here again: keep nothing of yours here.\n")
    rows = draw_catalogue(directory, count, seed)
    held_out = draw_held_out(directory / HELD_OUT, per_type=1, seed=seed)
    click.echo(f"{len(rows)} pictures in {directory}, {len(held_out)} more to ask about in {directory / HELD_OUT}")


@command.command()
@click.argument("directory", type=PathToWrite(file_okay=False))
@refusing(RunError)
def download(directory: Path) -> None:
    """Fetch "Fashion Product Images (Small)" from Kaggle into DIRECTORY (about 600 MB).

    Needs the internet, and for some accounts a Kaggle token: see kagglehub's documentation.

    \b
    Example:
      lookbook data download Dataset
    """
    try:
        import kagglehub

        downloaded = Path(kagglehub.dataset_download(KAGGLE_HANDLE))
    except Exception as error:  # kagglehub raises whatever its HTTP library raises
        raise RunError(
            f"cannot fetch {KAGGLE_HANDLE} from Kaggle ({type(error).__name__}: {error}); is this machine online? "
            "Otherwise download it elsewhere and give it to `lookbook run --data`"
        ) from error
    shutil.copytree(downloaded, directory, dirs_exist_ok=True)
    click.echo(f"{KAGGLE_HANDLE} is in {directory}; next: lookbook data check {directory}")


@command.command()
@click.argument("path", type=DataPath())
@schema_option
@click.option(
    "--split-by",
    type=click.Choice([way.value for way in SplitBy]),
    default=SplitBy.GROUP.value,
    show_default=True,
    help="What rows have in common that share a split.",
)
@max_bad_option
@limit_option
@attributes_option
@trial_option
@click.option("--page", type=PathToWrite(dir_okay=False), help="Write the report as one HTML file.")
@click.option("--open", "to_open", is_flag=True, help="Open that page (default: catalogue.html) in the browser.")
@mapping_option
@root_option
@json_option
@refusing(CatalogueError, GateError, RunError)
def check(
    layout: Layout,
    path: Location,
    mapping_file: Path | None,
    schema_file: Path,
    split_by: str,
    max_bad: float,
    limit: int,
    attributes: tuple[str, ...],
    trial: bool,
    page: Path | None,
    to_open: bool,
    as_json: bool,
) -> None:
    """Say what is wrong with the catalogue at PATH, before any training.

    Data of another layout is imported below the root first, as `lookbook run` does: see `lookbook import`.

    Exit code 1 if `lookbook run` with the same options would refuse it, with the words that it would say: also where it
    is good, but too small for a release that is no --trial.

    \b
    Examples:
      lookbook data check catalogue.zip
      lookbook data check Dataset --json | jq .rejected
      lookbook data check export.xlsx
      lookbook data check Dataset --open      # with pictures of each article type and of doubtful rows
    """
    from components.catalogue.report.check import look_over
    from components.catalogue.report.enough import require_enough
    from components.catalogue.report.page import render_text
    from components.catalogue.schema_gate.early import require_schema
    from pipeline.running.early_checks import require_columns
    from pipeline.sources import bring_in, place, require_few_rejected

    schema = read_schema(schema_file)
    require_plain_catalogue(path)
    require_attributes(attributes)
    found = place(layout, path, mapping_file)
    outcome = bring_in(found, functools.partial(click.echo, err=as_json))
    with wrong_use():
        require_columns(found.catalogue, split_by, attributes)
    with tqdm(desc="checking", unit=" rows", disable=None, leave=False) as progress:
        report, plan = look_over(found.catalogue, limit, progress.update, SplitBy(split_by))
    if as_json:
        print_json(report.as_json() | ({"import": outcome.as_json()} if outcome else {}))
    else:
        click.echo(render_text(report))
    if page or to_open:
        _write_page(report, found.catalogue, page or Path("catalogue.html"), to_open)
    require_few_rejected(outcome, max_bad)
    report.require_usable(max_bad)
    require_schema(plan.rows_by_split(), schema, attributes)
    require_enough(report, trial)


def _write_page(report: "Report", catalogue: Location, page: Path, to_open: bool) -> None:
    from components.catalogue.reading.source import open_catalogue
    from components.catalogue.report.page import render_page
    from components.html_page import write_html

    write_html(page, render_page(report, open_catalogue(catalogue)))
    click.echo(f"the report is in {page}", err=True)
    if to_open and click.launch(str(page.absolute())):
        raise RunError(f"no browser could be started here; open {page} yourself")
