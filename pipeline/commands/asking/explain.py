"""``lookbook explain``: why does this photo get its label?"""

from pathlib import Path

import click

from pipeline.commands.common import json_option, print_json, refusing, root_option, server_options, wrong_use
from pipeline.commands.paths import PathToWrite
from pipeline.config import Layout, Remote
from pipeline.drawing.places import require_other
from pipeline.errors import RunError
from schema import names

_FORMATS = (".png", ".jpg", ".jpeg", ".pdf", ".svg")


@click.command("explain")
@click.argument("image", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="IMAGE")
@root_option
@click.option(
    "--out",
    type=PathToWrite(dir_okay=False),
    default=Path("heat.png"),
    show_default=True,
    help=f"Picture to write: {', '.join(_FORMATS)}.",
)
@click.option(
    "--head", default=names.ARTICLE_TYPE, show_default=True, help="To ask: of the taxonomy, or one of the attributes."
)
@click.option("--label", default="", help="To explain; default: the head's best one.")
@server_options
@json_option
@refusing(RunError)
def command(
    layout: Layout, image: Path, out: Path, head: str, label: str, server: Remote | None, as_json: bool
) -> None:
    """Show which parts of a photo a label rests on.

    One part after the other is hidden, and what the label's confidence loses by it is drawn over the photo.

    \b
    Examples:
      lookbook explain shoe.jpg
      lookbook explain shoe.jpg --label "Sports Shoes" --out why.png
      lookbook explain shoe.jpg --head gender
      lookbook explain shoe.jpg --head sub_category --json --server localhost:9090
    """
    if out.suffix.lower() not in _FORMATS:
        raise click.UsageError(f"--out is {out}; it must end in {', '.join(_FORMATS)}")
    with wrong_use():
        require_other("--out", out, image)
    from pipeline.asking import connected
    from pipeline.drawing.heat_map import draw_heat_map
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
            explanation = client.explain(encoded, pb.ExplainOptions(head=head, label=label))
        except ClassifyError as error:
            raise RunError(f"{name}: {error.problem.detail}") from error
    out.parent.mkdir(parents=True, exist_ok=True)
    draw_heat_map(encoded, explanation, out)
    if as_json:
        print_json(plain(explanation))
    else:
        click.echo(f"{name}: {explanation.label} ({explanation.confidence:.2f}); see {out}")
