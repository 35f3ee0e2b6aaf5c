"""What a release keeps of its eval split, for later pictures to be held against, and the served model's word on one."""

import json

import numpy as np
import pytest
import tensorflow as tf

from components.calibration.calibrating import Settings, calibrate
from components.calibration.eval_histograms import count_eval
from components.model.nearest_pictures import CENTRALITY, SIMILARITY
from schema import model_card, names
from schema.card_fields import CardError
from schema.model_card import ModelCard
from tests.components.calibration.trained_models import eval_outputs, write_trained

ROWS = 400


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """Both models, calibrated on the same 400 rows: model → its SavedModel."""
    folder = tmp_path_factory.mktemp("released")
    trained = write_trained(folder / "trained", eval_outputs(ROWS, remembers=True))
    paths = {name: folder / name / "Format-Serving" for name in trained}
    for name, path in paths.items():
        calibrate(name, trained, Settings(0.9, 0.0), path)
    return paths


def test_the_served_model_falls_into_the_bins_of_its_eval(released):
    """Asked about the rows of eval, the model says what the card counted: labels, confidences, familiarity, looks."""
    pictures = tf.constant([str(row).encode() for row in range(ROWS)])
    for name, path in released.items():
        kept = model_card.read_file(path).eval_histograms
        served = tf.saved_model.load(str(path)).signatures[names.SCORES](image_bytes=pictures)
        for head, counts in kept.labels.items():
            rows = served[head].numpy()
            assert np.bincount(rows.argmax(axis=1), minlength=len(counts)).tolist() == list(counts)
            assert counted(kept.numbers[f"{head}_confidence"], rows.max(axis=1)) <= 2
        if name == names.ARTICLE_TYPE:
            assert kept.looks == (SIMILARITY, CENTRALITY)
            assert counted(kept.numbers[names.FAMILIARITY], served[names.FAMILIARITY].numpy()) <= 2
            for column, look in enumerate(kept.looks):
                assert counted(kept.numbers[look], served[names.LOOKS].numpy()[:, column]) == 0
        else:
            assert kept.looks == () and names.LOOKS not in served


def counted(bins, values):
    """By how many rows the bins differ from the card's; an edge may lie between two roundings of one value."""
    found = np.bincount([bins.bin_of(float(value)) for value in values], minlength=len(bins.counts))
    return int(np.abs(found - np.array(bins.counts)).max())


def test_bins_hold_about_as_many_rows():
    """A number's bins are tenths of eval; where more is usual, all above the median is one."""
    rows = np.random.default_rng(1).normal(size=1000)
    kept = count_eval({"article_type": np.tile([0.25, 0.75], (1000, 1))}, None, {"brightness": rows, SIMILARITY: rows})
    assert kept.numbers["brightness"].counts == pytest.approx([100] * 10, abs=5)
    assert kept.numbers[SIMILARITY].counts == pytest.approx([100] * 5 + [500], abs=5)
    assert kept.numbers[SIMILARITY].more_is_usual and not kept.numbers["brightness"].more_is_usual


def test_a_value_that_many_have_lies_on_no_edge():
    """Where half of eval has the same number, another rounding of it is no drift."""
    rows = np.repeat([0.98765432, 0.2], 50)
    bins = count_eval({"h": np.tile([0.25, 0.75], (100, 1))}, None, {"brightness": rows}).numbers["brightness"]
    assert bins.bin_of(0.98765432) == bins.bin_of(0.98765428)


def test_few_rows_keep_nothing():
    """With fewer rows than anything else is fitted on, there is nothing to compare with, and none is made up."""
    assert count_eval({"h": np.ones((19, 2))}, None, {}) is None
    assert count_eval({}, None, {}) is None


def other_labels(kept):
    kept["labels"]["article_type"].append(1)


def other_edges(kept):
    kept["numbers"][names.FAMILIARITY]["edges"].reverse()


def other_counts(kept):
    kept["numbers"][names.FAMILIARITY]["counts"].append(1)


def other_looks(kept):
    kept["looks"].append("price")


@pytest.mark.parametrize("spoil", [other_labels, other_edges, other_counts, other_looks])
def test_a_card_that_contradicts_itself_is_refused(released, spoil):
    """Counts without a bin would be taken for another bin's."""
    document = json.loads(model_card.read_file(released[names.ARTICLE_TYPE]).to_json())
    assert ModelCard.from_json(json.dumps(document)).eval_histograms
    spoil(document["eval_histograms"])
    with pytest.raises(CardError, match="eval_histograms"):
        ModelCard.from_json(json.dumps(document))
