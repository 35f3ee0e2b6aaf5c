"""Classifies all pictures of a folder into a CSV or JSON-lines file that can be resumed.

What has a row in the output is not asked again, and what is new in the folder joins: without the row of a file it is
asked anew. A file that cannot be classified has its error in its row, and counts as failed for as long as that row is
there. Every other file of the folder is skipped for a reason that is told. When the server cannot answer at all, the
run ends, to be resumed later.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tqdm import tqdm

from serving.client.client import ClassifierClient, ClassifyError
from serving.client.listing import Listing, list_folder
from serving.client.outputs import Output, output_for
from serving.proto.lookbook.v1 import classifier_pb2 as pb

PATIENCE_S: Final = 60.0
POLL_S: Final = 0.5
BYTE_ORDER_MARK: Final = "\ufeff"


@dataclass
class Summary:
    """What a run did.

    Args:
        resumed: files that were in the output already.
        answered: files with an answer.
        failed: file, or folder that cannot be looked into → code and words of its error.
        failed_before: those of ``resumed`` that hold an error; found, not done, so it tells no two runs apart.
        skipped: file → why it was not asked about; found as well.
    """

    resumed: int = 0
    answered: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    failed_before: int = field(default=0, compare=False)
    skipped: dict[str, str] = field(default_factory=dict, compare=False)


def classify_directory(
    client: ClassifierClient,
    folder: Path,
    out: Path,
    report: Callable[[str], None] = tqdm.write,
    for_excel: bool = False,
) -> Summary:
    """Classifies the pictures of ``folder`` into ``out``, with a progress bar.

    Args:
        client: of the merger.
        folder: looked through with all below it.
        out: ``….csv`` or ``….jsonl``; resumed when it exists.
        report: is told of each failed file, a line.
        for_excel: begins a new CSV with the mark by which Excel knows UTF-8; one that is resumed stays as it is.

    Raises:
        ClassifyError: the server cannot answer; run again to resume.
        NotADirectoryError: there is no such folder.
        ValueError: ``out`` has another suffix, or holds rows and none of a file of ``folder``.
    """
    output = output_for(out)
    listing = list_folder(folder, beside=out)
    done = _resume(out, output, listing)
    todo = [(name, path) for name, path in listing.pictures.items() if output.stored(name) not in done]
    summary = Summary(len(done), failed_before=sum(done.values()), skipped=listing.skipped)
    for name, why in listing.unreadable.items():
        _failed(summary, name, f"unreadable: {why}", report)
    output.begin((lambda: _attributes(client)) if todo else tuple)
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("a", encoding="utf-8", newline="") as stream, tqdm(total=len(todo)) as bar:
        if stream.tell() == 0:
            stream.write(BYTE_ORDER_MARK * for_excel + output.header)
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
        _failed(summary, name, f"{result.error.code}: {result.error.detail}", report)


def _failed(summary: Summary, name: str, why: str, report: Callable[[str], None]) -> None:
    summary.failed[name] = why
    report(f"{name}: {why}")


def _results(client: ClassifierClient, files: Sequence[tuple[str, Path]]) -> Iterator[tuple[str, pb.ClassifyResult]]:
    """A final result for each file, in order; files that cannot be read are not sent."""
    unreadable: dict[str, pb.ClassifyResult] = {}
    order = deque(files)

    def readable() -> Iterator[tuple[str, bytes]]:
        for name, path in files:
            content = _read(path)
            if isinstance(content, bytes):
                yield name, content
            else:
                unreadable[name] = pb.ClassifyResult(id=name, error=content)

    # Results come in the order of what was sent, and what was not sent is known before what follows it is.
    for result in client.classify_stream(readable()):
        while order[0][0] in unreadable:
            name, _ = order.popleft()
            yield name, unreadable[name]
        name, path = order.popleft()
        yield name, _final(client, result, path)
    yield from ((name, unreadable[name]) for name, _ in order)


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


def _resume(out: Path, output: Output, listing: Listing) -> dict[str, bool]:
    """The files that have a row → whether it holds an error; cuts off a last row that was not written whole.

    Raises:
        ValueError: these are no rows of ours, or of another folder.
    """
    if not out.exists():
        return {}
    content = out.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    try:
        found = dict(output.rows(whole.decode("utf-8").removeprefix(BYTE_ORDER_MARK)))
    except UnicodeDecodeError as error:
        line = whole.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{out} cannot be resumed: line {line} is not UTF-8; save it as CSV in UTF-8") from error
    except ValueError as error:
        raise ValueError(f"{out} cannot be resumed: {error}") from error
    if found and not any(output.stored(name) in found for name in listing.pictures):
        raise ValueError(f"{out} holds other files than those of the folder; give another output or remove it")
    with out.open("r+b") as stream:
        stream.truncate(len(whole))
    return found
