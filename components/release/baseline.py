"""Resolves the baseline of an evaluation: the model of the latest release that is not the candidate itself."""

from pathlib import Path

from ml_metadata import MetadataStore
from tfx import types
from tfx.dsl.components.common import resolver
from tfx.utils import path_utils

from schema import model_card
from schema.release_folder import ReleaseFolder

CANDIDATE = "candidate"
MODEL = "model"
RELEASE = "release"


class LatestReleasedModelStrategy(resolver.ResolverStrategy):
    """Picks from all models of a calibrator the newest that was released before the candidate.

    Takes three channels: ``candidate`` (the model to be evaluated), ``model`` (all models of that calibrator) and
    ``release`` (all releases). Leaving out the candidate and what came after it keeps a re-run without a change from
    evaluating a model against itself, and from missing the cache for that.
    """

    def resolve_artifacts(
        self, store: MetadataStore, input_dict: dict[str, list[types.Artifact]]
    ) -> dict[str, list[types.Artifact]]:
        """Returns ``{"model": [baseline]}``, or an empty list where nothing was released before."""
        candidate = max((model.id for model in input_dict[CANDIDATE]), default=0)
        released = {uri for release in input_dict[RELEASE] for uri in _released_models(release)}
        earlier = [model for model in input_dict[MODEL] if model.id < candidate and model.uri in released]
        newest = [model for model in sorted(earlier, key=lambda model: model.id)[-1:] if _has_heads(model)]
        return {key: newest if key == MODEL else [] for key in input_dict}


def _has_heads(model: types.Artifact) -> bool:
    """Whether there is anything to compare with: the catalogue of that release may have had nothing for this model."""
    return bool(model_card.read_file(Path(path_utils.serving_model_path(model.uri))).heads)


def _released_models(release: types.Artifact) -> list[str]:
    """Uris of the models of a release that still stands; a release that was rolled back is no measure."""
    manifest = Path(release.get_string_custom_property("manifest"))
    stands = ReleaseFolder(manifest.parents[1]).is_release(release.get_int_custom_property("version"))
    return release.get_string_custom_property("model_uris").split("\n") if stands else []
