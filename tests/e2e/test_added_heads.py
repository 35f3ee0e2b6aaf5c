"""A head that was a row of the table a moment ago: from the catalogue's CSV to the merged answer."""

import csv
import json

import pytest

from components.catalogue.example_gen.stream import LabelledPictures
from pipeline.config import Layout, PipelineConfig
from pipeline.profiles import PROFILES
from pipeline.running.run import run_pipeline
from pipeline.scoring import ReleasedModels, score_catalogue
from schema import heads, names
from tests.e2e.conftest import Home, read_json
from tests.e2e.small_catalogue import CHOICES, draw_small_catalogue

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

FABRIC = heads.Head("fabric", "fabric", names.CATEGORY)
YEAR = heads.Head("made_in", names.YEAR, names.CATEGORY)
CLOTHS = ("Leather", "Canvas")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A release with gender, then one with two heads that the table did not have before; some cells are empty."""
    folder = tmp_path_factory.mktemp("heads")
    home = Home(folder / "root", draw_small_catalogue(folder / "catalogue"))
    add_a_column(home.data / names.STYLES_CSV)
    parameters = PROFILES["quick"].with_settings(CHOICES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(heads, "HEADS", (*heads.HEADS, FABRIC, YEAR))
        for attributes in (("gender",), ("fabric", "year", "gender")):
            config = PipelineConfig(
                Layout(home.root), home.data, "quick", parameters, attributes=attributes, trial=True
            )
            run_pipeline(config, say=print)
        yield home


def add_a_column(path):
    """What the products are made of, which one in three rows does not tell; nor does one in four tell the gender."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows):
        row["fabric"] = "" if number % 3 == 2 else CLOTHS[number % 2]
        row[names.GENDER] = "" if number % 4 == 3 else row[names.GENDER]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def card_of(home, version):
    return read_json(home.root / "release" / names.CATEGORY / str(version) / "assets.extra" / "card.json")


def test_a_row_of_the_table_is_a_head_of_the_model(home):
    """The card has the head with its column and without a level, and only labels that stand in a cell."""
    described = card_of(home, 2)["heads"]
    assert set(described) == {names.MASTER_CATEGORY, names.SUB_CATEGORY, "gender", "fabric", "made_in"}
    assert (described["fabric"]["column"], described["fabric"]["level"]) == ("fabric", None)
    assert set(described["fabric"]["labels"]) == set(CLOTHS)
    assert set(described["made_in"]["labels"]) <= {str(year) for year in range(2010, 2020)}


def test_one_more_attribute_trains_the_one_model(home):
    """The article type model stays as it was, and the new one is compared with a release that lacks the head."""
    states = home.executions()
    assert states["ArticleTypeTrainer"] == ["COMPLETE", "CACHED"]
    assert states["CategoryTrainer"] == ["COMPLETE", "COMPLETE"]
    assert [path.name for path in home.manifests()] == ["1.json", "2.json"]


def test_figures_count_the_rows_that_have_a_label(home):
    """The manifest's and the score's figures of a head are of the rows with a value in its column."""
    with (home.data / names.STYLES_CSV).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    manifest = read_json(home.manifests()[1])
    assert manifest["attributes"] == ["gender", "fabric", "made_in"]
    assert manifest["metrics"]["fabric"]["count"] <= manifest["metrics"][names.SUB_CATEGORY]["count"]
    document = score_catalogue(ReleasedModels(home.root / "release"), LabelledPictures(home.data)).as_json()
    assert document["heads"]["fabric"]["count"] == sum(bool(row["fabric"]) for row in rows) == 20
    assert document["heads"]["gender"]["count"] == sum(bool(row[names.GENDER]) for row in rows)
    assert document["heads"][names.SUB_CATEGORY]["count"] == len(rows) == 30


def test_the_report_shows_it(home):
    """The page of the release has a section on the head."""
    assert "fabric" in (home.root / "release" / "reports" / "2" / "index.html").read_text(encoding="utf-8")


def test_the_merged_answer_tells_it(home):
    """A stack of processes whose table has no such row answers with the head all the same, since the card has it."""
    picture = next((home.data / names.IMAGES_DIR).glob("*.jpg"))
    (one,) = json.loads(home.lookbook("classify", picture, "--json").stdout)
    attributes = {attribute["head"]: attribute for attribute in one["answer"]["attributes"]}
    assert set(attributes) == {"gender", "fabric", "made_in"}
    assert attributes["fabric"]["label"] in CLOTHS
