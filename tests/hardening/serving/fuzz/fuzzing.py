"""What the fuzz targets share. They run in the environment of requirements/hardening.txt, without pytest."""

import contextlib
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

Mend = Callable[[bytes], bytes]

CORPUS = Path(__file__).parent / "corpus"
"""A folder for each target: what is worth trying first, and whatever broke something once."""


def kept(target: str) -> dict[str, bytes]:
    """The inputs of a target that stay in the repository, by file name."""
    return {path.name: path.read_bytes() for path in sorted((CORPUS / target).glob("*"))}


def instrumented(packages: Iterable[str]) -> AbstractContextManager[None]:
    """What is imported within tells the fuzzer which of its branches an input takes."""
    if "atheris" not in sys.modules:  # an ordinary test imports the target
        return contextlib.nullcontext()
    import atheris

    return atheris.instrument_imports(include=list(packages))


def fuzz(target: Callable[[bytes], object], seeds: Mapping[str, bytes], mend: Mend | None = None) -> None:
    """Hands ``target`` one input after the other until the budget on the command line, libFuzzer's, is used up.

    ``mend`` puts right in each input what no mutation would ever hit upon, such as checksums.
    """
    import atheris

    def mutate(data: bytes, max_size: int, seed: int) -> bytes:
        return mend(atheris.Mutate(data, max_size))[:max_size]

    with tempfile.TemporaryDirectory() as folder:
        for name, content in seeds.items():
            Path(folder, name).write_bytes(content)
        atheris.Setup([*sys.argv, folder], target, **({"custom_mutator": mutate} if mend else {}))
        atheris.Fuzz()
