"""The review queue over REST: who may, one card at a time, what was decided."""

import json
import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from google.protobuf import json_format
from google.protobuf.message import Message

from schema.corrections import Correction
from serving.merger.core.errors import Forbidden, InvalidRequest, RequestTooLarge, ReviewOff
from serving.merger.models.releases import Releases
from serving.merger.rest import docs
from serving.merger.rest.bodies import JSON, content_type, in_time
from serving.merger.rest.json_batch import once, require_known_fields
from serving.merger.review.desk import Desk
from serving.merger.review.judging import judge, needs_release, whose
from serving.merger.review.records import LEAST_SURE, ORDERS, Card, Counts
from serving.merger.settings import Settings
from serving.proto.json_view import as_json
from serving.proto.lookbook.v1 import classifier_pb2 as pb

if TYPE_CHECKING:
    from serving.merger.review.store import ReviewStore

MOST_LISTED: Final = 100
MOST_BYTES: Final = 2**14
LARGEST: Final = 2**31 - 1
CONTENT_TYPES: Final = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
REMOVED: Final = "removed"
UNDONE: Final = "undone"

Body = TypeVar("Body", bound=Message)
CardId = Annotated[int, Path(ge=1, le=LARGEST, description="Of the card.")]
Version = Annotated[int, Path(ge=1, le=LARGEST, description="Of the decision.")]
Reason = Annotated[
    str, Query(max_length=64, pattern=r"^[^\x00]*$", description="Only cards with this reason; empty: any.")
]
Order = Annotated[str, Query(pattern=f"^({'|'.join(ORDERS)})$", description=f"One of {', '.join(ORDERS)}.")]
Limit = Annotated[int, Query(ge=1, le=MOST_LISTED, description="Cards, or decisions, to list at most.")]
Offset = Annotated[int, Query(ge=0, le=LARGEST, description="Cards to pass over first.")]
After = Annotated[int, Query(ge=0, le=LARGEST, description="Only decisions with a higher version.")]
Newest = Annotated[bool, Query(description="Whether the newest are listed, and those first.")]
WithPictures = Annotated[
    bool,
    Query(
        description="Whether each decision brings its picture, as Base64; fewer are listed then, where those are large."
    ),
]


def add(app: APIRouter, desk: Desk | None, releases: Releases, settings: Settings) -> None:
    """Adds ``/v1/review/…`` to a router that knows who calls; without a desk each of it says that it is off."""

    async def the_desk(request: Request) -> Desk:
        if desk is None:
            raise ReviewOff("This server keeps nothing for review: LOOKBOOK_REVIEW_STORE is not set.")
        if not settings.may_review(request.state.caller):
            raise Forbidden(
                "This caller may not see what others sent: LOOKBOOK_REVIEWERS names the API keys that may review."
            )
        return desk

    TheDesk = Annotated[Desk, Depends(the_desk)]
    _add_queue(app, TheDesk, settings)
    _add_decisions(app, TheDesk, releases, settings)


def _add_queue(app: APIRouter, TheDesk: Any, settings: Settings) -> None:
    @app.get("/v1/review/cards", **docs.review("ReviewQueue"))
    async def list_review_cards(
        desk: TheDesk, reason: Reason = "", order: Order = LEAST_SURE, limit: Limit = 20, offset: Offset = 0
    ) -> Response:
        """Lists answers that wait for a decision, those too that somebody has."""

        def listed(store: "ReviewStore") -> Response:
            cards = [_card(one) for one in store.find(reason, order, limit, offset)]
            return _json(pb.ReviewQueue(cards=cards, counts=_counts(desk, store.count())))

        return await desk.ask(listed)  # its JSON too in the thread: it may be long

    @app.post("/v1/review/claim", **docs.review("ReviewClaim", "ReviewClaimRequest"))
    async def claim_review_card(request: Request, desk: TheDesk) -> Response:
        """Gives the next answer to decide; nobody else gets it until its lease ends."""
        wanted = await _body(request, pb.ReviewClaimRequest, settings)
        order = wanted.order or LEAST_SURE
        if order not in ORDERS:
            raise InvalidRequest(f"order is {order[:60]!r}; it must be one of {', '.join(ORDERS)}.")
        lease_s = settings.review_lease_ms / 1000
        card, counts = await desk.ask(lambda store: (store.claim(wanted.reason, order, lease_s), store.count()))
        return _json(pb.ReviewClaim(card=card and _card(card), counts=_counts(desk, counts)))

    @app.get("/v1/review/cards/{card_id}/picture", **docs.review_picture())
    async def review_picture(desk: TheDesk, card_id: CardId) -> Response:
        """The picture of a card, as it was sent."""
        data, kind = await desk.ask(lambda store: store.picture(card_id))
        # What a stranger sent is shown as a picture, or not at all.
        return Response(data, media_type=CONTENT_TYPES.get(kind, "application/octet-stream"), headers=_FRESH)

    @app.post("/v1/review/cards/{card_id}/give-back", **docs.review("ReviewCounts", "ReviewLease"))
    async def give_back_review_card(request: Request, desk: TheDesk, card_id: CardId) -> Response:
        """Gives a card back undecided, so that somebody else may have it."""
        lease = (await _body(request, pb.ReviewLease, settings)).lease
        _, counts = await desk.ask(lambda store: (store.give_back(card_id, lease), store.count()))
        return _json(_counts(desk, counts))

    @app.delete("/v1/review/cards/{card_id}", **docs.review("ReviewCounts"))
    async def remove_review_card(request: Request, desk: TheDesk, card_id: CardId) -> Response:
        """Removes a card and its picture, decided or not; what was learnt from it is to be forgotten."""
        by = request.state.caller
        _, counts = await desk.ask(lambda store: (store.remove(card_id, by), store.count()))
        desk.metrics.decisions.labels(REMOVED).inc()
        return _json(_counts(desk, counts))


