"""Draws a photo and the products that look like it onto one sheet."""

from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from schema.pictures import read_header, to_pixels
from serving.proto.lookbook.v1 import classifier_pb2 as pb

_CELL: Final = (150, 200)
_WORDS: Final = 44
_MARGIN: Final = 10
_COLUMNS: Final = 6
_FONT_SIZE: Final = 11


def draw_contact_sheet(image: bytes, found: pb.FindSimilarResponse, out: Path) -> None:
    """Writes the upright photo alone in the first row, and below it the products, nearest first.

    Args:
        image: encoded; of any kind that is classified.
        found: for that picture, with thumbnails where there are some; a product without one is a grey field.
        out: a file that Pillow can write, for example ``alike.png``.
    """
    rows = 1 + -(-len(found.products) // _COLUMNS)
    width, height = _CELL[0] + _MARGIN, _CELL[1] + _WORDS
    sheet = Image.new("RGB", (_COLUMNS * width + _MARGIN, rows * height + _MARGIN), "white")
    first = found.nearest[0]
    title = [f"{first.count} of the {found.counted} nearest", f"are {first.label}", f"release {found.release}"]
    _paste(sheet, (_MARGIN, _MARGIN), image, title)
    for place, one in enumerate(found.products):
        corner = (_MARGIN + place % _COLUMNS * width, _MARGIN + (1 + place // _COLUMNS) * height)
        _paste(sheet, corner, one.thumbnail, [f"{one.similarity:.2f} {one.article_type}", one.name, one.id])
    sheet.save(out)


def _paste(sheet: Image.Image, corner: tuple[int, int], image: bytes, lines: list[str]) -> None:
    left, top = corner
    draw = ImageDraw.Draw(sheet)
    if image:
        pixels = to_pixels(read_header(image)).convert("RGB")
        scale = min(_CELL[0] / pixels.width, _CELL[1] / pixels.height)
        size = max(1, round(pixels.width * scale)), max(1, round(pixels.height * scale))
        sheet.paste(pixels.resize(size, Image.Resampling.LANCZOS), (left, top))
    else:
        draw.rectangle((left, top, left + _CELL[0] - 1, top + _CELL[1] - 1), fill="#e4e4e4")
    font = ImageFont.load_default(_FONT_SIZE)
    for number, line in enumerate(lines):
        draw.text((left, top + _CELL[1] + 2 + 13 * number), _cut(line, font), fill="black", font=font)


def _cut(line: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """As much of a line as a cell is wide."""
    while font.getlength(line) > _CELL[0]:
        line = line[:-2].rstrip() + "…"
    return line
