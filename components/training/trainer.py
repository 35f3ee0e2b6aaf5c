"""Trains one of the two models: TFX's ``run_fn``, the same for both, told by ``custom_config`` which one it is."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import keras
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from components import plots
from components.model import nearest_pictures
from components.model.classifier import FEATURES, heads_alone, with_features, with_light, with_mirror
from components.model.looks import TOLD
from components.model.signatures import FromFeatures, UncalibratedClassifier
from components.naming.learning import learn_names, name_evidence
from components.naming.model import NameModel
from components.training import devices, training_data, worker
from components.training.eval_outputs import EvalOutputs
from components.training.hyperparameters import HyperParameters
from components.training.loop import METRICS, Counts, built_classifier, learns_heads_alone, train_classifier
from components.training.memory import release_and_settle
from schema import heads as table
from schema import model_card, names
from schema.model_card import HeadCard, ModelCard, TaxonomyPath

BACKBONE_WEIGHTS = "backbone.weights.h5"

Dataset: TypeAlias = tf.data.Dataset


def run_fn(fn_args: Any) -> None:
    """TFX's entry point.

    ``custom_config`` holds ``model`` (one of :data:`schema.heads.MODELS`), ``heads`` (names of its own; where there are
    none, nothing is trained), ``levels`` (names of those that the catalogue tells), ``hyperparameters`` (what
    :meth:`HyperParameters.of_training` gives) and ``provenance`` (free-form, ends up in the model's card). Where there
    is a ``base_model``, the backbone starts from its weights.

    Writes the uncalibrated SavedModel to ``fn_args.serving_model_dir``, :class:`EvalOutputs` and
    :data:`BACKBONE_WEIGHTS` beside it, and checkpoints, metrics, plots and TensorBoard logs to
    ``fn_args.model_run_dir``.
    """
    config = fn_args.custom_config
    parameters = HyperParameters.from_dict(config["hyperparameters"])
    heads = config["heads"]
    # The other model may have been trained in this process before.
    keras.backend.clear_session()
    release_and_settle()
    keras.utils.set_random_seed(parameters.seed)
    transform_output = tft.TFTransformOutput(fn_args.transform_output)
    run_dir = Path(fn_args.model_run_dir)
    run_dir.mkdir(parents=True, exist_ok=True)
    training_data.forget_caches(run_dir)

    training = {**config["provenance"], "hyperparameters": config["hyperparameters"]}
    card = make_card(config["model"], heads, config["levels"], transform_output, parameters, training)
    ids = training_data.read_texts(fn_args.eval_files, [names.ID])[names.ID].tolist()
    saved_model = Path(fn_args.serving_model_dir)
    if not heads:
        save(None, card, EvalOutputs(np.asarray(ids, np.str_), {}, {}, {}), transform_output, saved_model)
        return
    base = Path(fn_args.base_model).parent / BACKBONE_WEIGHTS if fn_args.base_model else None
    labels = training_data.read_labels(fn_args.train_files, transform_output, heads)
    counts = training_data.class_counts(labels, transform_output)
    plain_names = training_data.read_names(fn_args.train_files)
    bare_names = training_data.read_bare_names(fn_args.train_files, plain_names)
    name_model = learn_names(plain_names, bare_names, labels, counts)
    # 40,000 pictures of 128×96 are 1.5 GB: on disk they are read fast enough, and the memory stays free.
    with training_data.cache_folder(run_dir) as cache:
        train, evaluation = (
            training_data.read_split(files, transform_output, heads, f"{cache}/{split}")
            for split, files in ((names.TRAIN, fn_args.train_files), (names.EVAL, fn_args.eval_files))
        )
        evaluation = evaluation.batch(parameters.batch_size)
        trained = trained_elsewhere(fn_args, counts, parameters, base) if devices.wants_own_process() else None
        classifier, backbone = trained or train_classifier(
            config["model"], train, evaluation, counts, parameters, run_dir, base
        )
        told = [read_told(config["model"], files) for files in (fn_args.train_files, fn_args.eval_files)]
        fitted, model = answering_models(classifier, backbone, train, evaluation, parameters, told)
        outputs = eval_outputs(fitted, evaluation, ids, counts)
    if name_model:
        eval_names = training_data.read_names(fn_args.eval_files)
        outputs = dataclasses.replace(outputs, names=name_evidence(name_model, eval_names, heads))
    plots.plot_training(run_dir / METRICS, heads, run_dir)
    known, from_features = nearest_pictures.known_by(model), None
    if known:
        train_ids = training_data.read_texts(fn_args.train_files, [names.ID])[names.ID].tolist()
        card = dataclasses.replace(card, shared_features=shared_features(backbone, [train_ids, ids], parameters))
        from_features = None if known.told else FromFeatures(heads_alone(classifier), known)
    save(model, card, outputs, transform_output, saved_model, name_model, from_features)
    backbone.save_weights(saved_model.parent / BACKBONE_WEIGHTS)


def trained_elsewhere(
    fn_args: Any, counts: Counts, parameters: HyperParameters, base: Path | None
) -> tuple[keras.Model, keras.Model] | None:
    """A classifier that other processes trained, with several workers or on GPUs, and its backbone.

    None where each picture is seen once and heads learn from that: there is nothing worth sharing out.

    Raises:
      RuntimeError: they did not come to an end.
    """
    model, backbone = built_classifier({head: len(rows) for head, rows in counts.items()}, parameters, base)
    if learns_heads_alone(backbone, parameters):
        return None
    call = worker.Call(
        model=fn_args.custom_config["model"],
        heads=list(fn_args.custom_config["heads"]),
        hyperparameters=fn_args.custom_config["hyperparameters"],
        transform_output=fn_args.transform_output,
        train_files=list(fn_args.train_files),
        eval_files=list(fn_args.eval_files),
        run_dir=fn_args.model_run_dir,
        backbone_weights=str(base or ""),
    )
    model.load_weights(worker.train_elsewhere(call))
    return model, backbone


def save(
    model: keras.Model | None,
    card: ModelCard,
    outputs: EvalOutputs,
    transform_output: tft.TFTransformOutput,
    saved_model: Path,
    name_model: NameModel | None = None,
    from_features: FromFeatures | None = None,
) -> None:
    """Writes what calibrating needs: the uncalibrated SavedModel with its card, and its word on the eval split."""
    known = nearest_pictures.known_by(model) if model else None
    told = known.told if known else {}
    heads = [table.head(head) for head in card.heads]
    UncalibratedClassifier(model, transform_output, heads, told, name_model, from_features).save(str(saved_model))
    if known and told:
        count, memory = len(told[names.NEIGHBOUR_IDS]), nearest_pictures.memory_of(known)
        card = dataclasses.replace(card, known_pictures=count, memory=memory)
    model_card.write_file(saved_model, card)
    outputs.save(saved_model.parent)


def shared_features(backbone: keras.Model, ids: Sequence[Sequence[str]], parameters: HyperParameters) -> str:
    """Digest of all that a picture's features and its nearest known pictures depend on.

    Args:
      backbone: trained.
      ids: of the rows of train and eval, in order; the known pictures are the first of each.
      parameters: of the training.
    """
    knobs = ("height", "width", "mirror", "neighbours", "neighbour_layers", "neighbour_signs")
    told = json.dumps([ids, {knob: getattr(parameters, knob) for knob in knobs}])
    digest = hashlib.sha256(told.encode())
    for variable in backbone.variables:
        digest.update(variable.numpy().tobytes())
    return digest.hexdigest()


def read_told(model: str, files: Sequence[str]) -> dict[str, np.ndarray]:
    """What the signature ``neighbours`` says of the rows of a split; nothing for the model that does not have it."""
    columns = {
        names.NEIGHBOUR_IDS: names.ID,
        names.NEIGHBOUR_LABELS: names.ARTICLE_TYPE_LABEL,
        names.NEIGHBOUR_NAMES: names.PRODUCT_NAME,
    }
    if model != names.ARTICLE_TYPE:
        return {}
    texts = training_data.read_texts(files, list(columns.values()))
    return {name: texts[column][: nearest_pictures.MOST_PICTURES] for name, column in columns.items()}


def answering_models(
    model: keras.Model,
    backbone: keras.Model,
    train: Dataset,
    evaluation: Dataset,
    parameters: HyperParameters,
    told: Sequence[Mapping[str, np.ndarray]] = ({}, {}),
) -> tuple[keras.Model, keras.Model]:
    """The model as its confidence is fitted, and as it is served: with its mirror image and its memory, where wanted.

    The served one remembers the eval split too. The other must not: it would know each picture that it is fitted on.
    What was fitted holds for both, a little on the careful side, since the served one errs less.

    Args:
      model: of :func:`components.model.classifier.build_classifier`, trained.
      backbone: the same.
      train: rows ``(uint8[H, W, 3], {head: int64[]})``.
      evaluation: batches of the same; may be empty.
      parameters: of the training.
      told: what can be said of the rows of both, in order; see :class:`components.model.nearest_pictures.Known`.
    """
    seeing = with_features(model, backbone, parameters.neighbour_layer_names()) if parameters.neighbours else model
    answering = with_light(with_mirror(seeing) if parameters.mirror else seeing)
    if not parameters.neighbours:
        return answering, answering
    splits = [rows.take(nearest_pictures.MOST_PICTURES) for rows in (train, evaluation.unbatch())]
    looking = keras.Model(seeing.input, {FEATURES: seeing.output[FEATURES]})  # the rest would lie about in memory
    seen = [_predict(looking, rows.batch(parameters.batch_size)) for rows in splits]
    known = [
        nearest_pictures.Known(outputs[FEATURES], labels, texts)
        for (outputs, labels), texts in zip(seen, told, strict=True)
        if len(outputs[FEATURES])
    ]
    return tuple(
        nearest_pictures.with_neighbours(
            answering, nearest_pictures.joined(*parts), parameters.neighbours, parameters.neighbour_signs
        )
        for parts in (known[:1], known)
    )


def eval_outputs(model: keras.Model, evaluation: Dataset, ids: Sequence[str], counts: Counts) -> EvalOutputs:
    """What calibrating needs: the eval split as a model sees it that does not remember it.

    Args:
      model: the first of :func:`answering_models`.
      evaluation: batches ``(uint8[N, H, W, 3], {head: int64[N]})``; may be empty.
      ids: of the same rows, in the same order.
      counts: rows of each class of each head in training.
    """
    outputs, labels = _predict(model, evaluation)
    votes = {head: nearest_pictures.votes_key(head) for head in counts}
    return EvalOutputs(
        ids=np.asarray(ids, np.str_),
        labels=labels,
        logits={head: outputs[head] for head in counts},
        counts={head: np.asarray(rows) for head, rows in counts.items()},
        votes={head: outputs[key] for head, key in votes.items() if key in outputs},
        signals={key: outputs[key] for key in TOLD if key in outputs},
    )


def make_card(
    name: str,
    head_names: Sequence[str],
    levels: Sequence[str],
    transform_output: tft.TFTransformOutput,
    parameters: HyperParameters,
    training: dict[str, Any],
) -> ModelCard:
    """The card as training leaves it: calibration puts in how sure the model may be."""
    heads = {
        head.name: HeadCard(tuple(training_data.head_labels(transform_output, head.name)), head.column, head.level)
        for head in map(table.head, head_names)
    }
    paths = training_data.path_counts(transform_output, levels)
    return ModelCard(
        model=name,
        height=parameters.height,
        width=parameters.width,
        heads=heads,
        taxonomy=tuple(sorted(TaxonomyPath(path, count) for path, count in paths.items())),
        joint=dict.fromkeys((*levels, model_card.PATH), 1.0),
        training=training,
        levels=tuple(levels),
    )


def _predict(model: keras.Model, batches: Dataset) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Outputs and labels of all rows; where there are none, arrays without a row."""
    predictions = [(model.predict_on_batch(images), labels) for images, labels in batches.as_numpy_iterator()]
    if not predictions:
        outputs = {key: np.zeros((0, *tensor.shape[1:]), np.float32) for key, tensor in model.output.items()}
        return outputs, {head: np.zeros(0, np.int64) for head in batches.element_spec[1]}
    outputs, labels = (
        {key: np.concatenate([batch[key] for batch in batches]) for key in batches[0]}
        for batches in zip(*predictions, strict=True)
    )
    return outputs, labels
