"""Classifies all pictures of a folder into a CSV or JSON-lines file that can be resumed.

What has a row in the output is not asked again, and what is new in the folder joins: without the row of a file it is
asked anew. A file that cannot be classified has its error in its row, and counts as failed for as long as that row is
there. Every other file of the folder is skipped for a reason that is told. When the server cannot answer at all, the
run ends, to be resumed later.
"""

import fcntl
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from tqdm import tqdm

from serving.client.client import ClassifierClient
from serving.client.files import NO_NAMES, PATIENCE_S, results_of
from serving.client.listing import Listing, list_folder
from serving.client.outputs import Output, output_for
from serving.client.product_names import names_of
from serving.proto.lookbook.v1 import classifier_pb2 as pb

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
        named: files of the folder whose product has a name; found as well.
    """

    resumed: int = 0
    answered: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    failed_before: int = field(default=0, compare=False)
    skipped: dict[str, str] = field(default_factory=dict, compare=False)
    named: int = field(default=0, compare=False)


def classify_directory(
    client: ClassifierClient,
    folder: Path,
    out: Path,
    report: Callable[[str], None] = tqdm.write,
    for_excel: bool = False,
    product_names: Mapping[str, str] = NO_NAMES,
) -> Summary:
    """Classifies the pictures of ``folder`` into ``out``, with a progress bar.

    Args:
        client: of the merger.
        folder: looked through with all below it.
        out: ``….csv`` or ``….jsonl``; resumed when it exists.
        report: is told of each failed file, a line.
        for_excel: begins a new CSV with the mark by which Excel knows UTF-8; one that is resumed stays as it is.
        product_names: of the products, by keys as :func:`serving.client.product_names.names_of` has them.

    Raises:
        ClassifyError: the server cannot answer; run again to resume.
        NotADirectoryError: there is no such folder.
        ValueError: ``out`` has another suffix, holds rows and none of a file of ``folder``, or is written by another
            process; or no name is of any.
    """
    output = output_for(out)
    listing = list_folder(folder, beside=out)
    done, begun = _resume(out, output, listing)
    todo = [(name, path) for name, path in listing.pictures.items() if output.stored(name) not in done]
    named = names_of(listing.pictures, product_names)
    summary = Summary(len(done), failed_before=sum(done.values()), skipped=listing.skipped, named=len(named))
    for name, why in listing.unreadable.items():
        _failed(summary, name, f"unreadable: {why}", report)
    output.begin((lambda: _attributes(client)) if todo else tuple)
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("a", encoding="utf-8", newline="") as stream, tqdm(total=len(todo)) as bar:
        _hold(stream, out, begun)
        if stream.tell() == 0:
            stream.write(BYTE_ORDER_MARK * for_excel + output.header)
        for name, result in results_of(client, todo, named):
            stream.write(output.row(name, result))
            stream.flush()
            bar.update()
            _count(summary, name, result, report)
    if output.left_out:
        report(f"{out} has no columns for {', '.join(sorted(output.left_out))}; give another output to have them")
    return summary


def _hold(stream: IO[Any], out: Path, begun: int) -> None:
    """Keeps other processes away until the file, of so many bytes, is closed: both would write rows, or cut them off.

    Raises:
        ValueError: another one writes it, or has since its rows were read.
    """
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise ValueError(f"another process writes {out}; wait for it, or give another output") from error
    if os.fstat(stream.fileno()).st_size != begun:
        raise ValueError(f"another process has written {out} meanwhile; run again to resume")


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


def _resume(out: Path, output: Output, listing: Listing) -> tuple[dict[str, bool], int]:
    """The files that have a row → whether it holds an error, and the bytes of the rows; cuts off what is no whole one.

    Raises:
        ValueError: these are no rows of ours, or of another folder.
    """
    if not out.exists():
        return {}, 0
    if not out.is_file():
        raise ValueError(f"{out} is no file, but a device or a pipe, which nobody can resume; give another output")
    content = out.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    _require_torn(out, output, content[len(whole) :], is_first=not whole)
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
        _hold(stream, out, len(content))
        stream.truncate(len(whole))
    return found, len(whole)


def _require_torn(out: Path, output: Output, rest: bytes, is_first: bool) -> None:
    """Refuses to cut off a last line that is no row which was not written whole.

    Raises:
        ValueError: it has other line ends than ours, or a file that begins with it is none of ours.
    """
    begun = rest.decode("utf-8", "replace").removeprefix(BYTE_ORDER_MARK)[: len(output.start)]
    if b"\r" in rest or (is_first and not output.start.startswith(begun)):
        raise ValueError(f"{out} cannot be resumed: its last line is no row of ours, but {rest[:60]!r}")
