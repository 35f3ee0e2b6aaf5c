"""Pictures whose pixels fill a part of them: what lies beside is transparent, so that white is seen there."""

import struct

import numpy as np

from tests.pictures.corpus import LOSSLESS, SIZE, Taken, drawn, encoded

LEFT, TOP, ACROSS, DOWN = 10, 20, 30, 40


def small_frames() -> dict[str, Taken]:
    """Files whose first frame is smaller than the picture, by name."""
    part = drawn().crop((LEFT, TOP, LEFT + ACROSS, TOP + DOWN))
    few = part.quantize(16)
    gif, webp = encoded(few, "GIF"), encoded(part, "WEBP", lossless=True)
    return {
        "gif small frame": Taken(_gif(gif, SIZE), _on_white(np.asarray(few.convert("RGB")), SIZE)),
        "gif frame beyond its screen": Taken(
            _gif(gif, (1, 1)), _on_white(np.asarray(few.convert("RGB")), (LEFT + ACROSS, TOP + DOWN))
        ),
        "webp animated, small frame": Taken(_webp(webp[12:]), _on_white(np.asarray(part), SIZE), LOSSLESS),
    }


def _on_white(part: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    sheet = np.full((*size[::-1], 3), 255, np.uint8)
    sheet[TOP : TOP + DOWN, LEFT : LEFT + ACROSS] = part
    return sheet


def _gif(whole: bytes, size: tuple[int, int]) -> bytes:
    """A GIF with its one frame moved, on a screen of another size."""
    at = whole.index(b"\x2c\0\0\0\0")
    moved = struct.pack("<BHH", 0x2C, LEFT, TOP)
    return whole[:6] + struct.pack("<HH", *size) + whole[10:at] + moved + whole[at + 5 :]


def _webp(frame: bytes) -> bytes:
    """An animation that says to have no transparency, and has black for its background."""

    def three(*numbers: int) -> bytes:
        return b"".join(number.to_bytes(3, "little") for number in numbers)

    def chunk(kind: bytes, payload: bytes) -> bytes:
        return kind + struct.pack("<I", len(payload)) + payload + bytes(len(payload) % 2)

    parts = (
        chunk(b"VP8X", b"\2\0\0\0" + three(SIZE[0] - 1, SIZE[1] - 1)),
        chunk(b"ANIM", b"\0\0\0\xff\0\0"),
        chunk(b"ANMF", three(LEFT // 2, TOP // 2, ACROSS - 1, DOWN - 1, 100) + b"\0" + frame),
    )
    return chunk(b"RIFF", b"WEBP" + b"".join(parts))
