"""The main job, from a catalogue to a served answer, proved by what lies on disk and by MLMD's record.

The tests of this file run in order: each leaves the root in the state that the next one starts from.
"""

import csv
import json
import shutil

import pytest
import tensorflow as tf
from PIL import Image

from schema import heads as table
from schema import names
from schema.products.thumbnails import FILE
from tests.e2e.conftest import read_json
from tests.e2e.graph_ops import unknown_to_the_oldest

pytestmark = pytest.mark.timeout(3600)


def test_killed_run_is_resumed(home):
    """After SIGKILL in a trainer the next run keeps what was done, trains anew and releases."""
    states = home.executions()  # of later runs too, which other files made
    for done_before in ("StylesExampleGen", "StatisticsGen", "ExampleValidator", "SchemaGate", "Transform"):
        assert states[done_before][:2] == ["COMPLETE", "CACHED"], done_before
    assert states["ArticleTypeTrainer"][0] != "COMPLETE" == states["ArticleTypeTrainer"][1]
    assert states["PairedRelease"][0] == "COMPLETE"
    assert [path.name for path in home.manifests()] == ["1.json"]


def test_release_is_complete(home):
    """Both models lie under one version with warm-up requests, a report, and a manifest with their origin."""
    release = home.root / "release"
    for model in table.MODELS:
        assert (release / model / "1" / "saved_model.pb").exists()
        warmup = release / model / "1" / "assets.extra" / "tf_serving_warmup_requests"
        assert sum(1 for _ in tf.data.TFRecordDataset(str(warmup))) > 0
    report = (release / "reports" / "1" / "index.html").read_text(encoding="utf-8")
    assert "sub_category" in report and "no earlier release" in report
    assert "Catalogue report" in (release / "reports" / "1" / "catalogue" / "index.html").read_text(encoding="utf-8")
    card = (release / "reports" / "1" / "card.html").read_text(encoding="utf-8")
    assert "<h1>Release 1" in card and "right on every level" in card
    assert (release / "reports" / "1" / "README.md").read_text(encoding="utf-8").startswith("---\npipeline_tag:")
    assert (release / "reports" / "1" / "against.csv").exists()
    manifest = read_json(release / "manifests" / "1.json")
    assert set(manifest["metrics"]) == {head.name for head in table.taxonomy()}
    assert manifest["classes"][names.ARTICLE_TYPE] >= 12
    assert manifest["hyperparameters"]["epochs"] == 12
    assert manifest["data_fingerprint"]


def test_models_have_learned(home):
    """On pictures of the test split both models are far better than the commonest label."""
    metrics = read_json(home.manifests()[0])["metrics"]
    assert {head: figures["skill"] > 0.3 for head, figures in metrics.items()} == dict.fromkeys(metrics, True)


def test_signatures_keep_the_contract(home):
    """The pushed SavedModels answer every signature of the contract, and a broken picture spoils only itself."""
    picture = next((home.data / "images").glob("*.jpg")).read_bytes()
    for model in table.MODELS:
        loaded = tf.saved_model.load(str(home.root / "release" / model / "1"))
        batch = tf.constant([picture, b"\xff\xd8\xffbroken", picture])
        top = loaded.signatures[names.SERVING_DEFAULT](image_bytes=batch)
        full = loaded.signatures[names.SCORES](image_bytes=batch)
        keys = tf.constant([names.CARD_KEY, "no such key"])
        card, unknown = loaded.signatures[names.METADATA](keys=keys)[names.METADATA_VALUES].numpy()
        card = json.loads(card)
        assert card == read_json(home.root / "release" / model / "1" / "assets.extra" / "card.json")
        assert unknown == b""
        assert card["model"] == model
        assert top[names.IMAGE_OK].numpy().tolist() == full[names.IMAGE_OK].numpy().tolist() == [True, False, True]
        for head in [head.name for head in table.of_model(model)]:
            labels = card["heads"][head]["labels"]
            scores = full[head].numpy()
            assert scores.shape == (3, len(labels))
            assert scores.sum(axis=1) == pytest.approx([1, 0, 1], abs=1e-4)
            assert scores[0] == pytest.approx(scores[2], abs=1e-5)
            best = top[names.labels_tensor(head)].numpy()
            assert best[0, 0].decode() == labels[scores[0].argmax()]
            assert set(best[1]) == {b""}
            assert float(top[names.scores_tensor(head)][0, 0]) == pytest.approx(scores[0].max(), abs=1e-5)
    assert {path[names.MASTER_CATEGORY] for path in card["taxonomy"]} == set(labels_of(card, names.MASTER_CATEGORY))


