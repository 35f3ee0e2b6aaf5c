"""Every other shared name, once: features, splits, models, signatures and tensors. The heads: :mod:`schema.heads`.

Both environments import this module, so it uses nothing but the standard library.

The contract of a released SavedModel, in these names (``N`` pictures, ``C`` classes of a head, ``k = min(TOP_K, C)``):

===================  =============================  ===================================================================
signature            inputs                         outputs
===================  =============================  ===================================================================
``serving_default``  ``image_bytes`` string[N]      per head ``<head>_labels`` string[N, k] and ``<head>_scores``
                                                    float32[N, k], best first; ``image_ok`` bool[N]
``scores``           ``image_bytes`` string[N]      per head ``<head>`` float32[N, C] in the card's label order;
                                                    ``image_ok`` bool[N]; where the card has ``familiarity``, that
                                                    too: float32[N], 0 to 1; where its ``eval_histograms`` name
                                                    ``looks``, those: float32[N, number of names]
``scores_with_name`` ``image_bytes``, ``name``      the same, where the card has ``name_weights``: the probabilities by
                     string[N]                      picture and name, ``""`` for none; ``name_known`` bool[N], false
                                                    where training had none of the name's words, and the scores are the
                                                    picture's; ``name_fits`` float32[N], the chance that the name
                                                    belongs to the picture. Names are plain: :mod:`schema.product_names`
``name_scores``      ``name`` string[N]             per head ``<head>`` float32[N, C] by the name alone, and
                                                    ``<head>_factors`` float32[N, C], by which it multiplies the
                                                    picture's; ``name_known``; the evaluator's, where
                                                    ``scores_with_name`` is
``scores_with_memory`` as ``scores_with_name``         the same as that one, or as ``scores`` where the card has no
                     or ``scores``                  ``name_weights``; beside it ``embedding`` and ``similarities`` as
                                                    ``neighbours`` has them; where the card has ``memory``. A signature
                                                    of its own: ``scores`` alone carry no embedding.
                                                    Where the card has ``shared_features``, also what another model
                                                    needs to answer without looking: ``features`` float32[N, F], and
                                                    of the k known pictures that vote ``voters`` int32[N, k] and
                                                    ``voter_weights`` float32[N, k], all 0 where ``image_ok`` is false
``scores_from_features`` ``features``, ``voters``,  as ``scores``, or as ``scores_with_name`` where there is a ``name``;
                     ``voter_weights``; ``name``    of a model whose card has the same ``shared_features`` as the one
                     string[N] where the card has   that told them; ``image_ok`` is false where all weights are 0
                     ``name_weights``
``metadata``         ``keys`` string[N]             ``values`` string[N]: that key's JSON document, ``""`` if unknown
``neighbours``       ``image_bytes`` string[N]      the nearest known pictures, nearest first: ``ids``, ``labels`` and
                                                    ``names`` string[N, m], ``similarities`` float32[N, m], 0 to 1;
                                                    ``embedding`` float32[N, F] of length 1, whose products are the
                                                    similarities; ``image_ok`` bool[N]; of the article type's model
                                                    alone, where its card has ``known_pictures`` M: ``m =
                                                    min(NEIGHBOURS_LISTED, M)``
``label_ids``        ``articleType`` …, string[N]   per head ``<head>_id`` int64[N]: index in the label order, or
                                                    :data:`UNKNOWN_LABEL`, or :data:`UNLABELLED`; the evaluator's, not
                                                    needed to serve, and not there where a model has no heads
===================  =============================  ===================================================================

Scores are calibrated probabilities. A picture that cannot be decoded gets ``image_ok`` false, scores of zero and empty
labels, and never disturbs the other pictures of its batch.

The only metadata key is ``card``: see :data:`CARD_KEY`.
"""

from typing import Final

# Raw features, as ExampleGen writes them. IMAGE is also the input tensor of the serving signatures.
IMAGE: Final = "image_bytes"
ID: Final = "id"
GROUP: Final = "group"  # rows of one group share a product name or (nearly) the same pixels; never split apart
MADE_BY_IMPORT: Final = (IMAGE, ID, GROUP)  # in every example, and in no statistics of a catalogue's columns
ARTICLE_TYPE_LABEL: Final = "articleType"
SUB_CATEGORY_LABEL: Final = "subCategory"
MASTER_CATEGORY_LABEL: Final = "masterCategory"
GENDER: Final = "gender"
BASE_COLOUR: Final = "baseColour"
SEASON: Final = "season"
YEAR: Final = "year"
USAGE: Final = "usage"
PRODUCT_NAME: Final = "productDisplayName"
SPLIT_COLUMN: Final = "split"  # optional in styles.csv: train, eval or test

# Layout of a catalogue.
STYLES_CSV: Final = "styles.csv"
IMAGES_DIR: Final = "images"

# Splits.
TRAIN: Final = "train"
EVAL: Final = "eval"
TEST: Final = "test"
SPLITS: Final = (TRAIN, EVAL, TEST)

# The taxonomy's heads, and the models (one is named like its head); their table is schema.heads.
ARTICLE_TYPE: Final = "article_type"
SUB_CATEGORY: Final = "sub_category"
MASTER_CATEGORY: Final = "master_category"
CATEGORY: Final = "category"

# Signatures and tensors.
SERVING_DEFAULT: Final = "serving_default"
SCORES: Final = "scores"
SCORES_WITH_NAME: Final = "scores_with_name"
NAME_SCORES: Final = "name_scores"
SCORES_WITH_MEMORY: Final = "scores_with_memory"
SCORES_FROM_FEATURES: Final = "scores_from_features"
METADATA: Final = "metadata"
LABEL_IDS: Final = "label_ids"
NEIGHBOURS: Final = "neighbours"
NEIGHBOUR_IDS: Final = "ids"
NEIGHBOUR_LABELS: Final = "labels"
NEIGHBOUR_NAMES: Final = "names"
NEIGHBOUR_SIMILARITIES: Final = "similarities"
EMBEDDING: Final = "embedding"
FEATURES: Final = "features"
VOTERS: Final = "voters"
VOTER_WEIGHTS: Final = "voter_weights"
OF_FEATURES: Final = (FEATURES, VOTERS, VOTER_WEIGHTS)  # what scores_from_features takes of a picture
NEIGHBOURS_LISTED: Final = 50
IMAGE_OK: Final = "image_ok"
FAMILIARITY: Final = "familiarity"
LOOKS: Final = "looks"
NAME: Final = "name"
NAME_KNOWN: Final = "name_known"
NAME_FITS: Final = "name_fits"
METADATA_KEYS: Final = "keys"
METADATA_VALUES: Final = "values"
TOP_K: Final = 5

UNKNOWN_LABEL: Final = -1
"""Id of a label that the training split does not have. Losses leave it out, metrics count it as wrong."""

UNLABELLED: Final = -2
"""Id where a row has no label at all, as it may of an attribute. Losses and metrics leave it out."""

CARD_KEY: Final = "card"
"""Metadata key of the model card, a JSON object: see :mod:`schema.model_card`."""


def label_id(head: str) -> str:
    """Name of the transformed feature, and of the ``label_ids`` output, with the label's index of ``head``."""
    return f"{head}_id"


def labels_tensor(head: str) -> str:
    """Name of the ``serving_default`` output with the top-k labels of ``head``."""
    return f"{head}_labels"


def scores_tensor(head: str) -> str:
    """Name of the ``serving_default`` output with the top-k scores of ``head``."""
    return f"{head}_scores"
