"""Why a picture gets a label: hide one part after the other and see what the label's probability loses (occlusion).

It needs nothing but the served model's scores. The cost is bounded: one call to one model for every
``model_batch_images`` of at most ``MAX_CELLS`` + 1 pictures of the size that the model sees, one call after the other,
each taking places as all pictures do.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageDraw, ImageStat

from schema import heads as table
from schema.pictures import encode_png, read_header, to_pixels
from serving.merger.admission.in_flight import Limiter
from serving.merger.answers import milliseconds
from serving.merger.core import images
from serving.merger.core.calls import Call
from serving.merger.core.errors import ImageUndecodable, InvalidRequest, ModelUnavailable
from serving.merger.core.images import Inspected, Size
from serving.merger.core.merge import DEEPEST, DIGITS
from serving.merger.core.release import Release
from serving.merger.core.resizing import resized
from serving.merger.models.backend import Scorer
from serving.merger.models.messages import ScoresRequest
from serving.merger.models.releases import Candidate
from serving.proto.lookbook.v1 import classifier_pb2 as pb

MIN_CELLS: Final = 4
MAX_CELLS: Final = 96
DEFAULT_CELLS: Final = 48
RETRY_AFTER_S: Final = 1.0


@dataclass(frozen=True)
class Question:
    """What to explain: a label of a head, None for the best one, over at most so many cells."""

    head: str
    label: str | None
    cells: int

    @classmethod
    def of(cls, options: pb.ExplainOptions, release: Release) -> "Question":
        """The question that a caller asks of ``release``.

        Raises:
            InvalidRequest: there is no such head or label, or ``cells`` is out of range.
            ModelUnavailable: the head's model cannot be had.
        """
        head, cells = options.head or DEEPEST, options.cells or DEFAULT_CELLS
        _require_head(head, release)
        if options.label and options.label not in release.heads[head].labels:
            raise InvalidRequest(f"label is {options.label[:80]!r}, which {head} cannot give; see /v1/taxonomy.")
        if not MIN_CELLS <= cells <= MAX_CELLS:
            raise InvalidRequest(f"cells is {cells}; it must be {MIN_CELLS} to {MAX_CELLS}, or 0 for {DEFAULT_CELLS}.")
        return cls(head, options.label or None, cells)


@dataclass(frozen=True)
class Grid:
    """Nearly square cells over a picture, row by row from the top left."""

    rows: int
    columns: int

    @classmethod
    def over(cls, size: Size, cells: int) -> "Grid":
        """The grid of at most ``cells`` cells for a picture of ``size``; a cell is at least a pixel."""
        columns = round((cells * size.width / size.height) ** 0.5)
        columns = min(max(columns, 1), size.width, cells)
        return cls(min(cells // columns, size.height), columns)

    def windows(self, size: Size) -> list[tuple[int, int, int, int]]:
        """Left, top, right and bottom (excluded) of what is hidden for each cell: it, and half a cell on every side."""
        height, width = size.height / self.rows, size.width / self.columns
        return [
            (
                max(0, round((column - 0.5) * width)),
                max(0, round((row - 0.5) * height)),
                min(size.width, round((column + 1.5) * width)),
                min(size.height, round((row + 1.5) * height)),
            )
            for row in range(self.rows)
            for column in range(self.columns)
        ]


class Explainer:
    """Explains labels by the served models.

    Args:
        scorers: by model.
        limiter: gives out the places for pictures.
        step: most pictures in one call to a model.
    """

    def __init__(self, scorers: Mapping[str, Scorer], limiter: Limiter, step: int) -> None:
        self._scorers = scorers
        self._limiter = limiter
        self._step = step

    async def explain(
        self, inspected: Inspected, question: Question, candidate: Candidate, call: Call
    ) -> pb.ExplainResponse:
        """The explanation by one release.

        Raises:
            VersionGone: the model does not have the release's version any more.
            LookbookError: the picture cannot be decoded, or the model gives no answer.
        """
        started = time.perf_counter()
        release = candidate.release
        labels, size = release.heads[question.head].labels, Size.of(release.cards[release.model_of[question.head]])
        grid = Grid.over(size, question.cells)
        places = self._limiter.places(1, call.deadline, caller=call.caller, call=call)
        async with places:  # who got this far is not refused any more
            pictures = await asyncio.to_thread(hide_cells, inspected, size, grid)
        rows = await self._scores(candidate, question.head, pictures, call)
        label = labels.index(question.label) if question.label else max(range(len(labels)), key=rows[0].__getitem__)
        confidence, *hidden = (row[label] for row in rows)
        return pb.ExplainResponse(
            request_id=call.request_id,
            head=question.head,
            label=labels[label],
            confidence=round(confidence, DIGITS),
            rows=grid.rows,
            columns=grid.columns,
            heat=[round(confidence - one, DIGITS) for one in hidden],
            release=str(release.version),
            total_ms=milliseconds(time.perf_counter() - started),
        )

    async def _scores(
        self, candidate: Candidate, head: str, pictures: Sequence[bytes], call: Call
    ) -> list[Sequence[float]]:
        """Scores of ``head`` for each picture."""
        model, version = candidate.release.model_of[head], candidate.release.version
        rows: list[Sequence[float]] = []
        for start in range(0, len(pictures), self._step):
            chunk = pictures[start : start + self._step]
            places = self._limiter.places(len(chunk), call.deadline, caller=call.caller, call=call, is_patient=True)
            async with places:
                request = ScoresRequest(chunk, version, candidate.release.cards[model])
                reply = await self._scorers[model].scores(request, call.deadline.remaining_s)
            if not all(reply.image_ok):
                raise ImageUndecodable("The model cannot read the picture although its header is right; save it anew.")
            rows += reply.heads[head]
        return rows


def hide_cells(inspected: Inspected, size: Size, grid: Grid) -> list[bytes]:
    """The picture as a model that sees ``size`` sees it, then once for each cell with that cell hidden, as PNG.

    Raises:
        ImageUndecodable: the pixels are broken or cut short.
    """
    encoded = images.prepare(inspected, [size]).bytes_for(size)
    rgb = resized(to_pixels(read_header(encoded)), size.width, size.height)
    colour = _edge_colour(rgb)
    return [encode_png(rgb), *(encode_png(_hidden(rgb, window, colour)) for window in grid.windows(size))]


def _require_head(head: str, release: Release) -> None:
    """A head that no card has may be one of a model that is away: of that, only the table of heads may know."""
    if head in release.heads:
        return
    known = {row.name: row.model for row in table.HEADS}
    if (model := known.get(head)) in release.absent:
        raise ModelUnavailable(release.absent[str(model)], model=model, retry_after_s=RETRY_AFTER_S)
    raise InvalidRequest(f"head is {head[:80]!r}; release {release.version} has {', '.join(release.heads)}.")


def _edge_colour(rgb: Image.Image) -> tuple[int, ...]:
    """Median of the outermost pixels: mostly the background, so that hiding the background changes nothing."""
    edge = Image.new("L", rgb.size)
    ImageDraw.Draw(edge).rectangle((0, 0, rgb.width - 1, rgb.height - 1), outline=255)
    return tuple(int(level) for level in ImageStat.Stat(rgb, edge).median)


def _hidden(rgb: Image.Image, window: tuple[int, int, int, int], colour: tuple[int, ...]) -> Image.Image:
    copy = rgb.copy()
    copy.paste(colour, window)
    return copy
