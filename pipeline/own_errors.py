"""What an audit of the labels says of a release's own errors, kept beside its report and told by its card."""

import json
from collections.abc import Callable, Sequence

from components.catalogue.reading.pictures import load_picture
from components.catalogue.reading.source import Catalogue
from components.catalogue.report.report import Report
from components.catalogue.splitting.plan import Placed, Plan
from components.evaluation.label_audit.audit import Audit
from components.evaluation.label_audit.summary import Summary, blame
from components.release import durable
from components.release.card.files import draw_anew
from pipeline.errors import RunError
from pipeline.scoring import ReleasedModels
from schema import names
from schema.release_folder import LABEL_AUDIT, Release, ReleaseFolder

_BATCH = 64


def require_same_rows(release: Release, folder: ReleaseFolder, report: Report, plan: Plan) -> None:
    """Sees to it that a release learnt from these rows, split as here: else its test rows would be others.

    Raises:
        RunError: it did not.
    """
    fingerprint = release.manifest.get("data_fingerprint")
    if fingerprint != report.fingerprint:
        raise RunError(
            f"release {release.version} learnt from other data ({release.manifest.get('data', 'not recorded')}, "
            f"fingerprint {str(fingerprint)[:12]}, not {report.fingerprint[:12]}); audit those"
        )
    file = folder.report_path(release.version) / "catalogue" / "report.json"
    if not file.is_file():
        raise RunError(f"{file} is not here: which rows tested release {release.version} is not known")
    try:
        then = json.loads(file.read_text(encoding="utf-8")).get("splits")
    except (ValueError, AttributeError) as error:
        raise RunError(f"{file} is no report that a run wrote: {error}; bring it back") from error
    if then != report.splits:
        raise RunError(
            f"release {release.version} has the splits {then}, this audit {report.splits}: give its run's --limit; "
            "a release that was split otherwise than by group cannot be audited so"
        )


def audit_release(
    audit: Audit,
    release: Release,
    folder: ReleaseFolder,
    catalogue: Catalogue,
    plan: Plan,
    progress: Callable[[int], object] = lambda rows: None,
) -> Summary:
    """Asks a release about its test rows, writes what the audit says of its errors, and draws its card anew.

    Raises:
        RunError: the release does not tell the column, or its files are not those that its manifest lists.
        OSError: the report cannot be written.
    """
    models = ReleasedModels(folder.directory, release.version)
    head = next((name for name, card in models.heads.items() if card.column == audit.column), None)
    if head is None:
        raise RunError(f"release {release.version} does not tell {audit.column}; it tells {', '.join(models.heads)}")
    tested = [one for one in plan.placed if one.split == names.TEST]
    answers = _answers(models, head, catalogue, tested, progress)
    labels = {one.row.id: one.row.cells.get(audit.column, "") for one in tested if one.row.id in answers}
    summary = blame(audit, release.version, labels, answers)
    report = folder.report_path(release.version)
    durable.write(report / LABEL_AUDIT, json.dumps(summary.as_json(), indent=1, ensure_ascii=False) + "\n")
    draw_anew(release.manifest, report)
    return summary


def _answers(
    models: ReleasedModels,
    head: str,
    catalogue: Catalogue,
    rows: Sequence[Placed],
    progress: Callable[[int], object],
) -> dict[str, str]:
    """Id → best label of the head by itself, of the rows that the models can read."""
    known = models.heads[head].labels
    found: dict[str, str] = {}
    for start in range(0, len(rows), _BATCH):
        batch = rows[start : start + _BATCH]
        scores, is_ok = models.scores([load_picture(catalogue, one.row.id).content for one in batch])
        best = scores[head].argmax(axis=1)
        found |= {one.row.id: known[best[i]] for i, one in enumerate(batch) if is_ok[i]}
        progress(len(batch))
    return found
