"""The last step of the pipeline: both models become a release, or neither does and the reasons are said."""

import datetime
import importlib.metadata
import json
import logging
import shutil
import tempfile
from pathlib import Path
from typing import Any

import tensorflow as tf
from tfx.dsl.component.experimental.annotations import InputArtifact, OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types import artifact_utils, standard_artifacts
from tfx.utils import io_utils, path_utils

from components.artifacts import QualityReport, ServingCheckResult
from components.errors import GateError
from components.evaluation.results import EvaluationResult, plain_figures
from components.release import product_index
from components.release.card.facts import facts_of
from components.release.card.files import card_files
from components.release.store import ReleaseStore
from components.release.thumbnails import write_thumbnails
from schema import model_card, names
from schema.products.thumbnails import FILE
from schema.release_folder import Release, files_below, sha256

_log = logging.getLogger("lookbook.release")

_PACKAGES = ("tensorflow", "keras", "tfx", "tensorflow-transform", "tensorflow-model-analysis", "numpy", "Pillow")


@component
def PairedRelease(
    article_type_model: InputArtifact[standard_artifacts.Model],
    category_model: InputArtifact[standard_artifacts.Model],
    article_type_evaluation: InputArtifact[standard_artifacts.ModelEvaluation],
    serving_check: InputArtifact[ServingCheckResult],
    report: InputArtifact[QualityReport],
    examples: InputArtifact[standard_artifacts.Examples],
    release: OutputArtifact[standard_artifacts.PushedModel],
    directory: Parameter[str],
    provenance: Parameter[str],
    thumbnails: Parameter[bool],
    code: Parameter[str],
    category_evaluation: InputArtifact[standard_artifacts.ModelEvaluation] = None,
) -> None:
    """Publishes both models under one version.

    Args:
        article_type_model: a calibrated model.
        category_model: the other one.
        article_type_evaluation: the Evaluator's word on the first.
        serving_check: holds ``<model>/tf_serving_warmup_requests`` for both.
        report: folder for people, copied beside the models.
        examples: of whose train and eval splits the thumbnails are.
        release: what was published, with the version, the manifest's path and the uris of both models.
        directory: of the :class:`~components.release.store.ReleaseStore`.
        provenance: JSON object that goes into the manifest: profile, hyper-parameters, data and code hashes.
        thumbnails: whether the release brings small pictures of the products that it knows.
        code: hash of the source; there for TFX's cache alone.
        category_evaluation: the Evaluator's word on the second; none where that has no heads to evaluate.

    Raises:
        GateError: a gate said no.
    """
    models = {names.ARTICLE_TYPE: article_type_model, names.CATEGORY: category_model}
    results = [EvaluationResult(item.uri) for item in (article_type_evaluation, category_evaluation) if item]
    refusals = [sentence for result in results for sentence in result.refusals()]
    if refusals:
        raise GateError("no release: " + "; ".join(refusals))
    store = ReleaseStore(Path(directory))
    sources = {name: model.uri for name, model in models.items()}
    paths = {name: Path(path_utils.serving_model_path(uri)) for name, uri in sources.items()}
    published = _already_published(store, paths)
    if published is None:
        figures = {head: plain_figures(values) for result in results for head, values in result.figures().items()}
        manifest = _manifest(sources, paths, figures, json.loads(provenance))
        extras = {name: Path(serving_check.uri) / name for name in models}
        Path(release.uri).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=release.uri) as folder:
            if model_card.read_file(paths[names.ARTICLE_TYPE]).known_pictures:
                extras[names.ARTICLE_TYPE] = _with_products(
                    extras[names.ARTICLE_TYPE], paths[names.ARTICLE_TYPE], examples, Path(folder), thumbnails
                )
            told = Path(report.uri)
            published = store.publish(paths, extras, told, manifest, lambda whole: card_files(facts_of(whole, told)))
    _log.info("release %d is current in %s", published.version, directory)
    release.set_int_custom_property("version", published.version)
    release.set_string_custom_property("manifest", str(store.manifest_path(published.version)))
    release.set_string_custom_property("model_uris", "\n".join(sources.values()))


def _with_products(
    extra: Path, model: Path, examples: standard_artifacts.Examples, folder: Path, thumbnails: bool
) -> Path:
    """A folder with what is in ``extra``, and what helps to find and show known products."""
    both = Path(shutil.copytree(extra, folder / "extra"))
    uris = (artifact_utils.get_split_uri([examples], split) for split in (names.TRAIN, names.EVAL))
    splits = [tf.io.gfile.glob(io_utils.all_files_pattern(uri)) for uri in uris]
    has_index = product_index.is_wanted(splits)
    if has_index:
        _log.info("%d products are in the index", product_index.write_index(model, splits, both))
    if thumbnails:
        write_thumbnails(splits, both / FILE, all_of_them=has_index)
    return both


def _already_published(store: ReleaseStore, paths: dict[str, Path]) -> Release | None:
    # A run killed between the manifest and MLMD's record of it must not publish the same pair twice. Where models lie
    # tells nothing: a record that was begun anew numbers new ones as the old one did.
    current = store.current()
    if current is None:
        return None
    published = current.manifest.get("models", {})
    is_same = all(_files(path) <= _recorded(published.get(name, {})) for name, path in paths.items())
    return current if is_same else None


def _files(model: Path) -> set[tuple[str, str]]:
    return {(name, sha256(model / name)) for name in files_below(model)}


def _recorded(published: dict[str, Any]) -> set[tuple[str, str]]:
    """The same of a release's model, which has more beside; version 0.1 recorded none."""
    return set((published.get("files") or {}).items())


def _manifest(
    sources: dict[str, str], paths: dict[str, Path], figures: dict[str, Any], provenance: dict[str, Any]
) -> dict[str, Any]:
    return {
        "created_at": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "models": {name: {"source": source} for name, source in sources.items()},
        "metrics": figures,
        "classes": _class_counts(paths),
        "packages": {package: importlib.metadata.version(package) for package in _PACKAGES},
        **provenance,
    }


def _class_counts(paths: dict[str, Path]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for path in paths.values():
        card = model_card.read_file(path)
        counts |= {name: len(head.labels) for name, head in card.heads.items()}
        counts["taxonomy_paths"] = len(card.taxonomy)
    return counts
