"""The card as ``README.md``, as Hugging Face's hub reads it: figures as YAML for machines, words for people."""

from collections.abc import Iterator
from typing import Any, Final

import yaml

from components.release.card.facts import CardFacts, HeadFigures
from components.release.card.page import INTENDED, LIMITS, OUT_OF_SCOPE, audit_sentences, card_lines
from schema import names

_TAGS: Final = ("tensorflow", "tfx", "tensorflow-serving", "fashion")
_FIGURES: Final = (("top_1", "accuracy", "Top-1"), ("top_5", "accuracy", "Top-5"), ("macro_f1", "f1", "Macro-F1"))
_OTHER_FIGURES: Final = (("ece", "ece", "Expected calibration error"),)


def render_readme(facts: CardFacts) -> str:
    """One Markdown file; its head is the metadata of Hugging Face's model cards, ``model-index`` with it."""
    head = yaml.safe_dump(_metadata(facts), sort_keys=False, allow_unicode=True)
    return f"---\n{head}---\n\n" + "\n".join(_body(facts)) + "\n"


def _metadata(facts: CardFacts) -> dict[str, Any]:
    return {
        "pipeline_tag": "image-classification",
        "tags": list(_TAGS),
        "metrics": ["accuracy", "f1"],
        "model-index": [
            {
                "name": f"lookbook-{facts.manifest['version']}",
                "results": [_result(one, facts.manifest) for one in facts.heads if one.count],
            }
        ],
    }


def _result(one: HeadFigures, manifest: dict[str, Any]) -> dict[str, Any]:
    measured = [
        {"type": kind, "name": words, "value": round(value, 4)}
        for field, kind, words in (*_FIGURES, *_OTHER_FIGURES)
        if (value := getattr(one, field)) is not None
    ]
    dataset = {"name": str(manifest.get("data", "not recorded")), "type": "imagefolder", "split": names.TEST}
    if fingerprint := manifest.get("data_fingerprint"):
        dataset["revision"] = fingerprint
    return {
        "task": {"type": "image-classification", "name": one.head.replace("_", " ")},
        "dataset": dataset,
        "metrics": measured,
    }


def _body(facts: CardFacts) -> Iterator[str]:
    trial = " (TRIAL)" if facts.manifest.get("trial") else ""
    yield f"# Lookbook release {facts.manifest['version']}{trial}"
    yield from ("", "## Uses", "", f"**Direct use.** {INTENDED}", "", f"**Out-of-scope use.** {OUT_OF_SCOPE}")
    yield from ("", "## Bias, risks and limitations", "", *(f"- {one}" for one in (*facts.limits, *LIMITS)))
    yield from ("", "## Label audit", "", " ".join(audit_sentences(facts)))
    yield from ("", "## Training and evaluation", "")
    # Indented: names of data and of labels are text, whatever signs are in them.
    yield from (
        f"    {line}"
        for line in card_lines(facts)
        if not line.startswith(("intended", "not for", "limit", "label audit"))
    )
