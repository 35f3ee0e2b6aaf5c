"""Release and rollback, killed before every change of the disk, and on a full one: servers and manifests agree."""

import json
import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from components.release.store import ReleaseStore
from pipeline.config import Layout
from pipeline.runner import cli
from schema import heads as table
from schema.release_folder import ReleaseError
from serving.model_server.config import aspired_versions, model_configs
from serving.model_server.protos import read_text_proto
from serving.tensorflow_serving.local import CONFIG_DIR, MODELS_CONFIG
from tests.hardening.pipeline import disk_calls

FULL = "No space left on device"


def sources(folder: Path) -> dict[str, object]:
    """What a run publishes: two models, their warm-up requests, a report."""
    for model in table.MODELS:
        (folder / model / "variables").mkdir(parents=True)
        (folder / model / "saved_model.pb").write_text(f"graph of {model}")
        (folder / model / "variables" / "variables.index").write_text("weights")
        (folder / "warmup" / model).mkdir(parents=True)
        (folder / "warmup" / model / "tf_serving_warmup_requests").write_text("requests")
    (folder / "report").mkdir()
    (folder / "report" / "index.html").write_text("page")
    return {
        "models": {model: folder / model for model in table.MODELS},
        "extras": {model: folder / "warmup" / model for model in table.MODELS},
        "report": folder / "report",
        "manifest": {"metrics": {}, "created_at": "now"},
    }


def publish(root: Path, given: dict) -> str:
    try:
        return f"release {ReleaseStore(Layout(root).releases).publish(**given).version}"
    except ReleaseError as error:
        return f"refused: {error}"


def rollback(root: Path, _: dict) -> str:
    result = lookbook(root, "rollback")
    assert isinstance(result.exception, (SystemExit, type(None))), result.exception
    return result.output


def lookbook(root: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, [*arguments, "--root", str(root)])


def prune(root: Path, _: dict) -> str:
    result = lookbook(root, "prune", "--keep", "3")
    assert isinstance(result.exception, (SystemExit, type(None))), result.exception
    return result.output


class Scene:
    """Copies of one root with three releases, or more."""

    def __init__(self, folder: Path, releases: int = 3) -> None:
        self.given = sources(folder / "trained")
        self._folder = folder
        self.template = folder / "template"
        for _ in range(releases):
            publish(self.template, self.given)

    def root(self) -> Path:
        """A fresh copy; its files are links, since nothing ever writes into a file that is there."""
        shutil.rmtree(self._folder / "root", ignore_errors=True)
        return Path(shutil.copytree(self.template, self._folder / "root", copy_function=os.link))


@pytest.fixture(autouse=True)
def without_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """For what this process itself does, to see how things go on."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return Scene(tmp_path_factory.mktemp("releases"))


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Five releases; the second of six was withdrawn before the third."""
    scene = Scene(tmp_path_factory.mktemp("crowded"), 2)
    rollback(scene.template, {})
    for _ in range(4):
        publish(scene.template, scene.given)
    return scene


def served(root: Path) -> int:
    """What callers are answered by: the newest version that both models' servers load by the committed config."""
    loaded = []
    for model, config in model_configs(read_text_proto(CONFIG_DIR / MODELS_CONFIG, ModelServerConfig())).items():
        found = [int(path.name) for path in (Layout(root).releases / model).iterdir() if path.name.isdecimal()]
        loaded.append(aspired_versions(found, config.model_version_policy))
    return max(set.intersection(*loaded))


