"""The card of a model is read whole or not at all: of any format, and an error names the field."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schema import heads as table
from schema import model_card, names
from schema.card_parts import FamiliarityCard, Signal
from schema.model_card import ALWAYS_REVIEW, CONTRADICTION, FORMAT, PATH, CardError, HeadCard, ModelCard, TaxonomyPath

LEVELS = [head.name for head in table.taxonomy()]
Change = Callable[[dict[str, Any]], Any]

SUB_CATEGORY = HeadCard(
    ("Shoes", "Topwear"), "subCategory", 1, temperature=1.3, curvature=0.2, review_threshold=0.7, review_precision=0.97
)
CARD = ModelCard(
    model=names.CATEGORY,
    height=128,
    width=96,
    heads={
        "master_category": HeadCard(("Apparel", "Footwear"), "masterCategory", 0),
        "sub_category": SUB_CATEGORY,
        "gender": HeadCard(("Men", "Women"), "gender", None, review_threshold=0.5, review_precision=0.9),
    },
    taxonomy=(
        TaxonomyPath(("Apparel", "Topwear", "Shirts"), 30),
        TaxonomyPath(("Footwear", "Shoes", "Flats"), 1),
    ),
    joint={"master_category": 0.25, "sub_category": 0.5, "article_type": 1.0, PATH: 2.0},
    training={"profile": "quick", "data": {"rows": 31}},
    familiarity=FamiliarityCard(0.5, 0.049, 22.1, {"energy": Signal(-4.1, 0.9), "contrast": Signal(4.0, 0.4)}),
)


def document() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(CARD.to_json())
    return loaded


def format_1() -> dict[str, Any]:
    """A card as releases before format 2 carry it, word by word."""
    head = {"temperature": 1.0, "curvature": 0.0, "review_threshold": 0.62, "review_precision": 0.97}
    return {
        "model": "category",
        "image": {"height": 80, "width": 60},
        "heads": {
            "master_category": {"labels": ["Apparel", "Footwear"], **head},
            "sub_category": {"labels": ["Topwear", "Shoes"], **head, "review_threshold": 1.01},
        },
        "taxonomy": [
            {"article_type": "Flats", "sub_category": "Shoes", "master_category": "Footwear", "count": 9},
            {"article_type": "Shirts", "sub_category": "Topwear", "master_category": "Apparel", "count": 2884},
        ],
        "joint": {"article_type": 1.0, "sub_category": 0.5, "master_category": 0.5, "path": 0.5},
        "training": {"profile": "standard"},
    }


def read(card: dict[str, Any]) -> ModelCard:
    return ModelCard.from_json(json.dumps(card))


TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
LABELS = st.lists(TEXT, min_size=1, max_size=6, unique=True)
SHARE = st.floats(0, 1)
POSITIVE = st.floats(0, 1e300, exclude_min=True)


@st.composite
def cards(draw: st.DrawFn) -> ModelCard:
    """Any card that a model may carry."""
    paths = draw(st.lists(st.tuples(*(TEXT for _ in LEVELS)), min_size=1, max_size=6, unique=True))
    rows = [*table.of_model(names.CATEGORY), *draw(st.lists(st.sampled_from(table.attributes()), unique=True))]
    heads = {row.name: draw(_heads(row, paths)) for row in rows}
    exponents = st.floats(0, model_card.MAX_EXPONENT)
    return ModelCard(
        model=draw(TEXT),
        height=draw(st.integers(1, 4096)),
        width=draw(st.integers(1, 4096)),
        heads=heads,
        taxonomy=tuple(sorted(TaxonomyPath(path, draw(st.integers(1, 10**6))) for path in paths)),
        joint={key: draw(exponents) for key in (*LEVELS, PATH, *draw(st.sampled_from([(), (CONTRADICTION,)])))},
        trial=draw(st.booleans()),
        familiarity=draw(st.one_of(st.none(), _familiarities())),
        training=draw(st.dictionaries(TEXT, st.one_of(TEXT, st.integers(), st.none()), max_size=3)),
    )


def _familiarities() -> st.SearchStrategy[FamiliarityCard]:
    signals = st.dictionaries(TEXT, st.builds(Signal, st.floats(-1e300, 1e300), POSITIVE), min_size=1, max_size=3)
    return st.builds(FamiliarityCard, SHARE, SHARE, POSITIVE, signals)


@st.composite
def _heads(draw: st.DrawFn, row: table.Head, paths: list[tuple[str, ...]]) -> HeadCard:
    labels = draw(LABELS) if row.level is None else list(dict.fromkeys(path[row.level] for path in paths))
    return HeadCard(
        labels=tuple(labels),
        column=row.column,
        level=row.level,
        temperature=draw(POSITIVE),
        curvature=draw(st.one_of(st.just(0.0), POSITIVE)),
        review_threshold=draw(st.one_of(SHARE, st.just(ALWAYS_REVIEW))),
        review_precision=draw(SHARE),
    )


@settings(max_examples=100, deadline=None)
@given(cards())
def test_round_trip(card: ModelCard) -> None:
    """What is written is read again, to the last digit."""
    assert ModelCard.from_json(card.to_json()) == card


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=6,
)


def places(value: Any) -> list[tuple[Any, ...]]:
    """Where a document has values: the keys that lead to each."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(key, *more) for key, one in inner for more in [(), *places(one)]]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(places(document())), JSON)
