"""Options that pytest must know before it looks into a folder; and what it skipped, for the end of ``make test``."""

from pathlib import Path
from typing import Final

import pytest

SKIPPED: Final = Path(__file__).parents[1] / "build" / "skipped.txt"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--promises", metavar="FILE", help="JSON file for the rows of tests/hardening")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Several runs of pytest make one ``make test``, whose last lines say what none of them did, and why."""
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped:
        SKIPPED.parent.mkdir(exist_ok=True)
        with SKIPPED.open("a", encoding="utf-8") as file:
            file.writelines(f"  {_test_and_reason(report)}\n" for report in skipped)


def _test_and_reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return f"{report.nodeid}: {reason.removeprefix('Skipped: ')}"
