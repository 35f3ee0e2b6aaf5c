"""The pipeline: a straight list of components."""

import dataclasses
import json

from tfx.components.evaluator.component import Evaluator
from tfx.components.example_validator.component import ExampleValidator
from tfx.components.schema_gen.import_schema_gen.component import ImportSchemaGen
from tfx.components.statistics_gen.component import StatisticsGen
from tfx.components.trainer.component import Trainer
from tfx.components.transform.component import Transform
from tfx.dsl.components.base.base_node import BaseNode
from tfx.dsl.components.common.resolver import Resolver
from tfx.orchestration import pipeline
from tfx.proto import trainer_pb2, transform_pb2
from tfx.types import standard_artifacts
from tfx.types.channel import BaseChannel, Channel

from components.calibration.component import Calibrator
from components.catalogue.example_gen.component import StylesExampleGen
from components.catalogue.schema_gate.component import SchemaGate
from components.catalogue.schema_gate.statistics import statistics_options
from components.evaluation.gates import eval_config
from components.evaluation.quality_report.component import QualityReport
from components.model.layer_names import layer_names
from components.release.baseline import LatestReleasedModelStrategy
from components.release.paired_release import PairedRelease
from components.release.serving_check import server
from components.release.serving_check.component import ServingCheck
from components.source_hash import source_hash
from components.training.hyperparameters import AS_THEY_ARE, HyperParameters
from pipeline.config import PIPELINE_NAME, PipelineConfig
from pipeline.running.record_store import connection_config
from schema import names

_MODULES = "components"


def create_pipeline(config: PipelineConfig) -> pipeline.Pipeline:
    """The whole pipeline for TFX's LocalDagRunner; Beam's arguments are its runner's.

    Raises:
      CatalogueError: there is no catalogue at ``config.data``.
    """
    return pipeline.Pipeline(
        pipeline_name=PIPELINE_NAME,
        pipeline_root=str(config.layout.artifacts),
        metadata_connection_config=connection_config(config.layout),
        components=create_components(config),
        enable_cache=True,
    )


