"""The label audit: planted errors are found, rows without evidence are left in peace, and what is written is safe."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from components.catalogue.reading.rows import Row
from components.catalogue.reading.source import open_catalogue
from components.catalogue.splitting.groups import Kin
from components.catalogue.splitting.plan import Placed
from components.errors import GateError
from components.evaluation.label_audit.audit import audit_labels
from components.evaluation.label_audit.files import FIXES, JSON, LOOKS, PAGE, TWIN, require_new, write_audit
from components.evaluation.label_audit.out_of_fold import NO_FOLD, fold_of_rows
from components.evaluation.label_audit.summary import blame

COLUMN = "articleType"


def placed(labels, groups=None):
    groups = groups or [f"g{index}" for index in range(len(labels))]
    rows = [Row(str(index), index + 2, {COLUMN: label} if label else {}) for index, label in enumerate(labels)]
    return [Placed(row, Kin(group), "train") for row, group in zip(rows, groups, strict=True)]


def clusters(truths, seed=0):
    """A cloud of points for each label."""
    rng = np.random.default_rng(seed)
    centre = {label: rng.normal(0, 4, 8) for label in sorted(set(truths))}
    return np.array([centre[label] + rng.normal(0, 0.5, 8) for label in truths], np.float32)


@pytest.fixture(scope="module")
def three_wrong():
    """Three labels of forty rows each; rows 3, 50 and 100 carry another one's."""
    truths = ["Shirts"] * 40 + ["Shoes"] * 40 + ["Caps"] * 40
    labels = list(truths)
    labels[3], labels[50], labels[100] = "Caps", "Shirts", "Shoes"
    return audit_labels(COLUMN, placed(labels), [("3", "4"), ("5", "6")], clusters(truths))


def test_wrong_labels_are_suspected_with_what_they_should_be(three_wrong):
    """A row whose picture is plainly another label's is suspected, and nothing else is."""
    found = {(one.id, one.label, one.suggested) for one in three_wrong.suspects}
    assert found == {("3", "Caps", "Shirts"), ("50", "Shirts", "Shoes"), ("100", "Shoes", "Caps")}
    assert all(one.of_label < 0.5 < one.of_suggested for one in three_wrong.suspects)
    assert three_wrong.judged == 120


def test_neighbours_are_the_nearest_others(three_wrong):
    """The rows that are shown as reason are those that look alike, nearest first, and never the row itself."""
    first = next(one for one in three_wrong.suspects if one.id == "3")
    assert {other.label for other in first.neighbours} == {"Shirts"}
    assert "3" not in {other.id for other in first.neighbours}
    similarities = [other.similarity for other in first.neighbours]
    assert similarities == sorted(similarities, reverse=True)


def test_the_share_of_wrong_labels_is_told_by_class(three_wrong):
    """One of forty rows of each label is wrong, and the estimate is near that."""
    assert {one.label for one in three_wrong.classes} == {"Caps", "Shirts", "Shoes"}
    assert all(0.01 < one.wrong < 0.06 for one in three_wrong.classes)


def test_equal_pictures_with_different_labels_are_told(three_wrong):
    """Of two sets of equal pictures the one that disagrees is named, with its labels."""
    assert three_wrong.disagreeing == ((("3", "Caps"), ("4", "Shirts")),)


def test_relatives_share_a_fold():
    """No row is judged by what was learnt from its own product."""
    labels = np.array(["a", "b"] * 60)
    groups = np.array([f"g{index // 4}" for index in range(120)])
    folds = fold_of_rows(labels, groups)
    assert all(len(set(folds[groups == group])) == 1 for group in set(groups))


def test_a_copied_wrong_label_does_not_vouch_for_itself():
    """Two pictures of one product with the same wrong label are both suspected, though each is the other's nearest."""
    truths = ["Shirts"] * 40 + ["Shoes"] * 40
    labels = list(truths)
    labels[0] = labels[1] = "Shoes"
    groups = ["same", "same", *(f"g{index}" for index in range(78))]
    features = clusters(truths)
    features[1] = features[0]
    audit = audit_labels(COLUMN, placed(labels, groups), [], features)
    assert {one.id for one in audit.suspects} == {"0", "1"}


def test_labels_without_evidence_are_counted_not_judged():
    """Labels with few rows, or all of one product, and rows without a label are said to be left out."""
    labels = ["Shirts"] * 40 + ["Shoes"] * 40 + ["Rare"] * 3 + ["OneProduct"] * 12 + [""] * 2
    groups = [f"g{index}" for index in range(83)] + ["one"] * 12 + ["x", "y"]
    audit = audit_labels(COLUMN, placed(labels, groups), [], clusters(labels))
    assert audit.too_few == {"OneProduct": 12, "Rare": 3}
    assert (audit.judged, audit.unlabelled) == (80, 2)


@pytest.mark.parametrize("labels", [[], ["a"] * 50, ["a", "b"] * 4, [""] * 30])
def test_too_little_to_compare_is_said(labels):
    """One label, or none with rows enough, is an error in words."""
    with pytest.raises(GateError, match="an audit needs two"):
        audit_labels(COLUMN, placed(labels), [], np.zeros((len(labels), 4), np.float32))