def _add_decisions(app: APIRouter, TheDesk: Any, releases: Releases, settings: Settings) -> None:
    def who(request: Request, name: str) -> str:
        return whose(name, request.state.caller, has_keys=bool(settings.api_keys_file))

    @app.post("/v1/review/cards/{card_id}/decision", **docs.review("ReviewDecision", "ReviewDecisionRequest"))
    async def decide_review_card(request: Request, desk: TheDesk, card_id: CardId) -> Response:
        """Keeps what was decided about a card that was claimed; the same again changes nothing."""
        wanted = await _body(request, pb.ReviewDecisionRequest, settings)
        by = who(request, wanted.name)
        release = releases.pick().release if needs_release(wanted) else None
        card = await desk.ask(lambda store: store.held(card_id, wanted.lease))
        correction = judge(card, wanted, release, by)
        version, kept = await desk.ask(lambda store: store.decide(card_id, wanted.lease, correction))
        desk.metrics.decisions.labels(kept.decision).inc()
        return _json(_decision(version, kept, b""))

    @app.post("/v1/review/decisions/{version}/undo", **docs.review("ReviewClaim", "ReviewUndoRequest"))
    async def undo_review_decision(request: Request, desk: TheDesk, version: Version) -> Response:
        """Takes a decision back; its card is yours again."""
        by = who(request, (await _body(request, pb.ReviewUndoRequest, settings)).name)
        lease_s = settings.review_lease_ms / 1000
        card, counts = await desk.ask(lambda store: (store.undo(version, by, lease_s), store.count()))
        desk.metrics.decisions.labels(UNDONE).inc()
        return _json(pb.ReviewClaim(card=_card(card), counts=_counts(desk, counts)))

    @app.get("/v1/review/decisions", **docs.review("ReviewDecisions"))
    async def list_review_decisions(
        desk: TheDesk, after: After = 0, limit: Limit = 20, pictures: WithPictures = False, newest: Newest = False
    ) -> Response:
        """Lists the decisions that hold, in the order of their versions; `lookbook corrections export` writes them."""

        def listed(store: "ReviewStore") -> Response:
            found = store.in_force(after, limit, newest=newest, pictures=pictures)
            return _json(pb.ReviewDecisions(decisions=[_decision(*one) for one in found]))

        return await desk.ask(listed)


async def _body(request: Request, kind: type[Body], settings: Settings) -> Body:
    """The body as a message.

    Its content type must be said: no page of another origin can send that without being asked first.
    """
    if content_type(request) != JSON:
        raise InvalidRequest(f"The content type is {content_type(request)[:60] or 'not said'}; send {JSON}.")
    text = await in_time(request, _read(request), settings)
    try:
        document = json.loads(text, object_pairs_hook=once)
        if not isinstance(document, dict):
            raise InvalidRequest(f"The body is {type(document).__name__} as JSON; it must be an object.")
        require_known_fields(document, kind.DESCRIPTOR)
        return _without_nul(json_format.ParseDict(document, kind()))
    except (ValueError, RecursionError, json_format.ParseError) as error:
        raise InvalidRequest(
            f"The body is no {kind.DESCRIPTOR.name} as JSON: {str(error)[:200].rstrip('.')}."
        ) from error


def _without_nul(message: Body) -> Body:
    """The message, whose texts a store can keep: PostgreSQL takes no NUL, and would seem to be down."""
    for field, value in message.ListFields():
        if isinstance(value, str) and "\0" in value:
            raise ValueError(f"{field.name} holds the character NUL")
    return message


async def _read(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise RequestTooLarge(f"The body has more than the {MOST_BYTES} bytes that are allowed here.")
    return bytes(body)


_FRESH: Final = {"cache-control": "no-store"}


def _json(message: Message) -> Response:
    return JSONResponse(as_json(message), headers=_FRESH)


def _card(card: Card) -> pb.ReviewCard:
    answer = pb.ClassifyResponse()
    # What an older or newer version kept may have other fields.
    json_format.ParseDict(dict(card.answer), answer, ignore_unknown_fields=True)
    return pb.ReviewCard(
        id=card.id,
        sha256=card.sha256,
        answer=answer,
        reasons=card.reasons,
        caller=card.caller,
        count=card.count,
        first_at=_time(card.first_at),
        last_at=_time(card.touched_at),
        leased_until=_time(card.lease_until) if card.lease_until > time.time() else None,
        lease=card.lease or None,
    )


def _counts(desk: Desk, counts: Counts) -> pb.ReviewCounts:
    desk.metrics.open.set(counts.open)
    return pb.ReviewCounts(
        open=counts.open,
        leased=counts.leased,
        decided=counts.decided,
        dropped=counts.dropped,
        reasons=[pb.ReasonCount(reason=reason, count=number) for reason, number in counts.reasons.items()],
    )


def _decision(version: int, correction: Correction, picture: bytes) -> pb.ReviewDecision:
    return pb.ReviewDecision(
        version=version,
        sha256=correction.sha256,
        decision=correction.decision,
        attributes=[pb.AttributeLabel(column=column, label=label) for column, label in correction.attributes.items()],
        answered=correction.answered,
        release=correction.release,
        by=correction.by,
        at=correction.at,
        picture_name=correction.picture,
        picture=picture,
        **correction.labels,
    )


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="seconds")
