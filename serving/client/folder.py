"""Classifies all pictures of a folder into a CSV or JSON-lines file that can be resumed.

The rows stand in the order of the files' names, and the output is at every moment the beginning of the whole: what is
in it is not done again. A file that cannot be classified has its error in its row. When the server cannot answer at
all, the run ends, to be resumed later.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tqdm import tqdm

from serving.client.client import ClassifierClient, ClassifyError
from serving.client.outputs import Output, output_for
from serving.proto.lookbook.v1 import classifier_pb2 as pb

SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".webp")
PATIENCE_S: Final = 60.0
POLL_S: Final = 0.5


@dataclass
class Summary:
    """What a run did.

    Args:
        resumed: files that were in the output already.
        answered: files with an answer.
        failed: file → code and words of its error.
    """

    resumed: int = 0
    answered: int = 0
    failed: dict[str, str] = field(default_factory=dict)


def find_pictures(folder: Path) -> list[Path]:
    """The JPEG, PNG and WebP files below ``folder`` by their suffix, ordered by name.

    Raises:
        NotADirectoryError: there is no such folder.
    """
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is no folder")
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())


def classify_directory(
    client: ClassifierClient, folder: Path, out: Path, report: Callable[[str], None] = tqdm.write
) -> Summary:
    """Classifies the pictures of ``folder`` into ``out``, with a progress bar.

    Args:
        client: of the merger.
        folder: looked through with all below it.
        out: ``….csv`` or ``….jsonl``; resumed when it exists.
        report: is told of each failed file, a line.

    Raises:
        ClassifyError: the server cannot answer; run again to resume.
        NotADirectoryError: there is no such folder.
        ValueError: ``out`` has another suffix, or holds rows of other files than those of ``folder``.
    """
    output = output_for(out)
    pictures = {path.relative_to(folder).as_posix(): path for path in find_pictures(folder)}
    done = _resume(out, output, list(pictures))
    todo = list(pictures.items())[done:]
    summary = Summary(resumed=done)
    output.begin((lambda: _attributes(client)) if todo else tuple)
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("a", encoding="utf-8", newline="") as stream, tqdm(total=len(pictures), initial=done) as bar:
        if stream.tell() == 0:
            stream.write(output.header)
        for name, result in _results(client, todo):
            stream.write(output.row(name, result))
            stream.flush()
            bar.update()
            _count(summary, name, result, report)
    if output.left_out:
        report(f"{out} has no columns for {', '.join(sorted(output.left_out))}; give another output to have them")
    return summary


def _attributes(client: ClassifierClient) -> tuple[str, ...]:
    """Columns of the release's attributes. While a model is away they are not all known, so that is waited for.

    Raises:
        ClassifyError: the server cannot be asked.
    """
    deadline = time.monotonic() + PATIENCE_S
    while not (models := client.models()).ready and time.monotonic() < deadline:
        time.sleep(POLL_S)
    heads = [head for model in models.models for head in model.card.heads]
    return tuple(head.column for head in heads if head.column and not head.HasField("level"))


def _count(summary: Summary, name: str, result: pb.ClassifyResult, report: Callable[[str], None]) -> None:
    if result.HasField("answer"):
        summary.answered += 1
    else:
        summary.failed[name] = f"{result.error.code}: {result.error.detail}"
        report(f"{name}: {summary.failed[name]}")


def _results(client: ClassifierClient, files: Iterable[tuple[str, Path]]) -> Iterator[tuple[str, pb.ClassifyResult]]:
    """A final result for each file, in order; files that cannot be read are not sent."""
    unreadable: deque[tuple[str, pb.ClassifyResult]] = deque()
    paths = dict(files)
    order = deque(paths)

    def readable() -> Iterator[tuple[str, bytes]]:
        for name, path in paths.items():
            content = _read(path)
            if isinstance(content, bytes):
                yield name, content
            else:
                unreadable.append((name, pb.ClassifyResult(id=name, error=content)))

    for result in client.classify_stream(readable()):
        while order[0] != result.id:
            order.popleft()
            yield unreadable.popleft()
        order.popleft()
        yield result.id, _final(client, result, paths[result.id])
    yield from unreadable


def _read(path: Path) -> bytes | pb.Problem:
    try:
        return path.read_bytes()
    except OSError as error:
        return pb.Problem(code="unreadable", detail=error.strerror or str(error))


def _final(client: ClassifierClient, result: pb.ClassifyResult, path: Path) -> pb.ClassifyResult:
    """The result, or a later one if the server could not answer for the moment.

    Raises:
        ClassifyError: it cannot for longer.
    """
    deadline = time.monotonic() + PATIENCE_S
    while result.HasField("error") and result.error.HasField("retry_after_s"):
        again = _again(client, result, path)
        if again.error.HasField("retry_after_s"):
            if time.monotonic() > deadline:
                raise ClassifyError(again.error)
            time.sleep(again.error.retry_after_s)
        result = again
    return result


def _again(client: ClassifierClient, result: pb.ClassifyResult, path: Path) -> pb.ClassifyResult:
    try:
        return pb.ClassifyResult(id=result.id, index=result.index, answer=client.classify(path.read_bytes()))
    except ClassifyError as error:
        return pb.ClassifyResult(id=result.id, index=result.index, error=error.problem)


def _resume(out: Path, output: Output, wanted: list[str]) -> int:
    """How many files are done; cuts off a last row that was not written whole.

    Raises:
        ValueError: the rows are not those of the first files.
    """
    if not out.exists():
        return 0
    text = out.read_bytes().decode("utf-8", errors="replace")
    whole = text[: text.rfind("\n") + 1]
    try:
        found = output.files(whole)
    except (ValueError, KeyError) as error:
        raise ValueError(f"{out} cannot be resumed: {error}") from error
    if found != [output.stored(name) for name in wanted[: len(found)]]:
        raise ValueError(f"{out} holds other files than the first ones of the folder; give another output or remove it")
    with out.open("r+b") as stream:
        stream.truncate(len(whole.encode("utf-8", errors="replace")))
    return len(found)
