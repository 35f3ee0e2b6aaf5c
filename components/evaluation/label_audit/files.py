"""What an audit leaves: a page with pictures, a list to decide by, and all of it for machines."""

import csv
import io
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from components.catalogue.reading.pictures import load_picture
from components.catalogue.reading.source import Catalogue
from components.evaluation.label_audit.audit import Audit, Suspect
from components.html_page import render_html, small_jpeg
from schema.spreadsheets import inert

PAGE: Final = "index.html"
FIXES: Final = "fixes.csv"
JSON: Final = "audit.json"
COLUMNS: Final = ("id", "line", "column", "label", "suggested", "of_label", "of_suggested", "name", "why", "decision")
LOOKS: Final = "looks like the suggestion"
TWIN: Final = "an equal picture has the suggestion"
_SETS_SHOWN: Final = 100


def require_new(directory: Path) -> None:
    """Makes the folder of an audit, before the work for it is done.

    Raises:
        FileExistsError: it holds a fix list, in which decisions may stand, or another file that would be replaced.
        OSError: it cannot be made, or not be written to.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for path in (directory / name for name in (FIXES, PAGE, JSON)):
        if os.path.lexists(path):
            raise FileExistsError(
                f"{path} is there, and may hold decisions, or be no audit's; give another --out, or remove it"
            )
    tempfile.TemporaryFile(dir=directory).close()


def write_audit(audit: Audit, catalogue: Catalogue, directory: Path, shown: int) -> None:
    """Writes page, CSV and JSON into ``directory``, each whole or not at all.

    Args:
        audit: of the catalogue.
        catalogue: for its pictures.
        directory: of :func:`require_new`.
        shown: suspects on the page; the CSV has all.
    """
    _replace(directory / JSON, json.dumps(audit.as_json(), indent=1, ensure_ascii=False).encode())
    _replace(directory / FIXES, fixes(audit).encode())
    _replace(directory / PAGE, page(audit, catalogue, shown).encode())


def fixes(audit: Audit) -> str:
    """The fix list as CSV: a row a suspect, the surest first, then the rows of equal pictures with different labels.

    The last column is empty, for what a person decides.
    """
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for one, why in [*((one, LOOKS) for one in audit.suspects), *((one, TWIN) for one in audit.twins)]:
        words = [inert(word) for word in (one.label, one.suggested)]
        sure = f"{one.of_label:.4f}", f"{one.of_suggested:.4f}"
        rows.writerow([inert(one.id), one.line, audit.column, *words, *sure, inert(one.name), why, ""])
    return text.getvalue()


def page(audit: Audit, catalogue: Catalogue, shown: int) -> str:
    """One HTML file that needs nothing else."""
    suspects = audit.suspects[:shown]
    sets = audit.disagreeing[:_SETS_SHOWN]
    wanted = [*_ids(suspects), *(row_id for members in sets for row_id, _ in members)]
    return render_html(
        __package__,
        "page.html",
        audit=audit,
        suspects=suspects,
        sets=sets,
        pictures={row_id: small_jpeg(load_picture(catalogue, row_id).content) for row_id in dict.fromkeys(wanted)},
        columns=COLUMNS,
        why=LOOKS,
    )


def _ids(suspects: Sequence[Suspect]) -> list[str]:
    return [row_id for one in suspects for row_id in (one.id, *(other.id for other in one.neighbours))]


def _replace(file: Path, content: bytes) -> None:
    """Never half a file: decisions may stand in the one that is there."""
    with tempfile.NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}.", delete=False) as new:
        try:
            new.write(content)
            new.close()
            Path(new.name).chmod(0o644)
            os.replace(new.name, file)  # noqa: PTH105 - the name of a temporary file is text
        except BaseException:
            Path(new.name).unlink(missing_ok=True)
            raise
