"""What a Hugging Face data set tells of its classes beside its files: in the head of README.md, or in a JSON file."""

import json
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any, Final

import yaml

from components.catalogue.importing.sources.files import Files
from components.catalogue.reading.errors import CatalogueError

_README: Final = "README.md"
_INFOS: Final = ("dataset_infos.json", "dataset_info.json")
_FENCE: Final = "---"


def told_classes(files: Files) -> dict[str, list[str]]:
    """Column → names of its classes, in the order of their numbers; none where nothing tells them.

    It is a courtesy of another tool, and often cut or wrong: what cannot be read tells nothing, and numbers are labels.
    """
    for name in files.names:
        base = PurePosixPath(name).name
        if base in (_README, *_INFOS):
            try:
                text = files.read_sheet(name).decode("utf-8")
                found = _of_readme(text) if base == _README else _of_info(json.loads(text))
            except (CatalogueError, ValueError, yaml.YAMLError, AttributeError, KeyError, TypeError, RecursionError):
                continue
            if found:
                return found
    return {}


def classes_of(features: dict[str, Any]) -> dict[str, list[str]]:
    """The same, of features as the library writes them into its files."""
    return {
        name: [str(label) for label in one["names"]]
        for name, one in features.items()
        if isinstance(one, dict) and one.get("_type") == "ClassLabel"
    }


def _of_info(document: Any) -> dict[str, list[str]]:
    """Of one configuration, or of the first of several that has classes."""
    infos = [document] if "features" in document else list(document.values())
    return next(filter(None, (classes_of(info["features"]) for info in infos)), {})


def _of_readme(text: str) -> dict[str, list[str]]:
    if not text.startswith(_FENCE):
        return {}
    told = yaml.safe_load(text.split(f"\n{_FENCE}", 1)[0].removeprefix(_FENCE))["dataset_info"]
    infos = told if isinstance(told, list) else [told]
    return next(filter(None, (_of_features(info["features"]) for info in infos)), {})


def _of_features(features: Iterable[dict[str, Any]]) -> dict[str, list[str]]:
    labels = {one["name"]: one["dtype"]["class_label"]["names"] for one in features if isinstance(one["dtype"], dict)}
    return {
        name: [str(of[key]) for key in sorted(of, key=int)] if isinstance(of, dict) else list(map(str, of))
        for name, of in labels.items()
    }
