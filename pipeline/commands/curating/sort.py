"""``lookbook sort``: photos into folders by what they show."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from tqdm import tqdm

from pipeline.commands.common import json_option, print_json, refusing, root_option, server_options
from pipeline.commands.paths import PathToWrite
from pipeline.config import Layout, Remote
from pipeline.errors import RunError
from schema import heads as table
from schema import names
from schema.file_names import as_text

if TYPE_CHECKING:
    from pipeline.sorting.plan import Photo, Plan

_SHOWN = 10


@click.command("sort")
@click.argument("photos", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--into", type=PathToWrite(file_okay=False, follows=True), help="Folder for the sorted photos.")
@click.option(
    "--by",
    type=click.Choice(table.columns()),
    default=names.ARTICLE_TYPE_LABEL,
    show_default=True,
    help="What names the folders.",
)
@click.option("--link", "way", flag_value="link", help="Do it: links to the photos, which stay.")
@click.option("--copy", "way", flag_value="copy", help="Do it: copies of the photos, which stay.")
@click.option("--move", "way", flag_value="move", help="Do it: the photos themselves.")
@click.option(
    "--undo",
    "journal",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Take back what this undo file tells of; nothing else is done.",
)
@root_option
@server_options
@json_option
@refusing(RunError)
def command(
    layout: Layout,
    photos: Path | None,
    into: Path | None,
    by: str,
    way: str | None,
    journal: Path | None,
    server: Remote | None,
    as_json: bool,
) -> None:
    """Sort a folder of photos into folders by what they show.

    Without --link, --copy or --move nothing is touched: it says what would be done. All below PHOTOS is looked through.

    \b
    INTO gets
      Shirts/ …          a folder for each label
      Shirts/alike 0001/ photos that are (nearly) the same, the best first: most pixels, then most bytes
      review/Shirts/ …   those of which the release is unsure
      undo-1.jsonl       what --undo takes back, also after a run that was killed

    What is no photo, or could not be answered, stays where it is and is named. No file is overwritten: of two with one
    name the second gets a number.

    \b
    Examples:
      lookbook sort photos/ --into sorted/
      lookbook sort photos/ --into sorted/ --by masterCategory --copy
      lookbook sort --undo sorted/undo-1.jsonl
    """
    if journal:
        if photos or into or way:
            raise click.UsageError("--undo goes alone: lookbook sort --undo sorted/undo-1.jsonl")
        _undo(journal, as_json)
        return
    if not photos or not into:
        raise click.UsageError("give a folder of photos, and --into with the folder for them")
    photos, into = photos.resolve(), Path(os.path.realpath(into))  # which bears links that go in circles
    if into.is_relative_to(photos):
        raise click.UsageError(f"--into {into} lies in {photos}, and would be sorted with it; give a folder beside")
    plan = _planned(layout, server, photos, into, table.head(_head_of(by)), way)
    if as_json:
        print_json(_document(plan))
    else:
        _print(plan)
    if not way:
        click.echo("nothing was touched; --link, --copy or --move does it", err=as_json)
        return
    from pipeline.sorting.carry_out import carry_out

    with tqdm(total=len(plan.steps), desc=way, unit=" files", disable=None, leave=False) as progress:
        written = carry_out(plan, way, progress.update)
    click.echo(f"done; take it back with: lookbook sort --undo {as_text(str(written))}", err=as_json)


def _head_of(column: str) -> str:
    return next(head.name for head in table.HEADS if head.column == column)


def _planned(
    layout: Layout, server: Remote | None, photos: Path, into: Path, by: table.Head, way: str | None
) -> "Plan":
    from pipeline.sorting.alike import sets_of_alike
    from pipeline.sorting.plan import make_plan
    from serving.client.listing import list_folder

    listing = list_folder(photos)
    left = listing.skipped | listing.unreadable
    links = {name for name, file in listing.pictures.items() if file.is_symlink()} if way == "move" else set()
    left |= dict.fromkeys(links, "is a link; moved, it might lead nowhere")
    asked = {name: file for name, file in listing.pictures.items() if name not in links}
    answered = _answered(layout, server, asked)
    with tqdm(total=len(answered), desc="comparing", unit=" photos", disable=None, leave=False) as progress:
        alike = sets_of_alike([photo.file for photo in answered], progress.update)
    return make_plan(into, answered, alike, by, left)


def _answered(layout: Layout, server: Remote | None, asked: dict[str, Path]) -> "Sequence[Photo]":
    from pipeline.asking import classify_files, connected
    from pipeline.sorting.plan import Photo

    if not asked:
        return []
    with (
        connected(layout, server) as client,
        tqdm(total=len(asked), desc="asking", unit=" photos", disable=None, leave=False) as progress,
    ):
        answers = classify_files(client, list(asked.values()), progress.update)
    return [
        Photo(file, name, one["answer"], one["error"]["detail"] if one["error"] else "")
        for (name, file), one in zip(asked.items(), answers, strict=True)
    ]


def _document(plan: "Plan") -> dict[str, Any]:
    return {
        "into": as_text(str(plan.into)),
        "files": [{"from": as_text(str(one.source)), "to": as_text(str(one.target))} for one in plan.steps],
        "left": plan.left,
        "sets_of_alike": plan.sets,
    }


def _print(plan: "Plan") -> None:
    for folder, count in plan.folders().items():
        click.echo(f"  {as_text(folder)}/  {count}")
    for name, why in list(plan.left.items())[:_SHOWN]:
        click.echo(f"stays where it is: {name}: {why}")
    if len(plan.left) > _SHOWN:
        click.echo(f"… and {len(plan.left) - _SHOWN} more; --json names all")
    click.echo(f"{len(plan.steps)} photos, {plan.sets} sets of alike ones; {len(plan.left)} files stay where they are")


def _undo(journal: Path, as_json: bool) -> None:
    from pipeline.sorting.undo import undo

    outcome = undo(journal.resolve())
    kept = {as_text(place): as_text(why) for place, why in outcome.kept.items()}
    if as_json:
        print_json({"files": outcome.files, "kept": kept})
    for place, why in kept.items() if not as_json else ():
        click.echo(f"kept: {place}: {why}")
    click.echo(f"{outcome.files} files taken back, {len(kept)} kept", err=as_json)
    if outcome.kept:
        raise RunError(f"{len(outcome.kept)} files could not be taken back; {journal} stays, to be tried again")
