"""``promise``: notes what was promised and seen. ``--promises FILE`` keeps the rows."""

from pathlib import Path

import pytest

from tests.hardening.promises import Promises

_PROMISES = pytest.StashKey[Promises]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_PROMISES] = Promises(is_strict=bool(config.getoption("promises")))


@pytest.fixture
def promise(request: pytest.FixtureRequest) -> Promises:
    """``with promise(name, what is promised) as row:`` around a test; it sets ``row.seen``."""
    return request.config.stash[_PROMISES]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    promises = config.stash[_PROMISES]
    if not promises.rows:
        return
    terminalreporter.section("promises")
    for line in promises.table():
        terminalreporter.write_line(line)
    if path := config.getoption("promises"):
        promises.save(Path(path))
