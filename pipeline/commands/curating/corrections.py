"""``lookbook corrections``: what people decided, back into the catalogue that the next run learns from."""

import functools
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from tqdm import tqdm

from components.catalogue.reading.errors import CatalogueError
from components.storage.location import Location
from pipeline.commands.common import data_option, json_option, mapping_option, print_json, refusing, root_option
from pipeline.commands.curating.export import export
from pipeline.commands.paths import PathToWrite
from pipeline.config import Layout
from pipeline.errors import RunError
from schema.corrections import CorrectionsError
from schema.release_folder import CORRECTIONS_PAGE, ReleaseError, ReleaseFolder

if TYPE_CHECKING:
    from pipeline.correcting.plan import Entry

_SHOWN: Final = 20


@click.group("corrections")
def command() -> None:
    """Take what people decided about answers into the catalogue."""


command.add_command(export)


@command.command()
@click.argument("given", metavar="CORRECTIONS…", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@data_option
@mapping_option
@root_option
@click.option(
    "--out",
    type=PathToWrite(file_okay=False),
    help="New folder for the corrected catalogue; without it nothing is written.",
)
@click.option(
    "--new-label-pictures",
    "enough",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="Pictures that a label needs which the catalogue does not have. With fewer than ten, eval and test may have "
    "none, and nobody would learn whether it works.",
)
@json_option
@refusing(CatalogueError, CorrectionsError)
def merge(
    layout: Layout,
    given: Sequence[Path],
    data: Location,
    mapping_file: Path | None,
    out: Path | None,
    enough: int,
    as_json: bool,
) -> None:
    """Bring decisions about pictures back into a catalogue.

    CORRECTIONS is a folder of corrections (corrections.csv with pictures/), what the page exported (CSV or JSON), or
    the decisions of an audit; several may be given. The catalogue in --data is only read: the corrected one is a new
    folder. A row that has the picture, or the id, gets the label; a picture that no row has becomes a new row, under
    an id made from its content. Merging the same once more changes nothing.

    Not merged, and told: what two people see differently; a path that no product of the catalogue has; an id without a
    row; a picture that is not there. A label that the catalogue does not have waits in new_labels.csv until there are
    enough pictures of it.

    \b
    OUT gets
      styles.csv, images/   the catalogue, for `lookbook run --data OUT`
      corrections.csv       who decided what of the rows that were corrected; the import does not read it
      new_labels.csv        decisions for labels with too few pictures, which lie in pictures/
      merge.csv             what became of each decision
      mapping.toml, rejected.csv   where an import had left them

    \b
    Examples:
      lookbook corrections merge corrections/ --data catalogue.zip
      lookbook corrections merge corrections/ --data catalogue.zip --out catalogue-2
      lookbook corrections merge audit/decisions.csv lookbook-answers.json --data catalogue --out catalogue-2
    """
    from components.catalogue.reading.source import open_catalogue
    from pipeline.correcting.merging import is_news, make_plan, require_free, write_merged
    from pipeline.correcting.offered import read_offered
    from pipeline.sources import bring_in, place

    if out:
        require_free(out, data)
    readings = [read_offered(path) for path in given]
    found = place(layout, data, mapping_file)
    bring_in(found, functools.partial(click.echo, err=as_json))
    catalogue = open_catalogue(found.catalogue)
    plan = make_plan(catalogue, readings, enough)
    if out:
        with tqdm(total=len(catalogue.images), desc="writing", unit=" pictures", disable=None, leave=False) as progress:
            write_merged(catalogue, plan, out, progress.update)
    news = [entry for entry in plan.entries if is_news(entry)]
    if as_json:
        decisions = [_plain(one) for one in news]
        print_json({"outcomes": _counts(news), "decisions": decisions, "out": str(out) if out else None})
        return
    _print(news, out)


@command.command()
@data_option
@mapping_option
@root_option
@click.option(
    "--release", "version", type=click.IntRange(min=1), help="Release that is asked; default: the current one."
)
@json_option
@refusing(CatalogueError, CorrectionsError, ReleaseError, RunError)
def check(layout: Layout, data: Location, mapping_file: Path | None, version: int | None, as_json: bool) -> None:
    """Tell which corrections a release learnt, and which right answers it spoilt.

    The catalogue in --data is one that `lookbook corrections merge` wrote: its corrections.csv says what people
    decided. The release is asked about each of these pictures. `lookbook run` does so by itself when it is done.

    \b
    fixed         a person had corrected the answer, and now it is right
    still_wrong   … and it is wrong still
    still_right   a person had accepted the answer, and it is right as before
    spoilt        … and now it is wrong

    It stays beside the release's report, as corrections.html with the pictures and corrections.json, and on its card.
    The release may have learnt from these very pictures: how right it is on others, the report tells.

    \b
    Examples:
      lookbook corrections check --data catalogue-2
      lookbook corrections check --data catalogue-2 --release 3 --json | jq .counts
    """
    from components.catalogue.reading.source import open_catalogue
    from pipeline.correcting.checking import check_release
    from pipeline.correcting.merging import keeps_corrections
    from pipeline.sources import bring_in, place

    found = place(layout, data, mapping_file)
    bring_in(found, functools.partial(click.echo, err=as_json))
    folder = ReleaseFolder(layout.releases)
    catalogue = open_catalogue(found.catalogue)
    if not keeps_corrections(catalogue):
        raise CorrectionsError(
            f"{catalogue.path} keeps no corrections; `lookbook corrections merge` brings them into one"
        )
    with tqdm(desc="asking", unit=" pictures", disable=None, leave=False) as progress:
        checked = check_release(folder, version, catalogue, progress.update)
    if as_json:
        print_json(checked.as_json())
        return
    click.echo(checked.in_words())
    click.echo(f"look at them in {folder.report_path(checked.release) / CORRECTIONS_PAGE}")


def _print(news: "Sequence[Entry]", out: Path | None) -> None:
    counts = ", ".join(f"{count:,} {word}" for word, count in _counts(news).items())
    click.echo(f"{len(news):,} decisions: {counts or 'none'}")
    for one in news[:_SHOWN]:
        click.echo(f"  {one.outcome.value:<20} {_plain(one)['picture'] or one.where}: {one.detail}")
    if len(news) > _SHOWN:
        click.echo(f"  … and {len(news) - _SHOWN:,} more; --json tells all{f', and {out}/merge.csv' if out else ''}")
    if out:
        click.echo(f"the corrected catalogue is in {out}; learn from it: lookbook run --data {out}")
    else:
        click.echo("a dry run, nothing is written; --out FOLDER writes the corrected catalogue")


def _counts(news: "Sequence[Entry]") -> dict[str, int]:
    return dict(Counter(one.outcome.value for one in news).most_common())


def _plain(one: "Entry") -> dict[str, str]:
    said = one.offered.correction if one.offered else None
    picture = one.row_id or (said.id or said.sha256 if said else "")
    return {
        "outcome": one.outcome.value,
        "picture": picture,
        "label": said.path if said else "",
        "by": said.by if said else "",
        "detail": one.detail,
        "where": one.where,
    }
