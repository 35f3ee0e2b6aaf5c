"""The card of a release: one page of what was recorded, honest about what was not."""

import csv
import json

import pytest
import yaml

from components.release.card.facts import facts_of
from components.release.card.hub import render_readme
from components.release.card.page import card_lines, render_card
from schema.release_folder import LABEL_AUDIT

MANIFEST = {
    "version": 7,
    "created_at": "2026-11-29T00:00:00+00:00",
    "metrics": {
        "article_type": {"count": 200, "top_1": 0.9, "top_5": 0.99, "macro_f1": 0.8, "ece": 0.02},
        "gender": {"count": 0, "top_1": None},
    },
    "classes": {"article_type": 12},
    "data": "<script>alert(1)</script>",
    "data_fingerprint": "0123456789abcdef0123456789abcdef",
    "hyperparameters": {"backbone": "efficientnet_lite0"},
    "packages": {"keras": "3"},
    "profile": "standard",
    "models": {"article_type": {"files": {}}},
}


def table(file, *rows):
    with file.open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)


@pytest.fixture
def report(tmp_path):
    """The folder of a report with what the card reads of it."""
    table(
        tmp_path / "article_type_per_class.csv",
        ("label", "count", "precision", "recall", "f1"),
        ("Shirts", 60, 0.9, 0.95, 0.92),
        ("<b>Tops", 20, 0.6, 0.5, 0.55),
        ("Rare", 2, 0.0, 0.0, 0.0),
    )
    table(
        tmp_path / "against.csv",
        ("head", "latest release", "this one", "difference"),
        ("article_type", 0.88, 0.9, 0.02),
    )
    table(tmp_path / "joint.csv", ("answer", "all right"), ("joint, as released", 0.87), ("something else", 0.1))
    (tmp_path / "catalogue").mkdir()
    found = {
        "rows": 2100,
        "taken": 2000,
        "splits": {"train": 1600, "eval": 200, "test": 200},
        "split_by": "hash of group",
        "rejected": [{}] * 100,
        "not_in_training": {"articleType": ["Ties"]},
        "tiny_classes": {"articleType": {"Ties": 1, "Caps": 2}},
        "disagreeing_duplicates": [["1", "2"]],
    }
    (tmp_path / "catalogue" / "report.json").write_text(json.dumps(found))
    return tmp_path


def test_figures_have_intervals_and_the_release_before(report):
    """Each head's figure has its interval, and stands against the last release where both were measured."""
    facts = facts_of(MANIFEST, report)
    first, second = facts.heads
    assert (first.top_1, first.before, first.labels) == (0.9, 0.88, 12)
    assert first.interval == pytest.approx((0.851, 0.934), abs=0.001)
    assert (second.top_1, second.interval, second.before) == (None, (0.0, 1.0), None)
    assert facts.all_right == 0.87


def test_worst_classes_have_rows_enough_to_tell(report):
    """The least found comes first; a class with two test rows is not accused."""
    assert [one.label for one in facts_of(MANIFEST, report).weakest] == ["<b>Tops", "Shirts"]


def test_limits_of_the_data_are_said(report):
    """Types that are never answered, hardly learnt or contradicted are counted; a trial says so first."""
    said = facts_of({**MANIFEST, "trial": True}, report).limits
    assert "TRIAL" in said[0]
    assert [line.split()[0] for line in said[1:]] == ["1", "2", "1"]


def test_all_cases_count_where_the_report_lists_the_first(report):
    """Of a large catalogue the report lists some cases of each finding; the card tells how many there are."""
    file = report / "catalogue" / "report.json"
    found = json.loads(file.read_text())
    file.write_text(json.dumps(found | {"rows": 3200, "counts": {"rejected": 1200, "disagreeing_duplicates": 1100}}))
    facts = facts_of(MANIFEST, report)
    assert facts.limits[-1].startswith("1100 sets")
    assert "1,200 rejected" in render_card(facts)


def test_the_page_holds_all_of_it_and_runs_nothing(report):
    """Every section is there, and what the catalogue says is text."""
    page = render_card(facts_of(MANIFEST, report))
    for word in ("Training data", "1,600", "0.851–0.934", "+0.020", "Worst article types", "Direct use", "limitations"):
        assert word in page
    assert "<script" not in page and "<b>Tops" not in page
    assert "src=" not in page and "href=" not in page


def test_a_release_without_report_still_has_a_card(tmp_path):
    """What was not recorded is left out, of an old manifest too, and nothing is made up."""
    for manifest in (MANIFEST, {"version": 1, "created_at": "2025", "metrics": {}, "models": {}}):
        facts = facts_of(manifest, tmp_path / "none")
        assert (facts.all_right, facts.weakest, facts.limits) == (None, (), ())
        assert "not here" in render_card(facts)
        assert any("release" in line for line in card_lines(facts))
        assert json.loads(json.dumps(facts.as_json()))["manifest"].keys() == manifest.keys() - {"models"}


def test_a_hub_reads_the_figures(report):
    """The README's head is YAML as Hugging Face's model cards have it, with a result for each head that was measured;
    what the catalogue says stays text, in the head and below."""
    text = render_readme(facts_of(MANIFEST, report))
    _, head, body = text.split("---\n", 2)
    document = yaml.safe_load(head)
    [index] = document["model-index"]
    [result] = index["results"]
    assert (document["pipeline_tag"], result["task"]["type"]) == ("image-classification", "image-classification")
    assert (result["task"]["name"], result["dataset"]["name"]) == ("article type", MANIFEST["data"])
    assert {one["name"]: one["value"] for one in result["metrics"]}["Top-1"] == 0.9
    assert {"type", "name"} <= result["dataset"].keys() and all(
        {"type", "value"} <= one.keys() for one in result["metrics"]
    )
    assert all(line.startswith("    ") for line in body.splitlines() if "<script>" in line or "<b>" in line)
    for heading in ("Uses", "Bias, risks and limitations", "Label audit", "Training and evaluation"):
        assert f"## {heading}" in body


def test_the_card_tells_what_an_audit_said(report):
    """Before one it says how to make it; after it the share of the release's own errors that is blamed on labels."""
    assert "lookbook audit --release 7" in render_card(facts_of(MANIFEST, report))
    said = {"column": "articleType", "judged": 1900, "suspects": 80, "disagreeing": 3, "tested": 190, "wrong": 20}
    (report / LABEL_AUDIT).write_text(json.dumps(said | {"blamed": 5, "agreed": 4}))
    for text in (render_card(facts_of(MANIFEST, report)), render_readme(facts_of(MANIFEST, report))):
        assert "80 of 1,900 judged labels" in text and "blames 5 (0.250, 95 %: 0.112–0.469)" in text
