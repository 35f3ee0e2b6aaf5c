"""A release is both models or nothing, and its number is never used twice."""

import json
import shutil
from pathlib import Path

import pytest

from components.release.store import ReleaseStore
from schema import heads as table
from schema import names
from schema.release_folder import ReleaseError


@pytest.fixture
def sources(tmp_path):
    """Two fake SavedModels, warm-up folders and a report."""
    models, extras = {}, {}
    for model in table.MODELS:
        path = tmp_path / "trained" / model
        (path / "variables").mkdir(parents=True)
        (path / "saved_model.pb").write_text(f"graph of {model}")
        (path / "variables" / "variables.index").write_text("weights")
        extras[model] = tmp_path / "warmup" / model
        extras[model].mkdir(parents=True)
        (extras[model] / "tf_serving_warmup_requests").write_text("requests")
        models[model] = path
    report = tmp_path / "report"
    report.mkdir()
    (report / "index.html").write_text("page")
    return {"models": models, "extras": extras, "report": report, "manifest": {"profile": "quick"}}


@pytest.fixture
def store(tmp_path):
    return ReleaseStore(tmp_path / "release")


def served(store):
    """What a model server would find: model → numeric folders."""
    return {
        model: sorted(int(path.name) for path in (store.directory / model).iterdir() if path.name.isdigit())
        for model in table.MODELS
    }


def test_publish_makes_a_whole_release(store, sources):
    """Both models, their warm-up requests, the report and the manifest lie under one version."""
    release = store.publish(**sources)
    assert release.version == 1
    assert served(store) == {"article_type": [1], "category": [1]}
    for model in table.MODELS:
        path = store.model_path(model, 1)
        assert (path / "saved_model.pb").read_text() == f"graph of {model}"
        assert (path / "assets.extra" / "tf_serving_warmup_requests").exists()
    assert (store.directory / "reports" / "1" / "index.html").exists()
    manifest = store.current().manifest
    assert (manifest["version"], manifest["profile"]) == (1, "quick")
    assert set(manifest["models"][names.CATEGORY]["files"]) == {
        "saved_model.pb",
        "variables/variables.index",
        "assets.extra/tf_serving_warmup_requests",
    }


@pytest.mark.parametrize("step", ["copytree", "rename", "replace"])
def test_a_publish_that_fails_leaves_no_release(store, sources, monkeypatch, step):
    """Whatever step fails, the release before stays current, and the next publish clears up and succeeds."""
    store.publish(**sources)

    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        if step == "copytree":
            patched.setattr("shutil.copytree", fail)
        else:
            patched.setattr(Path, step, fail)
        with pytest.raises(ReleaseError, match="No space left on device"):
            store.publish(**sources)
    assert [release.version for release in store.releases()] == [1]
    version = store.publish(**sources).version
    assert served(store) == {"article_type": [1, version], "category": [1, version]}
    assert not list(store.directory.glob("*/.incoming-*"))


def test_half_a_pair_is_removed_and_its_number_not_reused(store, sources):
    """A version that a killed run left on one model only is no release, and a server that saw it never sees another
    model under its number."""
    store.publish(**sources)
    orphan = store.model_path(names.CATEGORY, 2)
    orphan.mkdir()
    assert store.current().version == 1
    assert store.publish(**sources).version == 3
    assert not orphan.exists()


def test_rollback_brings_back_the_release_before(store, sources):
    """The newest version leaves both models' folders, is kept aside, and its number is not used again."""
    store.publish(**sources)
    store.publish(**sources)
    assert store.rollback().version == 1
    assert store.current().version == 1
    assert served(store) == {"article_type": [1], "category": [1]}
    assert (store.directory / "withdrawn" / "2" / "article_type" / "saved_model.pb").exists()
    assert store.withdrawn() == [2]
    assert store.publish(**sources).version == 3


def test_rollback_needs_an_earlier_release(store, sources):
    """The only release cannot be taken away, and the error says so."""
    store.publish(**sources)
    with pytest.raises(ReleaseError, match=r"1 release\(s\)"):
        store.rollback()
    assert store.current().version == 1


def test_manifests_are_json_for_others(store, sources):
    """A manifest can be read without this code."""
    store.publish(**sources)
    assert json.loads((store.directory / "manifests" / "1.json").read_text())["version"] == 1


def test_a_rollback_reads_the_release_that_it_goes_back_to(store, sources):
    """A release that was changed on the disk is not brought back, and nothing is withdrawn for it."""
    store.publish(**sources)
    store.publish(**sources)
    weights = store.model_path(names.CATEGORY, 1) / "variables" / "variables.index"
    weights.write_text("others ")
    with pytest.raises(ReleaseError, match=f"{weights} was changed"):
        store.rollback()
    assert store.current().version == 2


def test_a_release_with_the_manifest_of_version_0_1(store, sources):
    """Manifests that have one hash a model are listed and rolled back to, and that hash is held to."""
    for _ in range(2):
        store.publish(**sources)
    path = store.manifest_path(1)
    manifest = json.loads(path.read_text())
    for model in manifest["models"].values():
        del model["files"]
    path.write_text(json.dumps(manifest))
    store.verify(store.releases()[0])
    graph = store.model_path(names.ARTICLE_TYPE, 1) / "saved_model.pb"
    content = graph.read_text()
    graph.write_text("another")
    with pytest.raises(ReleaseError, match=f"{graph} was changed"):
        store.rollback()
    graph.write_text(content)
    assert store.rollback().version == 1


def test_a_run_of_version_0_1_that_died_before_its_manifest(store, sources):
    """Both models without a manifest are no release: it is said, the stack is refused, and the next run clears up."""
    store.publish(**sources)
    for model in table.MODELS:
        shutil.copytree(store.model_path(model, 1), store.model_path(model, 2))
    assert [one.version for one in store.unfinished()] == [2]
    with pytest.raises(ReleaseError, match=r"version 2 .* is no release"):
        store.require_served()
    store.recover()
    assert served(store) == {"article_type": [1], "category": [1]}


def test_a_rollback_of_version_0_1_that_died_half_way(store, sources):
    """It moved the manifest first: the next rollback ends it and withdraws no other release."""
    for _ in range(3):
        store.publish(**sources)
    (store.directory / "withdrawn" / "3").mkdir(parents=True)
    store.manifest_path(3).rename(store.directory / "withdrawn" / "3" / "manifest.json")
    told = []
    assert store.rollback(told.append).version == 2
    assert [(one.withdrawn, one.was_interrupted) for one in told] == [(3, True)]
    assert served(store) == {"article_type": [1, 2], "category": [1, 2]}
