"""Options that pytest must know before it looks into a folder."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--promises", metavar="FILE", help="JSON file for the rows of tests/hardening")
