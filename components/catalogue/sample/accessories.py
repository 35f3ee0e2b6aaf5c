"""Silhouettes of shoes, accessories and cosmetics. Same signature as those of garments."""

from components.catalogue.sample.apparel import Vary
from components.catalogue.sample.canvas import Canvas, Colour

WHITE = (246, 246, 246)
DARK = (45, 45, 50)
STEEL = (168, 170, 176)
GOLD = (196, 160, 84)


def casual_shoe(canvas: Canvas, body: Colour, trim: Colour, vary: Vary) -> None:
    """Side view: flat sole, rounded toe, laces."""
    ankle, toe = vary(26, 31), vary(43, 46)
    upper = [(5, ankle), (22, ankle - 1), (30, 37), (46, toe - 2), (56, toe + 4), (56, 53), (4, 53), (4, 40)]
    canvas.blob(upper, body)
    canvas.box(3, 50.5, 57, 55.5, WHITE if sum(body) < 600 else trim, 2)
    canvas.line([(3.5, 55.5), (56.5, 55.5)], DARK, 0.8)
    for step in range(4):
        canvas.line([(23 + 3.5 * step, 36 + 2 * step), (28 + 3.5 * step, 33.5 + 2.4 * step)], trim, 1.1)


def heel(canvas: Canvas, body: Colour, trim: Colour, vary: Vary) -> None:
    """Side view: steep arch, open top, thin high heel."""
    height, back = vary(24, 29), vary(7, 9)
    canvas.blob(
        [
            (back - 2, height - 4),
            (back + 5, height + 3),
            (25, 41),
            (39, 46),
            (46, 42),
            (57, 53),
            (55, 56),
            (37, 56),
            (22, 49),
            (back, 40),
        ],
        body,
    )
    canvas.polygon([(back - 1, height + 8), (back + 7, height + 14), (back + 3.5, 57), (back + 1, 57)], trim)
    canvas.line([(36, 56), (56, 56)], DARK, 1.2)


def flip_flops(canvas: Canvas, body: Colour, trim: Colour, vary: Vary) -> None:
    """Top view of a pair: two soles, each with a V of straps."""
    width, top = vary(10, 11.5), vary(10, 14)
    for middle in (16.0, 44.0):
        left, right = middle - width, middle + width
        canvas.blob(
            [(left, top), (right, top), (right - 1, 40), (right - 1.5, 72), (left + 1.5, 72), (left + 1, 40)], body
        )
        canvas.line([(left + 1.5, 45), (middle, 24), (right - 1.5, 45)], trim, 2.6)
        canvas.disc(middle, 23.5, 1.6, trim)


def watch(canvas: Canvas, body: Colour, trim: Colour, vary: Vary) -> None:
    """A strap from top to bottom, a large dial with hands in its middle."""
    strap, radius = vary(6, 8), vary(14, 17)
    canvas.box(30 - strap, 3, 30 + strap, 77, body, 2)
    canvas.disc(30, 40, radius, trim)
    canvas.disc(30, 40, radius - 2.5, WHITE if sum(body) < 420 else DARK)
    hands = DARK if sum(body) < 420 else WHITE
    canvas.line([(30, 40), (30 + vary(-6, 6), 31)], hands, 1.2)
    canvas.line([(30, 40), (38, 40 + vary(-6, 6))], hands, 1.2)
    canvas.box(30 + radius - 1, 38.5, 31.5 + radius, 41.5, trim)


def handbag(canvas: Canvas, body: Colour, trim: Colour, vary: Vary) -> None:
    """A wide soft body under one high handle."""
    top, rise = vary(34, 39), vary(18, 24)
    canvas.arc(30, top + 3, vary(12, 15), rise, (180, 360), trim, 2.4)
    canvas.symmetric([(11, top), (5, 67), (9, 70)], body)
    canvas.polygon([(11, top), (49, top), (46, top + 11), (14, top + 11)], trim)
    canvas.disc(30, top + 11, 2, GOLD)


