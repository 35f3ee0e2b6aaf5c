"""A release's own errors, held against an audit of the labels that it learnt from."""

import json

import pytest

from schema.release_folder import CARD, LABEL_AUDIT

pytestmark = pytest.mark.timeout(3600)


def test_an_audit_stands_on_the_card(home, tmp_path):
    """`lookbook audit --release` asks the release about its test rows and leaves what it found beside the report."""
    report = home.root / "release" / "reports" / "1"
    rows = json.loads((report / "catalogue" / "report.json").read_text(encoding="utf-8"))["splits"]["test"]
    found = home.lookbook("audit", "--data", home.data, "--release", 1, "--out", tmp_path / "audit", "--json")
    own = json.loads(found.stdout)["release"]
    assert own["release"] == 1 and own["blamed"] <= own["wrong"] == len(own["errors"]) <= own["tested"] <= rows
    assert json.loads((report / LABEL_AUDIT).read_text(encoding="utf-8")) == own
    assert f"{own['judged']:,} judged labels" in (report / CARD).read_text(encoding="utf-8")


def test_other_rows_are_refused(home, tmp_path):
    """Rows that the release did not learn from, or learnt otherwise split, would make its test another; it says so."""
    fewer = home.lookbook(
        "audit", "--data", home.data, "--limit", 300, "--release", 1, "--out", tmp_path / "audit", check=False
    )
    assert fewer.returncode == 1 and "--limit" in fewer.stderr
    none = home.lookbook("audit", "--data", home.data, "--release", 9, "--out", tmp_path / "other", check=False)
    assert none.returncode == 1 and "no release 9" in none.stderr
