"""Folders of releases as hands and half copies leave them: told in words, and mended by what the words say."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from components.release.card.facts import facts_of
from components.release.copying import pull
from components.release.remote import RemoteReleases
from components.release.store import ReleaseStore
from components.storage.store import Store
from pipeline.commands.common import print_json
from pipeline.runner import cli
from schema import heads as table
from schema.release_folder import LABEL_AUDIT, ReleaseError, files_below, sha256


def releases(root: Path, *versions: int) -> Path:
    """A folder of releases, whose models are no models."""
    folder = root / "release"
    for version in versions:
        models = {}
        for model in table.MODELS:
            path = folder / model / str(version)
            (path / "variables").mkdir(parents=True)
            for name in ("saved_model.pb", "variables/variables.index"):
                (path / name).write_bytes(b"%d" % version)
            models[model] = {"files": {name: sha256(path / name) for name in files_below(path)}}
        (folder / "manifests").mkdir(exist_ok=True)
        (folder / "reports" / str(version)).mkdir(parents=True)
        document = {"version": version, "metrics": {"article_type": {"top_1": 0.9}}, "models": models}
        (folder / "manifests" / f"{version}.json").write_text(json.dumps(document))
    return folder


def remote(folder: Path) -> RemoteReleases:
    return RemoteReleases(Store(f"file://{folder}"))


def test_half_a_copy_is_copied_anew(tmp_path):
    """A release that lost a model is made whole by a pull of it, as the error about it says."""
    source = releases(tmp_path / "source", 1)
    here = ReleaseStore(releases(tmp_path / "here", 1))
    shutil.rmtree(here.directory / table.MODELS[1] / "1")
    release, copied = pull(here, remote(source))
    assert copied and here.current() == release
    here.verify(release)


def test_what_a_failed_copy_left_bars_no_writer(tmp_path):
    """A model in its place, and another try at it beside, are both cleared away by the next that writes."""
    here = ReleaseStore(releases(tmp_path, 1, 2, 3))
    shutil.rmtree(here.directory / table.MODELS[1] / "3")
    for model in table.MODELS:
        shutil.copytree(here.directory / model / "2", here.directory / model / ".incoming-3")
    here.recover()
    assert [one.version for one in here.releases()] == [1, 2] and not here.unfinished()


@pytest.mark.parametrize(
    "manifest",
    [
        "[]",
        "[" * 100_000,
        '{"version": 4}',
        '{"metrics": []}',
        '{"metrics": {"article_type": {"top_1": "x"}}}',
        '{"models": {"article_type": 5}}',
        '{"models": {"article_type": {"files": ["a"]}}}',
    ],
)
def test_a_manifest_edited_by_hand_is_told(tmp_path, manifest):
    """What no reader could go on with is refused where it is read, with the file and what to do, by every command."""
    folder = releases(tmp_path, 1, 2)
    (folder / "manifests" / "2.json").write_text(manifest)
    for words in (["releases"], ["releases", "show", "2"], ["rollback"]):
        told = CliRunner().invoke(cli, [*words, "--root", str(tmp_path)])
        assert told.exit_code == 1 and "2.json cannot be read" in told.output and "copy it anew" in told.output


def test_a_manifest_with_less_in_it_is_listed(tmp_path):
    """Nothing but its models makes a release: one without figures and date is listed and shown."""
    folder = releases(tmp_path, 1)
    (folder / "manifests" / "1.json").write_text("{}")
    for words in (["releases"], ["releases", "show", "1"]):
        assert CliRunner().invoke(cli, [*words, "--root", str(tmp_path)]).exit_code == 0


@pytest.mark.parametrize("files", [["saved_model.pb"], {"\ud800": "a"}])
def test_a_store_s_manifest_with_odd_files_is_refused(tmp_path, files):
    """A list in place of hashes, and a name that no file can have, are no release that could be pulled."""
    folder = releases(tmp_path / "source", 1)
    document = json.loads((folder / "manifests" / "1.json").read_text())
    document["models"][table.MODELS[0]]["files"] = files
    with pytest.raises(ReleaseError):
        (folder / "manifests" / "1.json").write_text(json.dumps(document))
        pull(ReleaseStore(tmp_path / "here" / "release"), remote(folder))


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[1]"])
def test_a_damaged_report_is_told(tmp_path, content):
    """The card names the file that nobody can read."""
    (tmp_path / LABEL_AUDIT).write_bytes(content)
    with pytest.raises(ReleaseError, match="is no report that a run wrote"):
        facts_of({"version": 1}, tmp_path)


def test_json_of_half_a_letter_is_json(capsys):
    """What no stream can hold is printed as JSON's own escape, and reads back as what it was."""
    print_json({"label": "\ud800 é"})
    assert json.loads(capsys.readouterr().out) == {"label": "\ud800 é"}
