"""What the report says about predictions, worked out by hand; and the page, which takes no text for markup."""

import base64
import dataclasses
import datetime
import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from components import plots
from components.calibration.joint_answer import JointAnswer
from components.catalogue.reading.findings import Finding, Reason
from components.catalogue.report.report import Report
from components.evaluation.familiarity import LEFT_OUT
from components.evaluation.quality_report import analysis
from components.evaluation.quality_report.page import HeadSection, Mistake, Overview, render_page
from components.evaluation.quality_report.predictions import SplitPredictions
from components.evaluation.quality_report.sections import write_classes
from components.evaluation.quality_report.summary import Summary, summarise
from components.evaluation.results import EvaluationResult
from components.evaluation.tfma_metrics import CALIBRATION, CONFUSION
from components.model.calibration import Calibration
from schema import heads, names
from schema.card_parts import FamiliarityCard, Signal
from schema.model_card import HeadCard, ModelCard, TaxonomyPath
from serving.merger.core.merge import Merger
from serving.merger.core.release import make_release, parse_card

LABELS = {
    names.ARTICLE_TYPE: ["Tshirts", "Belts", "Ties"],
    names.SUB_CATEGORY: ["Topwear", "Belts", "Ties"],
    names.MASTER_CATEGORY: ["Apparel", "Accessories"],
}
TAXONOMY = (
    TaxonomyPath(("Accessories", "Belts", "Belts"), 20),
    TaxonomyPath(("Apparel", "Topwear", "Belts"), 5),
    TaxonomyPath(("Accessories", "Ties", "Ties"), 10),
    TaxonomyPath(("Apparel", "Topwear", "Tshirts"), 60),
)
EXPONENTS = {
    names.ARTICLE_TYPE: 1.0,
    names.SUB_CATEGORY: 0.5,
    names.MASTER_CATEGORY: 0.5,
    "path": 0.5,
    "contradiction": 0.2,
}


def card(model):
    described = {
        head.name: HeadCard(
            tuple(LABELS[head.name]), head.column, head.level, review_threshold=0.5, review_precision=0.9
        )
        for head in heads.of_model(model)
    }
    return ModelCard(model, 80, 60, described, TAXONOMY, EXPONENTS)


def predictions(types, subs, masters, truths, years=None):
    scores = dict(zip(LABELS, (np.array(part, np.float32) for part in (types, subs, masters)), strict=True))
    columns = {
        head.column: [LABELS[head.name][i] if i >= 0 else "Unseen" for i in truths[head.name]]
        for head in heads.taxonomy()
    }
    count = len(types)
    rows = pd.DataFrame(
        {
            names.ID: [str(i) for i in range(count)],
            names.GROUP: ["one"] * count,
            names.PRODUCT_NAME: ["A thing"] * count,
            names.YEAR: years or [0] * count,
            **columns,
        }
    )
    cards = {model: card(model) for model in heads.MODELS}
    return SplitPredictions(rows, LABELS, scores, {head: np.array(truth) for head, truth in truths.items()}, cards)


@pytest.fixture
def three():
    """Right throughout; right type but a contradicting sub-category; wrong type, surely."""
    return predictions(
        types=[[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.05, 0.05, 0.9]],
        subs=[[0.9, 0.05, 0.05], [0.5, 0.1, 0.4], [0.1, 0.1, 0.8]],
        masters=[[0.9, 0.1], [0.3, 0.7], [0.1, 0.9]],
        truths={names.ARTICLE_TYPE: [0, 1, 0], names.SUB_CATEGORY: [0, 1, 0], names.MASTER_CATEGORY: [0, 1, 0]},
        years=[2011, 2012, 2012],
    )


