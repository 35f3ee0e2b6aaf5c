"""Makes an export: written beside its place, held to the release, then renamed; whatever fails leaves nothing."""

import hashlib
import json
import runpy
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np

import serving
from components.release import durable
from pipeline.errors import RunError
from pipeline.exporting.checking import check, check_pictures
from pipeline.exporting.converting import convert
from pipeline.exporting.manifest import MANIFEST, make_manifest
from pipeline.exporting.packing import PACKING, packed, round_weights
from pipeline.scoring import ReleasedModels
from schema import heads as table
from schema import model_card
from schema.release_folder import CARD, ReleaseFolder, files_below, sha256

EXAMPLE: Final = Path(__file__).parent / "templates" / "classify.py"
TOLERANCE: Final = 2e-3
BROWSER_TOLERANCE: Final = 1e-2

PAGE: Final = Path(serving.__file__).parent / "web" / "dist-tab"
PACKED: Final = ".packed"
PAGE_WORKER: Final = "sw.js"
PAGE_WORKER_DIGEST: Final = "EXPORT"
"""What stands in the service worker for the export's own digest."""

Say = Callable[[str], object]


def export_litert(releases: Path, version: int | None, target: Path, say: Say) -> dict[str, Any]:
    """Writes a release as LiteRT models with all that an answer needs, and an example that answers.

    Args:
        releases: the folder of releases.
        version: of the release; None: the current one.
        target: a folder that is not there yet.
        say: takes a line of progress.

    Returns:
        The manifest.

    Raises:
        RunError: there is no such release, the folder is there already, or the models answer otherwise.
    """
    with _staged(target) as folder:
        models = ReleasedModels(releases, version)
        manifest = _write_models("litert", models, releases, folder, say)
        shutil.copy(EXAMPLE, folder)
        found = check(models, check_pictures(releases, models.version), answering(folder), TOLERANCE)
        return _finish(folder, manifest | {"check": asdict(found)})


def export_browser(releases: Path, version: int | None, target: Path, say: Say) -> dict[str, Any]:
    """Writes a release as a folder of static files: the page, with the models in it.

    Args and returns as :func:`export_litert`.

    Raises:
        RunError: as there, and where the page is not built.
    """
    if not (PAGE / "index.html").is_file():
        raise RunError(f"the page is not built: {PAGE} is missing; build it with: make page, which needs node 20")
    with _staged(target) as folder:
        shutil.copytree(PAGE, folder, dirs_exist_ok=True)
        models = ReleasedModels(releases, version)
        manifest = _write_models("browser", models, releases, folder, say, round_weights)
        shutil.copy(EXAMPLE, folder)
        found = check(models, check_pictures(releases, models.version), answering(folder), BROWSER_TOLERANCE)
        (folder / EXAMPLE.name).unlink()  # it was here to ask by; in a browser it is of no use
        _pack(folder, manifest)
        _stamp(folder)
        return _finish(folder, manifest | {"check": asdict(found)})


def _pack(folder: Path, manifest: dict[str, Any]) -> None:
    for file in {folder / model["file"] for model in manifest["models"].values()}:
        file.with_suffix(PACKED).write_bytes(packed(file.read_bytes()))
        file.unlink()
    for model in manifest["models"].values():
        model |= {"file": str(Path(model["file"]).with_suffix(PACKED)), "packing": PACKING}


def _stamp(folder: Path) -> None:
    """Makes the service worker this export's own, so that browsers that know an older one see that it is another."""
    worker = folder / PAGE_WORKER
    digests = "".join(sha256(folder / name) for name in sorted(files_below(folder)))
    digest = hashlib.sha256(digests.encode()).hexdigest()
    worker.write_text(worker.read_text(encoding="utf-8").replace(PAGE_WORKER_DIGEST, digest[:16]), encoding="utf-8")


@contextmanager
def _staged(target: Path) -> Iterator[Path]:
    """A folder beside ``target`` that becomes it, once all is well."""
    if target.exists() or target.is_symlink():
        raise RunError(f"{target} is there already; give a folder that is not, or remove it")
    durable.make_folder(target.parent)
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as beside:
        folder = Path(beside) / "export"
        folder.mkdir()
        yield folder
        durable.sync_tree(folder)
        durable.rename(folder, target)


def _write_models(
    target: str,
    models: ReleasedModels,
    releases: Path,
    folder: Path,
    say: Say,
    prepare: Callable[[Any], None] = lambda graph: None,
) -> dict[str, Any]:
    """Writes the models and the release's card; gives the manifest so far."""
    store = ReleaseFolder(releases)
    release = next(one for one in store.releases() if one.version == models.version)
    cards = {model: model_card.read_file(store.model_path(model, models.version)) for model in table.MODELS}
    manifest = make_manifest(target, release, cards, models.release.features_from)
    for file in sorted({one["file"] for one in manifest["models"].values()}):
        within = [model for model, one in manifest["models"].items() if one["file"] == file]
        say(f"converting {' and '.join(within)} …")
        content = convert([(models.saved_models[model], cards[model]) for model in within], prepare=prepare)
        (folder / file).write_bytes(content)
    page = store.report_path(models.version) / CARD
    if page.is_file():
        shutil.copy(page, folder / CARD)
    _write_manifest(folder, manifest)
    return manifest


def answering(folder: Path) -> Callable[[bytes], Mapping[str, np.ndarray]]:
    """The example's own way from a file to scores, by the code that lies in the export."""
    example = runpy.run_path(str(folder / EXAMPLE.name))  # an import would leave bytecode in the export
    return lambda file: dict(example["scores"](example["shown"](file)))


def _finish(folder: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    """Writes the manifest with the hashes of all other files; gives it."""
    files = {name: sha256(folder / name) for name in files_below(folder) if name != MANIFEST}
    whole = manifest | {"files": files}
    _write_manifest(folder, whole)
    return whole


def _write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    text = json.dumps(manifest, ensure_ascii=False, indent=1)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")