def test_anything_anywhere_is_read_or_refused(place: tuple[Any, ...], value: Any) -> None:
    """Whatever stands in whatever place: a card that can be written again, or the one kind of error."""
    card = document()
    holder = card
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = value
    try:
        found = read(card)
    except CardError:
        return
    assert ModelCard.from_json(found.to_json()).heads == found.heads


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "3", "[" * 100_000, '{"model": 3}'])
def test_what_is_no_card(text: str) -> None:
    """Anything that is no object with the fields of a card is refused as such."""
    with pytest.raises(CardError, match="the card"):
        ModelCard.from_json(text)


def test_format_1_is_read() -> None:
    """A release from before the format had a number serves on; columns and levels are those of the table."""
    card = read(format_1())
    assert card.format == 1 and (card.height, card.width) == (80, 60)
    assert card.heads["sub_category"].column == "subCategory" and card.heads["sub_category"].level == 1
    assert card.heads["sub_category"].review_threshold == ALWAYS_REVIEW
    assert card.heads["master_category"].labels == ("Apparel", "Footwear")
    assert [path.labels for path in card.taxonomy] == [("Apparel", "Topwear", "Shirts"), ("Footwear", "Shoes", "Flats")]
    assert ModelCard.from_json(card.to_json()).format == FORMAT, "it is written in the newest format"


def test_a_card_from_before_familiarity_is_read() -> None:
    """A release that cannot tell how familiar a picture is serves on, and says that it cannot."""
    card = document() | {"format": 3}
    del card["familiarity"]
    assert read(card).familiarity is None


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda one: one.update(scale=0), r"familiarity\.scale is 0; it must be a number above 0"),
        (lambda one: one.update(review_threshold=1.01), r"familiarity\.review_threshold is 1\.01"),
        (
            lambda one: one.update(signals={}),
            r"familiarity\.signals is {}; it must be an object of at least one signal",
        ),
        (lambda one: one["signals"]["energy"].update(deviation=0), r"familiarity\.signals\.energy\.deviation is 0"),
        (lambda one: one["signals"]["energy"].pop("mean"), r"has no familiarity\.signals\.energy\.mean"),
    ],
)
def test_nonsense_of_familiarity_is_named(change: Change, told: str) -> None:
    """A threshold that no picture could reach, or a signal without a spread, is refused by its name."""
    card = document()
    change(card["familiarity"])
    with pytest.raises(CardError, match=told):
        read(card)


def test_newer_format_with_more_is_read() -> None:
    """Fields that this version does not know are left alone, wherever they stand."""
    card = document() | {"format": FORMAT + 1, "licence": "CC0"}
    card["heads"]["gender"]["median"] = 0.5
    card["taxonomy"][0]["season"] = "Summer"
    card["joint"]["gender"] = 0.1
    assert read(card) == ModelCard(**(vars(CARD) | {"format": FORMAT + 1}))


def test_newer_format_with_less_is_told() -> None:
    """Where a newer card lacks what this version needs, the error names the field and both formats."""
    card = document() | {"format": FORMAT + 1}
    del card["heads"]["sub_category"]["review_threshold"]
    told = rf"no heads\.sub_category\.review_threshold.*format {FORMAT + 1}.*up to {FORMAT}"
    with pytest.raises(CardError, match=told):
        read(card)


def test_an_unknown_head_must_tell_all() -> None:
    """A head that the table lacks can be read of any card that tells its column and level, and of no other."""
    card = document()
    card["heads"]["pattern"] = card["heads"]["gender"] | {"column": "pattern"}
    assert read(card).attributes() == ("gender", "pattern")
    del card["heads"]["pattern"]["level"]
    with pytest.raises(CardError, match=r"no heads\.pattern\.level"):
        read(card)


