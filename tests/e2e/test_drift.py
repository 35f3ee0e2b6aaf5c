"""Drift, through the whole stack: the pictures that the release knows are none, others are named by what drifted."""

import csv
import io
import json

import pytest
from PIL import Image, ImageEnhance

from schema import names
from serving.client import ClassifierClient
from serving.local.stack import stack

pytestmark = pytest.mark.timeout(3600)


def rows(home):
    with (home.data / names.STYLES_CSV).open(encoding="utf-8", newline="") as sheet:
        return list(csv.DictReader(sheet))


def picture(home, row):
    return (home.data / names.IMAGES_DIR / f"{row['id']}.jpg").read_bytes()


def everything(home):
    return [picture(home, row) for row in rows(home)]


def shoes_alone(home):
    return [picture(home, row) for row in rows(home) if row[names.MASTER_CATEGORY_LABEL] == "Footwear"]


def in_the_dark(home):
    return [_darkened(picture(home, row)) for row in rows(home)[::5]]


def a_handful(home):
    return shoes_alone(home)[:6]


def _darkened(image):
    file = io.BytesIO()
    ImageEnhance.Brightness(Image.open(io.BytesIO(image)).convert("RGB")).enhance(0.35).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("pictures", "named"),
    [
        (everything, set()),
        (shoes_alone, {names.MASTER_CATEGORY}),
        (in_the_dark, {"brightness", names.FAMILIARITY}),
        (a_handful, set()),
    ],
)
def test_what_drifted_is_named(home, tmp_path, pictures, named):
    """The catalogue itself is no drift; nothing but shoes is one of labels, dark pictures one of brightness and of
    familiarity, and six shoes are too few to tell."""
    with (
        stack(home.root / "release", logs=tmp_path / "logs") as running,
        ClassifierClient(running.grpc_target) as client,
    ):
        asked = [(str(i), image) for i, image in enumerate(pictures(home))]
        assert all(result.HasField("answer") for result in client.classify_stream(asked))
        source = running.metrics_url.removesuffix("/metrics")
        report = tmp_path / "drift.html"
        result = home.lookbook("drift", source, "--json", "--report", report, rooted=False, check=False)
    found = json.loads(result.stdout)
    assert found["pictures"] == len(asked)
    assert named <= set(found["drifted"]) and bool(named) == bool(found["drifted"]), found["drifted"]
    assert result.returncode == bool(named)
    assert "brightness" in report.read_text(encoding="utf-8")
