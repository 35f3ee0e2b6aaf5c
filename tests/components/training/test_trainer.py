"""TFX's entry point on drawn rows: which rows train, and what a training leaves behind."""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import softmax

from components.model.classifier import BRIGHTNESS, CONTRAST
from components.model.nearest_pictures import EMBEDDING, SIMILARITIES, votes_key
from components.model.signatures import OUTPUTS, WITH_MEMORY
from components.naming.model import EVIDENCE
from components.training import trainer, training_data
from components.training.eval_outputs import EvalOutputs
from components.training.hyperparameters import HyperParameters
from schema import heads as table
from schema import model_card, names
from schema.product_names import plain

SIDE = 16
PATHS = (("Apparel", "Topwear", "Shirts"), ("Accessories", "Belts", "Belts"))
SPLITS = {names.TRAIN: range(0, 24), names.EVAL: range(100, 108), names.TEST: range(200, 204)}
"""Rows of each split; the number is the brightness of the picture, by which it is known again."""


class Transform:
    """Stands in for TensorFlow Transform's output, which takes a Beam pipeline to make: pictures come as raw pixels."""

    def __init__(self, folder):
        self._folder = folder

    def vocabulary_by_name(self, head):
        depth = [level.name for level in table.taxonomy()].index(head)
        return [path[depth].encode() for path in PATHS]

    def vocabulary_file_by_name(self, name):
        path = self._folder / name
        path.write_text("".join(f"12 {chr(9).join(labels)}\n" for labels in PATHS))
        return str(path)

    def raw_feature_spec(self):
        return {key: tf.io.FixedLenFeature([], tf.string) for key in (names.IMAGE, *table.columns())}

    def transform_features_layer(self):
        return self._transform

    def _transform(self, features):
        transformed = {}
        if names.IMAGE in features:
            pixels = tf.reshape(tf.io.decode_raw(features[names.IMAGE], tf.uint8), (-1, SIDE, SIDE, 3))
            ones = tf.ones(tf.shape(pixels)[0], tf.int64)
            transformed = {"image": tf.cast(pixels, tf.float32), names.IMAGE_OK: ones}
        for depth, head in enumerate(table.taxonomy()):
            if head.column in features:
                is_label = tf.equal(features[head.column][:, tf.newaxis], [path[depth] for path in PATHS])
                transformed[names.label_id(head.name)] = tf.argmax(tf.cast(is_label, tf.int32), axis=1)
        return transformed


def example(number):
    labels = dict(zip((head.column for head in table.taxonomy()), PATHS[number % 2], strict=True))
    told = {names.ID: str(number), names.PRODUCT_NAME: f"Größe {number}", **labels}
    cells = {names.IMAGE: picture(number), **{column: text.encode() for column, text in told.items()}}
    feature = {key: tf.train.Feature(bytes_list=tf.train.BytesList(value=[cell])) for key, cell in cells.items()}
    return tf.train.Example(features=tf.train.Features(feature=feature))


def picture(number):
    return np.full((SIDE, SIDE, 3), number, np.uint8).tobytes()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """What run_fn was given and left for the article type, and the rows that its training loop was handed."""
    folder = tmp_path_factory.mktemp("trainer")
    for split, numbers in SPLITS.items():
        (folder / split).mkdir()
        with tf.io.TFRecordWriter(str(folder / split / "rows.gz"), "GZIP") as writer:
            for number in numbers:
                writer.write(example(number).SerializeToString())
    seen = {}

    def spying(name, train, evaluation, *rest, **more):
        seen[names.TRAIN] = [int(image[0, 0, 0]) for image, _ in train.as_numpy_iterator()]
        seen[names.EVAL] = [int(image[0, 0, 0]) for image, _ in evaluation.unbatch().as_numpy_iterator()]
        return real(name, train, evaluation, *rest, **more)

    parameters = HyperParameters(height=SIDE, width=SIDE, epochs=1, batch_size=8, neighbours=1, mirror=True)
    config = {
        "model": names.ARTICLE_TYPE,
        "heads": [names.ARTICLE_TYPE],
        "levels": [head.name for head in table.taxonomy()],
        "hyperparameters": parameters.of_training(),
        "provenance": {"profile": "test"},
    }
    real = trainer.train_classifier
    model = run(folder, "model", config, spying)
    return SimpleNamespace(folder=folder, seen=seen, model=model, config=config)


def run(folder, output, config, train_classifier, base=None):
    """What the Trainer does, over the rows in ``folder``, from the backbone of ``base``; gives the SavedModel."""
    model = folder / output / "Format-Serving"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer, "train_classifier", train_classifier)
        patch.setattr(trainer.tft, "TFTransformOutput", lambda path: Transform(folder))
        trainer.run_fn(
            SimpleNamespace(
                custom_config=config,
                transform_output="",
                train_files=[str(folder / names.TRAIN / "*")],
                eval_files=[str(folder / names.EVAL / "*")],
                base_model=base,
                serving_model_dir=str(model),
                model_run_dir=str(folder / output / "run"),
            )
        )
    return model


