"""The corpus: every kind of file that is taken, with the pixels that must be seen, and every kind that is not."""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import ExifTags, Image, ImageCms, features

from tests.pictures.png_writer import chunk, png

SIZE = (60, 80)
LARGE = (600, 800)
ABC = np.frombuffer(b"abc", np.uint8)
LOSSLESS, LOSSY = 0.0, 4.0
"""Largest mean difference from what must be seen, of 255 levels."""


@dataclass(frozen=True)
class Taken:
    """A file that is taken: what is seen of it, uint8[H, W, 3], and how far off, on average, it may be."""

    data: bytes
    shown: np.ndarray
    tolerance: float = LOSSLESS


def drawn(size: tuple[int, int] = SIZE) -> Image.Image:
    """Smooth colours, no two corners alike, so that nothing turned or mirrored looks the same."""
    width, height = size
    across, down = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    bands = [40 + 170 * across, 200 - 150 * down, 60 + 120 * across * down]
    pixels = np.stack(bands, axis=-1)
    pixels[: height // 5, : width // 3] = (230, 30, 30)
    return Image.fromarray(pixels.round().astype(np.uint8))


def cut_out(size: tuple[int, int] = SIZE) -> np.ndarray:
    """The same with transparency, uint8[H, W, 4]: none, half, and whole with a colour hidden below."""
    pixels = np.asarray(drawn(size).convert("RGBA")).copy()
    height, width = pixels.shape[:2]
    pixels[height // 2 :, :, 3] = 128
    pixels[3 * height // 4 :, : width // 2] = (0, 0, 0, 0)
    return pixels


def over_white(rgba: np.ndarray) -> np.ndarray:
    """What is seen of uint8[H, W, 4] on white paper."""
    alpha = rgba[..., 3:].astype(float) / 255
    return (rgba[..., :3] * alpha + 255 * (1 - alpha)).round().astype(np.uint8)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """The picture as a file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def exif_of(orientation: int, order: str = ">") -> bytes:
    """A block of Exif, without the prefix that JPEG gives it, that says how to turn the picture."""
    start = b"MM\0*" if order == ">" else b"II*\0"
    return start + struct.pack(f"{order}IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """How a picture must be stored for ``orientation`` to make it ``image`` again."""
    ways = Image.Transpose
    undo = {
        1: None,
        2: ways.FLIP_LEFT_RIGHT,
        3: ways.ROTATE_180,
        4: ways.FLIP_TOP_BOTTOM,
        5: ways.TRANSPOSE,
        6: ways.ROTATE_90,
        7: ways.TRANSVERSE,
        8: ways.ROTATE_270,
    }[orientation]
    return image if undo is None else image.transpose(undo)


def without_segments(data: bytes, *markers: int) -> bytes:
    """A JPEG without the segments of these markers before its pixels."""
    at, kept = 2, [data[:2]]
    while data[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if data[at + 1] not in markers:
            kept.append(data[at:end])
        at = end
    return b"".join([*kept, data[at:]])


def with_segment(data: bytes, marker: int, payload: bytes) -> bytes:
    """A JPEG with one more segment at its beginning."""
    return data[:2] + bytes([0xFF, marker]) + struct.pack(">H", len(payload) + 2) + payload + data[2:]


def taken() -> dict[str, Taken]:
    """Every kind of file that is taken, by name."""
    return dict([*_jpegs(), *_pngs(), *_transparent_pngs(), *_webps(), *_others()])


def _jpegs() -> Iterator[tuple[str, Taken]]:
    image = drawn()
    shown, grey = np.asarray(image), np.asarray(image.convert("L").convert("RGB"))

    def lossy(data: bytes, wanted: np.ndarray = shown) -> Taken:
        return Taken(data, wanted, LOSSY)

    plain = encoded(image, "JPEG", quality=95)
    progressive = encoded(image, "JPEG", quality=95, progressive=True)
    restarts = encoded(image, "JPEG", quality=95, restart_marker_blocks=1)
    large = drawn(LARGE)
    yield "jpeg", lossy(plain)
    yield "jpeg large", lossy(encoded(large, "JPEG", quality=90), np.asarray(large))
    yield "jpeg progressive", lossy(progressive)
    yield "jpeg full colour", lossy(encoded(image, "JPEG", quality=95, subsampling=0))
    yield "jpeg rgb", lossy(encoded(image, "JPEG", quality=95, keep_rgb=True))
    yield "jpeg grey", lossy(encoded(image.convert("L"), "JPEG", quality=95), grey)
    cmyk = encoded(image.convert("CMYK"), "JPEG", quality=95)
    yield "jpeg cmyk", lossy(cmyk)
    yield "jpeg cmyk without Adobe's marker", lossy(without_segments(cmyk, 0xEE))
    yield "jpeg mpo", lossy(encoded(image, "MPO", quality=95, save_all=True, append_images=[drawn((30, 40))]))
    yield "jpeg junk behind", lossy(plain + b"PK\3\4" + bytes(1000))
    yield "jpeg without end", lossy(plain[:-2])
    yield "jpeg without end, zeros behind", lossy(plain[:-2] + bytes(500))
    yield "jpeg with half its end", lossy(plain[:-1])
    yield "jpeg without end, an erased disk behind", lossy(plain[:-2] + b"\xff" * 5000)
    yield "jpeg progressive without end", lossy(progressive[:-2])
    yield "jpeg restarts without end", lossy(restarts[:-2])
    yield "jpeg broken exif", lossy(with_segment(plain, 0xE1, b"Exif\0\0MM\0*\xff\xff\xff\xff"))
    yield "jpeg with tables of 255", Taken(encoded(image, "JPEG", quality=1), shown, 30.0)
    yield "jpeg white thumbnail", lossy(with_segment(plain, 0xE0, b"JFXX\0\x13\x40\x40" + b"\xff" * 12288))
    yield "jpeg fill between segments", lossy(plain[:2] + b"\xff" * 5000 + plain[2:])
    yield "jpeg comment", lossy(with_segment(plain, 0xFE, b"\xff\xd9 no end"))
    xmp = b'http://ns.adobe.com/xap/1.0/\0<rdf:Description tiff:Orientation="6"/>'
    yield "jpeg orientation in xmp alone", lossy(with_segment(plain, 0xE1, xmp))
    for orientation in range(1, 9):
        stored = encoded(turned(image, orientation), "JPEG", quality=95, exif=b"Exif\0\0" + exif_of(orientation))
        yield f"jpeg orientation {orientation}", lossy(stored)
    for order in "<>":
        stored = encoded(turned(image, 6), "JPEG", quality=95, exif=b"Exif\0\0" + exif_of(6, order))
        yield f"jpeg exif {order}", lossy(stored)
        yield f"jpeg exif {order} without end", lossy(stored[:-2])


def _pngs() -> Iterator[tuple[str, Taken]]:
    image = drawn()
    rgb, grey = np.asarray(image), np.asarray(image.convert("L"))[..., None]
    for interlaced in (False, True):
        order = ", interlaced" * interlaced
        for depth in (1, 2, 4, 8):
            samples = grey >> (8 - depth)
            levels = (samples.astype(int) * 255 // (2**depth - 1)).astype(np.uint8)
            yield f"png grey {depth}{order}", Taken(png(samples, 0, depth, interlaced=interlaced), _rgb(levels))
            colours = np.random.default_rng(0).integers(0, 256, (2**depth, 3), np.uint8)
            paletted = png(samples, 3, depth, interlaced=interlaced, palette=colours.tobytes())
            yield f"png palette {depth}{order}", Taken(paletted, colours[samples[..., 0]])
        deep = grey.astype(np.uint16) * 256 + 77
        yield f"png grey 16{order}", Taken(png(deep, 0, 16, interlaced=interlaced), _rgb(grey))
        yield f"png colour 8{order}", Taken(png(rgb, 2, 8, interlaced=interlaced), rgb)
        yield (
            f"png colour 16{order}",
            Taken(png(rgb.astype(np.uint16) * 256 + 200, 2, 16, interlaced=interlaced), rgb),
        )
    plain = png(rgb, 2, 8)
    junk = (
        chunk(b"tEXt", b"Software\0x") + chunk(b"gAMA", struct.pack(">I", 45455)) + chunk(b"iCCP", b"a\0\0no profile")
    )
    yield "png with what tools write", Taken(png(rgb, 2, 8, before=junk, after=chunk(b"zTXt", b"no text")), rgb)
    broken_checksum = junk[:-1] + bytes([junk[-1] ^ 1])
    yield "png with a wrong checksum in its text", Taken(png(rgb, 2, 8, before=broken_checksum), rgb)
    yield "png bad exif", Taken(png(rgb, 2, 8, before=chunk(b"eXIf", b"no exif at all")), rgb)
    for colour, mark in ((2, b""), (2, b"\0"), (0, b"\0")):
        samples, seen = (rgb, rgb) if colour else (grey, _rgb(grey))
        misfit = chunk(b"tRNS", mark)
        yield f"png clear colour {colour} of {len(mark)} bytes", Taken(png(samples, colour, 8, before=misfit), seen)
    many = chunk(b"tRNS", bytes(40))
    yield "png more alphas than colours", Taken(png(grey >> 4, 3, 4, palette=b"abc" * 16, before=many), rgb * 0 + ABC)
    yield "png more data than pixels", Taken(plain[:-12] + chunk(b"IDAT", b"more") + plain[-12:], rgb)
    yield "png without end", Taken(plain[:-12], rgb)
    yield "png without end and checksum", Taken(plain[:-16], rgb)
    yield "png animated", Taken(encoded(image, "PNG", save_all=True, append_images=[image.rotate(90)]), rgb)
    large = drawn(LARGE)
    yield "png large", Taken(encoded(large, "PNG"), np.asarray(large))
    xmp = chunk(b"iTXt", b'XML:com.adobe.xmp\0\0\0\0\0<rdf:Description tiff:Orientation="6"/>')
    yield "png orientation in xmp alone", Taken(png(rgb, 2, 8, before=xmp), rgb)
    for orientation in (3, 6, 8):
        stored, exif = np.asarray(turned(image, orientation)), chunk(b"eXIf", exif_of(orientation))
        yield f"png exif before, {orientation}", Taken(png(stored, 2, 8, before=exif), rgb)
        yield f"png exif after, {orientation}", Taken(png(stored, 2, 8, after=exif), rgb)


def _transparent_pngs() -> Iterator[tuple[str, Taken]]:
    rgba = cut_out()
    grey = np.asarray(Image.fromarray(rgba[..., :3]).convert("L"))[..., None]
    shown = over_white(rgba)
    for interlaced in (False, True):
        order = ", interlaced" * interlaced
        yield f"png alpha 8{order}", Taken(png(rgba, 6, 8, interlaced=interlaced), shown)
        deep = rgba.astype(np.uint16) * 257
        yield f"png alpha 16{order}", Taken(png(deep, 6, 16, interlaced=interlaced), shown)
        both = np.concatenate([grey, rgba[..., 3:]], axis=-1)
        wanted = over_white(np.concatenate([_rgb(grey), rgba[..., 3:]], axis=-1))
        yield f"png grey with alpha 8{order}", Taken(png(both, 4, 8, interlaced=interlaced), wanted)
        yield (
            f"png grey with alpha 16{order}",
            Taken(png(both.astype(np.uint16) * 257, 4, 16, interlaced=interlaced), wanted),
        )
    for depth in (1, 2, 4, 8, 16):
        samples = (grey >> (8 - depth)).astype(np.uint16) if depth < 16 else grey.astype(np.uint16) * 257
        clear = int(samples[-1, -1, 0])
        levels = grey if depth == 16 else (samples.astype(int) * 255 // (2**depth - 1)).astype(np.uint8)
        wanted = np.where(samples == clear, 255, _rgb(levels)).astype(np.uint8)
        data = png(samples, 0, depth, before=chunk(b"tRNS", struct.pack(">H", clear)))
        yield f"png one clear grey {depth}", Taken(data, wanted)
    rgb = rgba[..., :3]
    clear_colour = rgb[0, 0]
    wanted = np.where((rgb == clear_colour).all(-1, keepdims=True), 255, rgb).astype(np.uint8)
    for depth, times in ((8, 1), (16, 257)):
        mark = chunk(b"tRNS", struct.pack(">HHH", *(int(level) * times for level in clear_colour)))
        yield f"png one clear colour {depth}", Taken(png(rgb.astype(np.uint16) * times, 2, depth, before=mark), wanted)
    colours = np.array([[10, 200, 30], [200, 10, 90], [0, 0, 0], [90, 90, 250]], np.uint8)
    alphas = np.array([255, 128, 0, 255], np.uint8)
    indices = (grey // 64).astype(np.uint8)
    mark = chunk(b"tRNS", alphas[:3].tobytes())
    wanted = over_white(np.concatenate([colours, alphas[:, None]], axis=-1))[indices[..., 0]]
    yield "png clear palette", Taken(png(indices, 3, 2, palette=colours.tobytes(), before=mark), wanted)
    exif = chunk(b"eXIf", exif_of(6))
    stored = np.rot90(rgba, 1)
    yield "png alpha, turned", Taken(png(stored, 6, 8, before=exif), shown)


def _webps() -> Iterator[tuple[str, Taken]]:
    image, rgba = drawn(), Image.fromarray(cut_out())
    shown, clear = np.asarray(image), over_white(cut_out())
    yield "webp", Taken(encoded(image, "WEBP", quality=95), shown, LOSSY)
    lossless = encoded(image, "WEBP", lossless=True)
    yield "webp lossless", Taken(lossless, shown)
    yield (
        "webp called longer than it is",
        Taken(lossless[:4] + struct.pack("<I", len(lossless) + 99) + lossless[8:], shown),
    )
    yield "webp alpha", Taken(encoded(rgba, "WEBP", lossless=True, exact=True), clear)
    yield "webp lossy alpha", Taken(encoded(rgba, "WEBP", quality=95), clear, LOSSY)
    exif = b"Exif\0\0" + exif_of(6)
    yield "webp turned", Taken(encoded(turned(image, 6), "WEBP", lossless=True, exif=exif), shown)
    frames = {"save_all": True, "append_images": [image.rotate(180)], "duration": 100, "lossless": True}
    yield "webp animated", Taken(encoded(image, "WEBP", **frames), shown)


def _others() -> Iterator[tuple[str, Taken]]:
    image = drawn()
    rgb, grey = np.asarray(image), np.asarray(image.convert("L"))[..., None]
    paletted = image.quantize(64)
    shown = np.asarray(paletted.convert("RGB"))
    yield "gif", Taken(encoded(paletted, "GIF"), shown)
    frames = {"save_all": True, "append_images": [paletted.rotate(180)], "comment": b"x" * 3000}
    yield "gif animated", Taken(encoded(paletted, "GIF", **frames), shown)
    clear = paletted.getpixel((0, 0))
    indices = np.asarray(paletted)[..., None]
    seen = np.where(indices == clear, 255, shown).astype(np.uint8)
    yield "gif transparent", Taken(encoded(paletted, "GIF", transparency=clear), seen)
    yield "bmp", Taken(encoded(image, "BMP"), rgb)
    reserved = bytearray(encoded(image, "BMP"))
    reserved[6:10] = b"abcd"
    yield "bmp with its maker's letters", Taken(bytes(reserved), rgb)
    yield "bmp palette", Taken(encoded(paletted, "BMP"), shown)
    yield (
        "bmp black and white",
        Taken(encoded(image.convert("1"), "BMP"), np.asarray(image.convert("1").convert("RGB"))),
    )
    for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"):
        yield f"tiff {compression}", Taken(encoded(image, "TIFF", compression=compression), rgb)
    yield "tiff jpeg", Taken(encoded(image, "TIFF", compression="jpeg", quality=95), rgb, LOSSY)
    yield "tiff grey", Taken(encoded(image.convert("L"), "TIFF"), _rgb(grey))
    deep = Image.fromarray(grey[..., 0].astype(np.uint16) * 256 + 9)
    yield "tiff grey 16", Taken(encoded(deep, "TIFF"), _rgb(grey))
    yield "tiff palette", Taken(encoded(paletted, "TIFF"), shown)
    yield "tiff cmyk", Taken(encoded(image.convert("CMYK"), "TIFF"), rgb, LOSSY)
    yield "tiff alpha", Taken(encoded(Image.fromarray(cut_out()), "TIFF"), over_white(cut_out()))
    profiles = map(ImageCms.createProfile, ("sRGB", "LAB"))
    lab = ImageCms.profileToProfile(image, *profiles, outputMode="LAB") or image
    yield "tiff lab", Taken(encoded(lab, "TIFF"), rgb, LOSSY)
    yield "tiff pages", Taken(encoded(image, "TIFF", save_all=True, append_images=[image.rotate(90)]), rgb)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    yield "tiff turned", Taken(encoded(turned(image, 6), "TIFF", exif=exif), rgb)
    if features.check("avif"):
        yield "avif", Taken(encoded(image, "AVIF", quality=95), rgb, LOSSY)
        clear_avif = encoded(Image.fromarray(cut_out()), "AVIF", quality=100)
        yield "avif alpha", Taken(clear_avif, over_white(cut_out()), LOSSY)
        yield "avif turned", Taken(encoded(turned(image, 6), "AVIF", quality=95, exif=exif), rgb, LOSSY)


def _rgb(grey: np.ndarray) -> np.ndarray:
    return np.repeat(grey, 3, axis=-1).astype(np.uint8)