def test_names_are_heard_and_unknown_ones_are_not(home):
    """Both pushed SavedModels hear a name; without one, or with one that they do not know, they give the picture's own
    scores, to the last bit, and a broken picture has none whatever its name."""
    picture = next((home.data / "images").glob("*.jpg")).read_bytes()
    given = ["", "туфли", "zzyzx", "handbag watch shirt men women blue", "handbag watch shirt men women blue"]
    batch = tf.constant([picture] * 4 + [b"\xff\xd8\xffbroken"])
    for model in table.MODELS:
        loaded = tf.saved_model.load(str(home.root / "release" / model / "1"))
        alone = loaded.signatures[names.SCORES](image_bytes=batch)
        heard = loaded.signatures[names.SCORES_WITH_NAME](image_bytes=batch, name=tf.constant(given))
        assert heard[names.NAME_KNOWN].numpy().tolist()[:4] == [False, False, False, True]
        for head in [head.name for head in table.of_model(model)]:
            before, after = alone[head].numpy(), heard[head].numpy()
            assert (before[:3] == after[:3]).all() and (before[3] != after[3]).any()
            assert after.sum(axis=1) == pytest.approx([1, 1, 1, 1, 0], abs=1e-4)
            told = loaded.signatures[names.NAME_SCORES](name=tf.constant(given))
            weighed = before[3] * told[f"{head}_factors"].numpy()[3]
            assert after[3] == pytest.approx(weighed / weighed.sum(), abs=1e-5)
        assert ((heard[names.NAME_FITS].numpy() >= 0) & (heard[names.NAME_FITS].numpy() <= 1)).all()


def test_the_oldest_server_knows_every_op(home):
    """What this TensorFlow saved, the oldest TensorFlow Serving that k8s/README.md allows can run: it knows each op and
    its attributes."""
    for model in table.MODELS:
        assert unknown_to_the_oldest(home.root / "release" / model / "1") == set()


def labels_of(card, head):
    return card["heads"][head]["labels"]


def test_unchanged_run_executes_nothing(home):
    """A second run on the same data and code is answered by the cache: no component executes, nothing is pushed."""
    before = home.executions()
    home.run()
    after = home.executions()
    fresh = {node: states[len(before[node]) :] for node, states in after.items() if "Baseline" not in node}
    assert fresh == {node: ["CACHED"] for node in fresh}
    assert len(home.manifests()) == 1


def test_classify_answers_through_the_stack(home):
    """`lookbook classify` starts the stack on the release and gives one whole answer a picture, and an error a file
    that is none."""
    pictures = sorted((home.data / "held_out" / "images").glob("*.jpg"))[:3]
    no_picture = home.root / "no_picture.jpg"
    no_picture.write_text("not a picture")
    result = home.lookbook("classify", *pictures, no_picture, "--json", check=False)
    assert result.stdout, result.stderr
    answers = json.loads(result.stdout)
    assert result.returncode == 1
    assert [one["file"] for one in answers] == [*map(str, pictures), str(no_picture)]
    card_paths = taxonomy(home)
    for one in answers[:3]:
        joint = one["answer"]["joint"]
        assert (joint["master_category"], joint["sub_category"], joint["article_type"]) in card_paths
        assert one["answer"]["release"] == "1" and one["answer"]["name"] is None
    assert answers[3]["answer"] is None
    assert answers[3]["error"]["detail"]