def test_joint_answer_is_that_of_the_served_merger():
    """Over many random scores the report's joint answer is the one that the merger gives."""
    random = np.random.default_rng(5)
    scores = {head: random.dirichlet(np.ones(len(labels)) * 0.5, 200) for head, labels in LABELS.items()}
    cards = {model: parse_card(card(model).to_json(), model) for model in heads.MODELS}
    merger = Merger(make_release(1, cards, {}))
    best = JointAnswer(TAXONOMY, LABELS).best(scores, EXPONENTS)
    _, sure = JointAnswer(TAXONOMY, LABELS).answers(scores, EXPONENTS)
    for row in range(200):
        joint = merger.merge({head: values[row].tolist() for head, values in scores.items()}, top_k=1).joint
        assert [LABELS[head][best[head][row]] for head in LABELS] == [getattr(joint, head) for head in LABELS]
        assert joint.confidence == pytest.approx(sure[row], abs=1e-6)


def test_joint_confidence_is_told_with_and_without_contradiction(three):
    """Both curves are of all rows; the one as released is never surer."""
    curves = analysis.joint_confidence(three)
    assert {name: bins["count"].sum() for name, (_, bins) in curves.items()} == dict.fromkeys(curves, 3)
    ignored, released = (float((bins["confidence"] * bins["count"]).sum()) for _, bins in curves.values())
    assert released < ignored


def test_joint_table_compares_the_ways(three):
    """The table's figures are those counted by hand: alone, looked up, and joint."""
    found = analysis.joint_table(three).set_index("answer")
    assert found.loc["each model alone", "sub_category top-1"] == pytest.approx(1 / 3)
    assert found.loc["looked up from the article type", "sub_category top-1"] == pytest.approx(2 / 3)
    assert found.loc["joint, as released", "all right"] == pytest.approx(2 / 3)


def test_risk_coverage_takes_the_surest_first(three):
    """Accuracy among the k surest answers, for every k."""
    curve = analysis.risk_coverage(three.scores[names.ARTICLE_TYPE], three.truths[names.ARTICLE_TYPE])
    assert curve["threshold"].tolist() == pytest.approx([0.9, 0.8, 0.7])
    assert curve["accuracy"].tolist() == pytest.approx([0, 1 / 2, 2 / 3])
    assert curve["coverage"].tolist() == pytest.approx([1 / 3, 2 / 3, 1])


def test_uncalibrated_undoes_the_calibration():
    """Scores that were calibrated come back as they were."""
    logits = np.array([[2.0, 0.0, -1.0]])
    plain = np.exp(logits) / np.exp(logits).sum()
    for calibration in (Calibration(), Calibration(1.7), Calibration(1.7, 0.3)):
        scores = calibration.scores(logits).numpy()
        np.testing.assert_allclose(analysis.uncalibrated(scores, calibration), plain, atol=1e-6)


def test_surest_mistakes_come_first_and_unseen_labels_count_as_wrong():
    """A row whose label training lacks is a mistake with a probability of 0 for the truth."""
    rows = [[0.6, 0.2, 0.2], [0.9, 0.05, 0.05], [0.1, 0.8, 0.1]]
    truths = {names.ARTICLE_TYPE: [1, -1, 1], names.SUB_CATEGORY: [0] * 3, names.MASTER_CATEGORY: [0] * 3}
    given = predictions(rows, rows, [[0.5, 0.5]] * 3, truths)
    found = analysis.confident_mistakes(given, names.ARTICLE_TYPE, 5)
    assert found["id"].tolist() == ["1", "0"]
    assert found["truth"].tolist() == ["Unseen", "Belts"]
    assert found["of_truth"].tolist() == pytest.approx([0, 0.2])


def test_years_and_contradicting_groups(three):
    """Each year has its own accuracy, and a group with two article types is named with its products."""
    years = analysis.by_year(three).set_index("year")
    assert years.loc["2012", "count"] == 2
    assert years.loc["2012", names.ARTICLE_TYPE] == pytest.approx(0.5)
    suspects = analysis.contradicting_groups(three.rows)
    assert suspects["labels"].tolist() == ["Belts, Tshirts"]
    assert suspects["ids"].tolist() == ["0, 1, 2"]