def test_what_killed_trainings_decoded_is_removed(trained, tmp_path):
    """A kill leaves gigabytes of decoded rows behind: the next training below the root takes them away, and nothing
    else of older runs; its own, and what a killed share of one worker left, are gone when it is done."""
    own = tmp_path / "CategoryTrainer/model_run/7"
    left = [tmp_path / "ArticleTypeTrainer/model_run/3/cache-x", own / "cache0-y", own / "cache1-y"]
    for folder in left:
        folder.mkdir(parents=True)
    (left[0].parent / "metrics.csv").touch()
    with training_data.cache_folder(own, "0"):
        assert [folder.exists() for folder in left] == [True, False, True]
    training_data.forget_caches(own)
    assert not list(tmp_path.rglob("cache*")) and (left[0].parent / "metrics.csv").exists()
    assert not list(trained.folder.rglob("cache*"))


def test_training_sees_the_rows_of_its_split_and_no_other(trained):
    """No row of eval or test trains, and none of train or test decides which epoch wins."""
    assert sorted(trained.seen[names.TRAIN]) == list(SPLITS[names.TRAIN])
    assert sorted(trained.seen[names.EVAL]) == list(SPLITS[names.EVAL])


def test_what_calibrating_needs_lies_beside_the_model(trained):
    """Every row of eval, in order, with its label, and the votes of pictures that are not itself."""
    outputs = EvalOutputs.load(trained.model.parent)
    assert outputs.ids.tolist() == [str(number) for number in SPLITS[names.EVAL]]
    assert outputs.labels[names.ARTICLE_TYPE].tolist() == [number % 2 for number in SPLITS[names.EVAL]]
    assert outputs.logits[names.ARTICLE_TYPE].shape == outputs.votes[names.ARTICLE_TYPE].shape == (8, 2)
    assert outputs.counts[names.ARTICLE_TYPE].tolist() == [12, 12]
    # The brightest row of train is the nearest to all of eval, so all get its label: none was known to the memory.
    assert set(outputs.votes[names.ARTICLE_TYPE].argmax(axis=1)) == {max(SPLITS[names.TRAIN]) % 2}


def test_the_model_is_left_uncalibrated(trained):
    """The graph gives logits and votes, of a memory that knows eval too, and the card promises nothing yet."""
    model = tf.saved_model.load(str(trained.model))
    numbers = list(SPLITS[names.EVAL])
    answer = model.signatures[OUTPUTS](image_bytes=tf.constant([picture(number) for number in numbers]))
    np.testing.assert_allclose(
        answer[names.ARTICLE_TYPE], EvalOutputs.load(trained.model.parent).logits[names.ARTICLE_TYPE], atol=1e-4
    )
    assert tf.argmax(answer["article_type_votes"], axis=1).numpy().tolist() == [number % 2 for number in numbers]
    card = model_card.read_file(trained.model)
    assert card.heads[names.ARTICLE_TYPE].review_threshold == model_card.ALWAYS_REVIEW
    assert "review_precision" not in card.training["hyperparameters"]
    assert {path.labels for path in card.taxonomy} == set(PATHS)


def test_names_are_learnt_of_training_alone(trained):
    """What eval's rows are called says what training's names say of it; no word that eval alone has is known."""
    model = tf.saved_model.load(str(trained.model))
    told = model.signatures[EVIDENCE](name=tf.constant([plain("Größe"), *map(str, SPLITS[names.EVAL])]))
    assert told[names.NAME_KNOWN].numpy().tolist() == [True, *[False] * 8]
    kept = EvalOutputs.load(trained.model.parent).names[names.ARTICLE_TYPE]
    expected = model.signatures[EVIDENCE](name=tf.constant([plain(f"Größe {number}") for number in SPLITS[names.EVAL]]))
    np.testing.assert_allclose(kept, expected[names.ARTICLE_TYPE], atol=1e-6)


def test_a_model_without_heads_is_saved_and_not_trained(trained):
    """Where the catalogue has nothing for it, it tells if a picture can be read, has a card, and knows the rows."""
    config = trained.config | {"model": names.CATEGORY, "heads": [], "levels": [names.ARTICLE_TYPE]}
    model = run(trained.folder, "nothing", config, train_classifier=None)
    outputs = tf.saved_model.load(str(model)).signatures[OUTPUTS](image_bytes=tf.constant([picture(1)]))
    assert list(outputs) == [names.IMAGE_OK]
    card = model_card.read_file(model)
    assert (card.model, dict(card.heads), card.levels) == (names.CATEGORY, {}, (names.ARTICLE_TYPE,))
    assert {len(path.labels) for path in card.taxonomy} == {1}
    assert len(EvalOutputs.load(model.parent).ids) == len(SPLITS[names.EVAL])