def backpack(canvas: Canvas, body: Colour, trim: Colour, vary: Vary) -> None:
    """A tall rounded body with a front pocket, a loop on top, straps at its sides."""
    top, pocket = vary(14, 17), vary(42, 47)
    canvas.arc(30, top, 5, 6, (180, 360), trim, 2)
    canvas.arc(11, 48, 6, 22, (90, 270), trim, 2.6)
    canvas.arc(49, 48, 6, 22, (270, 90), trim, 2.6)
    canvas.box(11, top, 49, 73, body, 11)
    canvas.box(16, pocket, 44, 69, trim, 4)
    canvas.line([(17, pocket + 5), (43, pocket + 5)], body, 1.2)
    canvas.arc(30, top + 20, 17, 12, (200, 340), trim, 1.2)


def sunglasses(canvas: Canvas, body: Colour, trim: Colour, vary: Vary) -> None:
    """Two dark lenses, a bridge, folded temples."""
    radius, drop = vary(10, 11.5), vary(8, 10.5)
    for x, edge in ((17.0, 4.0), (43.0, 56.0)):
        canvas.line([(edge, 35), (x + (edge - 30) * 0.25, 29)], body, 1.8)
        canvas.disc(x, 41, radius + 1.6, body, drop + 1.6)
        canvas.disc(x, 41, radius, tuple(channel // 3 for channel in trim), drop)  # type: ignore[arg-type]
        canvas.line([(x - 5, 38), (x - 1, 35)], WHITE, 1)
    canvas.arc(30, 40, 5, 4, (200, 340), body, 2)


def belt(canvas: Canvas, body: Colour, trim: Colour, vary: Vary) -> None:
    """A rolled strap seen from above, a square buckle in front."""
    rx, ry, width = vary(22, 25), vary(12, 16), vary(5.5, 7.5)
    canvas.arc(30, 38, rx, ry, (0, 360), body, width)
    canvas.arc(30, 38, rx - width / 2, ry - width / 2, (0, 360), trim, 0.7)
    canvas.polygon([(26, 34 + ry), (50, 36 + ry), (54, 40 + ry), (50, 42 + ry), (26, 41 + ry)], body)
    buckle = STEEL if vary(0, 1) < 0.6 else GOLD
    canvas.box(18, 31 + ry, 29, 43 + ry, buckle, 1.5)
    canvas.box(20.5, 33.5 + ry, 26.5, 40.5 + ry, WHITE)
    canvas.line([(23.5, 33 + ry), (23.5, 41 + ry)], buckle, 1.4)


def cap(canvas: Canvas, body: Colour, trim: Colour, vary: Vary) -> None:
    """A dome with seams and a peak to one side."""
    top, peak = vary(22, 26), vary(50, 54)
    canvas.blob([(6, 50), (6, top + 6), (14, top - 4), (32, top - 4), (42, top + 8), (43, 50)], body)
    canvas.blob([(24, 44), (44, 43), (58, 49), (59, peak), (42, 51), (8, 52), (7, 46)], trim)
    canvas.arc(24, 48, 7, 25, (190, 350), trim, 0.8)
    canvas.disc(24, top - 1, 1.6, trim)


def lipstick(canvas: Canvas, body: Colour, trim: Colour, vary: Vary) -> None:
    """A dark case, a metal ring, a slanted stick of colour."""
    width, tip = vary(7, 9), vary(10, 15)
    left, right = 30 - width, 30 + width
    canvas.box(left - 1.5, 46, right + 1.5, 75, DARK, 1)
    canvas.box(left, 34, right, 47, STEEL if sum(trim) > 380 else GOLD)
    canvas.polygon([(left + 2, 34), (left + 2, tip + 9), (right - 4, tip), (right - 2, tip + 3), (right - 2, 34)], body)


def perfume(canvas: Canvas, body: Colour, trim: Colour, vary: Vary) -> None:
    """A square flask with shoulders, a neck and a cap."""
    width, shoulder = vary(14, 18), vary(32, 38)
    canvas.box(24, 8, 36, 22, trim, 2)
    canvas.box(26.5, 21, 33.5, shoulder, STEEL)
    canvas.box(30 - width, shoulder - 4, 30 + width, 74, body, 4)
    canvas.box(33 - width, shoulder, 27 + width, 71, tuple((channel + 255) // 2 for channel in body), 3)  # type: ignore[arg-type]
    canvas.box(22, 48, 38, 60, WHITE)
    canvas.line([(24.5, 54), (35.5, 54)], DARK, 0.9)
