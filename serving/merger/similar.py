"""The known products that look most like a picture: by the index in the article type's model."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final, TypeVar

from schema import names
from serving.merger.answers import milliseconds
from serving.merger.core.calls import Call
from serving.merger.core.deadline import Deadline
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
THREADS: Final = 4
READING_SHARE: Final = 0.5
"""Of the time that is left, what a read of the release's files may take."""

log = logging.getLogger(__name__)

Read = TypeVar("Read")


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
        self._reads = _Reads()

    async def find(
        self, picture: Picture, options: pb.SimilarOptions, candidate: Candidate, call: Call
    ) -> pb.FindSimilarResponse:
        """The products of one release, without their pictures; who calls holds a place.

        Raises:
            VersionGone: the model does not have the release's version any more.
            LookbookError: the release has no index, or the model gives no answer.
        """
        started = time.perf_counter()
        require_index(candidate.release)
        card, version = candidate.release.cards[names.ARTICLE_TYPE], candidate.release.version
        image = picture.bytes_for(Size.of(card))
        found = await self._finder.neighbours(image, version, card, call.deadline.remaining_s)
        if found is None:
            raise ImageUndecodable("The model cannot read the picture although its header is right; save it anew.")
        nearest: Sequence[Neighbour] = found.nearest
        if found.embedding is not None:
            asked = version, found.embedding, names.NEIGHBOURS_LISTED
            listed = await self._reads.read(call.deadline, self._indexes.nearest, *asked)
            nearest = listed or nearest
        return pb.FindSimilarResponse(
            request_id=call.request_id,
            products=[_product(one) for one in nearest[: options.k or DEFAULT_PRODUCTS]],
            nearest=_counts(nearest[:COUNTED]),
            counted=len(nearest[:COUNTED]),
            release=str(version),
            total_ms=milliseconds(time.perf_counter() - started),
        )

    async def picture(self, found: pb.FindSimilarResponse, call: Call) -> None:
        """Gives the products their small pictures, where those can be had in time; nobody needs a place for that."""
        started, ids = time.perf_counter(), [one.id for one in found.products]
        images = await self._reads.read(call.deadline, self._thumbnails.of, int(found.release), ids)
        for product, image in zip(found.products, images or (), strict=False):
            product.thumbnail = image
        found.total_ms = round(found.total_ms + milliseconds(time.perf_counter() - started), DIGITS)


class _Reads:
    """Reads of the releases' files, in threads of their own: they may lie on a volume that hangs.

    What does not come in time is given up. While as many such reads hang as there are threads, no more are begun.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, "release")
        self._given_up: set[Future[Any]] = set()

    async def read(self, deadline: Deadline, work: Callable[..., Read], *given: Any) -> Read | None:
        """What ``work`` gives; None where that takes too long."""
        if len(self._given_up) >= THREADS:
            return None
        job = self._threads.submit(work, *given)
        reading = asyncio.wrap_future(job)
        try:
            await asyncio.wait({reading}, timeout=READING_SHARE * deadline.remaining_s)
        finally:
            if not job.done() and not job.cancel():  # one that waits for a thread is simply not begun
                self._given_up.add(job)
                job.add_done_callback(self._given_up.discard)
        if reading.done() and not reading.cancelled():
            return reading.result()
        log.warning("a release's files cannot be read in time", extra={"reads": len(self._given_up)})
        return None


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


def _product(one: Neighbour) -> pb.SimilarProduct:
    return pb.SimilarProduct(id=one.id, name=one.name, article_type=one.label, similarity=round(one.similarity, DIGITS))


def _counts(nearest: Sequence[Neighbour]) -> list[pb.LabelCount]:
    counts = Counter(one.label for one in nearest)
    return [pb.LabelCount(label=label, count=count) for label, count in counts.most_common()]
