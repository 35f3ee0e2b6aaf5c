"""A release in an object store is whole, what its manifest says, or none; over the stores' real protocols."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from components.release.store import ReleaseStore
from components.storage.store import Store
from pipeline.commands.releases import command
from schema import heads as table
from schema.release_folder import ReleaseFolder


def lookbook_releases(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def publish(root: Path, text: str = "weights") -> ReleaseStore:
    """One more release below a root, of small files in place of SavedModels."""
    folder = root.parent / f"trained-{root.name}"
    for model in table.MODELS:
        (folder / model / "variables").mkdir(parents=True, exist_ok=True)
        (folder / model / "saved_model.pb").write_text(f"graph of {model}: {text}")
        (folder / model / "variables" / "variables.index").write_text(text)
        (folder / "extra" / model).mkdir(parents=True, exist_ok=True)
    (folder / "report").mkdir(exist_ok=True)
    (folder / "report" / "index.html").write_text("page")
    store = ReleaseStore(root / "release")
    models = {model: folder / model for model in table.MODELS}
    extras = {model: folder / "extra" / model for model in table.MODELS}
    store.publish(models, extras, folder / "report", {"metrics": {}, "created_at": text})
    return store


def releases_of(root: Path) -> list[int]:
    """What is there and is what its manifest says."""
    folder = ReleaseFolder(root / "release")
    folder.require_served()
    return [release.version for release in folder.releases()]


@pytest.fixture
def uri(bucket: str) -> str:
    return f"{bucket}/lookbook/release"


def test_a_pushed_release_is_pulled_as_it_was(tmp_path: Path, uri: str) -> None:
    """Number, manifest, both models and the report are the same elsewhere; a second time nothing is copied."""
    publish(tmp_path / "a")
    assert "5 files copied" in lookbook_releases("push", uri, "--root", tmp_path / "a").output
    again = lookbook_releases("push", uri, "--root", tmp_path / "a")
    assert again.exit_code == 0
    assert "0 files copied" in again.output
    pulled = lookbook_releases("pull", uri, "--root", tmp_path / "b")
    assert (pulled.exit_code, pulled.output) == (0, "Release 1 is here whole; it is current.\n")
    assert releases_of(tmp_path / "b") == [1]
    for name in ("manifests/1.json", "reports/1/index.html", "category/1/saved_model.pb"):
        assert (tmp_path / "b/release" / name).read_bytes() == (tmp_path / "a/release" / name).read_bytes()
    assert "already, and whole" in lookbook_releases("pull", uri, "--root", tmp_path / "b").output


@pytest.mark.parametrize("after", range(5))
def test_an_interrupted_push_is_no_release_and_is_gone_on_with(
    tmp_path: Path, uri: str, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """Wherever a push breaks off, the release before is pulled, and a second push copies the rest alone."""
    publish(tmp_path / "a", "old")
    assert lookbook_releases("push", uri, "--root", tmp_path / "a").exit_code == 0
    publish(tmp_path / "a", "new")
    upload, done = Store.upload, []

    def breaks_off(self: Store, file: Path, name: str) -> None:
        if len(done) == after:
            raise ConnectionError("the line is cut")
        done.append(name)
        upload(self, file, name)

    with monkeypatch.context() as patched:
        patched.setattr(Store, "upload", breaks_off)
        assert lookbook_releases("push", uri, "--root", tmp_path / "a").exit_code == 1
    assert "Release 1 is here" in lookbook_releases("pull", uri, "--root", tmp_path / "b").output
    result = lookbook_releases("push", uri, "--root", tmp_path / "a")
    assert f"{5 - after} files copied" in result.output
    assert f"{after} were there" in result.output
    assert "Release 2 is here whole; it is current" in lookbook_releases("pull", uri, "--root", tmp_path / "b").output
    assert releases_of(tmp_path / "b") == [1, 2]


def test_what_another_push_left_under_that_number_does_no_harm(tmp_path: Path, uri: str) -> None:
    """Files of the same size with other content, and files that the release has not, are not kept."""
    publish(tmp_path / "a")
    store = Store(uri)
    for name in ("saved_model.pb", "assets/stray.txt"):
        store.write(f"category/1/{name}", b"x" * (tmp_path / "a/release/category/1/saved_model.pb").stat().st_size)
    assert lookbook_releases("push", uri, "--root", tmp_path / "a").exit_code == 0
    assert "assets/stray.txt" not in store.sizes("category/1")
    assert lookbook_releases("pull", uri, "--root", tmp_path / "b").exit_code == 0
    assert releases_of(tmp_path / "b") == [1]


def test_another_release_of_the_same_number_is_left_as_it_is(tmp_path: Path, uri: str) -> None:
    """Two roots count for themselves: neither push nor pull replaces a release by another."""
    for root in ("a", "b"):
        publish(tmp_path / root, root)
    assert lookbook_releases("push", uri, "--root", tmp_path / "a").exit_code == 0
    pushed = lookbook_releases("push", uri, "--root", tmp_path / "b")
    assert pushed.exit_code == 1
    assert "has another release 1" in pushed.output
    pulled = lookbook_releases("pull", uri, "--root", tmp_path / "b")
    assert pulled.exit_code == 1
    assert "has another release 1" in pulled.output
    assert "b" in (tmp_path / "b/release/category/1/saved_model.pb").read_text()


@pytest.mark.parametrize("fault", ["changed", "missing", "cut short", "manifest", "leads out", "old manifest"])
def test_a_release_that_is_not_what_its_manifest_says_is_not_taken(tmp_path: Path, uri: str, fault: str) -> None:
    """Nothing of it is seen, whatever is wrong in the store, and the words name it."""
    publish(tmp_path / "a")
    assert lookbook_releases("push", uri, "--root", tmp_path / "a").exit_code == 0
    store, name = Store(uri), "category/1/variables/variables.index"
    manifest = json.loads(store.read("manifests/1.json"))
    words = {
        "changed": "has another SHA-256",
        "missing": "is not whole",
        "cut short": "has another SHA-256",
        "manifest": "is no manifest",
        "leads out": "leads out of the release",
        "old manifest": "lists no files",
    }
    if fault == "missing":
        store.remove(name)
    elif fault == "manifest":
        store.write("manifests/1.json", b'{"version": 2}')
    elif fault in ("changed", "cut short"):
        store.write(name, b"weighty" if fault == "changed" else b"wei")
    else:
        manifest["models"]["category"]["files"] = {"../../../evil": "0" * 64} if fault == "leads out" else None
        store.write("manifests/1.json", json.dumps(manifest).encode())
    result = lookbook_releases("pull", uri, "--root", tmp_path / "b")
    assert result.exit_code == 1
    assert words[fault] in result.output
    assert releases_of(tmp_path / "b") == []
    assert not list(tmp_path.rglob("evil"))
    assert not list((tmp_path / "b").rglob(".incoming*"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"metrics": [1]}, "metrics are no objects"),
        ({"metrics": {"article_type": {"top_1": "much"}}}, "top_1 is 'much'"),
        ({"version": 2.0}, "it says version 2.0"),
        ({"version": None}, "it says version None"),
        ({"models": {}}, "lists no files of article_type"),
        ({"files": {"saved_model.pb": None}}, "it lists no saved_model.pb of category"),
        ({"saved_model_sha256": "0" * 64}, "it has two SHA-256 of saved_model.pb of category"),
        ("[" * 100_000, "nested too deep"),
    ],
)
def test_a_manifest_that_nobody_could_go_on_with_is_not_taken(
    tmp_path: Path, change: str | dict[str, object], words: str
) -> None:
    """A pull refuses it before anything is here: afterwards no release of the root could be listed or served."""
    publish(tmp_path / "a")
    assert lookbook_releases("pull", tmp_path / "a/release", "--root", tmp_path / "b").exit_code == 0
    publish(tmp_path / "a", "newer")
    there = tmp_path / "a/release/manifests/2.json"
    manifest = json.loads(there.read_text())
    if isinstance(change, dict):
        category = manifest["models"]["category"]
        if "files" in change:
            del category["files"]["saved_model.pb"]
        elif "saved_model_sha256" in change:
            category.update(change)
        else:
            manifest.update(change)
    there.write_text(change if isinstance(change, str) else json.dumps(manifest))
    refused = lookbook_releases("pull", tmp_path / "a/release", "--root", tmp_path / "b")
    assert (refused.exit_code, words in refused.output) == (1, True), (refused.output, refused.exception)
    assert releases_of(tmp_path / "b") == [1]


def test_a_release_of_which_the_manifest_names_no_models_is_not_pushed(tmp_path: Path, s3_bucket: str) -> None:
    """What was edited on this side is told in words too."""
    publish(tmp_path / "a")
    path = tmp_path / "a/release/manifests/1.json"
    path.write_text(json.dumps({"version": 1}))
    result = lookbook_releases("push", f"{s3_bucket}/release", "--root", tmp_path / "a")
    assert (result.exit_code, "lists no files of article_type" in result.output) == (1, True), result.output


def test_a_file_beside_the_manifests_hides_no_release(tmp_path: Path, s3_bucket: str) -> None:
    """007.json is no manifest: nothing would be found under 7.json, and the newest release stays to be had."""
    publish(tmp_path / "a")
    uri = f"{s3_bucket}/release"
    assert lookbook_releases("push", uri, "--root", tmp_path / "a").exit_code == 0
    for name in ("007", "0", "٣", "2.old"):
        Store(uri).write(f"manifests/{name}.json", b"{}")
    result = lookbook_releases("pull", uri, "--root", tmp_path / "b")
    assert (result.exit_code, releases_of(tmp_path / "b")) == (0, [1]), result.output


def test_a_mirror_keeps_the_two_newest_and_what_is_gone_goes(tmp_path: Path, uri: str) -> None:
    """So model servers follow a bucket, also back; while its newest release is not whole, nothing goes."""
    for text in ("1", "2", "3"):
        publish(tmp_path / "a", text)
        assert lookbook_releases("push", uri, "--root", tmp_path / "a").exit_code == 0
    assert lookbook_releases("mirror", uri, "--once", "--root", tmp_path / "b").exit_code == 0
    assert releases_of(tmp_path / "b") == [2, 3]
    Store(uri).remove("manifests/3.json")
    assert "Release 3 is gone" in lookbook_releases("mirror", uri, "--once", "--root", tmp_path / "b").output
    assert releases_of(tmp_path / "b") == [1, 2]


def test_a_mirror_keeps_an_older_release_that_is_pinned(tmp_path: Path, uri: str) -> None:
    """A canary's configuration names versions: those that are pushed meanwhile take none of them from the pods."""
    mirror = ("mirror", uri, "--once", "--keep-version=1", "--root", tmp_path / "b")
    for text in ("1", "2", "3", "4"):
        publish(tmp_path / "a", text)
        assert lookbook_releases("push", uri, "--root", tmp_path / "a").exit_code == 0
        assert lookbook_releases(*mirror).exit_code == 0
    assert releases_of(tmp_path / "b") == [1, 3, 4]
    Store(uri).remove("manifests/1.json")
    assert lookbook_releases(*mirror).output == "Release 1 is gone.\n"


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("s3://nowhere-at-all/release", "there is no release in s3://nowhere-at-all/release"),
        ("ftp://host/release", "ftp:// is not known; known are gs://, s3://, az://"),
        ("s3://key:s3cr3t@bucket/release", "may be a secret and is not printed"),
        ("https://host/release?sig=s3cr3t", "may be a secret and is not printed"),
        ("s3:///release", "names no bucket"),
    ],
)
def test_a_uri_that_leads_nowhere_is_told_and_no_secret_with_it(
    tmp_path: Path, s3_bucket: str, uri: str, words: str
) -> None:
    """Wrong buckets, schemes and secrets in a URI are refused in words that hold no secret."""
    publish(tmp_path / "a")
    for word in ("pull", "push"):
        result = lookbook_releases(word, uri, "--root", tmp_path / "a")
        assert result.exit_code == 1
        assert "s3cr3t" not in result.output
        if word == "pull":
            assert words in result.output


