"""``lookbook export``: a release as files that answer without a server."""

from pathlib import Path

import click

from pipeline.commands.common import json_option, print_json, refusing, root_option, trial_mark
from pipeline.config import Layout
from pipeline.errors import RunError
from schema.release_folder import ReleaseError


@click.command("export")
@click.argument("target", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--to", "kind", type=click.Choice(["litert"]), required=True, help="litert: models for phones, boards and Python."
)
@root_option
@click.option(
    "--release", "--version", "version", type=click.IntRange(min=1), help="Which release; default: the current one."
)
@json_option
@refusing(RunError, ReleaseError, OSError)
def command(layout: Layout, target: Path, kind: str, version: int | None, as_json: bool) -> None:
    """Write a release into DIR as files that answer without a server.

    DIR must not be there yet. With litert it gets both models as LiteRT (.tflite) with their memory of known
    pictures and their calibration inside; manifest.json with inputs, outputs, labels, thresholds, taxonomy, the
    joint answer's exponents, and the SHA-256 of each file; the release's card; and classify.py, an example that needs
    ai-edge-litert, NumPy and Pillow, and nothing of Lookbook.

    Twenty pictures are asked of the release and of what was written. Where scores are further apart than 0.002, nothing
    is left behind. The index of similar products stays behind: there is no `lookbook similar` on such files.

    \b
    Examples:
      lookbook export --to litert build/export
      lookbook export --to litert build/export --release 3
      python build/export/classify.py shoe.jpg
    """
    from pipeline.exporting.exporting import export_litert

    manifest = export_litert(layout.releases, version, target.absolute(), lambda line: click.echo(line, err=True))
    if as_json:
        print_json({name: manifest[name] for name in ("release", "trial", "target", "check", "files")})
        return
    check = manifest["check"]
    click.echo(
        f"{trial_mark(manifest)}Release {manifest['release']} is in {target}: {len(manifest['files'])} files and their "
        f"manifest; on {check['pictures']} pictures scores are at most {check['largest_difference']:.1g} off."
    )
