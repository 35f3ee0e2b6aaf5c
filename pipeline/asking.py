"""Asks the served release: through the whole stack, as any caller does."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import Any

from components.storage.location import Location
from pipeline.config import Layout, Remote
from pipeline.errors import RunError
from schema import names
from schema.file_names import as_text
from serving.client import ClassifierClient, ClassifyError
from serving.client.files import NO_NAMES, results_of
from serving.client.product_names import names_of
from serving.local.processes import StackError
from serving.local.stack import stack
from serving.proto.json_view import as_json

HELD_OUT = "held_out"
"""Folder of a drawn catalogue with pictures that no split has."""


@contextmanager
def connected(layout: Layout, server: Remote | None) -> Iterator[ClassifierClient]:
    """A client of the merger ``server``, or of a stack of its own on the current release.

    Raises:
        RunError: the stack does not come up, or the server cannot be asked.
    """
    try:
        if server:
            with ClassifierClient(server.target, api_key=server.api_key, ca=server.ca) as client:
                yield client
        else:
            with (
                stack(layout.releases, logs=layout.logs / "serve") as running,
                ClassifierClient(running.grpc_target) as client,
            ):
                yield client
    except StackError as error:
        raise RunError(str(error)) from error
    except ClassifyError as error:
        where = server.target if server else "the stack of this command"
        raise RunError(f"{error}; is there a merger at {where}?") from error


def classify_files(
    client: ClassifierClient,
    paths: Iterable[Path],
    progress: Callable[[int], object] = lambda files: None,
    product_names: Mapping[str, str] = NO_NAMES,
) -> list[dict[str, Any]]:
    """The same as :func:`classify` for files; one that cannot be read or sent has its error.

    Args:
        client: of the merger.
        paths: files.
        progress: called with 1 after each answer.
        product_names: of the products, by keys as :func:`serving.client.product_names.names_of` has them.

    Raises:
        ValueError: there are names, and none is of any file.
    """
    answers = []
    files = [(as_text(str(path)), path) for path in paths]
    for name, result in results_of(client, files, names_of([name for name, _ in files], product_names)):
        answers.append({"file": name, **_outcome(as_json(result))})
        progress(1)
    return answers


def classify(client: ClassifierClient, pictures: Iterable[tuple[str, bytes]]) -> list[dict[str, Any]]:
    """An object a picture: its ``file``, and ``answer`` or ``error``, the other null."""
    results = client.classify_stream(pictures)
    return [{"file": result.id, **_outcome(as_json(result))} for result in results]


def _outcome(view: dict[str, Any]) -> dict[str, Any]:
    return {"answer": view["answer"], "error": view["error"]}


def as_table(answers: list[dict[str, Any]]) -> str:
    """A line a picture: its name, the path, the joint confidence, and whether a person should look."""
    rows = [("picture", "answer", "sure", "")]
    for one in answers:
        name = PurePath(one["file"]).name
        if one["error"]:
            rows.append((name, one["error"]["detail"], "", "failed"))
        else:
            answer = one["answer"]
            remarks = ("TRIAL", answer["trial"]), ("needs a look", answer["review"]["needed"])
            look = ", ".join(word for word, holds in remarks if holds)
            rows.append((name, " › ".join(answer["path"]), f"{answer['joint']['confidence']:.2f}", look))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  " + "  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def unseen_pictures(layout: Layout, data: Location, count: int) -> list[tuple[str, bytes]]:
    """Up to ``count`` pictures that training has not seen.

    A drawn catalogue brings some that are in no split; of any other they are taken from the test split.
    """
    folder = data / HELD_OUT / names.IMAGES_DIR if isinstance(data, Path) else None
    held_out = sorted(folder.glob("*.jpg")) if folder else []
    if held_out:
        step = max(1, len(held_out) // max(count, 1))
        return [(str(path), path.read_bytes()) for path in held_out[::step][:count]]
    return list(_test_pictures(layout, count))


def _test_pictures(layout: Layout, count: int) -> Iterator[tuple[str, bytes]]:
    import tensorflow as tf

    from pipeline.running.record_store import open_store

    newest = max(open_store(layout).get_artifacts_by_type("Examples"), key=lambda artifact: artifact.id)
    files = tf.io.gfile.glob(f"{newest.uri}/Split-{names.TEST}/*")
    spec = {key: tf.io.FixedLenFeature([], tf.string) for key in (names.ID, names.IMAGE)}
    for record in tf.data.TFRecordDataset(files, compression_type="GZIP").take(count):
        row = tf.io.parse_single_example(record, spec)
        yield f"test split, id {row[names.ID].numpy().decode()}", row[names.IMAGE].numpy()
