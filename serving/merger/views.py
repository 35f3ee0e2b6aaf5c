"""What the merger says of its release and its models."""

import json
from typing import Any

from schema import names
from serving.merger.core.cards import Card
from serving.merger.models.releases import Releases
from serving.proto.lookbook.v1 import classifier_pb2 as pb


def taxonomy(releases: Releases) -> pb.Taxonomy:
    """Every path that an answer can name.

    Raises:
        NotReady: no release answers.
    """
    release = releases.pick().release
    labels = {head: card.labels for head, card in release.heads.items()}
    return pb.Taxonomy(
        release=str(release.version),
        paths=[pb.TaxonomyPath(**vars(path)) for path in release.taxonomy],
        labels=pb.HeadLabels(**labels),
    )


def models(releases: Releases) -> pb.Models:
    """The release that answers and the state of each model."""
    current = releases.current
    return pb.Models(
        release=str(current.release.version) if current else None,
        ready=releases.readiness == "ready",
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


def _card(card: Card) -> pb.ModelCard:
    return pb.ModelCard(
        image_height=card.size.height,
        image_width=card.size.width,
        heads=[_head(head, card) for head in names.MODEL_HEADS[card.model]],
        training_json=json.dumps(card.training),
    )


def _head(head: str, card: Card) -> pb.HeadCard:
    found = card.heads[head]
    return pb.HeadCard(
        name=head,
        labels=len(found.labels),
        review_threshold=found.review_threshold,
        review_precision=found.review_precision,
        temperature=found.temperature,
    )
