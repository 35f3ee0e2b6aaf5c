"""What the merger says of its release and its models."""

import json
from typing import Any

from schema.model_card import HeadCard, ModelCard
from serving.merger.models.releases import Releases
from serving.proto.lookbook.v1 import classifier_pb2 as pb


def taxonomy(releases: Releases) -> pb.Taxonomy:
    """Every path that an answer can name.

    Raises:
        NotReady: no release answers.
    """
    release = releases.pick().release
    labels = {level: release.heads[level].labels for level in release.levels if level in release.heads}
    return pb.Taxonomy(
        release=str(release.version),
        paths=[
            pb.TaxonomyPath(count=path.count, **dict(zip(release.levels, path.labels, strict=True)))
            for path in release.taxonomy
        ],
        labels=pb.HeadLabels(**labels),
        attributes=[
            pb.AttributeLabels(head=name, column=release.heads[name].column, labels=release.heads[name].labels)
            for name in release.attributes
        ],
    )


def models(releases: Releases) -> pb.Models:
    """The release that answers and the state of each model."""
    current = releases.current
    return pb.Models(
        release=str(current.release.version) if current else None,
        ready=releases.readiness == "ready",
        trial=bool(current and current.release.trial),
        models=[_model(model, releases) for model in releases.states],
    )


def readiness(releases: Releases, *, is_draining: bool) -> dict[str, Any]:
    """The JSON of ``/readyz``."""
    current = releases.current
    return {
        "status": "not_ready" if is_draining else releases.readiness,
        "release": str(current.release.version) if current else None,
        "models": {
            model: {"available": not releases.trouble(model), "message": releases.trouble(model)}
            for model in releases.states
        },
        "draining": is_draining,
    }


def _model(model: str, releases: Releases) -> pb.ModelStatus:
    current, trouble = releases.current, releases.trouble(model)
    card = current.release.cards.get(model) if current else None
    return pb.ModelStatus(
        name=model,
        available=not trouble,
        message=trouble,
        versions=[
            pb.VersionStatus(version=str(state.version), state=state.state, message=state.message)
            for state in releases.states[model].versions
        ],
        card=_card(card) if card else None,
    )


def _card(card: ModelCard) -> pb.ModelCard:
    return pb.ModelCard(
        image_height=card.height,
        image_width=card.width,
        heads=[_head(name, head) for name, head in card.heads.items()],
        training_json=json.dumps(card.training),
        known_pictures=card.known_pictures,
        learns_at_once=card.memory is not None,
        familiarity_threshold=card.familiarity.review_threshold if card.familiarity else None,
    )


def _head(name: str, head: HeadCard) -> pb.HeadCard:
    return pb.HeadCard(
        name=name,
        labels=len(head.labels),
        review_threshold=head.review_threshold,
        review_precision=head.review_precision,
        temperature=head.temperature,
        column=head.column,
        level=head.level,
    )
