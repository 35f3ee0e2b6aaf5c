"""``lookbook audit``: which labels of a catalogue are probably wrong?"""

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
from tqdm import tqdm

from components.catalogue.reading.errors import CatalogueError
from components.errors import GateError
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
from pipeline.commands.paths import PathToWrite
from pipeline.config import Layout
from pipeline.errors import RunError
from schema import heads as table
from schema import names
from schema.release_folder import Release, ReleaseError, ReleaseFolder

if TYPE_CHECKING:
    from components.evaluation.label_audit.audit import Audit
    from components.evaluation.label_audit.summary import Summary


@click.command("audit")
@data_option
@mapping_option
@root_option
@click.option(
    "--by",
    "column",
    type=click.Choice(table.columns()),
    default=names.ARTICLE_TYPE_LABEL,
    show_default=True,
    help="Column whose labels are audited.",
)
@limit_option
@click.option(
    "--out",
    type=PathToWrite(file_okay=False),
    default=Path("audit"),
    show_default=True,
    help="Folder for the page and the lists; must not hold another audit.",
)
@click.option(
    "--release", "version", type=click.IntRange(min=1), help="Release whose own errors are held against the audit."
)
@click.option("--show", type=click.IntRange(min=1), default=300, show_default=True, help="Suspects on the page.")
@json_option
@refusing(CatalogueError, GateError, ReleaseError, RunError)
def command(
    layout: Layout,
    data: Location,
    mapping_file: Path | None,
    column: str,
    limit: int,
    out: Path,
    version: int | None,
    show: int,
    as_json: bool,
) -> None:
    """Find labels of a catalogue that are probably wrong.

    Needs no release. Every picture is described by a network that knows nothing of your labels; a classifier then says,
    of each row, what it looks like, having learnt from rows not related to it (five folds, by name and pixels).
    Confident learning (cleanlab) tells which labels are probably wrong, and what share of each label.

    A suspicion is no proof: many of them are right labels of odd pictures. Nothing is changed; you decide.

    \b
    OUT gets
      index.html   the suspects with their pictures, the surest first, and the six that look most like each;
                   decide there and download decisions.csv
      fixes.csv    all suspects, and equal pictures with different labels; write the right label into the last column,
                   decision (the same label: it was right)
      audit.json   all of it, with neighbours, shares of wrong labels, and equal pictures with different labels

    With --release, the release is asked about its test rows, and it is told which of its errors the audit blames on the
    label; that stays beside its report, and on its card. The release must have learnt from the same data.

    \b
    Examples:
      lookbook audit --data catalogue.zip
      lookbook audit --data catalogue.zip --limit 4000 --release 3
      lookbook audit --data catalogue.zip --by masterCategory --out audit-master
      lookbook audit --data export.xlsx --limit 5000 --json | jq '.classes[:5]'
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from components.catalogue.reading.source import open_catalogue
    from components.catalogue.report.check import look_over
    from components.evaluation.label_audit.audit import audit_labels
    from components.evaluation.label_audit.embedded import embed_pictures
    from components.evaluation.label_audit.files import FIXES, PAGE, require_new, write_audit
    from components.evaluation.label_audit.out_of_fold import FOLDS
    from pipeline.own_errors import audit_release, require_same_rows
    from pipeline.sources import bring_in, place

    require_new(out)
    release = _release(layout, version) if version else None
    found = place(layout, data, mapping_file)
    bring_in(found, functools.partial(click.echo, err=as_json))
    catalogue = open_catalogue(found.catalogue)
    with tqdm(desc="checking", unit=" rows", disable=None, leave=False) as progress:
        report, plan = look_over(found.catalogue, limit, progress.update)
    if release:
        require_same_rows(release, ReleaseFolder(layout.releases), report, plan)
    with tqdm(total=len(plan.placed), desc="looking", unit=" pictures", disable=None, leave=False) as progress:
        features = embed_pictures(catalogue, [one.row.id for one in plan.placed], progress.update)
    with tqdm(total=FOLDS, desc="judging", unit=" folds", disable=None, leave=False) as progress:
        audit = audit_labels(column, plan.placed, report.near_duplicates, features, progress.update)
    write_audit(audit, catalogue, out, show)
    summary = None
    if release:
        with tqdm(desc="asking", unit=" pictures", disable=None, leave=False) as progress:
            summary = audit_release(audit, release, ReleaseFolder(layout.releases), catalogue, plan, progress.update)
    if as_json:
        own = {"release": summary.as_json()} if summary else {}
        print_json(audit.as_json() | {"rejected": len(plan.rejected)} | own)
    else:
        _print(audit, len(plan.rejected))
        if summary:
            _print_own(summary)
    click.echo(f"look at {out / PAGE}; all suspects are in {out / FIXES}", err=as_json)


def _release(layout: Layout, version: int) -> Release:
    for one in ReleaseFolder(layout.releases).releases():
        if one.version == version:
            return one
    raise ReleaseError(f"there is no release {version} in {layout.releases}")


def _print_own(summary: "Summary") -> None:
    click.echo(
        f"release {summary.release}: {summary.wrong:,} errors on {summary.tested:,} test pictures, {summary.blamed:,} "
        f"of them on suspected labels; of {summary.agreed:,} of those it says what the audit suggests"
    )


def _print(audit: "Audit", rejected: int) -> None:
    click.echo(
        f"{audit.judged:,} rows judged by {audit.column}, {len(audit.suspects):,} suspected, "
        f"{len(audit.disagreeing):,} sets of equal pictures with different labels"
    )
    for one in audit.classes[:5]:
        click.echo(f"  {one.label}: {one.wrong:.1%} of {one.rows:,} rows surely look like another label's")
    too_few = sum(audit.too_few.values())
    click.echo(
        f"not judged: {too_few:,} rows of labels with too few, {audit.unlabelled:,} without a label, "
        f"{rejected:,} rejected (see `lookbook data check`)"
    )
