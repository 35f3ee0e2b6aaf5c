"""How the pipeline is wired: which rows and which models each step gets, and what a setting makes run again."""

import json

import pytest
from google.protobuf import json_format
from tfx.orchestration.pipeline import Pipeline
from tfx.proto import trainer_pb2, transform_pb2

from components.catalogue.sample import draw_catalogue
from pipeline.config import Layout, PipelineConfig
from pipeline.pipeline import create_components
from pipeline.profiles import PROFILES
from schema import names

MODELS_IN = ("ArticleTypeEvaluator", "CategoryEvaluator", "ServingCheck", "QualityReport", "PairedRelease")


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    folder = tmp_path_factory.mktemp("catalogue")
    draw_catalogue(folder, count=40)
    return folder


def components(catalogue, *settings):
    parameters = PROFILES["standard"].with_settings(settings)
    config = PipelineConfig(Layout(catalogue / "root"), catalogue, "standard", parameters)
    return {one.id: one for one in create_components(config)}


def models_of(component):
    """Input → id of the component that makes the model."""
    return {
        key: channel.producer_component_id
        for key, channel in component.inputs.items()
        if channel.type_name == "Model" and key != "baseline_model"
    }


def test_what_is_evaluated_checked_and_released_is_calibrated(catalogue):
    """No step behind the Calibrators gets a model that did not come from them: none can be released uncalibrated."""
    found = components(catalogue)
    for name in MODELS_IN:
        assert models_of(found[name]), name
        for key, producer in models_of(found[name]).items():
            model = {"model": name.removesuffix("Evaluator"), "category_model": "Category"}.get(key, "ArticleType")
            assert producer == f"{model}Calibrator", (name, key)
    # Only a pipeline ties its components to those whose outputs they take.
    Pipeline(pipeline_name="test", pipeline_root=str(catalogue), components=list(found.values()))
    for model in ("ArticleType", "Category"):
        upstream = {node.id for node in found[f"{model}Baseline"].upstream_nodes}
        assert upstream == {f"{model}Calibrator", "StylesExampleGen"}


def test_no_gate_can_be_walked_around(catalogue):
    """Nothing is made of data before its gate, and no release before each gate on the models has spoken."""
    found = components(catalogue)
    Pipeline(pipeline_name="test", pipeline_root=str(catalogue), components=list(found.values()))
    before = {name: {node.id for node in one.upstream_nodes} for name, one in found.items()}
    assert "SchemaGate" in before["Transform"]
    assert {"ArticleTypeEvaluator", "CategoryEvaluator", "ServingCheck"} <= before["PairedRelease"]
    assert {one.id for one in found["SchemaGate"].upstream_nodes} == {
        "ExampleValidator",
        "StatisticsGen",
        "StylesExampleGen",
    }


def test_each_split_has_its_one_use(catalogue):
    """Training and the vocabularies see train alone, early stopping and calibration eval, the figures test."""
    found = components(catalogue)
    for model in ("ArticleType", "Category"):
        trainer = found[f"{model}Trainer"].exec_properties
        assert list(parsed(trainer["train_args"], trainer_pb2.TrainArgs()).splits) == [names.TRAIN]
        assert list(parsed(trainer["eval_args"], trainer_pb2.EvalArgs()).splits) == [names.EVAL]
        assert json.loads(found[f"{model}Evaluator"].exec_properties["example_splits"]) == [names.TEST]
    splits = parsed(found["Transform"].exec_properties["splits_config"], transform_pb2.SplitsConfig())
    assert list(splits.analyze) == [names.TRAIN]


def parsed(text, message):
    return json_format.Parse(text, message)


@pytest.mark.parametrize("setting", ["review_precision=0.9", "logit_adjustment=0.7"])
def test_a_setting_of_calibration_is_none_of_training(catalogue, setting):
    """What the Trainers are told, which is what the cache goes by, does not change with it; the Calibrators' does."""
    before, after = components(catalogue), components(catalogue, setting)
    changed = {name for name in before if before[name].exec_properties != after[name].exec_properties}
    assert changed == {"ArticleTypeCalibrator", "CategoryCalibrator", "PairedRelease"}


def test_a_setting_of_training_reaches_the_trainers(catalogue):
    """The counterpart: the comparison above would see a difference if there were one."""
    before, after = components(catalogue), components(catalogue, "learning_rate=0.5")
    changed = {name for name in before if before[name].exec_properties != after[name].exec_properties}
    assert changed == {"ArticleTypeTrainer", "CategoryTrainer", "PairedRelease"}