BAD: list[tuple[str, Change, str]] = [
    ("model", lambda card: card.pop("model"), "no model"),
    ("model", lambda card: card.update(model=3), "model is 3; it must be text"),
    ("format", lambda card: card.update(format="two"), "format is 'two'"),
    ("image", lambda card: card.update(image=[128, 96]), "image is .* an object"),
    ("image.height", lambda card: card["image"].update(height=0), r"image\.height is 0; .* at least 1"),
    ("image.height", lambda card: card["image"].update(height=True), r"image\.height is True"),
    ("image.width", lambda card: card["image"].update(width=95.5), r"image\.width is 95\.5; .* whole"),
    ("image.width", lambda card: card["image"].update(width=10**400), r"image\.width is 1000"),
    ("heads", lambda card: card.pop("heads"), "no heads"),
    ("labels", lambda card: card["heads"]["gender"].update(labels=[]), r"heads\.gender\.labels is \[\]"),
    ("labels", lambda card: card["heads"]["gender"].update(labels="MW"), r"heads\.gender\.labels is 'MW'; .* list"),
    ("labels", lambda card: card["heads"]["gender"]["labels"].append(3), r"heads\.gender\.labels\[2\] is 3"),
    ("labels", lambda card: card["heads"]["gender"]["labels"].append("Men"), r"heads\.gender\.labels has 'Men' twice"),
    ("column", lambda card: card["heads"]["gender"].update(column=None), r"heads\.gender\.column is None"),
    ("level", lambda card: card["heads"]["gender"].update(level=-1), r"heads\.gender\.level is -1"),
    ("temperature", lambda card: card["heads"]["gender"].update(temperature=0), r"temperature is 0; .* above 0"),
    ("temperature", lambda card: card["heads"]["gender"].update(temperature=math.inf), "temperature is inf"),
    ("curvature", lambda card: card["heads"]["gender"].update(curvature=-0.1), r"curvature is -0\.1"),
    (
        "threshold",
        lambda card: card["heads"]["gender"].update(review_threshold=1.2),
        r"review_threshold is 1\.2; .*1\.01",
    ),
    ("precision", lambda card: card["heads"]["gender"].update(review_precision=97), "review_precision is 97; .* 1"),
    ("levels", lambda card: card.update(levels=["master_category"]), r"levels is .* with article_type"),
    ("levels", lambda card: card["levels"].reverse(), "levels is .* in this order"),
    ("levels", lambda card: card.update(levels=["article_type", "brand"]), "levels is .*some of master_category"),
    ("taxonomy", lambda card: card.update(taxonomy=[]), r"taxonomy is \[\]; .* at least one path"),
    ("taxonomy", lambda card: card["taxonomy"].append(card["taxonomy"][0]), "taxonomy has .*'Shirts'.* twice"),
    ("taxonomy", lambda card: card["taxonomy"][1].pop("article_type"), r"no taxonomy\[1\]\.article_type"),
    ("taxonomy", lambda card: card["taxonomy"][0].update(count=0), r"taxonomy\[0\]\.count is 0"),
    ("taxonomy", lambda card: card["taxonomy"][0].update(sub_category="Hats"), "the sub_category 'Hats'"),
    ("joint", lambda card: card["joint"].pop(PATH), r"no joint\.path"),
    ("trial", lambda card: card.update(trial="yes"), "trial is 'yes'; it must be true or false"),
    ("joint", lambda card: card["joint"].update(contradiction=-1), r"joint\.contradiction is -1; .* at most 100"),
    ("joint", lambda card: card["joint"].update(path=-1), r"joint\.path is -1; .* at most 100"),
    ("joint", lambda card: card["joint"].update(path=math.nan), r"joint\.path is nan"),
    ("joint", lambda card: card["joint"].update(path=1e308), r"joint\.path is 1e\+308"),
    ("training", lambda card: card.update(training="quick"), "training is 'quick'; it must be an object"),
]


@pytest.mark.parametrize(("change", "told"), [bad[1:] for bad in BAD], ids=[bad[0] for bad in BAD])
def test_a_bad_field_names_itself(change: Change, told: str) -> None:
    """The error says which field is wrong, what it is, and what would be right."""
    card = document()
    change(card)
    with pytest.raises(CardError, match=told):
        read(card)


def test_lies_beside_the_graph(tmp_path: Path) -> None:
    """A card can be written into a SavedModel's folder and read from there; a missing one is told by its path."""
    model_card.write_file(tmp_path / "1", CARD)
    assert model_card.read_file(tmp_path / "1") == CARD
    with pytest.raises(CardError, match=r"2/assets\.extra/card\.json cannot be read"):
        model_card.read_file(tmp_path / "2")
    (tmp_path / "1/assets.extra/card.json").write_text("{}")
    with pytest.raises(CardError, match=r"1/assets\.extra/card\.json cannot be read: the card has no joint"):
        model_card.read_file(tmp_path / "1")


@pytest.mark.parametrize("levels", [["article_type"], ["master_category", "article_type"]])
def test_a_card_may_lack_levels(levels: list[str]) -> None:
    """It says which it has, and its paths, exponents and heads are of these; without a word it has all."""
    card = document() | {"levels": levels}
    card["taxonomy"] = [{level: path[level] for level in levels} | {"count": 3} for path in card["taxonomy"]]
    card["joint"] = {key: value for key, value in card["joint"].items() if key in (*levels, PATH)}
    card["heads"] = {head: value for head, value in card["heads"].items() if head in levels}
    parsed = read(card)
    assert parsed.levels == tuple(levels)
    assert [len(path.labels) for path in parsed.taxonomy] == [len(levels)] * 2
    assert ModelCard.from_json(parsed.to_json()) == parsed
    assert read(format_1()).levels == tuple(LEVELS)
