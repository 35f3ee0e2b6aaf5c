"""The cases that the page without a server merges too: ``serving/web/src/tab/merge-cases.json``, one list for both.

``python -m tests.serving.merger.core.test_merge_cases`` writes it anew, where the merger's answers are meant to change.
"""

import json
import random
from pathlib import Path
from typing import Any, Final

from google.protobuf.json_format import MessageToDict

from serving.merger.core.merge import LEVELS, Merger
from serving.merger.core.release import Release
from tests.serving.fake_model_server import make_card
from tests.serving.releases_for_tests import release

FILE: Final = Path(__file__).parents[4] / "serving" / "web" / "src" / "tab" / "merge-cases.json"
TOP_K: Final = 3
JOINT: Final = {"article_type": 1.0, "sub_category": 0.3, "master_category": 0.4, "path": 0.5, "contradiction": 0.2}
FAMILIARITY: Final = {
    "review_threshold": 0.4,
    "false_alarms": 0.05,
    "scale": 1.0,
    "signals": {"nearness": {"mean": 0.5, "deviation": 0.1}},
}
TOLD: Final = ("joint", "path", "level", "agreement", "review", "release", "familiarity", "attributes", *LEVELS)


def made() -> Release:
    """A release with attributes, all exponents, paths that share a type, and familiarity."""
    shared = {"master_category": "Accessories", "sub_category": "Watches", "article_type": "Tshirts", "count": 300}
    taxonomy = [*make_card("article_type")["taxonomy"], shared]
    return release(version=7, attributes=["gender"], joint=JOINT, familiarity=FAMILIARITY, taxonomy=taxonomy)


def cases(of: Release) -> list[dict[str, Any]]:
    """Scores and the answer to each: sure ones, doubtful ones, and heads that contradict each other."""
    chance = random.Random(0)
    drawn = []
    for sharpness in (0.5, 1, 2, 4, 8, 16) * 2:
        weights = {head: [chance.random() ** sharpness for _ in card.labels] for head, card in of.heads.items()}
        scores = {head: [round(one / sum(row), 6) for one in row] for head, row in weights.items()}
        familiarity = round(chance.random(), 3)
        answer = MessageToDict(
            Merger(of).merge(scores, TOP_K, familiarity),
            preserving_proto_field_name=True,
        )
        told = {field: answer[field] for field in TOLD if field in answer}
        drawn.append({"scores": scores, "familiarity": familiarity, "answer": told})
    return drawn


def document() -> dict[str, Any]:
    """What is in the file: the release as an export's manifest tells it, and the cases."""
    of = made()
    manifest = {
        "release": of.version,
        "trial": of.trial,
        "models": {},
        "levels": list(of.levels),
        "heads": {
            head: {
                "model": of.model_of[head],
                "column": card.column,
                "level": card.level,
                "labels": list(card.labels),
                "review_threshold": card.review_threshold,
                "review_precision": card.review_precision,
            }
            for head, card in of.heads.items()
        },
        "taxonomy": [dict(zip(of.levels, path.labels, strict=True)) | {"count": path.count} for path in of.taxonomy],
        "joint": dict(of.joint),
        "familiarity": FAMILIARITY,
        "files": {},
    }
    return {"top_k": TOP_K, "manifest": manifest, "cases": cases(of)}


def test_the_list_is_what_the_merger_answers() -> None:
    """Whoever changes the merger's arithmetic changes that of the page without a server too."""
    assert json.loads(FILE.read_text(encoding="utf-8")) == document()


if __name__ == "__main__":
    FILE.write_text(json.dumps(document(), ensure_ascii=False) + "\n", encoding="utf-8")
