"""Classifies all pictures of a folder into a CSV or JSON-lines file that can be resumed.

The rows stand in the order of the files' names, and the output is at every moment the beginning of the whole: what is
in it is not done again. A file that cannot be classified has its error in its row. When the server cannot answer at
all, the run ends, to be resumed later.
"""

import csv
import io
import json
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tqdm import tqdm

from schema import names
from serving.client.client import ClassifierClient, ClassifyError
from serving.proto.json_view import as_json
from serving.proto.lookbook.v1 import classifier_pb2 as pb

SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".webp")
PATIENCE_S: Final = 60.0
FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")

COLUMNS: Final = (
    "file",
    names.ID,
    names.MASTER_CATEGORY_LABEL,
    names.SUB_CATEGORY_LABEL,
    names.ARTICLE_TYPE_LABEL,
    "confidence",
    "level",
    "review",
    "reasons",
    "agree",
    "release",
    "error",
    "detail",
)
"""Columns of the CSV. The labels are those of the joint answer, in the columns of a catalogue's ``styles.csv``."""


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
    layout = _layout(out)
    pictures = {path.relative_to(folder).as_posix(): path for path in find_pictures(folder)}
    done = _resume(out, layout, list(pictures))
    todo = list(pictures.items())[done:]
    summary = Summary(resumed=done)
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("a", encoding="utf-8", newline="") as stream, tqdm(total=len(pictures), initial=done) as bar:
        if stream.tell() == 0:
            stream.write(layout.header)
        for name, result in _results(client, todo):
            stream.write(layout.row(name, result))
            stream.flush()
            bar.update()
            _count(summary, name, result, report)
    return summary


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


class _JsonLines:
    header = ""

    def row(self, name: str, result: pb.ClassifyResult) -> str:
        view = as_json(result)
        return json.dumps({"file": name, "answer": view["answer"], "error": view["error"]}, ensure_ascii=False) + "\n"

    def names(self, text: str) -> list[str]:
        return [json.loads(line)["file"] for line in text.splitlines()]

    def stored(self, name: str) -> str:
        return name


class _Csv:
    header = ",".join(COLUMNS) + "\n"

    def row(self, name: str, result: pb.ClassifyResult) -> str:
        values = {"file": name, names.ID: Path(name).stem}
        values |= _answer_values(result.answer) if result.HasField("answer") else _error_values(result.error)
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="\n").writerow([self.stored(str(values.get(key, ""))) for key in COLUMNS])
        return buffer.getvalue()

    def names(self, text: str) -> list[str]:
        rows = csv.DictReader(io.StringIO(text))
        if text and tuple(rows.fieldnames or ()) != COLUMNS:
            raise ValueError(f"its columns are {rows.fieldnames}, not {list(COLUMNS)}")
        return [row["file"] for row in rows]

    def stored(self, name: str) -> str:
        """A cell that no spreadsheet takes for a formula."""
        return f"'{name}" if name.startswith(FORMULA_STARTS) else name


def _answer_values(answer: pb.ClassifyResponse) -> dict[str, Any]:
    agree = answer.agreement.agree if answer.agreement.HasField("agree") else ""
    return {
        names.MASTER_CATEGORY_LABEL: answer.joint.master_category,
        names.SUB_CATEGORY_LABEL: answer.joint.sub_category,
        names.ARTICLE_TYPE_LABEL: answer.joint.article_type,
        "confidence": answer.joint.confidence,
        "level": answer.level,
        "review": str(answer.review.needed).lower(),
        "reasons": " ".join(reason.code for reason in answer.review.reasons),
        "agree": str(agree).lower(),
        "release": answer.release,
    }


def _error_values(error: pb.Problem) -> dict[str, Any]:
    return {"error": error.code, "detail": " ".join(error.detail.split())}


def _layout(out: Path) -> _JsonLines | _Csv:
    layouts: dict[str, _JsonLines | _Csv] = {".jsonl": _JsonLines(), ".csv": _Csv()}
    if out.suffix not in layouts:
        raise ValueError(f"{out} ends in {out.suffix!r}; it must end in .csv or .jsonl")
    return layouts[out.suffix]


def _resume(out: Path, layout: _JsonLines | _Csv, wanted: list[str]) -> int:
    """How many files are done; cuts off a last row that was not written whole.

    Raises:
        ValueError: the rows are not those of the first files.
    """
    if not out.exists():
        return 0
    text = out.read_bytes().decode("utf-8", errors="replace")
    whole = text[: text.rfind("\n") + 1]
    try:
        found = layout.names(whole)
    except (ValueError, KeyError) as error:
        raise ValueError(f"{out} cannot be resumed: {error}") from error
    if found != [layout.stored(name) for name in wanted[: len(found)]]:
        raise ValueError(f"{out} holds other files than the first ones of the folder; give another output or remove it")
    with out.open("r+b") as stream:
        stream.truncate(len(whole.encode("utf-8", errors="replace")))
    return len(found)
