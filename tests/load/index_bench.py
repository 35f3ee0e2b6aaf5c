"""Measures libraries for more known products than a model remembers, against the exact search that it does.

Command: ``make bench-index``, or ``SIZES=40000 make bench-index``: it takes what the current release remembers, and
fetches the libraries into an environment of their own. Vectors of a catalogue that large are drawn: each lies between a
real one and one of its ten nearest, with some noise, so that products have kin as real ones do. Questions are drawn the
same way. Time is of one question on one thread, memory that of the index as a file.

Goal: recall@20 of .95 at a tenth of the exact search's time.
"""

import itertools
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import click
import numpy as np

NEAREST: Final = 20
QUESTIONS: Final = 200
KIN: Final = 10
NOISE: Final = 0.35
"""Length of the noise, of a vector of length 1."""

_AT_ONCE: Final = 20_000
_MOST_TRAINED_ON: Final = 60_000

Search = Callable[[np.ndarray], np.ndarray]
"""A vector float32[F] → the ids of the nearest, int[NEAREST]."""


@click.group()
def main() -> None:
    """Measures libraries of approximate search."""


@main.command()
@click.argument("release", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def vectors(release: Path, file: Path) -> None:
    """Writes what the newest RELEASE remembers into FILE: float32[M, F], of length 1 each."""
    import tensorflow as tf

    from schema import names

    newest = max((path for path in (release / names.ARTICLE_TYPE).glob("[0-9]*")), key=lambda path: int(path.name))
    reader = tf.train.load_checkpoint(str(newest / "variables" / "variables"))
    found = (reader.get_tensor(name) for name, shape in reader.get_variable_to_shape_map().items() if len(shape) == 2)
    # The known pictures are the one matrix of floats whose columns are all of length 1.
    of_length_1 = [
        one for one in found if one.dtype == np.float32 and np.allclose(np.linalg.norm(one, axis=0), 1, atol=1e-3)
    ]
    if len(of_length_1) != 1:
        raise click.ClickException(f"{newest} remembers no pictures: make it without --set neighbours=0")
    file.parent.mkdir(parents=True, exist_ok=True)
    np.save(file, of_length_1[0].T)


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--sizes", default="40000,400000,1000000", show_default=True, help="Numbers of vectors.")
def measure(file: Path, sizes: str) -> None:
    """Prints a line of JSON for the exact search and for each library, setting and size."""
    real = np.load(file)
    for size in map(int, sizes.split(",")):
        known, asked = draw(real, size, seed=1), draw(real, QUESTIONS, seed=2)
        truth, exact_ms = _asked(lambda one, known=known: _exact(known, one), asked)
        _say(library="exact", vectors=size, dimensions=known.shape[1], p50_ms=exact_ms, mb=known.nbytes / 2**20)
        for library in (faiss_ivf, usearch_hnsw, scann_tree):
            for setting, search, build_s, mb in library(known):
                found, p50_ms = _asked(search, asked)
                hits = [len(set(one) & set(right)) for one, right in zip(found, truth, strict=True)]
                _say(
                    library=library.__name__, vectors=size, setting=setting, recall=np.mean(hits) / NEAREST,
                    p50_ms=p50_ms, times_faster=exact_ms / p50_ms, build_s=build_s, mb=mb,
                )  # fmt: skip


def draw(real: np.ndarray, count: int, seed: int) -> np.ndarray:
    """float32[count, F] of length 1 each, as like each other as the ``real`` ones float32[M, F]."""
    random = np.random.default_rng(seed)
    kin = np.argsort(-(real @ real.T), axis=1)[:, 1 : KIN + 1]
    drawn = np.empty((count, real.shape[1]), np.float32)
    for start in range(0, count, _AT_ONCE):
        part = drawn[start : start + _AT_ONCE]
        one = random.integers(0, len(real), len(part))
        other = kin[one, random.integers(0, kin.shape[1], len(part))]
        share = random.random((len(part), 1), np.float32)
        part[:] = real[one] * (1 - share) + real[other] * share
        part += random.standard_normal(part.shape, np.float32) * (NOISE / np.sqrt(part.shape[1]))
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    return drawn


def faiss_ivf(known: np.ndarray) -> Iterator[tuple[str, Search, float, float]]:
    """faiss: lists of the nearest of √N centres, with eight bits a number."""
    import faiss

    lists, started = int(np.sqrt(len(known))), time.perf_counter()
    index = faiss.index_factory(known.shape[1], f"IVF{lists},SQ8", faiss.METRIC_INNER_PRODUCT)
    sample = np.random.default_rng(0).choice(len(known), min(len(known), 40 * lists, _MOST_TRAINED_ON), replace=False)
    index.train(known[sample])
    index.add(known)
    build_s = time.perf_counter() - started
    faiss.omp_set_num_threads(1)
    with tempfile.NamedTemporaryFile() as file:
        faiss.write_index(index, file.name)
        mb = Path(file.name).stat().st_size / 2**20
    for lists_asked in (8, 16, 32, 64):
        index.nprobe = lists_asked
        yield f"IVF{lists},SQ8, {lists_asked} lists", lambda one: index.search(one[None], NEAREST)[1][0], build_s, mb


def usearch_hnsw(known: np.ndarray) -> Iterator[tuple[str, Search, float, float]]:
    """usearch: a graph of neighbours (HNSW), with eight or sixteen bits a number."""
    from usearch.index import Index

    for dtype in ("i8", "f16"):
        started = time.perf_counter()
        index = Index(ndim=known.shape[1], metric="ip", dtype=dtype, connectivity=16, expansion_add=128)
        index.add(np.arange(len(known)), known)
        build_s = time.perf_counter() - started
        for width in (64, 256, 1024):
            index.expansion_search = width
            search = lambda one, index=index: np.asarray(index.search(one, NEAREST).keys)  # noqa: E731
            yield f"{dtype}, width {width}", search, build_s, index.memory_usage / 2**20


def scann_tree(known: np.ndarray) -> Iterator[tuple[str, Search, float, float]]:
    """ScaNN: a tree, hashes, and the best of them anew."""
    import scann

    leaves, started = int(2 * np.sqrt(len(known))), time.perf_counter()
    builder = scann.scann_ops_pybind.builder(known, NEAREST, "dot_product")
    tree = builder.tree(leaves, leaves_asked := 32, training_sample_size=min(len(known), _MOST_TRAINED_ON))
    index = tree.score_ah(2, anisotropic_quantization_threshold=0.2).reorder(300).build()
    build_s = time.perf_counter() - started
    with tempfile.TemporaryDirectory() as folder:
        index.serialize(folder)
        mb = sum(path.stat().st_size for path in Path(folder).iterdir()) / 2**20
    for asked in itertools.accumulate((leaves_asked, 2, 2), lambda a, b: a * b):
        search = lambda one, asked=asked: index.search(one, leaves_to_search=asked)[0]  # noqa: E731
        yield f"{asked} of {leaves} leaves", search, build_s, mb


def _exact(known: np.ndarray, one: np.ndarray) -> np.ndarray:
    similarities = known @ one
    best = np.argpartition(-similarities, NEAREST)[:NEAREST]
    return best[np.argsort(-similarities[best])]


def _asked(search: Search, asked: np.ndarray) -> tuple[list[list[int]], float]:
    found, times = [], []
    for one in asked:
        started = time.perf_counter()
        ids = search(one)
        times.append(time.perf_counter() - started)
        found.append([int(row) for row in ids[:NEAREST]])
    return found, 1000 * float(np.median(times))


def _say(**values: Any) -> None:
    plain = {key: round(float(value), 3) if isinstance(value, float) else value for key, value in values.items()}
    print(json.dumps(plain), flush=True)


if __name__ == "__main__":
    sys.exit(main())
