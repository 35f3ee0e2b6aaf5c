"""The last step publishes what was not published yet, told by what the models are and not by where they lie."""

from types import SimpleNamespace

import pytest
from tfx.types import standard_artifacts

from components.artifacts import QualityReport, ServingCheckResult
from components.release import paired_release
from components.release.store import ReleaseStore
from schema import heads as table
from schema import model_card, names
from tests.tiny_models import make_card


@pytest.fixture
def passed(monkeypatch):
    """Evaluations in which no gate said no; files that are no SavedModel do here."""
    good = SimpleNamespace(refusals=list, figures=dict)
    monkeypatch.setattr(paired_release, "EvaluationResult", lambda uri: good)


def trained(folder, content):
    """Both models in the places that a record's first numbers give them."""
    for model in table.MODELS:
        saved_model = folder / model / "Format-Serving"
        (saved_model / "variables").mkdir(parents=True, exist_ok=True)
        (saved_model / "saved_model.pb").write_text(f"{model} {content}")
        (saved_model / "variables/variables.index").write_text("weights")
        model_card.write_file(saved_model, make_card(names.CATEGORY))
        (folder / "check" / model).mkdir(parents=True, exist_ok=True)
        (folder / "check" / model / "tf_serving_warmup_requests").write_text("requests")
    (folder / "report").mkdir(exist_ok=True)


def released(folder):
    release = standard_artifacts.PushedModel()
    release.uri = str(folder / "pushed")
    paired_release.PairedRelease.EXECUTOR_SPEC.executor_class._FUNCTION(
        **{f"{model}_model": at(standard_artifacts.Model(), folder / model) for model in table.MODELS},
        article_type_evaluation=at(standard_artifacts.ModelEvaluation(), folder),
        serving_check=at(ServingCheckResult(), folder / "check"),
        report=at(QualityReport(), folder / "report"),
        examples=at(standard_artifacts.Examples(), folder),
        release=release,
        directory=str(folder / "release"),
        provenance="{}",
        thumbnails=False,
        code="",
    )
    return release.get_int_custom_property("version")


def at(artifact, uri):
    artifact.uri = str(uri)
    return artifact


def test_new_models_in_the_place_of_old_ones_are_a_new_release(passed, tmp_path):
    """A record that was begun anew, as the tool advises where one is damaged, numbers models from 1 again."""
    trained(tmp_path, "first")
    assert released(tmp_path) == 1
    trained(tmp_path, "second")
    assert released(tmp_path) == 2
    current = ReleaseStore(tmp_path / "release").model_path(names.CATEGORY, 2)
    assert (current / "saved_model.pb").read_text() == "category second"


def test_the_same_models_are_released_once(passed, tmp_path):
    """A run that was killed after the release, before its record, does not make another of the same pair."""
    trained(tmp_path, "first")
    assert (released(tmp_path), released(tmp_path)) == (1, 1)