def test_classify_takes_names(home):
    """`lookbook classify --names` gives each file the name in its row of a catalogue's sheet, and --name one file its
    own; both reach the models."""
    pictures = sorted((home.data / "images").glob("*.jpg"))[:2]
    sheet = home.data / names.STYLES_CSV
    answers = json.loads(home.lookbook("classify", *pictures, "--names", sheet, "--json").stdout)
    assert [one["answer"]["name"]["heard"] for one in answers] == [True, True]
    [unknown] = json.loads(home.lookbook("classify", pictures[0], "--name", "туфли", "--json").stdout)
    assert unknown["answer"]["name"]["code"] == "unknown"


def test_similar_names_known_products(home):
    """`lookbook similar` names known products with their pictures, which are hashed files of the release."""
    picture = sorted((home.data / "held_out" / "images").glob("*.jpg"))[0]
    sheet = home.root / "alike.png"
    found = json.loads(home.lookbook("similar", picture, "--json", "--contact-sheet", sheet).stdout)
    assert len(found["products"]) == 12 and found["counted"] == 20 and sheet.is_file()
    assert all(one["id"] and one["name"] and one["thumbnail"] for one in found["products"])
    similarities = [one["similarity"] for one in found["products"]]
    assert similarities == sorted(similarities, reverse=True)
    [manifest] = home.manifests()
    assert f"assets.extra/{FILE}" in read_json(manifest)["models"][names.ARTICLE_TYPE]["files"]
    card = read_json(home.root / "release" / names.ARTICLE_TYPE / "1" / "assets.extra" / "card.json")
    assert card["known_pictures"] > 400 and card["familiarity"]["false_alarms"] <= 0.05


def taxonomy(home):
    card = read_json(home.root / "release" / names.CATEGORY / "1" / "assets.extra" / "card.json")
    return {tuple(path[head.name] for head in table.taxonomy()) for path in card["taxonomy"]}


def test_sort_moves_photos_and_takes_them_back(home, tmp_path):
    """Nothing is touched unasked; then every photo is in a folder, what is none stays, and undo puts all back."""
    photos, into = tmp_path / "photos", tmp_path / "sorted"
    shutil.copytree(home.data / "held_out" / "images", photos)
    (photos / "notes.txt").write_text("no photo")
    before = {path.name: path.read_bytes() for path in photos.iterdir()}
    dry = home.lookbook("sort", photos, "--into", into)
    assert "nothing was touched" in dry.stdout and not into.exists()
    home.lookbook("sort", photos, "--into", into, "--move")
    assert [path.name for path in photos.iterdir()] == ["notes.txt"]
    assert len([path for path in into.rglob("*.jpg") if path.is_file()]) == len(before) - 1
    home.lookbook("sort", "--undo", into / "undo-1.jsonl")
    assert {path.name: path.read_bytes() for path in photos.iterdir()} == before
    assert not into.exists()


def test_explain_draws_what_a_label_rests_on(home):
    """`lookbook explain` names the label, loses confidence somewhere when parts are hidden, and writes a picture."""
    picture = sorted((home.data / "held_out" / "images").glob("*.jpg"))[0]
    out = home.root / "heat.png"
    explanation = json.loads(home.lookbook("explain", picture, "--out", out, "--json").stdout)
    assert len(explanation["heat"]) == explanation["rows"] * explanation["columns"] > 4
    assert max(explanation["heat"]) > 0
    with Image.open(out) as drawn:
        assert drawn.format == "PNG"
    refused = home.lookbook("explain", picture, "--label", "Submarines", "--out", out, check=False)
    assert refused.returncode == 1
    assert "Submarines" in refused.stderr


