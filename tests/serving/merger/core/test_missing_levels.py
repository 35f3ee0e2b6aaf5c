"""A release whose catalogue lacks a level answers with those that it has, and says so; nothing is made up."""

import json
from typing import Any

import pytest

from schema import heads as table
from schema import names
from schema.model_card import PATH
from serving.merger.core.errors import ReleaseError
from serving.merger.core.merge import LEVELS, Merger
from serving.merger.core.release import Release, make_release, parse_card
from serving.proto.json_view import as_json
from tests.serving.fake_model_server import make_card
from tests.serving.releases_for_tests import certain

MASTER, SUB, TYPE = LEVELS
SHOES = {TYPE: "Casual Shoes", SUB: "Shoes", MASTER: "Footwear"}


def documents(*levels: str) -> dict[str, dict[str, Any]]:
    """The cards of the tiny models, as if their catalogue had these levels alone."""
    cards = {}
    for model in table.MODELS:
        card = make_card(model)
        counts: dict[tuple[str, ...], int] = {}
        for path in card["taxonomy"]:
            labels = tuple(path[level] for level in levels)
            counts[labels] = counts.get(labels, 0) + path["count"]
        taxonomy = [dict(zip(levels, labels, strict=True)) | {"count": count} for labels, count in counts.items()]
        heads = {name: head for name, head in card["heads"].items() if name in levels}
        joint = {key: value for key, value in card["joint"].items() if key in (*levels, PATH)}
        cards[model] = card | {"levels": levels, "taxonomy": taxonomy, "heads": heads, "joint": joint}
    return cards


def release_of(*levels: str) -> Release:
    return make_release(1, {model: parse_card(json.dumps(one), model) for model, one in documents(*levels).items()}, {})


@pytest.mark.parametrize("levels", [(TYPE,), (MASTER, TYPE), (SUB, TYPE)])
@pytest.mark.parametrize("sure", [0.94, 0.5])
def test_what_is_not_told_is_null_with_the_reason(levels: tuple[str, ...], sure: float) -> None:
    """Every field of the level is null, the path has the others, and doubt is told as in any release."""
    release = release_of(*levels)
    scores = certain(release, 0.94, **{level: SHOES[level] for level in levels if level != TYPE})
    answer = Merger(release).merge(scores | certain(release, sure, **{TYPE: SHOES[TYPE]}))
    view, absent = as_json(answer), [level for level in LEVELS if level not in levels]
    assert view["absent_levels"] == [
        {"level": level, "message": f"The catalogue that release 1 learnt from has no {level.replace('_', ' ')}."}
        for level in absent
    ]
    assert all(view[level] is None for level in absent)
    assert all(path[level] is None for level in absent for path in (view["joint"], *view["joint"]["top_k"]))
    is_cut = sure < 0.6 and len(levels) > 1
    assert view["path"] == [SHOES[level] for level in levels][: -1 if is_cut else None]
    assert view["level"] == (levels[-2] if is_cut else TYPE)
    assert view["review"]["needed"] == (sure < 0.6)
    assert not view["partial"]
    assert view["agreement"]["agree"] is (None if len(levels) == 1 else True)
    assert (view["agreement"]["code"] == "one_level") == (len(levels) == 1)


def test_one_level_is_as_sure_as_its_head() -> None:
    """Nothing is combined, so nothing is surer or less sure than the head itself."""
    release = release_of(TYPE)
    for sure in (0.5, 0.75, 0.94):
        answer = Merger(release).merge(certain(release, sure, **{TYPE: SHOES[TYPE]}))
        assert answer.joint.confidence == pytest.approx(sure, abs=1e-6)


def test_models_that_still_contradict_each_other_say_so() -> None:
    """Two levels are enough for a path that no product has."""
    release = release_of(MASTER, TYPE)
    answer = Merger(release).merge(certain(release, **{MASTER: "Apparel", TYPE: "Casual Shoes"}))
    assert [reason.code for reason in answer.review.reasons][-1] == "models_disagree"
    assert "Apparel › Casual Shoes" in answer.agreement.message


def test_cards_of_other_levels_are_no_pair() -> None:
    """A model of three levels does not answer beside one of two, nor with a head that its levels do not name."""
    whole, part = documents(*LEVELS), documents(MASTER, TYPE)
    cards = {
        names.ARTICLE_TYPE: parse_card(json.dumps(part[names.ARTICLE_TYPE]), names.ARTICLE_TYPE),
        names.CATEGORY: parse_card(json.dumps(whole[names.CATEGORY]), names.CATEGORY),
    }
    with pytest.raises(ReleaseError, match="differ in levels"):
        make_release(1, cards, {})
    extra = part[names.CATEGORY] | {"heads": whole[names.CATEGORY]["heads"]}
    with pytest.raises(ReleaseError, match="the taxonomy's heads"):
        parse_card(json.dumps(extra), names.CATEGORY)
