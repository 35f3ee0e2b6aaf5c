"""Which catalogues a release may rest on, and what the others hear."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner

from components.catalogue.report.check import check_catalogue
from components.catalogue.report.enough import require_enough
from components.catalogue.report.report import Report
from components.errors import GateError
from components.evaluation.classification_metrics import ClassificationTally
from components.evidence import FEWEST_TEST_ROWS, LEAST_SKILL, rows_needed
from pipeline.commands.data import command
from schema import heads as table
from schema import names
from tests.drawing import product, write_catalogue

COLUMN = names.ARTICLE_TYPE_LABEL
PLENTY = {"Shirts": (400, 40, 30), "Belts": (400, 40, 30)}


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Report:
    folder = write_catalogue(tmp_path_factory.mktemp("any"), [product(str(number), number) for number in range(30)])
    return check_catalogue(folder)


def report(empty: Report, types: Mapping[str, tuple[int, int, int]], split_by: str = "hash of group") -> Report:
    """A report on a catalogue with so many rows of each article type in train, eval and test."""
    counts = {label: dict(zip(names.SPLITS, rows, strict=True)) for label, rows in types.items()}
    splits = {split: sum(of[split] for of in counts.values()) for split in names.SPLITS}
    labels = dict.fromkeys(table.columns(), counts)
    return Report(**{**vars(empty), "labels": labels, "splits": splits, "split_by": split_by})


def refusal(empty: Report, types: Mapping[str, tuple[int, int, int]], split_by: str = "hash of group") -> str:
    of = report(empty, types, split_by)
    require_enough(of, trial=True)
    with pytest.raises(GateError) as refused:
        require_enough(of, trial=False)
    return str(refused.value)


def test_enough_is_enough(empty: Report) -> None:
    """With sixty test rows of two types, and eighty of eval, nobody is refused."""
    require_enough(report(empty, PLENTY), trial=False)


def test_two_test_rows_prove_nothing(empty: Report) -> None:
    """What is missing is told in numbers, and what a trial would be."""
    said = refusal(empty, {"Shirts": (8, 1, 1), "Belts": (6, 1, 1)})
    assert "test: 2 rows of a known articleType: 50 are needed, 48 more, so some 480 in the catalogue" in said
    assert "eval: 2 rows of a known articleType: 20 are needed" in said
    assert "18 more" in said
    assert "--trial" in said
    assert "TRIAL" in said


def test_one_class_proves_nothing_however_many_rows(empty: Report) -> None:
    """A test split with a single article type cannot show that a model tells it from others."""
    assert "'Shirts'" in refusal(empty, {"Shirts": (400, 40, 900), "Belts": (400, 40, 0)})


def test_rows_of_types_that_training_lacks_count_for_nothing(empty: Report) -> None:
    """Where each label has one row, no row of test can be answered right."""
    alone = {f"Type {number}": ((1, 0, 0), (0, 1, 0), (0, 0, 1))[number % 3] for number in range(600)}
    said = refusal(empty, alone)
    assert "test: 0 rows of a known articleType (200 more have one that no row of training has)" in said


def test_a_common_label_needs_more_rows(empty: Report) -> None:
    """Where nine of ten rows are shirts, sixty rows could not tell the model from one that says nothing else."""
    said = refusal(empty, {"Shirts": (400, 40, 54), "Belts": (400, 40, 6)})
    assert "90% of them are 'Shirts'" in said


def test_what_a_split_column_lacks_is_not_told_of_the_whole(empty: Report) -> None:
    """Whoever decides the splits by hand hears of the split alone."""
    said = refusal(empty, {"Shirts": (8, 30, 20), "Belts": (8, 30, 10)}, "split column")
    assert "are needed" in said
    assert "in the catalogue" not in said


@pytest.mark.parametrize("share", [0.05, 0.3, 0.5, 0.7, 0.9])
def test_with_enough_rows_a_model_that_learnt_nothing_is_refused(share: float) -> None:
    """At the number that is asked for, always saying the commonest label does not pass the gate on skill."""
    rows = rows_needed(round(1000 * share), 1000)
    assert rows >= FEWEST_TEST_ROWS
    tally = ClassificationTally()
    for number in range(rows):
        truth = "common" if number < round(share * rows) else number
        tally.add(truth, ["common"], 1.0)
    assert tally.at_best()["skill"] < LEAST_SKILL


def test_an_early_look_says_no_too(tmp_path: Path) -> None:
    """`lookbook data check` refuses what a run would, in its words, and takes the option with which a run takes it."""
    folder = write_catalogue(tmp_path / "data", [product(str(number), number) for number in range(60)])
    result = CliRunner().invoke(command, ["check", str(folder)])
    assert result.exit_code == 1
    assert "Error: too few rows for a release" in result.stderr
    assert "take --trial" in result.stderr
    trial = CliRunner().invoke(command, ["check", str(folder), "--trial"])
    assert trial.exit_code == 0
    assert "too few" not in trial.output