def test_pictures_with_and_without_a_relative_in_training_stand_side_by_side(three):
    """What a random split tells and what new products may expect come from one run."""
    three.rows[names.GROUP] = ["a", "b", "b"]
    table = analysis.by_relatives(three, {"b", "c"}).set_index("test pictures")
    assert table["count"].to_dict() == {"all": 3, "with a relative in train or eval": 2, "without one": 1}
    assert table[names.ARTICLE_TYPE].tolist() == pytest.approx([2 / 3, 0.5, 1])
    assert analysis.by_relatives(three, set())["test pictures"].tolist() == ["all", "without one"]


def test_text_is_never_markup(tmp_path):
    """A label or product name with tags in it is shown, wherever the page says it, and never run."""
    evil = "<script>alert(1)</script>"
    frame = pd.DataFrame({evil: [evil]})
    figures = dict.fromkeys(("count", "top_1", "top_5", "macro_f1", "ece", "skill"), 0.5)
    plot, mistake = tmp_path / f"{evil.replace('/', '')}.png", Mistake(b"\xff\xd8", evil)
    plot.write_bytes(b"\x89PNG")
    section = HeadSection(
        head=evil,
        description=dataclasses.replace(card(names.ARTICLE_TYPE).heads[names.ARTICLE_TYPE], labels=(evil,)),
        figures=figures,
        interval=(0.4, 0.6),
        ece_before=0.1,
        per_class=frame,
        slices=[(evil, figures)],
        pictures=[plot],
        confusion=plot,
        worst_pairs=[(evil, evil, 3, [mistake])],
        mistakes=[mistake],
    )
    summary = Summary(
        datetime.date(2026, 1, 2),
        catalogue(evil),
        evil,
        right=3,
        count=4,
        levels=(evil,),
        untold=(evil,),
        against=frame,
    )
    page = render_page(summary, [section], Overview(frame, plot, plot, {evil: 1.0}, frame, frame, frame, True))
    assert page.count("<script>") == 1  # the page's own, which sorts its tables
    assert "alert(1)" not in page.rpartition("<script>")[2]
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 18


def catalogue(source):
    """A report on 12 rows, 2 of which could not be used."""
    empty = dict.fromkeys((field.name for field in dataclasses.fields(Report)), ())
    rejected = (Finding(2, "1", Reason.MISSING_IMAGE, ""),) * 2
    told = {"source": source, "rows": 12, "taken": 10, "rejected": rejected, "splits": dict.fromkeys(names.SPLITS, 4)}
    return Report(**{**empty, **told})


def test_the_first_paragraph_says_what_a_boss_asks(three, tmp_path):
    """Day, data, profile, what is right with its interval, what was left out, and how the release before did."""
    evaluation = SimpleNamespace(
        figures=lambda: {"sub_category": {"top_1": 0.75}, "gender": {"top_1": 0.5}},
        baseline_figures=lambda: {"sub_category": {"top_1": 0.5, "count": 3}, "gender": {"top_1": 0.0, "count": 0}},
    )
    summary = summarise(catalogue("shoes.zip"), three, [evaluation])
    assert summary.against.to_dict("records") == [
        {"head": "sub_category", "latest release": 0.5, "this one": 0.75, "difference": 0.25}
    ]
    frame = pd.DataFrame({"a": [1]})
    plot = tmp_path / "plot.png"
    plot.write_bytes(b"\x89PNG")
    page = " ".join(render_page(summary, [], Overview(frame, plot, plot, {}, frame, frame, frame, False)).split())
    assert f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d}. The models learned from 4 products" in page
    assert '<a href="catalogue/index.html">shoes.zip</a>' in page
    assert "<strong>66.7%</strong>" in page and "(95 % interval: 20.8% to 93.9%)" in page
    assert "2 of 12 rows of the catalogue could not be used" in page
    assert "Against the latest release" in page


def test_no_class_runs_in_a_spreadsheet(tmp_path):
    """A class whose name is a formula is text in the CSV of the classes; all others keep their names."""
    labels = ["=HYPERLINK(1)", "+1", "-1", "@x", "\tx", "＝1", "Flip Flops", "T-shirts"]
    write_classes(pd.DataFrame({"label": labels, "count": 1}), tmp_path / "classes.csv")
    written = list(pd.read_csv(tmp_path / "classes.csv", dtype=str)["label"])
    assert written == [*(f"'{label}" for label in labels[:6]), *labels[6:]]


