"""``lookbook similar``: which known products look like this photo?"""

from pathlib import Path

import click

from pipeline.commands.common import json_option, print_json, refusing, root_option, server_options, wrong_use
from pipeline.commands.paths import PathToWrite
from pipeline.config import Layout, Remote
from pipeline.drawing.places import require_other
from pipeline.errors import RunError
from schema import names

_FORMATS = (".png", ".jpg", ".jpeg")


@click.command("similar")
@click.argument("image", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="IMAGE")
@root_option
@click.option(
    "--k",
    type=click.IntRange(1, names.NEIGHBOURS_LISTED),
    default=12,
    show_default=True,
    help="Products to list, at most.",
)
@click.option(
    "--contact-sheet",
    "sheet",
    type=PathToWrite(dir_okay=False),
    help=f"Picture to write, of the photo and the products: {', '.join(_FORMATS)}.",
)
@server_options
@json_option
@refusing(RunError)
def command(layout: Layout, image: Path, k: int, sheet: Path | None, server: Remote | None, as_json: bool) -> None:
    """Find the known products that look most like a photo.

    They are those that the release learnt from, nearest first, with their names in the catalogue.

    \b
    Examples:
      lookbook similar shoe.jpg
      lookbook similar shoe.jpg --k 6 --contact-sheet alike.png
      lookbook similar shoe.jpg --json --server localhost:9090
    """
    if sheet and sheet.suffix.lower() not in _FORMATS:
        raise click.UsageError(f"--contact-sheet is {sheet}; it must end in {', '.join(_FORMATS)}")
    if sheet:
        with wrong_use():
            require_other("--contact-sheet", sheet, image)
    from pipeline.asking import connected
    from schema.file_names import as_text
    from serving.client import ClassifyError
    from serving.client.files import read_picture
    from serving.proto.json_view import as_json as plain
    from serving.proto.lookbook.v1 import classifier_pb2 as pb

    name, encoded = as_text(str(image)), read_picture(image)
    if isinstance(encoded, pb.Problem):
        raise RunError(f"{name}: {encoded.detail}")
    with connected(layout, server) as client:
        try:
            found = client.find_similar(encoded, pb.SimilarOptions(k=k, thumbnails=sheet is not None))
        except ClassifyError as error:
            raise RunError(f"{name}: {error.problem.detail}") from error
    if sheet:
        from pipeline.drawing.contact_sheet import draw_contact_sheet

        sheet.parent.mkdir(parents=True, exist_ok=True)
        draw_contact_sheet(encoded, found, sheet)
    if as_json:
        print_json(plain(found))
        return
    for one in found.products:
        click.echo(f"  {one.similarity:.2f}  {one.id:<8} {one.article_type:<24} {one.name}".rstrip())
    first = found.nearest[0]
    click.echo(f"{first.count} of the {found.counted} nearest are {first.label}{f'; see {sheet}' if sheet else ''}")
