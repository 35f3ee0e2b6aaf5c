"""A drawing surface in the units of the final picture: 60 wide, 80 high, y down."""

from collections.abc import Sequence

from PIL import Image, ImageDraw

WIDTH = 60
HEIGHT = 80
OVERSAMPLE = 3

Colour = tuple[int, int, int]
Point = tuple[float, float]


class Canvas:
    """Shapes on a transparent layer; drawn ``OVERSAMPLE`` times larger, so that edges come out smooth."""

    def __init__(self) -> None:
        self.layer = Image.new("RGBA", (WIDTH * OVERSAMPLE, HEIGHT * OVERSAMPLE))
        self._draw = ImageDraw.Draw(self.layer)

    def polygon(self, points: Sequence[Point], fill: Colour) -> None:
        """A filled polygon with straight edges."""
        self._draw.polygon(_scaled(points), fill=fill)

    def blob(self, points: Sequence[Point], fill: Colour) -> None:
        """A filled polygon with its corners rounded."""
        self.polygon(_rounded(points), fill)

    def symmetric(self, left: Sequence[Point], fill: Colour) -> None:
        """The polygon of ``left`` (top to bottom) and its mirror image about the middle of the picture."""
        self.polygon([*left, *((WIDTH - x, y) for x, y in reversed(left))], fill)

    def line(self, points: Sequence[Point], fill: Colour, width: float = 1.0) -> None:
        """A stroke through ``points``."""
        self._draw.line(_scaled(points), fill=fill, width=_pixels(width), joint="curve")

    def box(self, left: float, top: float, right: float, bottom: float, fill: Colour, radius: float = 0.0) -> None:
        """A filled rectangle with rounded corners."""
        self._draw.rounded_rectangle(_scaled([(left, top), (right, bottom)]), _pixels(radius), fill=fill)

    def disc(self, x: float, y: float, rx: float, fill: Colour, ry: float | None = None) -> None:
        """A filled ellipse about (x, y)."""
        self._draw.ellipse(_around(x, y, rx, rx if ry is None else ry), fill=fill)

    def arc(
        self, x: float, y: float, rx: float, ry: float, span: tuple[float, float], fill: Colour, width: float
    ) -> None:
        """A stroke along an ellipse, from and to the angles of ``span`` (degrees, clockwise from 3 o'clock)."""
        self._draw.arc(_around(x, y, rx, ry), *span, fill=fill, width=_pixels(width))


def _pixels(length: float) -> int:
    return round(length * OVERSAMPLE)


def _scaled(points: Sequence[Point]) -> list[Point]:
    return [(x * OVERSAMPLE, y * OVERSAMPLE) for x, y in points]


def _around(x: float, y: float, rx: float, ry: float) -> list[Point]:
    return _scaled([(x - rx, y - ry), (x + rx, y + ry)])


def _rounded(points: Sequence[Point], rounds: int = 3) -> list[Point]:
    """Chaikin's corner cutting of a closed polygon."""
    for _ in range(rounds):
        pairs = list(zip(points, [*points[1:], points[0]], strict=True))
        points = [
            (a[0] * keep + b[0] * (1 - keep), a[1] * keep + b[1] * (1 - keep))
            for a, b in pairs
            for keep in (0.75, 0.25)
        ]
    return list(points)
