"""A log line is one JSON object, whatever was logged."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from serving.merger.json_logs import configure_logging


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the process logs, until the test is over."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logging("info", stream)
    yield stream
    root.handlers[:], root.level = handlers, level


def test_a_line_says_when_how_bad_who_and_what(log: io.StringIO) -> None:
    """Time, level, logger and message are there under their names, with every extra beside them."""
    logging.getLogger("serving.x").warning("két %s", "kép", extra={"code": "busy", "names": ["a", "b"]})
    line = json.loads(log.getvalue())
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "WARNING",
        "logger": "serving.x",
        "message": "két kép",
        "code": "busy",
        "names": ["a", "b"],
    }


def test_line_breaks_forge_no_line(log: io.StringIO) -> None:
    """Text from outside stays inside its value, and an exception's traceback inside its line."""
    try:
        raise ValueError('bad\n{"level": "ERROR"}')
    except ValueError:
        logging.getLogger("serving.x").exception('no\n{"level": "ERROR"}', extra={"value": object()})
    (line,) = map(json.loads, log.getvalue().splitlines())
    assert line["message"] == 'no\n{"level": "ERROR"}'
    assert line["exception"].endswith('ValueError: bad\n{"level": "ERROR"}')
    assert line["value"].startswith("<object")
