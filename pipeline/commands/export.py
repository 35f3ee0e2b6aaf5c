"""``lookbook export``: a release as files that answer without a server."""

from pathlib import Path

import click

from pipeline.commands.common import json_option, print_json, refusing, root_option, trial_mark
from pipeline.commands.paths import PathToWrite
from pipeline.config import Layout
from pipeline.errors import RunError
from schema.release_folder import ReleaseError


@click.command("export")
@click.argument("target", metavar="DIR", type=PathToWrite())
@click.option(
    "--to",
    "kind",
    type=click.Choice(["litert", "browser"]),
    required=True,
    help="litert: models for phones, boards and Python. browser: the page with the models in it, as static files.",
)
@root_option
@click.option(
    "--release", "--version", "version", type=click.IntRange(min=1), help="Which release; default: the current one."
)
@json_option
@refusing(RunError, ReleaseError)
def command(layout: Layout, target: Path, kind: str, version: int | None, as_json: bool) -> None:
    """Write a release into DIR as files that answer without a server.

    DIR must not be there yet. With litert it gets both models as LiteRT (.tflite) with their memory of known
    pictures and their calibration inside, in one file where they share a backbone; manifest.json with inputs, outputs,
    labels, thresholds, taxonomy, the joint answer's exponents, and the SHA-256 of each file; the release's card; and
    classify.py, an example that needs ai-edge-litert, NumPy and Pillow, and nothing of Lookbook.

    With browser DIR becomes a folder of static files for any web server: the page, LiteRT.js and both models, with
    weights of fewer bits. Pictures are answered in the tab, none leaves the machine, and once it has been open it
    works without a network. Most of a large release's files are known pictures, 1.75 kB each in each.

    Twenty pictures are asked of the release and of what was written. Where scores are further apart than 0.002
    (browser: 0.01), nothing is left behind. The index of similar products stays behind: there is no `lookbook similar`
    on such files.

    \b
    Examples:
      lookbook export --to litert build/export
      lookbook export --to litert build/export --release 3
      python build/export/classify.py shoe.jpg
      lookbook export --to browser build/page
      python -m http.server --directory build/page 8000
    """
    from pipeline.exporting.exporting import export_browser, export_litert

    write = {"litert": export_litert, "browser": export_browser}[kind]
    manifest = write(layout.releases, version, target.absolute(), lambda line: click.echo(line, err=True))
    if as_json:
        print_json({name: manifest[name] for name in ("release", "trial", "target", "check", "files")})
        return
    check = manifest["check"]
    click.echo(
        f"{trial_mark(manifest)}Release {manifest['release']} is in {target}: {len(manifest['files'])} files and their "
        f"manifest, {_megabytes(target):.1f} MB; on {check['pictures']} pictures scores are at most "
        f"{check['largest_difference']:.1g} off."
    )


def _megabytes(folder: Path) -> float:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6
