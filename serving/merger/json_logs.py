"""The process's log: a JSON line per event on standard output."""

import logging
import sys
from typing import TextIO

import structlog
from structlog.typing import EventDict


def configure_logging(level: str, stream: TextIO = sys.stdout) -> None:
    """Sends all records of the process to ``stream`` as JSON lines: time, level, logger, message, every ``extra``."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_json_lines())
    logging.getLogger("uvicorn").setLevel(logging.WARNING)  # its start and end are told by us
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


def _json_lines() -> structlog.stdlib.ProcessorFormatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.processors.TimeStamper(fmt="iso", key="time"),
            _add_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.EventRenamer("message"),
            structlog.stdlib.ExtraAdder(),
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(default=str, ensure_ascii=False),
        ],
    )


def _add_level(_logger: object, _method: str, event: EventDict) -> EventDict:
    """The level as the standard library writes it; structlog's own processor writes it in lower case."""
    event["level"] = event["_record"].levelname
    return event