def create_components(config: PipelineConfig, with_baseline: bool = True) -> list[BaseNode]:
    """The components, in the order in which they run.

    ``with_baseline``: whether the candidates are compared with the latest release, which takes a resolver of our own.
    """
    example_gen = StylesExampleGen(
        input_base=str(config.data),
        max_bad=config.max_bad,
        limit=config.limit,
        split_by=config.split_by,
        code=_code("catalogue.example_gen.component"),
    )
    examples = example_gen.outputs["examples"]
    statistics = StatisticsGen(examples=examples, stats_options=statistics_options())
    schema = ImportSchemaGen(schema_file=str(config.schema))
    validator = ExampleValidator(statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"])
    gate = SchemaGate(
        anomalies=validator.outputs["anomalies"],
        statistics=statistics.outputs["statistics"],
        report=example_gen.outputs["report"],
        attributes=json.dumps(config.attributes),
        trial=config.trial,
        code=_code("catalogue.schema_gate.component"),
    )
    transform = Transform(
        examples=examples,
        schema=schema.outputs["schema"],
        preprocessing_fn=f"{_MODULES}.model.preprocessing.preprocessing_fn",
        splits_config=transform_pb2.SplitsConfig(analyze=[names.TRAIN]),
        materialize=False,
        # Statistics of the transformed pictures would decode every one of them, for nobody to read.
        disable_statistics=True,
        custom_config={
            "height": config.hyperparameters.height,
            "width": config.hyperparameters.width,
            "code": _code("model.preprocessing"),
        },
    )
    # ExampleValidator only reports; the gate is what stops a run.
    transform.add_upstream_node(gate)
    provenance = _provenance(config, example_gen)
    trainers = _trainers(examples, transform, config, provenance)
    calibrators = {name: _calibrator(name, trainers, config) for name in trainers}
    models = {name: calibrator.outputs["model"] for name, calibrator in calibrators.items()}
    evaluated = [name for name in models if config.heads(name)]
    resolvers = {name: _baseline(name, calibrators[name], examples) for name in evaluated} if with_baseline else {}
    evaluators = {
        name: _evaluator(name, config, examples, schema, models[name], resolvers.get(name)) for name in evaluated
    }
    return [
        example_gen,
        statistics,
        schema,
        validator,
        gate,
        transform,
        *trainers.values(),
        *calibrators.values(),
        *resolvers.values(),
        *evaluators.values(),
        *_releasing(config, example_gen, trainers, models, evaluators, provenance),
    ]


def _code(*modules: str) -> str:
    return source_hash(*(f"{_MODULES}.{module}" for module in modules))


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _trainers(
    examples: BaseChannel, transform: Transform, config: PipelineConfig, provenance: dict[str, str]
) -> dict[str, Trainer]:
    parameters = config.hyperparameters
    article_type = _trainer(names.ARTICLE_TYPE, config, examples, transform, parameters, provenance)
    base = article_type.outputs["model"]
    category = _trainer(names.CATEGORY, config, examples, transform, _of_category(parameters), provenance, base)
    return {names.ARTICLE_TYPE: article_type, names.CATEGORY: category}


def _of_category(parameters: HyperParameters) -> HyperParameters:
    """The finer labels have taught the backbone what tells the coarser ones apart; its heads learn the rest quickly."""
    if parameters.category_epochs:
        return dataclasses.replace(parameters, epochs=parameters.category_epochs)
    whole = layer_names(parameters.backbone)[-1]
    return dataclasses.replace(parameters, frozen_to=whole, augmentation=AS_THEY_ARE)


def _trainer(
    name: str,
    config: PipelineConfig,
    examples: BaseChannel,
    transform: Transform,
    parameters: HyperParameters,
    provenance: dict[str, str],
    base_model: BaseChannel | None = None,
) -> Trainer:
    return Trainer(
        run_fn=f"{_MODULES}.training.trainer.run_fn",
        examples=examples,
        transform_graph=transform.outputs["transform_graph"],
        base_model=base_model,
        train_args=trainer_pb2.TrainArgs(splits=[names.TRAIN]),
        eval_args=trainer_pb2.EvalArgs(splits=[names.EVAL]),
        custom_config={
            "model": name,
            "heads": [head.name for head in config.heads(name)],
            "levels": list(config.levels),
            "hyperparameters": parameters.of_training(),
            "provenance": provenance,
            "code": _code("training.trainer"),
        },
    ).with_id(f"{_camel(name)}Trainer")


def _calibrator(name: str, trainers: dict[str, Trainer], config: PipelineConfig) -> BaseNode:
    return Calibrator(
        **{f"{trained}_model": trainer.outputs["model"] for trained, trainer in trainers.items()},
        name=name,
        **config.hyperparameters.of_calibration(),
        trial=config.trial,
        code=_code("calibration.component"),
    ).with_id(f"{_camel(name)}Calibrator")


def _provenance(config: PipelineConfig, example_gen: StylesExampleGen) -> dict[str, str]:
    return {
        "profile": config.profile,
        "data": str(config.data),
        "data_fingerprint": example_gen.exec_properties["fingerprint"],
    }


def _baseline(name: str, calibrator: BaseNode, examples: BaseChannel) -> Resolver:
    return Resolver(
        strategy_class=LatestReleasedModelStrategy,
        candidate=calibrator.outputs["model"],
        model=Channel(type=standard_artifacts.Model, producer_component_id=calibrator.id),
        release=Channel(type=standard_artifacts.PushedModel),
        examples=examples,
    ).with_id(f"{_camel(name)}Baseline")


def _evaluator(
    name: str,
    config: PipelineConfig,
    examples: BaseChannel,
    schema: ImportSchemaGen,
    model: BaseChannel,
    baseline: Resolver | None,
) -> Evaluator:
    return Evaluator(
        examples=examples,
        model=model,
        baseline_model=baseline.outputs["model"] if baseline else None,
        eval_config=eval_config(config.heads(name), _code("evaluation.tfma_metrics", "evaluation.gates")),
        example_splits=[names.TEST],
        schema=schema.outputs["schema"],
    ).with_id(f"{_camel(name)}Evaluator")


def _releasing(
    config: PipelineConfig,
    example_gen: StylesExampleGen,
    trainers: dict[str, Trainer],
    calibrated: dict[str, BaseChannel],
    evaluators: dict[str, Evaluator],
    provenance: dict[str, str],
) -> list[BaseNode]:
    models = {f"{name}_model": model for name, model in calibrated.items()}
    runs = {f"{name}_run": trainer.outputs["model_run"] for name, trainer in trainers.items()}
    evaluations = {f"{name}_evaluation": evaluator.outputs["evaluation"] for name, evaluator in evaluators.items()}
    examples = example_gen.outputs["examples"]
    check = ServingCheck(
        **models,
        examples=examples,
        most_p50_ms=config.most_p50_ms,
        code=source_hash(f"{_MODULES}.release.serving_check.component", *server.CODE),
    )
    report = QualityReport(
        **models,
        **evaluations,
        **runs,
        examples=examples,
        catalogue=example_gen.outputs["report"],
        code=_code("evaluation.quality_report.component"),
    )
    release = PairedRelease(
        **models,
        **evaluations,
        serving_check=check.outputs["result"],
        report=report.outputs["report"],
        examples=examples,
        thumbnails=config.thumbnails,
        directory=str(config.layout.releases),
        provenance=json.dumps(
            {
                **provenance,
                "attributes": config.attributes,
                "levels": config.levels,
                "hyperparameters": config.hyperparameters.to_dict(),
                "trial": config.trial,
            },
            sort_keys=True,
        ),
        code=_code("release.paired_release"),
    )
    return [check, report, release]