def test_score_measures_any_catalogue(home):
    """`lookbook score` measures labelled pictures that no split has, and names rows and labels that it cannot know."""
    held_out = home.data / "held_out"
    rows = (held_out / "styles.csv").read_text(encoding="utf-8").splitlines()
    (held_out / "styles.csv").write_text(
        "\n".join([*rows[:-1], _renamed(rows), "999999," + rows[1].split(",", 1)[1]]) + "\n", encoding="utf-8"
    )
    document = json.loads(home.lookbook("score", "--data", held_out, "--json").stdout)
    assert document["count"] == len(rows) - 1
    assert [one["id"] for one in document["rejected"]] == ["999999"]
    assert set(document["heads"]) == {head.name for head in table.taxonomy()}
    assert 0.3 < document["heads"][names.MASTER_CATEGORY]["top_1"] <= 1
    assert document["heads"][names.ARTICLE_TYPE]["top_5"] >= document["heads"][names.ARTICLE_TYPE]["top_1"]
    assert document["unknown_labels"] == {names.ARTICLE_TYPE: {"Spacesuits": 1}}
    low, high = document["joint"]["all_right_interval"]
    assert 0 < low < document["joint"]["all_right"] < high < 1
    words = home.lookbook("score", "--data", held_out).stdout
    assert "article_type: the release does not know Spacesuits (1); 1 pictures count as wrong" in words


def _renamed(rows):
    """The last row, of an article type that the catalogue never had."""
    cells = dict(zip(next(csv.reader(rows[:1])), next(csv.reader(rows[-1:])), strict=True))
    return ",".join({**cells, "articleType": "Spacesuits"}.values())


def test_changed_setting_reruns_what_it_touches(home):
    """Another learning rate trains, evaluates and releases anew, against the first release; the data stays as read."""
    home.run("--set", "learning_rate=0.0015")
    states = home.executions()
    assert states["StylesExampleGen"][-1] == states["Transform"][-1] == "CACHED"
    for node in ("ArticleTypeTrainer", "CategoryTrainer", "ArticleTypeEvaluator", "CategoryEvaluator", "PairedRelease"):
        assert states[node][-1] == "COMPLETE", node
    assert [path.name for path in home.manifests()] == ["1.json", "2.json"]
    report = (home.root / "release" / "reports" / "2" / "index.html").read_text(encoding="utf-8")
    assert "Against the latest release" in report
    assert (
        baseline_uris(home)["ArticleTypeEvaluator"]
        == read_json(home.manifests()[0])["models"]["article_type"]["source"]
    )


def baseline_uris(home):
    """Evaluator → uri of the baseline model that its newest execution was given."""
    from ml_metadata.proto import metadata_store_pb2

    from pipeline.config import Layout
    from pipeline.running.record_store import open_store

    store = open_store(Layout(home.root))
    found = {}
    for execution in sorted(
        store.get_executions_by_type("tfx.components.evaluator.component.Evaluator"), key=lambda e: e.id
    ):
        node = next(
            c.name.rsplit(".", 1)[-1] for c in store.get_contexts_by_execution(execution.id) if c.type == "node"
        )
        for event in store.get_events_by_execution_ids([execution.id]):
            is_input = event.type == metadata_store_pb2.Event.INPUT
            if is_input and event.path.steps[0].key == "baseline_model":
                found[node] = store.get_artifacts_by_id([event.artifact_id])[0].uri
    return found


def test_rollback_makes_the_one_before_current(home):
    """After a rollback the first release answers again, and the second is listed as withdrawn."""
    home.lookbook("rollback")
    document = json.loads(home.lookbook("releases", "--json").stdout)
    assert document["current"] == 1
    assert document["withdrawn"] == [2]
    assert not (home.root / "release" / names.CATEGORY / "2").exists()


def test_gate_refuses_a_model_that_is_too_slow(home):
    """A gate that says no ends the run with exit code 1 and the reason, and nothing new is released."""
    result = home.run("--max-p50-ms", "0.001", check=False)
    assert result.returncode == 1
    assert "at most" in result.stderr
    assert "Traceback" not in result.stderr
    assert [path.name for path in home.manifests()] == ["1.json"]
