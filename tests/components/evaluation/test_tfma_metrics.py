"""The tally as TFMA calls it: which rows count, and what a gate makes of few or none."""

import json

import numpy as np
import pytest
from tensorflow_model_analysis.metrics import metric_types

from components.evaluation.gates import CANDIDATE, OF_TAXONOMY, eval_config
from components.evaluation.tfma_metrics import AT_BEST, BASELINE, CONFUSION, _TallyCombiner
from schema import heads, names

CONFIG = eval_config(heads.of_model(names.CATEGORY, heads.chosen(["gender"])))
RIGHT, WRONG = [0.9, 0.1], [0.2, 0.8]


def outputs_of(model, *rows, head="gender"):
    """Figures of a head from rows (label id, scores); scores None where the model lacks the head."""
    combiner = _TallyCombiner(CONFIG, model, head)
    tally = combiner.create_accumulator()
    for label, scores in rows:
        answers = {names.SUB_CATEGORY: np.array([1.0, 0.0]), **({head: np.array(scores)} if scores else {})}
        element = metric_types.StandardMetricInputs(
            label={one: {head: np.array([label])} for one in (CANDIDATE, BASELINE)},
            prediction=dict.fromkeys((CANDIDATE, BASELINE), answers),
            example_weight=None,
        )
        tally = combiner.add_input(tally, element)
    return {key.name: value for key, value in combiner.extract_output(tally).items()}


def test_a_row_without_a_label_does_not_count_and_one_of_an_unknown_label_is_wrong():
    """Top-1 is of the rows that have a label; one that training lacks is among them."""
    rows = [(0, RIGHT), (0, WRONG), (names.UNLABELLED, RIGHT), (names.UNLABELLED, WRONG), (names.UNKNOWN_LABEL, RIGHT)]
    found = outputs_of(CANDIDATE, *rows)
    assert found["count"] == 3
    assert found["top_1"] == pytest.approx(1 / 3)
    assert json.loads(found[CONFUSION]) == [[-1, 0, 1], [0, 0, 1], [0, 1, 1]]


def test_nothing_measured_speaks_against_nothing():
    """Where no test row has the attribute, every gate is passed, whatever the release before it reached."""
    candidate = outputs_of(CANDIDATE, (names.UNLABELLED, RIGHT))
    baseline = outputs_of(BASELINE, (0, RIGHT))
    assert candidate[AT_BEST["ece"]] <= OF_TAXONOMY["ece"]
    assert candidate[AT_BEST["top_1"]] - baseline[AT_BEST["top_1"]] >= 0


def test_a_release_that_lacks_the_head_is_no_measure_of_it():
    """The first release with an attribute is compared with one that does not know it, and passes."""
    baseline = outputs_of(BASELINE, (0, None), (0, None))
    assert baseline[AT_BEST["top_1"]] == 0
    assert outputs_of(CANDIDATE, (0, WRONG))[AT_BEST["top_1"]] >= 0


def test_an_attribute_is_gated_by_what_its_confidence_promises():
    """The taxonomy must beat the commonest label; an attribute may fail to, but its confidence must be right."""
    gates = {spec.output_names[0]: set(spec.per_slice_thresholds) for spec in CONFIG.metrics_specs}
    assert gates[names.SUB_CATEGORY] == set(AT_BEST.values())
    assert gates["gender"] == {AT_BEST["ece"], AT_BEST["top_1"]}
