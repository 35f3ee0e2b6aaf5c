"""A release whose models share features answers as one whose models each look, in process and by a merger."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.asking import classify_files, connected
from pipeline.config import Layout
from pipeline.scoring import ReleasedModels
from tests import tiny_models
from tests.pipeline.bulk.conftest import classify, release, rows_of
from tests.pipeline.bulk.test_answers import NAMES, odd_pictures


@pytest.fixture(scope="module")
def looking(tmp_path_factory) -> Layout:
    """A root with a release whose models both look, and hear names."""
    return release(tmp_path_factory.mktemp("looking"), hears=True)


@pytest.fixture(scope="module")
def sharing(tmp_path_factory) -> Layout:
    """A root with one whose models share features; by pictures alone neither can be asked."""
    return release(tmp_path_factory.mktemp("sharing"), hears=True, shares=True, broken="no-scores")


@pytest.mark.parametrize("product_names", [{}, NAMES], ids=["without names", "with names"])
def test_bulk_answers_the_same(looking, sharing, tmp_path, product_names):
    """Each row is that of the release whose models both look: labels, confidences, names and refusals."""
    folder = odd_pictures(tmp_path / "odd")
    for layout, output in ((looking, "looking.parquet"), (sharing, "sharing.parquet")):
        classify(layout, folder, tmp_path / output, product_names=product_names)
    wanted, found = rows_of(tmp_path / "looking.parquet"), rows_of(tmp_path / "sharing.parquet")
    assert found.keys() == wanted.keys() and sum(not row["error"] for row in found.values()) > 10
    for name, row in found.items():
        numbers = {key: value for key, value in wanted[name].items() if isinstance(value, float)}
        assert {key: row[key] for key in numbers} == pytest.approx(numbers, abs=1e-5)
        assert {**row, **numbers} == wanted[name]


def test_a_merger_answers_the_same(sharing, looking, tmp_path):
    """Over a real model server each answer is that of the release whose models both look."""
    files = sorted(odd_pictures(tmp_path / "odd").iterdir())
    classify(looking, tmp_path / "odd", tmp_path / "out.parquet", product_names=NAMES)
    rows = rows_of(tmp_path / "out.parquet")
    given = {str(tmp_path / "odd" / name): what for name, what in NAMES.items()}
    with connected(sharing, None) as client:
        answers = {Path(one["file"]).name: one for one in classify_files(client, files, product_names=given)}
    assert answers.keys() == rows.keys()
    for name, one in answers.items():
        if one["error"]:
            assert rows[name]["error"] == one["error"]["code"]
            continue
        assert rows[name]["articleType"] == one["answer"]["joint"]["article_type"]
        assert rows[name]["confidence"] == pytest.approx(one["answer"]["joint"]["confidence"], abs=1e-5)


def test_scores_the_same(looking, sharing):
    """Every head's scores of every picture are the same, and one that cannot be read disturbs no other."""
    pictures = [tiny_models.picture("red"), b"broken", tiny_models.picture("blue"), tiny_models.picture("grey")]
    wanted, found = (ReleasedModels(one.releases).scores(pictures) for one in (looking, sharing))
    assert found[0].keys() == wanted[0].keys() and found[1].tolist() == wanted[1].tolist() == [True, False, True, True]
    for head, scores in wanted[0].items():
        np.testing.assert_allclose(found[0][head], scores, atol=1e-5)
