"""What there is very much of in a catalogue is held small."""

import pickle
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from components.catalogue.example_gen.parcel import Parcel, _ParcelCoder
from components.catalogue.reading.source import open_catalogue
from components.catalogue.splitting.near import near_links
from components.catalogue.splitting.signatures import VALUES, Signatures
from components.storage.packed import PackedMap, Texts

COUNT = 4000


def test_packed_names_lead_where_those_of_a_dict_do() -> None:
    """Also names that have no encoding, that are empty, or beyond the first plane; unknown ones are unknown."""
    plain = {name: name.upper() for name in ("", "1", "ä", "\udcff.jpg", "👗", *map(str, range(100, 400)))}
    packed = PackedMap(list(plain), Texts(plain.values()).at)
    assert dict(packed) == plain
    assert list(packed) == list(plain)
    assert [name in packed for name in ("👗", "2", 7)] == [True, False, False]
    with pytest.raises(KeyError, match="99"):
        packed["99"]
    with pytest.raises(TypeError, match="stays in its process"):
        pickle.dumps(packed)


def test_a_picture_of_a_zip_takes_less_than_a_line_of_text_in_memory(tmp_path: Path) -> None:
    """Each process of an import has the directory of its zip open, so 300,000 pictures are not to take 300 MB."""
    path = tmp_path / "catalogue.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("styles.csv", "id\n")
        for number in range(COUNT):
            archive.writestr(f"images/{number}.jpg", b"x")
    tracemalloc.start()
    try:
        catalogue = open_catalogue(path)
        assert tracemalloc.get_traced_memory()[0] < 300 * COUNT
    finally:
        tracemalloc.stop()
    assert catalogue.read(catalogue.images["7"]) == b"x"


class _Watched:
    """Something that knows how often it was unpacked."""

    unpacked = 0

    def __reduce__(self) -> tuple[object, tuple[()]]:
        return _unpack, ()


def _unpack() -> str:
    _Watched.unpacked += 1
    return "unpacked"


def test_a_parcel_that_passes_through_stays_packed() -> None:
    """Beam's local runner decodes and encodes what waits to be grouped, and would hold all of it unpacked."""
    coder = _ParcelCoder()
    passed = coder.decode(coder.encode(coder.decode(coder.encode(Parcel(_Watched())))))
    assert _Watched.unpacked == 0
    assert (passed.content, _Watched.unpacked) == ("unpacked", 1)


def test_the_search_for_near_pictures_needs_little_in_the_fullest_cell() -> None:
    """Pictures on white crowd into one cell: neither all their products nor their pixels are held at once."""
    rng = np.random.default_rng(2)
    count = 20_000
    values = np.concatenate([np.full((count, 4), 100), rng.normal(0, 400, (count, VALUES - 4))], axis=1)
    values[1::1000] = values[::1000]
    signatures = Signatures([(0, "")] * count, np.frombuffer(rng.bytes(8 * count), "V8"), values.astype(np.int16))
    tracemalloc.start()
    try:
        links = near_links(signatures, lambda some: np.zeros((len(some), 32, 24, 3), np.uint8))
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()
    assert len(links) == 2 * count / 1000


def test_a_place_beyond_all_files_is_a_lost_picture(tmp_path: Path) -> None:
    """A zip64 may claim any place of 64 bits: the catalogue opens, and that picture alone cannot be read."""
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.writestr("styles.csv", "id,articleType,subCategory,masterCategory\n1,a,b,c\n")
        archive.writestr("images/1.jpg", b"1")
        archive.getinfo("images/1.jpg").header_offset = 2**64 - 1
    catalogue = open_catalogue(tmp_path / "c.zip")
    assert catalogue.read("styles.csv").startswith(b"id")
    with pytest.raises(zipfile.BadZipFile):
        catalogue.read("images/1.jpg")
