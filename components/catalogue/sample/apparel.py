"""Silhouettes of garments. Each draws in ``body`` and ``trim``; ``vary(low, high)`` makes no two alike."""

from collections.abc import Callable

from components.catalogue.sample.canvas import Canvas, Colour

Vary = Callable[[float, float], float]


def tshirt(canvas: Canvas, body: Colour, trim: Colour, vary: Vary) -> None:
    """Short wide sleeves, round or pointed neck."""
    sleeve, hem, drop = vary(30, 36), vary(66, 72), vary(4, 9)
    waist = vary(15, 17)
    canvas.symmetric([(23, 12), (16, 14), (4, sleeve - 4), (10, sleeve), (15.5, 25), (waist, hem)], body)
    canvas.polygon([(23, 11.5), (30, 12 + drop), (37, 11.5)], (250, 250, 250))
    canvas.line([(23, 12), (30, 12 + drop), (37, 12)], trim, 1.4)


def shirt(canvas: Canvas, body: Colour, trim: Colour, vary: Vary) -> None:
    """Long hanging sleeves with cuffs, collar, button placket."""
    cuff, hem = vary(54, 62), vary(66, 73)
    canvas.symmetric(
        [(24, 11), (15, 14), (11, 22), (5, cuff), (11, cuff + 1.5), (17, 30), (16, hem), (22, hem + 2)], body
    )
    for side in (5.0, 49.0):
        canvas.polygon([(side, cuff - 2), (side + 6, cuff - 2), (side + 6, cuff + 2), (side, cuff + 2)], trim)
    canvas.symmetric([(24, 9), (22, 13), (27, 19)], trim)
    canvas.symmetric([(26, 10), (28, 13.5)], (245, 245, 245))
    canvas.line([(30, 18), (30, hem)], trim, 1.2)
    for y in range(22, int(hem), 7):
        canvas.disc(30, y, 0.9, (250, 250, 250))


def trousers(canvas: Canvas, body: Colour, trim: Colour, vary: Vary) -> None:
    """Two long legs under a waistband."""
    hem, ankle, crotch = vary(73, 77), vary(14, 18), vary(25, 29)
    canvas.symmetric([(18, 4), (14, 26), (ankle, hem), (ankle + 9, hem), (29.6, crotch)], body)
    canvas.box(18, 4, 42, 7, trim)
    canvas.line([(30, 7), (30, crotch)], trim, 0.8)


def shorts(canvas: Canvas, body: Colour, trim: Colour, vary: Vary) -> None:
    """Two wide legs that end above the knee."""
    hem, flare, crotch = vary(55, 61), vary(6, 9), vary(36, 40)
    canvas.symmetric([(14, 18), (flare, hem), (28, hem + 2), (29.5, crotch)], body)
    canvas.box(13.5, 17, 46.5, 21.5, trim)
    canvas.line([(30, 21), (30, crotch)], trim, 0.8)


def skirt(canvas: Canvas, body: Colour, trim: Colour, vary: Vary) -> None:
    """One flared panel with folds, from waistband to a straight hem."""
    hem, flare = vary(60, 70), vary(4, 9)
    canvas.symmetric([(21, 14), (flare, hem), (18, hem + 2.5)], body)
    canvas.box(20.5, 12, 39.5, 16, trim)
    for share in (0.25, 0.5, 0.75):
        foot = flare + share * (60 - 2 * flare)
        canvas.line([(21 + share * 18, 18), (foot, hem)], trim, 0.6)


def dress(canvas: Canvas, body: Colour, trim: Colour, vary: Vary) -> None:
    """Shoulder straps, a narrow waist, a wide skirt to below the knee."""
    hem, flare, waist = vary(68, 76), vary(8, 13), vary(30, 34)
    canvas.symmetric([(22, 14), (19.5, 20), (23.5, waist), (flare, hem), (20, hem + 1.5)], body)
    for x, lean in ((22.0, 1.0), (36.0, -1.0)):
        canvas.polygon([(x + lean, 4), (x + 2 + lean, 4), (x + 2, 15), (x, 15)], body)
    canvas.polygon([(24, 13.5), (30, 19), (36, 13.5)], (250, 250, 250))
    canvas.box(23, waist - 1.5, 37, waist + 1, trim)


def tie(canvas: Canvas, body: Colour, trim: Colour, vary: Vary) -> None:
    """A knot above one long blade with a pointed end."""
    tip, width = vary(70, 76), vary(6, 9)
    canvas.symmetric([(26, 4), (27.5, 13)], trim)
    canvas.symmetric([(27.5, 13), (30 - width, tip - 8), (30, tip)], body)
    canvas.line([(27.5, 13.5), (32.5, 13.5)], trim, 0.8)