def test_labels_that_training_lacks_have_a_row_of_their_own(three, tmp_path):
    """Test rows of a rare type that training never saw are a line of the tables, with their pictures, in words."""
    three.truths[names.ARTICLE_TYPE][2] = names.UNKNOWN_LABEL
    texts = {CONFUSION: [[0, 0, 1], [1, 1, 1], [-1, 2, 1]], CALIBRATION: [[3, 2.4, 2]]}
    values = {
        name: {"bytesValue": base64.b64encode(json.dumps(text).encode()).decode()} for name, text in texts.items()
    }
    result = EvaluationResult.__new__(EvaluationResult)
    result._slices = {(): {names.ARTICLE_TYPE: {"": values}}}
    tally = result.tally(names.ARTICLE_TYPE, LABELS[names.ARTICLE_TYPE])
    ((truth, answer, count),) = tally.worst_pairs(10)
    assert (truth, answer, count) == ("(not in training)", "Ties", 1)
    assert analysis.examples_of_pair(three, names.ARTICLE_TYPE, truth, answer, 6) == [2]
    write_classes(tally.per_class(), tmp_path / "classes.csv")
    assert "(not in training),1,0.0,0.0,0.0" in (tmp_path / "classes.csv").read_text()


def test_labels_are_no_formulas(tmp_path):
    """A label that a spreadsheet would compute is told as text in the table of classes."""
    figures = pd.DataFrame({"label": ["=cmd|' /C calc'!A0", "@SUM(1)", "Ties"], "count": [1, 2, 3]})
    write_classes(figures, tmp_path / "classes.csv")
    labels = pd.read_csv(tmp_path / "classes.csv")["label"].tolist()
    assert labels[2] == "Ties" and not any(label.startswith(("=", "@", "+", "-")) for label in labels)


def test_rows_without_a_label_are_no_mistakes(three):
    """The report leaves them out of the mistakes and of every share."""
    three.truths[names.SUB_CATEGORY][2] = names.UNLABELLED
    assert analysis.confident_mistakes(three, names.SUB_CATEGORY, 5)["id"].tolist() == ["1"]
    years = analysis.by_year(three).set_index("year")
    assert years.loc["2012", names.SUB_CATEGORY] == pytest.approx(0)
    assert years.loc["2012", "count"] == 2


def test_the_familiar_are_told_from_the_strange(tmp_path):
    """Of each kind the share below the threshold, and the chance that a known product is more familiar; types that
    training lacks are a kind, and drawn to the same curve."""
    plain = card(names.ARTICLE_TYPE)
    tells = dataclasses.replace(plain, familiarity=FamiliarityCard(0.5, 0.05, 20.0, {"energy": Signal(3.0, 1.0)}))
    scores = [[1.0] * 4] * 3
    truths = {key: [0, 0, 0, 0] for key in LABELS} | {names.ARTICLE_TYPE: [0, 1, 2, names.UNKNOWN_LABEL]}
    known = dataclasses.replace(
        predictions(*scores, truths),
        cards={names.ARTICLE_TYPE: tells},
        familiarity=np.array([0.9, 0.8, 0.4, 0.6]),
        drawn={"noise": np.array([0.1, 0.2])},
    )
    check = analysis.familiarity_check(known)
    rows = {row["pictures"]: row for row in check.rows()}
    assert rows["known article types"]["flagged"] == pytest.approx(1 / 3)
    assert (rows["noise"]["auroc"], rows["noise"]["flagged"], rows["noise"]["count"]) == (1.0, 1.0, 2)
    assert rows[LEFT_OUT]["auroc"] == pytest.approx(2 / 3)
    assert plots.plot_roc(check.known, check.strange, tmp_path).is_file()
    assert analysis.familiarity_check(dataclasses.replace(known, cards={names.ARTICLE_TYPE: plain})) is None