def test_the_nearest_known_pictures_can_be_named(trained):
    """Of train and eval alike, nearest first, each with its own id, label and name, and no test picture among them."""
    model, card = tf.saved_model.load(str(trained.model)), model_card.read_file(trained.model)
    known = [*SPLITS[names.TRAIN], *SPLITS[names.EVAL]]
    assert card.known_pictures == len(known) == 32
    asked = [0, 11, 103]
    answer = model.signatures[names.NEIGHBOURS](image_bytes=tf.constant([picture(number) for number in asked]))
    ids, labels, texts = (
        [[text.decode() for text in row] for row in answer[key].numpy()]
        for key in (names.NEIGHBOUR_IDS, names.NEIGHBOUR_LABELS, names.NEIGHBOUR_NAMES)
    )
    similarities = answer[names.NEIGHBOUR_SIMILARITIES].numpy()
    assert [row[0] for row in ids] == [str(number) for number in asked]
    np.testing.assert_allclose(similarities[:, 0], 1, atol=1e-4)
    assert (np.diff(similarities) <= 1e-6).all() and similarities.min() >= 0
    for row in range(len(asked)):
        assert sorted(map(int, ids[row])) == known
        assert labels[row] == [PATHS[int(number) % 2][2] for number in ids[row]]
        assert texts[row] == [f"Größe {number}" for number in ids[row]]


def test_the_nearest_can_be_named_from_a_session(trained):
    """TensorFlow Serving restores variables, texts too, in a session."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        loaded = tf.compat.v1.saved_model.load(session, ["serve"], str(trained.model))
        signature = loaded.signature_def[names.NEIGHBOURS]
        wanted = {key: tensor.name for key, tensor in signature.outputs.items()}
        found = session.run(wanted, {signature.inputs[names.IMAGE].name: [picture(7)]})
    assert found[names.NEIGHBOUR_IDS][0, 0] == b"7"
    assert found[names.NEIGHBOUR_NAMES][0, 0].decode() == "Größe 7"


def test_it_tells_where_a_picture_lies_among_the_known_ones(trained):
    """What the votes are made of, so that corrected pictures can join them: with the card's numbers they come out the
    same, and whoever asks for the outputs alone carries no embedding."""
    model, memory = tf.saved_model.load(str(trained.model)), model_card.read_file(trained.model).memory
    asked = tf.constant([picture(number) for number in (0, 11, 103)])
    found = {key: values.numpy() for key, values in model.signatures[WITH_MEMORY](image_bytes=asked).items()}
    alone = model.signatures[OUTPUTS](image_bytes=asked)
    features = {names.FEATURES, names.VOTERS, names.VOTER_WEIGHTS}
    assert set(found) - set(alone) == {EMBEDDING, SIMILARITIES, *features}
    np.testing.assert_allclose(np.linalg.norm(found[EMBEDDING], axis=1), 1, atol=1e-5)
    ids = model.signatures[names.NEIGHBOURS](image_bytes=asked)[names.NEIGHBOUR_LABELS].numpy()[:, : memory.neighbours]
    weights = softmax(memory.sharpness * found[SIMILARITIES][:, : memory.neighbours], axis=1)
    of_first = (weights * (ids == PATHS[0][2].encode())).sum(axis=1)
    votes = np.sort(found[votes_key(names.ARTICLE_TYPE)], axis=1)
    np.testing.assert_allclose(votes, np.sort(np.stack([of_first, 1 - of_first], axis=1)), atol=1e-4)


def test_a_model_without_a_memory_names_nothing(trained):
    """It is saved without the signature, says so in its card, and still tells what familiarity can be told by."""
    parameters = HyperParameters(height=SIDE, width=SIDE, epochs=1, batch_size=8)
    config = trained.config | {"hyperparameters": parameters.of_training()}
    model = run(trained.folder, "forgetful", config, trainer.train_classifier)
    loaded, outputs = tf.saved_model.load(str(model)), EvalOutputs.load(model.parent)
    assert (model_card.read_file(model).known_pictures, model_card.read_file(model).memory) == (0, None)
    assert not {names.NEIGHBOURS, WITH_MEMORY} & set(loaded.signatures)
    assert (set(outputs.signals), dict(outputs.votes)) == ({CONTRAST, BRIGHTNESS}, {})
    plain, striped = (np.full((SIDE, SIDE, 3), 255, np.uint8), np.full((SIDE, SIDE, 3), 255, np.uint8))
    striped[::2] = 0
    answer = loaded.signatures[OUTPUTS](image_bytes=tf.constant([plain.tobytes(), striped.tobytes()]))
    np.testing.assert_allclose(answer[CONTRAST], [0, np.log(9)], atol=1e-5)
    np.testing.assert_allclose(answer[BRIGHTNESS], [1, 0.5], atol=1e-5)
