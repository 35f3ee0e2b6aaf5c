"""Two models as training leaves them, made by hand: the picture ``b"7"`` has the logits of row 7 of eval."""

from pathlib import Path

import numpy as np
import tensorflow as tf
from scipy import special

from components.model.nearest_pictures import NEARNESS, votes_key
from components.model.signatures import OUTPUTS
from components.training.eval_outputs import EvalOutputs
from schema import heads as table
from schema import model_card, names
from schema.model_card import PATH, HeadCard, ModelCard, TaxonomyPath

TEMPERATURE = 2.5
"""How much too sure the models are of themselves."""

PATHS = tuple(
    TaxonomyPath((master, sub, article_type), count)
    for master, sub, article_type, count in (
        ("Accessories", "Belts", "Belts", 40),
        ("Accessories", "Ties", "Ties", 20),
        ("Apparel", "Bottomwear", "Belts", 15),
        ("Apparel", "Bottomwear", "Jeans", 90),
        ("Apparel", "Topwear", "Shirts", 200),
        ("Apparel", "Topwear", "Tshirts", 400),
    )
)
LEVELS = tuple(head.name for head in table.taxonomy())
LABELS = {level: sorted({path.labels[depth] for path in PATHS}) for depth, level in enumerate(LEVELS)}


class _Trained(tf.Module):
    """The signatures of an uncalibrated model, over rows that are known beforehand."""

    def __init__(self, outputs: EvalOutputs):
        super().__init__()
        votes = {votes_key(head): values for head, values in outputs.votes.items()}
        rows = {**outputs.logits, **votes, **outputs.signals}
        self._rows = {key: tf.Variable(values) for key, values in rows.items()}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name=names.IMAGE)])
    def outputs(self, image_bytes):
        is_ok = tf.strings.regex_full_match(image_bytes, "[0-9]+")
        rows = tf.strings.to_number(tf.where(is_ok, image_bytes, "0"), tf.int32)
        return {**{key: tf.gather(values, rows) for key, values in self._rows.items()}, names.IMAGE_OK: is_ok}

    def label_ids(self, **labels):
        lengths = {column: tf.strings.length(text) for column, text in labels.items()}
        return {names.label_id(head.name): tf.cast(lengths[head.column], tf.int64) for head in table.taxonomy()}

    def save(self, directory: Path) -> None:
        specs = {column: tf.TensorSpec([None], tf.string, name=column) for column in table.columns()}
        ids = tf.function(self.label_ids).get_concrete_function(**specs)
        tf.saved_model.save(self, str(directory), signatures={OUTPUTS: self.outputs, names.LABEL_IDS: ids})


def eval_outputs(rows: int, seed: int = 0, remembers: bool = False) -> dict[str, EvalOutputs]:
    """Both models' word on eval: labels are drawn as often as the logits say at :data:`TEMPERATURE`."""
    random = np.random.default_rng(seed)
    counts = np.array([path.count for path in PATHS])
    truths = random.choice(len(PATHS), rows, p=counts / counts.sum())
    labels, logits, votes, of_class = {}, {}, {}, {}
    for depth, level in enumerate(LEVELS):
        positions = np.array([LABELS[level].index(path.labels[depth]) for path in PATHS])
        labels[level] = positions[truths]
        logits[level] = _over_sure(labels[level], len(LABELS[level]), random)
        votes[level] = special.softmax(logits[level] / 4, axis=1)
        of_class[level] = np.bincount(positions, counts).astype(np.int64)
    return {
        model: EvalOutputs(
            ids=np.arange(rows).astype(np.str_),
            labels=_of(model, labels),
            logits=_of(model, logits),
            counts=_of(model, of_class),
            votes=_of(model, votes) if remembers else {},
            signals={key: random.normal(size=rows).astype(np.float32) for key in NEARNESS} if remembers else {},
        )
        for model in table.MODELS
    }


def _of(model: str, values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {head.name: values[head.name] for head in table.of_model(model)}


def _over_sure(labels: np.ndarray, classes: int, random: np.random.Generator) -> np.ndarray:
    """Logits of Gaussian evidence for the label: times the temperature what its likelihood ratio would be."""
    evidence = random.normal(size=(len(labels), classes)) * np.sqrt(2)
    evidence[np.arange(len(labels)), labels] += 2
    # Between two classes of equal variance 2 and means 2 apart the log likelihood ratio is the difference itself.
    return (TEMPERATURE * evidence).astype(np.float32)


def write_trained(folder: Path, outputs: dict[str, EvalOutputs]) -> dict[str, Path]:
    """Writes both as the Trainer does: model name → its SavedModel."""
    paths = {}
    for model, one in outputs.items():
        paths[model] = folder / model / "Format-Serving"
        _Trained(one).save(paths[model])
        one.save(paths[model].parent)
        heads = {
            head.name: HeadCard(tuple(LABELS[head.name]), head.column, head.level) for head in table.of_model(model)
        }
        joint = dict.fromkeys((*LEVELS, PATH), 1.0)
        card = ModelCard(model, 8, 8, heads, PATHS, joint, {"hyperparameters": {"epochs": 3}})
        model_card.write_file(paths[model], card)
    return paths
