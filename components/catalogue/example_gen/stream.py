"""Reads labelled pictures one after the other, for whoever scores a model on a catalogue of any size."""

from collections.abc import Iterator
from dataclasses import dataclass

from components.catalogue.reading.findings import Finding
from components.catalogue.reading.pictures import UnusablePicture, load_picture
from components.catalogue.reading.rows import Rows, read_rows
from components.catalogue.reading.source import open_catalogue
from components.catalogue.splitting.plan import limited
from components.storage.location import Location
from schema import heads as table


@dataclass(frozen=True)
class LabelledPicture:
    """An encoded picture, upright, with its id and column → label; an attribute may have none."""

    id: str
    labels: dict[str, str]
    image: bytes


class LabelledPictures:
    """The pictures of a catalogue with their labels, read as they are asked for.

    ``len()`` is the number of rows that will be looked at. ``rejected`` grows with every row that is passed over; it is
    complete when the iteration is. Whether a picture decodes is left to the model, which says so by ``image_ok``.

    Raises:
        CatalogueError: the catalogue cannot be read at all.
    """

    def __init__(self, path: Location, limit: int = 0) -> None:
        self._catalogue = open_catalogue(path)
        self._rows: Rows = limited(read_rows(self._catalogue), limit)
        self.rejected: list[Finding] = list(self._rows.rejected)

    def __len__(self) -> int:
        return len(self._rows.taken)

    def __iter__(self) -> Iterator[LabelledPicture]:
        self.rejected = list(self._rows.rejected)
        for row in self._rows.taken:
            try:
                picture = load_picture(self._catalogue, row.id)
            except UnusablePicture as fault:
                self.rejected.append(Finding(row.id, row.line, fault.reason, fault.detail))
                continue
            labels = {column: row.cells[column] for column in table.columns(table.HEADS) if column in row.cells}
            yield LabelledPicture(row.id, labels, picture.content)