def listed(root: Path) -> dict:
    """What the command line says."""
    result = lookbook(root, "releases", "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def agreed(root: Path) -> int:
    """The release that the command line and the model servers both name; its files are those of its manifest."""
    said = listed(root)["current"]
    assert said == served(root)
    ReleaseStore(Layout(root).releases).require_served()
    return said


def assert_clean(root: Path) -> None:
    assert listed(root)["unfinished"] == []
    releases = Layout(root).releases
    assert not [path for path in releases.rglob("*") if ".incoming" in path.name]
    whole = {str(one["version"]) for one in listed(root)["releases"]}
    for place in table.MODELS:
        assert {path.name for path in (releases / place).iterdir()} == whole


def test_a_release_killed_at_every_step(promise, scene: Scene) -> None:
    """Whenever the process that makes a release dies, all name one release, and the next release takes a new number."""
    steps = len(disk_calls.run(publish, scene.root(), scene.given).calls)
    with promise("release: killed before each change", "servers and `releases` name the same") as row:
        found = []
        for at in range(steps):
            root = scene.root()
            assert disk_calls.run(publish, root, scene.given, act=disk_calls.kill_at, at=at).code == -9
            found.append(agreed(root))
            assert publish(root, scene.given) in ("release 4", "release 5")
            assert agreed(root) in (4, 5)
            assert_clean(root)
        assert found == sorted(found) and set(found) == {3, 4}
        row.seen = f"{steps} kill points, {found.count(3)} before and {found.count(4)} after the release is there"
    assert steps > 50


def test_a_rollback_killed_at_every_step(promise, scene: Scene) -> None:
    """Whenever a rollback dies, all name one release, and the rollback that is asked for again withdraws no second."""
    steps = len(disk_calls.run(rollback, scene.root(), {}).calls)
    with promise(
        "rollback: killed before each change", "servers and `releases` agree; once more withdraws no second"
    ) as row:
        found = []
        for at in range(steps):
            root = scene.root()
            assert disk_calls.run(rollback, root, {}, act=disk_calls.kill_at, at=at).code == -9
            found.append(agreed(root))
            assert "Release 2 is current" in lookbook(root, "rollback").output
            assert agreed(root) == 2
            assert listed(root)["withdrawn"] == [3]
            assert_clean(root)
        assert found == sorted(found, reverse=True) and set(found) == {3, 2}
        row.seen = f"{steps} kill points, {found.count(3)} before and {found.count(2)} after the release is withdrawn"
    assert steps > 8


def test_a_prune_removes_what_nobody_needs(crowded: Scene) -> None:
    """What is current, what a rollback goes to, what servers load and what is named stays; the rest goes."""
    root = crowded.root()
    releases = Layout(root).releases
    said = lookbook(root, "prune", "--keep", "3", "--keep-version", "3").output
    assert "Release 1 is removed" in said and "Release 2 is removed" in said and said.count("removed") == 2
    assert [one["version"] for one in listed(root)["releases"]] == [3, 4, 5, 6]
    assert listed(root)["withdrawn"] == [] and agreed(root) == 6
    assert (releases / "reports" / "1" / "index.html").is_file()
    assert_clean(root)
    assert "Release 3 is removed" in prune(root, {}) and "nothing is removed" in prune(root, {})
    assert "Release 5 is current" in rollback(root, {}) and agreed(root) == 5
    assert publish(root, crowded.given) == "release 7"
    refused = lookbook(root, "prune", "--keep", "2")
    assert refused.exit_code == 2 and "x>=3" in refused.output
    with pytest.raises(ReleaseError, match="2 releases are too few"):
        ReleaseStore(releases).prune(2)


def test_a_prune_killed_at_every_step(promise, crowded: Scene) -> None:
    """Whenever a prune dies the release is what it was, no kept file is touched, and the next writer clears up."""
    steps = len(disk_calls.run(prune, crowded.root(), {}).calls)
    with promise("prune: killed before each change", "servers and `releases` agree; what is kept is whole") as row:
        left = []
        for at in range(steps):
            root = crowded.root()
            assert disk_calls.run(prune, root, {}, act=disk_calls.kill_at, at=at).code == -9
            assert agreed(root) == 6
            left.append([one["version"] for one in listed(root)["releases"]])
            for release in ReleaseStore(Layout(root).releases).releases():
                ReleaseStore(Layout(root).releases).verify(release)
            if at % 2:
                assert publish(root, crowded.given) == "release 7"
            else:
                assert "Release 5 is current" in rollback(root, {})
            assert agreed(root) == (7 if at % 2 else 5)
            assert_clean(root)
        row.seen = f"{steps} kill points; {left.count([1, 3, 4, 5, 6])} before the first release is gone"
    assert steps > 10 and left[0] == [1, 3, 4, 5, 6] and left[-1] == [4, 5, 6]


@pytest.mark.slow
@pytest.mark.parametrize("first", [publish, rollback])
@pytest.mark.parametrize("second", [publish, rollback])
def test_what_clears_up_after_a_kill_is_killed_too(promise, scene: Scene, first, second) -> None:
    """A process that clears up what another left may die as well, at each step: all still name one release."""
    name = f"{second.__name__} after a killed {first.__name__}: killed"
    calls = disk_calls.run(first, scene.root(), scene.given).calls
    between = next(i for i, call in enumerate(calls) if call.name == "rename" and call.path.endswith(("4", "/3"))) + 1
    begun = scene.root()
    disk_calls.run(first, begun, scene.given, act=disk_calls.kill_at, at=between)
    assert [one["version"] for one in listed(begun)["unfinished"]] == [4 if first is publish else 3]
    kept = shutil.copytree(begun, begun.with_name("begun"), dirs_exist_ok=False)
    try:
        steps = len(disk_calls.run(second, begun, scene.given).calls)
        with promise(name, "servers and `releases` name the same") as row:
            for at in range(steps):
                root = scene.root()
                shutil.rmtree(root)
                shutil.copytree(kept, root)
                assert disk_calls.run(second, root, scene.given, act=disk_calls.kill_at, at=at).code == -9
                agreed(root)
                publish(root, scene.given)
                agreed(root)
                assert_clean(root)
            row.seen = f"{steps} kill points"
    finally:
        shutil.rmtree(kept)


@pytest.mark.parametrize("act", [disk_calls.full_from, pytest.param(disk_calls.fails_at, marks=pytest.mark.slow)])
@pytest.mark.parametrize("operation", [publish, rollback])
def test_a_disk_that_fails_at_every_step(promise, scene: Scene, operation, act) -> None:
    """Full or broken from any step on: a reason in words, all name one release, and with room again it goes on."""
    steps = len(disk_calls.run(operation, scene.root(), scene.given).calls)
    with promise(f"{operation.__name__}: disk {act.__name__}", "an error in words; all name the same") as row:
        refused = 0
        for at in range(steps):
            root = scene.root()
            ended = disk_calls.run(operation, root, scene.given, act=act, at=at)
            assert ended.code == 0, "an error left it without words"
            if FULL in ended.said or "Input/output error" in ended.said:
                refused += 1
                assert "Traceback" not in ended.said
            agreed(root)
            operation(root, scene.given)
            agreed(root)
            publish(root, scene.given)
            assert_clean(root)
        row.seen = f"{steps} steps, {refused} refusals with the reason"
    assert refused > steps / 2


@pytest.mark.parametrize("operation", [publish, rollback])
def test_a_power_cut_loses_no_release(scene: Scene, operation) -> None:
    """What a rename makes visible is on the disk before it, and the rename is before the next: files and names."""
    root = scene.root()
    releases = str(Layout(root).releases)
    renames, waiting = 0, set()
    for call in disk_calls.run(operation, root, scene.given).calls:
        if call.name in ("rename", "replace"):
            # Of a manifest its content alone has to be there; its name comes with the rename.
            own = {str(Path(call.path).parent)} if call.path.endswith(".json.incoming") else set()
            assert not {path for path in waiting - own if path.startswith(releases)}, call
            renames += 1
        if call.name == "fsync":
            waiting.discard(call.path)
        elif call.name != "utime":  # times may be lost
            waiting |= {str(Path(path).parent) for path in (call.path, call.target) if path}
            waiting |= {call.path} if call.name in ("open", "write", "sendfile") else set()
    assert renames == 3
