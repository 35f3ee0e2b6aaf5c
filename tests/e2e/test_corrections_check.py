"""Corrections that a catalogue keeps, held against the release that learnt from it."""

import csv
import json

import pytest

from schema.corrections import ACCEPTED, CORRECTED, CORRECTIONS_CSV, Correction, write_corrections
from schema.release_folder import CARD, CORRECTIONS_CHECK, CORRECTIONS_PAGE

pytestmark = pytest.mark.timeout(3600)

VERDICTS = {"spoilt": 1, "still_wrong": 1, "fixed": 2, "still_right": 1, "not_asked": 0}


def _row_of(rows, article_type):
    return next(row for row in rows if row["articleType"] == article_type)


def _decided(row, decision, of=None):
    """A decision about a row: its own labels are right, or those of the row ``of``."""
    right = of or row
    columns = {"article_type": "articleType", "sub_category": "subCategory", "master_category": "masterCategory"}
    labels = {head: right[column] for head, column in columns.items()}
    answered = "Apparel / Topwear / <b>Hats</b>"
    return Correction(id=row["id"], labels=labels, decision=decision, answered=answered, by="anna", release="1"), None


@pytest.fixture
def corrected(home):
    """The catalogue of the run, with five decisions in it as a merge leaves them."""
    with (home.data / "styles.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    one, other, *more = [_row_of(rows, kind) for kind in dict.fromkeys(row["articleType"] for row in rows)]
    write_corrections(
        home.data,
        [
            _decided(one, CORRECTED),
            _decided(other, CORRECTED),
            _decided(more[0], CORRECTED, of=one),
            _decided(more[1], ACCEPTED, of=one),
            _decided(more[2], ACCEPTED),
        ],
    )
    yield home
    (home.data / CORRECTIONS_CSV).unlink()


def test_a_release_is_held_to_the_corrections(corrected):
    """Corrected answers that are right now are fixed, accepted ones that are wrong now are spoilt; the card says so."""
    found = json.loads(corrected.lookbook("corrections", "check", "--data", corrected.data, "--json").stdout)
    assert found["counts"] == VERDICTS
    assert [one["verdict"] for one in found["corrections"]] == [
        "spoilt", "still_wrong", "fixed", "fixed", "still_right"
    ]  # fmt: skip
    report = corrected.root / "release" / "reports" / str(found["release"])
    assert json.loads((report / CORRECTIONS_CHECK).read_text(encoding="utf-8")) == found
    page = (report / CORRECTIONS_PAGE).read_text(encoding="utf-8")
    assert page.count("<img") == 5 and "<b>Hats" not in page and "&lt;b&gt;Hats" in page
    assert "Fixed 2 of 3 corrections; of 2 accepted answers 1 got worse." in (report / CARD).read_text(encoding="utf-8")


def test_a_run_tells_what_became_of_the_corrections(corrected):
    """Nobody has to ask: the run of a catalogue that keeps corrections ends with them."""
    said = corrected.run().stdout
    assert "Fixed 2 of 3 corrections; of 2 accepted answers 1 got worse." in said and CORRECTIONS_PAGE in said


def test_a_catalogue_without_corrections_is_told_so(home):
    """There is nothing to check in a catalogue that nobody merged corrections into; it says how to."""
    refused = home.lookbook("corrections", "check", "--data", home.data, check=False)
    assert refused.returncode == 1 and "lookbook corrections merge" in refused.stderr