def test_pictures_all_alike_do_not_break_it():
    """Features without any difference, as of blank pictures, are judged like any."""
    audit = audit_labels(COLUMN, placed(["a", "b"] * 20), [], np.ones((40, 4), np.float32))
    assert audit.judged == 40


def test_folds_need_rows():
    """Nothing to fold is no error."""
    assert fold_of_rows(np.array([], str), np.array([], str)).tolist() == []
    assert set(fold_of_rows(np.array(["a"] * 30), np.array(["g"] * 30))) == {NO_FOLD}


@pytest.fixture
def hostile(tmp_path):
    """A catalogue whose labels are formulas and markup, with its audit."""
    truths = ["=cmd()"] * 30 + ["</script><b>"] * 30
    labels = list(truths)
    labels[0] = "</script><b>"
    folder = tmp_path / "catalogue"
    (folder / "images").mkdir(parents=True)
    (folder / "styles.csv").write_text("id,articleType,subCategory,masterCategory\n")
    for index in range(60):
        Image.new("RGB", (30, 40), (index, 0, 0)).save(folder / "images" / f"{index}.jpg")
    return open_catalogue(folder), audit_labels(COLUMN, placed(labels), [("0", "1")], clusters(truths))


def test_the_lists_are_safe_to_open(hostile, tmp_path):
    """No label becomes a formula of a spreadsheet or markup of the page; every suspect is in the CSV."""
    catalogue, audit = hostile
    require_new(tmp_path / "out")
    write_audit(audit, catalogue, tmp_path / "out", shown=10)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out" / FIXES).read_text())))
    assert [(row["id"], row["label"], row["suggested"], row["decision"]) for row in rows] == [
        ("0", "</script><b>", "'=cmd()", ""),
        ("1", "'=cmd()", "</script><b>", ""),
    ]
    assert [row["why"] for row in rows] == [LOOKS, TWIN]
    page = (tmp_path / "out" / PAGE).read_text()
    assert "</script><b>" not in page and page.count("data:image/jpeg") >= 7
    assert json.loads((tmp_path / "out" / JSON).read_text())["suspects"][0]["id"] == "0"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [JSON, FIXES, PAGE]


def test_decisions_are_never_overwritten(hostile, tmp_path):
    """A folder with a fix list is refused before any work; nothing in it changes."""
    (tmp_path / FIXES).write_text("mine")
    with pytest.raises(FileExistsError, match="may hold decisions"):
        require_new(tmp_path)
    assert Path(tmp_path / FIXES).read_text() == "mine"


def test_equal_pictures_with_different_labels_are_to_be_decided():
    """Each row whose label is not the most frequent of its set is doubted, by the shares of the set; where two are as
    frequent, both are; a row that is suspected anyway is not told twice."""
    truths = ["Shirts"] * 40 + ["Shoes"] * 40
    labels = list(truths)
    labels[3], labels[60] = "Shoes", "Caps"
    audit = audit_labels(
        COLUMN, placed(labels), [("0", "1", "60"), ("50", "2"), ("3", "4"), ("5", "6")], clusters(truths)
    )
    assert [one.id for one in audit.suspects] == ["3"]
    found = {
        one.id: (one.label, one.suggested, round(one.of_label, 2), round(one.of_suggested, 2)) for one in audit.twins
    }
    assert found == {
        "60": ("Caps", "Shirts", 0.33, 0.67),
        "50": ("Shoes", "Shirts", 0.5, 0.5),
        "2": ("Shirts", "Shoes", 0.5, 0.5),
        "4": ("Shirts", "Shoes", 0.5, 0.5),
    }


def test_a_releases_errors_are_held_against_the_suspects(three_wrong):
    """Of the rows on which the release contradicts the catalogue those count as blamed whose label is suspected, and of
    these it is told where release and audit agree; a label that was not judged is not counted."""
    labels = {"3": "Caps", "50": "Shirts", "4": "Shirts", "5": "Shirts", "7": ""}
    answers = {"3": "Shirts", "50": "Caps", "4": "Shoes", "5": "Shirts", "7": "Shirts"}
    summary = blame(three_wrong, 4, labels, answers)
    assert (summary.tested, summary.wrong, summary.blamed, summary.agreed) == (4, 3, 2, 1)
    assert [(one.id, one.answered, one.suggested) for one in summary.errors] == [
        ("3", "Shirts", "Shirts"),
        ("50", "Caps", "Shoes"),
        ("4", "Shoes", ""),
    ]


@pytest.mark.parametrize("name", [PAGE, FIXES, JSON])
def test_an_audit_replaces_no_file_that_is_there(tmp_path, name):
    """Somebody's index.html in the folder that was named is refused before the work, and stays what it is."""
    (tmp_path / name).write_text("mine")
    with pytest.raises(FileExistsError, match=f"{name} is there, and may hold decisions, or be no audit's"):
        require_new(tmp_path)
    assert (tmp_path / name).read_text() == "mine"
