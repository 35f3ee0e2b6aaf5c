"""A pair of untrained models that keep the contract of a release, for tests: they name the colour of a picture.

``.venv/pipeline/bin/python -m tests.tiny_models DIR --version 2 --weights 1`` writes ``DIR/article_type/2`` and
``DIR/category/2``. This module holds what a test must know to judge the answers and imports no TensorFlow, so that
tests of the serving side can use it too; the graph is in :mod:`tests.tiny_models.graph`.
"""

import io
import itertools
import math
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final, NamedTuple

from PIL import Image

from schema import heads as table
from schema import names
from schema.heads import Head
from schema.model_card import PATH, HeadCard, ModelCard, TaxonomyPath

ROOT: Final = Path(__file__).parents[2]
PIPELINE_PYTHON: Final = ROOT / ".venv/pipeline/bin/python"

HEIGHT: Final = 16
WIDTH: Final = 12


class Product(NamedTuple):
    """One path of the taxonomy and the colour (red, green, blue in 0..1) that stands for it with ``weights=0``."""

    article_type: str
    sub_category: str
    master_category: str
    gender: str
    colour: str
    rgb: tuple[float, float, float]


# Neighbours differ in every head, round the corner too: a shift by one changes all answers.
PRODUCTS: Final = (
    Product("Tshirts", "Topwear", "Apparel", "Men", "red", (1, 0, 0)),
    Product("Watches", "Watches", "Accessories", "Women", "green", (0, 1, 0)),
    Product("Shirts", "Topwear", "Apparel", "Unisex", "blue", (0, 0, 1)),
    Product("Casual Shoes", "Shoes", "Footwear", "Men", "yellow", (1, 1, 0)),
    Product("Jeans", "Bottomwear", "Apparel", "Women", "magenta", (1, 0, 1)),
    Product("Sports Shoes", "Shoes", "Footwear", "Unisex", "cyan", (0, 1, 1)),
)
COLOURS: Final = tuple(product.colour for product in PRODUCTS)
DISAGREEMENT: Final = 1
"""Shift of the category model against the article-type model when they are told to disagree."""

BROKEN: Final = ("garbage", "empty", "no-scores", "no-card")
"""Ways a version can be broken: unreadable graph, no graph at all, lacks the ``scores`` signature, knows no card."""


def expected(colour: str, weights: int = 0, attributes: Iterable[str] = ()) -> dict[str, str]:
    """Head → best label of a picture of ``colour`` under a release written with ``weights``."""
    product = PRODUCTS[(COLOURS.index(colour) + weights) % len(PRODUCTS)]
    return {head: label(product, head) for head in (*(level.name for level in table.taxonomy()), *attributes)}


def label(product: Product, head: str) -> str:
    """What ``head`` says of ``product``: its colour, where a product has no field of that name."""
    return str(getattr(product, head, product.colour))


def head_labels(head: str) -> list[str]:
    """The labels of ``head`` in the order of the card."""
    return sorted({label(product, head) for product in PRODUCTS})


def heads_of(model: str, attributes: Iterable[str | Head] = ()) -> tuple[Head, ...]:
    """The heads of ``model`` in a release with ``attributes``, which need no row in the table of heads."""
    rows = {head.name: head for head in table.HEADS}
    wanted = [rows.get(one, Head(one, one, names.CATEGORY)) if isinstance(one, str) else one for one in attributes]
    return table.of_model(model, (*table.taxonomy(), *wanted))


def make_card(model: str, attributes: Iterable[str | Head] = (), **training: Any) -> ModelCard:
    """The card of ``model``, with ``training`` for its provenance."""
    levels = [head.name for head in table.taxonomy()]
    paths = [
        TaxonomyPath(tuple(label(product, level) for level in levels), 100 * (i + 1))
        for i, product in enumerate(PRODUCTS)
    ]
    joint = dict.fromkeys(levels, 0.5) | {names.ARTICLE_TYPE: 1.0, PATH: 0.5}
    heads = {
        head.name: HeadCard(
            tuple(head_labels(head.name)), head.column, head.level, review_threshold=0.6, review_precision=0.97
        )
        for head in heads_of(model, attributes)
    }
    known = len(PRODUCTS) if model == names.ARTICLE_TYPE else 0
    return ModelCard(model, HEIGHT, WIDTH, heads, tuple(sorted(paths)), joint, training, known_pictures=known)


def known_pictures(weights: int = 0) -> dict[str, list[str]]:
    """What a release written with ``weights`` says of the pictures that it knows, one a product, in their order."""
    return {
        names.NEIGHBOUR_IDS: [f"{weights}-{product.colour}" for product in PRODUCTS],
        names.NEIGHBOUR_LABELS: [expected(product.colour, weights)[names.ARTICLE_TYPE] for product in PRODUCTS],
        names.NEIGHBOUR_NAMES: [f"A {product.colour} thing" for product in PRODUCTS],
    }


def pixel(image: bytes) -> tuple[int, ...]:
    """The mean colour of a picture: red, green and blue in 0..255."""
    found = Image.open(io.BytesIO(image)).convert("RGB").resize((1, 1)).getpixel((0, 0))
    assert isinstance(found, tuple)
    return found


def colour_of(image: bytes) -> str | None:
    """The product colour of a picture, None if it is none."""
    near = [p.colour for p in PRODUCTS if all(abs(a - 255 * b) < 60 for a, b in zip(pixel(image), p.rgb, strict=True))]
    return near[0] if near else None


def embedding(image: bytes) -> list[float]:
    """Where a picture's colour lies, a vector of length 1: colours 30 of 255 levels apart are hardly similar."""
    steps = [[math.exp(-(((value - 255 * i / 9) / 20) ** 2)) for i in range(10)] for value in pixel(image)]
    values = [math.prod(one) for one in itertools.product(*steps)]
    length = math.hypot(*values)
    return [value / length for value in values]


def picture(colour: str, *, width: int = 60, height: int = 80, image_format: str = "JPEG") -> bytes:
    """An encoded picture of one colour of :data:`COLOURS`, or of any other colour Pillow knows (``grey``: unsure)."""
    buffer = io.BytesIO()
    rgb = next((tuple(int(255 * value) for value in p.rgb) for p in PRODUCTS if p.colour == colour), colour)
    Image.new("RGB", (width, height), rgb).save(buffer, image_format)
    return buffer.getvalue()


def write(root: Path, *arguments: str | int | float) -> None:
    """Write a release from an environment without TensorFlow: ``write(root, "--version", 2)``.

    Raises:
        CalledProcessError: the arguments are wrong or the pipeline environment is missing.
    """
    command = [str(PIPELINE_PYTHON), "-m", "tests.tiny_models", str(root), *map(str, arguments)]
    subprocess.run(command, cwd=ROOT, check=True)
