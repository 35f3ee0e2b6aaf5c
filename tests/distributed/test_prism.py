"""Beam's steps on Prism, by workers that share the data and the root with who submits, and nothing else."""

import dataclasses
import json
import shutil
from pathlib import Path

import pytest
import tensorflow_data_validation as tfdv

from components.catalogue.sample import draw_catalogue
from pipeline.config import Layout, PipelineConfig
from pipeline.profiles import PROFILES
from pipeline.running.engines import Engine
from schema import names
from tests.distributed.prism import HOUSE, far_workers, missing, prism
from tests.preparing import files, prepare

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())


@pytest.fixture(scope="module")
def roots():
    """The roots of a run here and of one on Prism; not below /tmp, since the workers have one of their own."""
    home = HOUSE / "build" / "distributed"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    draw_catalogue(home / "sample", count=300)
    config = PipelineConfig(Layout(home / "here"), home / "sample", "quick", PROFILES["quick"], trial=True)
    prepare(config)
    with prism(home) as job_server, far_workers(home) as pool:
        engine = Engine("prism", job_server, f"external:{pool}")
        prepare(dataclasses.replace(config, layout=Layout(home / "prism"), engine=engine))
    return home / "here", home / "prism"


def test_examples_are_the_same_to_the_byte(roots):
    """Every file of examples has the same bytes, whoever wrote it."""
    for split in names.SPLITS:
        here, there = (files(root, f"StylesExampleGen/examples/*/Split-{split}/*") for root in roots)
        assert here.keys() == there.keys()
        assert all(here[name].read_bytes() == there[name].read_bytes() for name in here)
        assert here


def test_reports_and_findings_are_the_same(roots):
    """The report on the catalogue is the same, and so is each single finding, whatever the order they came in."""
    here, there = (
        json.loads(next(iter(files(root, "StylesExampleGen/report/*/report.json").values())).read_text())
        for root in roots
    )
    assert here == there
    lines = [
        sorted(line for file in files(root, "StylesExampleGen/report/*/findings*").values() for line in file.open())
        for root in roots
    ]
    assert lines[0] == lines[1]


def test_statistics_and_vocabularies_are_the_same(roots):
    """What the models are made of: counts of each feature, and the labels with their ids."""
    here, there = (statistics(root) for root in roots)
    assert here == there
    vocabularies = [files(root, "Transform/transform_graph/*/transform_fn/assets/*") for root in roots]
    assert vocabularies[0].keys() == vocabularies[1].keys()
    assert vocabularies[0]
    for name, path in vocabularies[0].items():
        assert path.read_bytes() == vocabularies[1][name].read_bytes(), name


def statistics(root: Path) -> dict[str, dict[str, int]]:
    """Split → feature → how many rows have it."""
    found = {}
    for split in names.SPLITS:
        [file] = (root / "artifacts").glob(f"StatisticsGen/statistics/*/Split-{split}/*")
        [dataset] = tfdv.load_stats_binary(str(file)).datasets
        found[split] = {feature.path.step[0]: _figures(feature) for feature in dataset.features}
    return found


def _figures(feature) -> tuple:
    stats = getattr(feature, feature.WhichOneof("stats"))
    return stats.common_stats.num_non_missing, getattr(stats, "unique", 0)
