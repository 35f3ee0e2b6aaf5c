"""The TensorFlow half of the tiny models: the signatures, the card, and how a version lands on disk."""

import shutil
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

import tensorflow as tf
from tensorflow.python.data.experimental.ops import testing as tf_data_testing  # sleeps without burning a core

from schema import heads as table
from schema import model_card, names
from schema.card_parts import MemoryCard
from schema.model_card import ModelCard
from tests import tiny_models
from tests.tiny_models import HEIGHT, PRODUCTS, WIDTH, head_labels

SHARPNESS = 6.0
Tensors = dict[str, tf.Tensor]
Images = tf.TensorSpec([None], tf.string, name=names.IMAGE)
Names = tf.TensorSpec([None], tf.string, name=names.NAME)
Features = (
    tf.TensorSpec([None, 3], tf.float32, name=names.FEATURES),
    tf.TensorSpec([None, len(PRODUCTS)], tf.int32, name=names.VOTERS),
    tf.TensorSpec([None, len(PRODUCTS)], tf.float32, name=names.VOTER_WEIGHTS),
)
Keys = tf.TensorSpec([None], tf.string, name=names.METADATA_KEYS)


def decode(image: tf.Tensor) -> tf.Tensor:
    """One encoded picture → float32[HEIGHT, WIDTH, 3] in 0..1; of an animation the first frame."""
    pixels = tf.io.decode_image(image, channels=3, expand_animations=False)
    pixels.set_shape([None, None, 3])
    return tf.image.resize(pixels, [HEIGHT, WIDTH], antialias=True) / 255.0