def test_without_credentials_the_words_tell_how_to_give_them(
    tmp_path: Path, s3_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Credentials are taken as boto takes them, and where there are none, that is said."""
    publish(tmp_path / "a")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name, value in {"AWS_EC2_METADATA_DISABLED": "true", "HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    result = lookbook_releases("push", f"{s3_bucket}/release", "--root", tmp_path / "a")
    assert result.exit_code == 1
    assert "no credentials" in result.output
    assert "AWS_ACCESS_KEY_ID" in result.output


def test_a_folder_of_this_machine_gets_a_release_by_a_rename(tmp_path: Path) -> None:
    """A shared volume is pushed to as a run publishes, so its readers see all of it or nothing."""
    publish(tmp_path / "a")
    result = lookbook_releases("push", tmp_path / "b/release", "--root", tmp_path / "a")
    assert result.exit_code == 0, result.output
    assert releases_of(tmp_path / "b") == [1]
    refused = lookbook_releases("push", tmp_path / "elsewhere", "--root", tmp_path / "a")
    assert "no folder of releases of a root" in refused.output
    shutil.rmtree(tmp_path / "b/release/category/1")
    assert "no release in file://" in lookbook_releases("pull", tmp_path / "b/release", "--root", tmp_path / "c").output


def test_a_file_uri_means_this_machine_and_a_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine in it is no folder below the one that this process is in; its scheme may be written large."""
    publish(tmp_path / "a")
    monkeypatch.chdir(tmp_path)
    for uri in ("file://host/b/release", "file://b/release"):
        refused = lookbook_releases("push", uri, "--root", tmp_path / "a")
        assert (refused.exit_code, "give file:///folder, or a path" in refused.output) == (1, True), refused.output
    assert {path.name for path in tmp_path.iterdir()} == {"a", "trained-a"}
    for root, scheme in (("b", "FILE://"), ("c", "file://localhost")):
        pushed = lookbook_releases("push", f"{scheme}{tmp_path}/{root}/release", "--root", tmp_path / "a")
        assert (pushed.exit_code, releases_of(tmp_path / root)) == (0, [1]), pushed.output


def test_options_before_the_word_are_not_lost(tmp_path: Path) -> None:
    """--root before push would be another root than the one that is pushed."""
    result = lookbook_releases("--root", tmp_path, "push", "s3://bucket/release")
    assert result.exit_code == 2
    assert "give the options after the word push" in result.output
