"""Catalogues that lack a level of the taxonomy: from folders of classes to an answer that says what it lacks."""

import csv
import json
import shutil
import urllib.request
from pathlib import Path

import pytest

from schema import names
from schema.release_folder import ReleaseFolder
from serving.client import ClassifierClient
from serving.local.stack import stack
from serving.proto.json_view import as_json
from tests.e2e.conftest import Home, read_json
from tests.e2e.small_catalogue import SETTINGS, draw_small_catalogue

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

NONE_OF_IT = "The catalogue that release {} learnt from has no {}."


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """Picture → row of the smallest catalogue, with more than one master category."""
    folder = draw_small_catalogue(tmp_path_factory.mktemp("drawn") / "catalogue")
    return with_master_categories(folder)


def with_master_categories(folder):
    """Each sub-category gets one of its own: an outer folder that all pictures share would be no label."""
    with (folder / names.STYLES_CSV).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row[names.MASTER_CATEGORY_LABEL] = f"All {row[names.SUB_CATEGORY_LABEL]}"
    with (folder / names.STYLES_CSV).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return {folder / names.IMAGES_DIR / f"{row[names.ID]}.jpg": row for row in rows}


def class_folders(rows, folder, *columns):
    """The same pictures without a sheet, each in the folders of its labels."""
    for picture, row in rows.items():
        place = folder.joinpath(*(row[column] for column in columns))
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(picture, place)
    return folder


@pytest.fixture(scope="module")
def home(rows, tmp_path_factory):
    """Three releases of one root: of types alone, of types below a master category, and of all levels."""
    folder = tmp_path_factory.mktemp("levels")
    home = Home(folder / "root", class_folders(rows, folder / "types", names.ARTICLE_TYPE_LABEL))
    said = home.run(*SETTINGS).stdout
    assert "has no masterCategory and no subCategory: the release will tell articleType alone" in said
    masters = class_folders(rows, folder / "masters", names.MASTER_CATEGORY_LABEL, names.ARTICLE_TYPE_LABEL)
    Home(home.root, masters).run(*SETTINGS)
    Home(home.root, next(iter(rows)).parents[1]).run(*SETTINGS)
    return home


def card_of(home, model, version):
    return read_json(home.root / "release" / model / str(version) / "assets.extra" / "card.json")


def test_the_models_carry_the_levels_that_there_are(home):
    """Each release has both models. What the category model has is what the catalogue has, down to nothing at all."""
    levels = [card_of(home, names.ARTICLE_TYPE, version)["levels"] for version in (1, 2, 3)]
    assert levels == [
        [names.ARTICLE_TYPE],
        [names.MASTER_CATEGORY, names.ARTICLE_TYPE],
        [names.MASTER_CATEGORY, names.SUB_CATEGORY, names.ARTICLE_TYPE],
    ]
    for version, of in enumerate(levels, 1):
        assert [*card_of(home, names.CATEGORY, version)["heads"]] == of[:-1]
        assert [*card_of(home, names.ARTICLE_TYPE, version)["taxonomy"][0]] == [*of, "count"]


def test_manifest_report_and_list_speak_of_the_levels_that_there_are(home):
    """Figures are of heads that exist, and the report says which do not."""
    releases = ReleaseFolder(home.root / "release").releases()
    assert [sorted(release.manifest["metrics"]) for release in releases] == [
        [names.ARTICLE_TYPE],
        [names.ARTICLE_TYPE, names.MASTER_CATEGORY],
        [names.ARTICLE_TYPE, names.MASTER_CATEGORY, names.SUB_CATEGORY],
    ]
    reports = [(home.root / "release" / "reports" / str(one) / "index.html").read_text("utf-8") for one in (1, 2, 3)]
    assert "The catalogue has no sub category and no master category" in reports[0]
    assert "The catalogue has no sub category, so" in reports[1]
    assert "The catalogue has no" not in reports[2]
    first, second, _ = home.lookbook("releases").stdout.splitlines()
    assert "master_category" not in first and "master_category" in second and "sub_category" not in second