def decode_batch(images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """string[N] → pixels float32[N, HEIGHT, WIDTH, 3], zero where broken, and image_ok bool[N].

    A failing op fails its whole graph; only tf.data can drop the one element. The sentinel keeps the dataset from
    running empty, which would be an error too.
    """
    sentinel = tf.io.encode_png(tf.zeros([1, 1, 3], tf.uint8))
    everything = tf.concat([images, [sentinel]], axis=0)
    count = tf.size(everything)
    dataset = tf.data.Dataset.from_tensor_slices(everything).enumerate()
    dataset = dataset.map(lambda row, image: (row, decode(image))).ignore_errors()
    rows, pixels = dataset.batch(tf.cast(count, tf.int64)).get_single_element()
    rows = tf.cast(rows[:, tf.newaxis], tf.int32)
    image_ok = tf.scatter_nd(rows, tf.ones_like(rows[:, 0]), [count]) > 0
    return tf.scatter_nd(rows, pixels, [count, HEIGHT, WIDTH, 3])[:-1], image_ok[:-1]


def type_probabilities(mean: tf.Tensor, weights: int) -> tf.Tensor:
    """Mean colour float32[N, 3] → P(product) float32[N, len(PRODUCTS)] by its distance."""
    count = len(PRODUCTS)
    prototypes = tf.constant([PRODUCTS[(i - weights) % count].rgb for i in range(count)], tf.float32)
    distance = tf.reduce_sum((mean[:, tf.newaxis] - prototypes) ** 2, axis=-1)
    return tf.nn.softmax(-SHARPNESS * distance)


def head_scores(products: tf.Tensor, head: str) -> tf.Tensor:
    """P(product) float32[N, P] → float32[N, C] of ``head``: the sum over the products under each label."""
    labels = head_labels(head)
    membership = [[float(tiny_models.label(product, head) == one) for one in labels] for product in PRODUCTS]
    return tf.matmul(products, tf.constant(membership))


def scores_function(card: ModelCard, weights: int, delay_seconds: float) -> Callable[[tf.Tensor], Tensors]:
    """The ``scores`` signature of a model; each call takes ``delay_seconds`` longer than it needs."""

    def scores(image_bytes: tf.Tensor) -> Tensors:
        if delay_seconds:
            nap = tf.data.Dataset.range(1).apply(tf_data_testing.sleep(int(delay_seconds * 1e6))).take(1)
            with tf.control_dependencies([nap.get_single_element()]):
                image_bytes = tf.identity(image_bytes)
        pixels, image_ok = decode_batch(image_bytes)
        products = type_probabilities(tf.reduce_mean(pixels, axis=[1, 2]), weights)
        products *= tf.cast(image_ok, tf.float32)[:, tf.newaxis]
        return {head: head_scores(products, head) for head in card.heads} | {names.IMAGE_OK: image_ok}

    return scores


def features_of(image_bytes: tf.Tensor) -> Tensors:
    """What ``scores_with_memory`` adds: the mean colour, and how near it is to the known ones, as votes."""
    pixels, image_ok = decode_batch(image_bytes)
    is_read = tf.cast(image_ok, tf.float32)[:, tf.newaxis]
    mean = tf.reduce_mean(pixels, axis=[1, 2])
    voting = tf.math.top_k(type_probabilities(mean, 0), k=len(PRODUCTS))
    return {
        names.FEATURES: mean * is_read,
        names.VOTERS: voting.indices * tf.cast(is_read, tf.int32),
        names.VOTER_WEIGHTS: voting.values * is_read,
        names.EMBEDDING: tf.math.l2_normalize(mean, axis=1) * is_read,
        names.NEIGHBOUR_SIMILARITIES: voting.values * is_read,
    }


def from_features_function(card: ModelCard, weights: int) -> Callable[..., Tensors]:
    """The ``scores_from_features`` signature: half by the colour and half by the votes, which tell the same."""

    def from_features(features: tf.Tensor, voters: tf.Tensor, voter_weights: tf.Tensor) -> Tensors:
        votes = tf.reduce_sum(tf.one_hot(voters, len(PRODUCTS)) * voter_weights[:, :, tf.newaxis], axis=1)
        image_ok = tf.reduce_any(voter_weights > 0, axis=1)
        products = (type_probabilities(features, weights) + tf.roll(votes, weights, axis=1)) / 2
        products *= tf.cast(image_ok, tf.float32)[:, tf.newaxis]
        return {head: head_scores(products, head) for head in card.heads} | {names.IMAGE_OK: image_ok}

    return from_features


def with_name_function(scores: Callable[..., Tensors]) -> Callable[..., Tensors]:
    """``scores``, whatever its inputs, and a name behind them: the first colour in a name is a word that it knows, and
    counts as much as the picture; a name fits as well as the picture's scores of the labels that it means."""
    colours = tf.constant(tiny_models.COLOURS)

    def with_name(*inputs: tf.Tensor) -> Tensors:
        outputs, name = scores(*inputs[:-1]), inputs[-1]
        image_ok = outputs.pop(names.IMAGE_OK)
        words = tf.strings.split(name).to_tensor("")
        said = tf.cast(tf.reduce_any(words[:, :, tf.newaxis] == colours, axis=1), tf.float32)
        is_known = tf.reduce_any(said > 0, axis=1)
        fits = tf.ones(tf.shape(name), tf.float32)
        for head, by_picture in outputs.items():
            meant = head_scores(said, head)
            fits = tf.minimum(fits, tf.reduce_sum(by_picture * tf.minimum(meant, 1.0), axis=1))
            both = by_picture * (0.1 + meant)
            both = both / tf.maximum(tf.reduce_sum(both, axis=1, keepdims=True), 1e-9)
            outputs[head] = tf.where(is_known[:, tf.newaxis], both, by_picture)
        told = {names.NAME_KNOWN: is_known, names.NAME_FITS: tf.where(is_known, fits, 0.0)}
        return outputs | told | {names.IMAGE_OK: image_ok}

    return with_name


def top_k(head: str, scores: tf.Tensor, image_ok: tf.Tensor) -> Tensors:
    """float32[N, C] → the two ``serving_default`` outputs of ``head``, best first."""
    labels = head_labels(head)
    values, indices = tf.math.top_k(scores, k=min(names.TOP_K, len(labels)))
    texts = tf.where(image_ok[:, tf.newaxis], tf.gather(tf.constant(labels), indices), "")
    return {names.labels_tensor(head): texts, names.scores_tensor(head): values}


def signatures(
    card: ModelCard, weights: int, delay_seconds: float, card_text: str
) -> dict[str, Callable[..., Tensors]]:
    """All signatures of a model, by name; ``metadata`` tells ``card_text``."""
    scores = scores_function(card, weights, delay_seconds)

    @tf.function(input_signature=[Images])
    def serving_default(image_bytes: tf.Tensor) -> Tensors:
        outputs = scores(image_bytes)
        image_ok = outputs.pop(names.IMAGE_OK)
        tops = [top_k(head, values, image_ok) for head, values in outputs.items()]
        return {name: tensor for top in tops for name, tensor in top.items()} | {names.IMAGE_OK: image_ok}

    @tf.function(input_signature=[Keys])
    def metadata(keys: tf.Tensor) -> Tensors:
        return {names.METADATA_VALUES: tf.where(keys == names.CARD_KEY, card_text, "")}

    @tf.function(input_signature=[Images])
    def neighbours(image_bytes: tf.Tensor) -> Tensors:
        pixels, image_ok = decode_batch(image_bytes)
        known = tf.constant([product.rgb for product in PRODUCTS], tf.float32)
        distance = tf.reduce_sum((tf.reduce_mean(pixels, axis=[1, 2])[:, tf.newaxis] - known) ** 2, axis=-1)
        nearest = tf.math.top_k(1 - distance / 3, k=len(PRODUCTS))
        texts = {
            name: tf.where(image_ok[:, tf.newaxis], tf.gather(tf.constant(told), nearest.indices), "")
            for name, told in tiny_models.known_pictures(weights).items()
        }
        similarities = nearest.values * tf.cast(image_ok, tf.float32)[:, tf.newaxis]
        return texts | {names.NEIGHBOUR_SIMILARITIES: similarities, names.IMAGE_OK: image_ok}

    with_name = with_name_function(scores)
    tells, takes = card.memory, card.shared_features and not card.memory
    named = [Names] if card.name_weights else []

    def with_memory(*inputs: tf.Tensor) -> Tensors:
        return (with_name if named else scores)(*inputs) | features_of(inputs[0])

    from_features = from_features_function(card, weights)
    if named:
        from_features = with_name_function(from_features)
    taking = tf.function(from_features, input_signature=[*Features, *named])
    return {
        names.SERVING_DEFAULT: serving_default,
        names.SCORES: tf.function(scores, input_signature=[Images]),
        names.METADATA: metadata,
        **({names.NEIGHBOURS: neighbours} if card.known_pictures else {}),
        **({names.SCORES_WITH_NAME: tf.function(with_name, input_signature=[Images, Names])} if named else {}),
        **({names.SCORES_WITH_MEMORY: tf.function(with_memory, input_signature=[Images, *named])} if tells else {}),
        **({names.SCORES_FROM_FEATURES: taking} if takes else {}),
    }


def write_warmup(folder: Path, model: str) -> None:
    """Warm-up requests for both image signatures, as TensorFlow Serving reads them."""
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    extra = folder / "assets.extra"
    extra.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(extra / "tf_serving_warmup_requests")) as writer:
        for signature in (names.SERVING_DEFAULT, names.SCORES):
            request = predict_pb2.PredictRequest()
            request.model_spec.name = model
            request.model_spec.signature_name = signature
            request.inputs[names.IMAGE].CopyFrom(tf.make_tensor_proto([tiny_models.picture("grey")]))
            log = prediction_log_pb2.PredictLog(request=request)
            writer.write(prediction_log_pb2.PredictionLog(predict_log=log).SerializeToString())


