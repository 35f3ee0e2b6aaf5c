"""How what travels between workers is packed."""

import pickle
import zlib
from typing import Any

from apache_beam import coders


class Parcel:
    """Something on its way from one stage to the next, on this machine or to another.

    One that has arrived stays packed until it is used, and is unpacked each time: Beam's local runner decodes all that
    waits to be grouped, encodes it again, and looks into none of it.
    """

    def __init__(self, content: Any = None, packed: bytes | None = None) -> None:
        self._content, self._packed = content, packed

    @property
    def content(self) -> Any:
        """What is in it."""
        if self._packed is None:
            return self._content
        return pickle.loads(zlib.decompress(self._packed))  # nosec B301 # noqa: S301 - written by packed, in this run

    @property
    def packed(self) -> bytes:
        """What travels."""
        if self._packed is None:
            return zlib.compress(pickle.dumps(self._content, pickle.HIGHEST_PROTOCOL), 1)
        return self._packed


class _ParcelCoder(coders.Coder):
    """Beam's own coder of objects packs each with bzip2, which takes longer than all the rest."""

    def encode(self, value: Parcel) -> bytes:
        return value.packed

    def decode(self, encoded: bytes) -> Parcel:
        return Parcel(packed=encoded)

    def estimate_size(self, value: Parcel) -> int:
        return 1  # Beam's default would encode each object once more to tell its size


coders.registry.register_coder(Parcel, _ParcelCoder)
