"""What an export tells of itself, as ``manifest.json``: everything beside the weights that an answer needs."""

import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, Final

from pipeline.exporting.converting import INPUT
from schema import names
from schema.model_card import ModelCard
from schema.release_folder import Release

FORMAT: Final = 1
"""Version of the format.

Models that share their features have one ``file``, which gives the outputs of all of them. A reader that opens it once
for each model is right as before, and slower than it need be; so it is no new version.
"""
MANIFEST: Final = "manifest.json"
_PIXELS: Final = (
    "Whole numbers from 0 to 255, RGB: of the picture upright by Exif, transparent pixels white, no colour profile "
    "applied; resized to height × width by a triangle filter that is widened where the picture shrinks, which is "
    "tf.image.resize(antialias=True), then rounded."
)


def make_manifest(
    target: str, release: Release, cards: Mapping[str, ModelCard], features_from: Mapping[str, str]
) -> dict[str, Any]:
    """The document, but for the hashes of the files and the check, which are made with them.

    Args:
        target: ``litert`` or ``browser``.
        release: that was exported.
        cards: by model.
        features_from: model that answers from another's features → that one.
    """
    documents = {model: json.loads(card.to_json()) for model, card in cards.items()}
    shared = next(iter(documents.values()))  # the same in both, as the merger requires
    return {
        "format": FORMAT,
        "made_by": f"lookbook {version('lookbook')}",
        "target": target,
        "release": release.version,
        "created_at": release.manifest.get("created_at"),
        "trial": any(card.trial for card in cards.values()),
        "models": {
            model: _model(card, f"{'models' if features_from else model}.tflite") for model, card in cards.items()
        },
        "levels": shared["levels"],
        "heads": {
            name: {"model": model, **head}
            for model, document in documents.items()
            for name, head in document["heads"].items()
        },
        "taxonomy": shared["taxonomy"],
        "joint": shared["joint"],
        "familiarity": next((one["familiarity"] for one in documents.values() if one["familiarity"]), None),
        "pixels": _PIXELS,
    }


def _model(card: ModelCard, file: str) -> dict[str, Any]:
    outputs = {name: [1, len(head.labels)] for name, head in card.heads.items()}
    if card.familiarity:
        outputs[names.FAMILIARITY] = [1]
    return {
        "file": file,
        "input": {"name": INPUT, "shape": [1, card.height, card.width, 3], "dtype": "float32"},
        "outputs": outputs,
        "known_pictures": card.known_pictures,
        "training": dict(card.training),
    }