def write_model(folder: Path, card: ModelCard, weights: int, delay_seconds: float, broken: str | None) -> None:
    """Write one SavedModel into ``folder``, whole or broken in one of the ways of ``BROKEN``."""
    folder.mkdir(parents=True)
    model_card.write_file(folder, card)
    if broken == "garbage":
        (folder / "saved_model.pb").write_bytes(b"\x00 this is no SavedModel")
    elif broken != "empty":
        all_signatures = signatures(card, weights, delay_seconds, "" if broken == "no-card" else card.to_json())
        if broken == "no-scores":
            del all_signatures[names.SCORES]
        tf.saved_model.save(tf.Module(), str(folder), signatures=all_signatures)


def write_release(
    root: Path,
    version: int = 1,
    *,
    weights: int = 0,
    disagree: bool = False,
    delay_seconds: float = 0.0,
    warmup: bool = False,
    broken: str | None = None,
    models: Collection[str] = table.MODELS,
    attributes: Collection[str] = (),
    hears: bool = False,
    shares: bool = False,
) -> None:
    """Write ``root/<model>/<version>`` for each model, each appearing whole by a rename.

    Args:
        root: the folder above the models' base paths.
        version: number of the release.
        weights: which release this is: the answers move along ``PRODUCTS`` by so many steps.
        disagree: let the category model answer as if ``weights`` were one more.
        delay_seconds: how much slower each call is; it sleeps, so it costs no CPU.
        warmup: with warm-up requests in ``assets.extra``.
        broken: one of ``BROKEN``.
        models: which models to write.
        attributes: heads outside the taxonomy, of the category model unless the table of heads says otherwise.
        hears: the models hear names.
        shares: the category model can answer from the features of the article type's, which has a memory.
    """
    for model in models:
        staging, final = root / model / f".incoming-{version}", root / model / str(version)
        shutil.rmtree(staging, ignore_errors=True)
        shift = weights + (tiny_models.DISAGREEMENT if disagree and model == names.CATEGORY else 0)
        card = tiny_models.make_card(model, attributes, profile="tiny", weights=shift)
        if hears:
            card = replace(card, name_weights=dict.fromkeys(card.heads, 1.0))
        if shares:
            memory = MemoryCard(len(PRODUCTS), SHARPNESS, 0.9) if model == names.ARTICLE_TYPE else None
            card = replace(card, shared_features="tiny", memory=memory)
        write_model(staging, card, shift, delay_seconds, broken)
        if warmup:
            write_warmup(staging, model)
        staging.rename(final)
