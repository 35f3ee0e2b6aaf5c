"""The known products that look most like a picture: by the index in the article type's model."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from typing import Final

from schema import names
from serving.merger.answers import milliseconds
from serving.merger.core.calls import Call
from serving.merger.core.errors import ImageUndecodable, InvalidRequest, ModelUnavailable, NoIndex
from serving.merger.core.images import Picture, Size
from serving.merger.core.merge import DIGITS
from serving.merger.core.release import Release
from serving.merger.models.backend import NeighbourFinder
from serving.merger.models.messages import Neighbour
from serving.merger.models.product_index import ProductIndexes
from serving.merger.models.releases import Candidate
from serving.merger.thumbnails import Thumbnails
from serving.proto.lookbook.v1 import classifier_pb2 as pb

DEFAULT_PRODUCTS: Final = 12
MOST_PRODUCTS: Final = names.NEIGHBOURS_LISTED
COUNTED: Final = 20
"""The nearest whose labels are counted: as many as vote in an answer of the profiles."""
RETRY_AFTER_S: Final = 1.0


class Similar:
    """Finds similar products.

    Args:
        finder: asks the article type's model.
        thumbnails: of the releases.
        indexes: of the releases that know more than a model remembers.
    """

    def __init__(self, finder: NeighbourFinder, thumbnails: Thumbnails, indexes: ProductIndexes) -> None:
        self._finder = finder
        self._indexes = indexes
        self._thumbnails = thumbnails

    async def find(
        self, picture: Picture, options: pb.SimilarOptions, candidate: Candidate, call: Call
    ) -> pb.FindSimilarResponse:
        """The products of one release; who calls holds a place.

        Raises:
            VersionGone: the model does not have the release's version any more.
            LookbookError: the model gives no answer.
        """
        started = time.perf_counter()
        card, version = candidate.release.cards[names.ARTICLE_TYPE], candidate.release.version
        image = picture.bytes_for(Size.of(card))
        found = await self._finder.neighbours(image, version, card, call.deadline.remaining_s)
        if found is None:
            raise ImageUndecodable("The model cannot read the picture although its header is right; save it anew.")
        nearest: Sequence[Neighbour] = found.nearest
        if found.embedding is not None:
            listed = await asyncio.to_thread(self._indexes.nearest, version, found.embedding, names.NEIGHBOURS_LISTED)
            nearest = listed or nearest
        shown = nearest[: options.k or DEFAULT_PRODUCTS]
        images = [b""] * len(shown)
        if options.thumbnails:
            images = await asyncio.to_thread(self._thumbnails.of, version, [one.id for one in shown])
        return pb.FindSimilarResponse(
            request_id=call.request_id,
            products=[_product(one, image) for one, image in zip(shown, images, strict=True)],
            nearest=_counts(nearest[:COUNTED]),
            counted=len(nearest[:COUNTED]),
            release=str(version),
            total_ms=milliseconds(time.perf_counter() - started),
        )


def check(options: pb.SimilarOptions) -> None:
    """Sees to it that the options can be followed.

    Raises:
        InvalidRequest: ``k`` is out of range.
    """
    if options.k > MOST_PRODUCTS:
        raise InvalidRequest(f"k is {options.k}; it must be 1 to {MOST_PRODUCTS}, or 0 for {DEFAULT_PRODUCTS}.")


def require_index(release: Release) -> None:
    """Sees to it that a release can name similar products.

    Raises:
        ModelUnavailable: the article type's model, which has the index, cannot be had.
        NoIndex: it has none.
    """
    if why := release.absent.get(names.ARTICLE_TYPE):
        raise ModelUnavailable(why, model=names.ARTICLE_TYPE, retry_after_s=RETRY_AFTER_S)
    if not release.cards[names.ARTICLE_TYPE].known_pictures:
        raise NoIndex(
            f"Release {release.version} has no index of known products: it was made before there was one, or with "
            "neighbours=0. It classifies as ever; a new run makes a release that has one."
        )


def _product(one: Neighbour, image: bytes) -> pb.SimilarProduct:
    return pb.SimilarProduct(
        id=one.id, name=one.name, article_type=one.label, similarity=round(one.similarity, DIGITS), thumbnail=image
    )


def _counts(nearest: Sequence[Neighbour]) -> list[pb.LabelCount]:
    counts = Counter(one.label for one in nearest)
    return [pb.LabelCount(label=label, count=count) for label, count in counts.most_common()]