def test_what_is_not_there_is_trained_and_evaluated_by_nobody(home):
    """The record has no evaluation of a model without heads, and none is compared with one."""
    states = home.executions()
    assert states["CategoryEvaluator"] == ["COMPLETE"] * 2
    assert states["ArticleTypeEvaluator"] == ["COMPLETE"] * 3


@pytest.mark.parametrize(
    ("back", "absent", "told"),
    [
        (2, [names.MASTER_CATEGORY, names.SUB_CATEGORY], [names.ARTICLE_TYPE_LABEL]),
        (1, [names.SUB_CATEGORY], [names.MASTER_CATEGORY_LABEL, names.ARTICLE_TYPE_LABEL]),
    ],
)
def test_answers_say_which_level_is_not_there(home, rows, tmp_path, back, absent, told):
    """Null, with the reason, over gRPC and REST alike; in the table the column stays, and is empty.

    A score on a catalogue with every level counts those that the release tells.
    """
    root = tmp_path / "root"
    shutil.copytree(home.root / "release", root / "release")
    there = Home(root, home.data)
    for _ in range(back):
        there.lookbook("rollback")
    version = 3 - back
    picture = next(iter(rows))
    _of_the_stack(root, picture, version, absent)
    there.lookbook("classify", picture.parent, "--out", tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == len(rows) and not any(line["error"] for line in lines)
    levels = (names.MASTER_CATEGORY_LABEL, names.SUB_CATEGORY_LABEL, names.ARTICLE_TYPE_LABEL)
    assert {column for column in levels if any(line[column] for line in lines)} == set(told)
    assert [column for column in lines[0] if column in levels] == list(levels)
    _of_bulk(there, picture.parent, lines, tmp_path / "bulk.csv")
    _of_the_score(there, picture.parents[1], told)


def _of_bulk(home: Home, folder: Path, lines: list[dict[str, str]], out: Path) -> None:
    """The same rows as the merger's, without one."""
    home.lookbook("classify", "--input", folder, "--output", out)
    [file] = out.glob("*.csv")
    with file.open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    figures = ("confidence", "familiarity")
    for row, line in zip(rows, lines, strict=True):
        assert {k: v for k, v in row.items() if k not in figures} == {k: v for k, v in line.items() if k not in figures}
        for name in figures:
            assert float(row[name] or -1) == pytest.approx(float(line[name] or -1), abs=1e-6)


def _of_the_stack(root: Path, picture: Path, version: int, absent: list[str]) -> None:
    with stack(root / "release", logs=root / "logs") as running:
        with ClassifierClient(running.grpc_target) as client:
            answer = client.classify(picture.read_bytes())
        kind = {"Content-Type": "image/jpeg"}
        request = urllib.request.Request(f"{running.http_url}/v1/classify", picture.read_bytes(), kind)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as response:
            document = json.load(response)
    reasons = [{"level": level, "message": NONE_OF_IT.format(version, level.replace("_", " "))} for level in absent]
    for view in (as_json(answer), document):
        assert view["absent_levels"] == reasons
        assert not view["partial"] and view["missing"] == []
        assert all(view[level] is None and view["joint"][level] is None for level in absent)
        assert all(path[level] is None for path in view["joint"]["top_k"] for level in absent)
        assert view["path"] and None not in view["path"] and "" not in view["path"]
        assert 0 < view["joint"]["confidence"] < 1
        assert view["agreement"]["agree"] is None if len(absent) == 2 else view["agreement"]["agree"] is not None
        assert [model["name"] for model in view["models"]] == [names.ARTICLE_TYPE, names.CATEGORY][: 3 - len(absent)]


def _of_the_score(there: Home, catalogue: Path, told: list[str]) -> None:
    score = json.loads(there.lookbook("score", "--data", catalogue, "--json").stdout)
    columns = {names.MASTER_CATEGORY_LABEL: names.MASTER_CATEGORY, names.ARTICLE_TYPE_LABEL: names.ARTICLE_TYPE}
    assert [*score["heads"]] == [columns[column] for column in reversed(told)]
    right = [score["joint"][columns[column]]["top_1"] for column in told]
    assert 0 < score["joint"]["all_right"] <= min(right)
