"""What a changed file re-runs: TFX makes a component's cache key of its settings, and a hash of its code is one."""

import pytest

from components import source_hash
from components.catalogue.sample import draw_catalogue
from pipeline.config import Layout, PipelineConfig
from pipeline.pipeline import create_components
from pipeline.profiles import PROFILES

HASHES = ("_source", "_files", "_house_imports")


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    draw_catalogue(folder / "sample", count=40)
    return PipelineConfig(Layout(folder / "root"), folder / "sample", "quick", PROFILES["quick"])


def forget():
    for name in HASHES:
        getattr(source_hash, name).cache_clear()


def keys(config):
    """Component → what of its cache key is not made of other components' outputs."""
    forget()
    found = {one.id: str(sorted(one.exec_properties.items())) for one in create_components(config)}
    forget()
    return found


@pytest.mark.parametrize(
    ("changed", "kind"),
    [
        ("serving.model_server.models.batching", "_source"),
        ("serving.model_server.api.predict", "_source"),
        ("serving.tensorflow_serving.local", "_source"),
        ("serving.tensorflow_serving.local", "_files"),  # start.flags, batching.config, models.config
    ],
)
def test_a_changed_model_server_is_checked_again(config, monkeypatch, changed, kind):
    """A file of the model server, or its configuration, re-runs the check that serves by it, and nothing before it."""
    before = keys(config)
    read = getattr(source_hash, kind)

    def read_changed(module):
        found = read(module)
        return found + b"changed" if module == changed else found

    read_changed.cache_clear = read.cache_clear
    monkeypatch.setattr(source_hash, kind, read_changed)
    after = keys(config)
    assert {name for name in after if after[name] != before[name]} == {"ServingCheck"}


def test_the_same_code_has_the_same_key(config):
    """Nothing re-runs for no reason."""
    assert keys(config) == keys(config)
