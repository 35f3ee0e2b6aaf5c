"""Catalogues so small that nothing can be promised about them still become a release that answers."""

import pytest

from schema import names
from tests.e2e.conftest import Home, read_json
from tests.e2e.small_catalogue import SETTINGS, draw_small_catalogue

pytestmark = pytest.mark.timeout(3600)
# An epoch of the heads alone may be the best one of so few rows, and then one network would do for both models.
RECIPE = (*SETTINGS, "--set", "head_epochs=0")


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    """30 pictures of two article types, and a third type that has a single row."""
    return draw_small_catalogue(tmp_path_factory.mktemp("small") / "catalogue")


def test_thirty_pictures_become_a_release(catalogue, tmp_path):
    """Two classes and one with a single row train, pass gates that know what noise is, and are released, by the
    recipe in which the category model starts from the other's backbone."""
    home = Home(tmp_path / "root", catalogue)
    home.run(*RECIPE)
    card = read_json(home.root / "release" / names.CATEGORY / "1" / "assets.extra" / "card.json")
    assert sum(path["count"] for path in card["taxonomy"]) <= 30
    assert card["training"]["hyperparameters"]["epochs"] == 1
    _says_trial(home, card)
    _is_exported(home)
    runs = home.root / "artifacts" / "CategoryTrainer" / "model_run"
    assert len(next(runs.glob("*/metrics.csv")).read_text().splitlines()) == 2  # a header, and an epoch of all
    _change_a_threshold(home)


def _says_trial(home, card):
    """A release on three test pictures says what it is wherever it is met; without being asked for there is none."""
    assert card["trial"] is True
    assert read_json(home.manifests()[0])["trial"] is True
    assert "<strong>TRIAL.</strong>" in (home.root / "release" / "reports" / "1" / "index.html").read_text("utf-8")
    assert "TRIAL" in home.lookbook("releases").stdout
    picture = next((home.data / "images").glob("*.jpg"))
    assert "TRIAL" in home.lookbook("classify", picture).stdout
    refused = home.run(*(word for word in RECIPE if word != "--trial"), check=False)
    assert refused.returncode == 1
    assert "50 are needed" in refused.stderr
    assert len(home.manifests()) == 1


def _is_exported(home):
    """Models that each look by themselves are a file each, and answer as they are served."""
    home.lookbook("export", home.root / "export", "--to", "litert")
    manifest = read_json(home.root / "export" / "manifest.json")
    assert [one["file"] for one in manifest["models"].values()] == ["article_type.tflite", "category.tflite"]
    assert manifest["check"]["largest_difference"] <= manifest["check"]["tolerance"] == 2e-3


def _change_a_threshold(home):
    """Another review precision is calibrated, evaluated and released anew, and nothing is trained, by MLMD's record."""
    home.run(*RECIPE, "--set", "review_precision=0.6")
    newest = {node: states[-1] for node, states in home.executions().items()}
    for node in ("StylesExampleGen", "Transform", "ArticleTypeTrainer", "CategoryTrainer"):
        assert newest[node] == "CACHED", node
    for node in ("Calibrator", "Evaluator"):
        assert newest[f"ArticleType{node}"] == newest[f"Category{node}"] == "COMPLETE", node
    card = read_json(home.root / "release" / names.CATEGORY / "2" / "assets.extra" / "card.json")
    assert card["training"]["hyperparameters"]["review_precision"] == 0.6
