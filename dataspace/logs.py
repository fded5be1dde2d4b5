"""Structured logs that cannot hold data: one JSON object a line, and only allow-listed fields get through."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

FIELDS = frozenset(
    {
        "event", "level", "timestamp", "request_id", "method", "route", "status", "code", "actor_id", "permit_id",
        "application_id", "dataset", "snapshot_id", "charge_id", "release_id", "version", "mode", "url", "error_type",
        "error_at",
    }
)  # fmt: skip
"""Everything a log line may say. No SQL, no values, no durations: they may depend on what is in the data."""


def keep_listed_fields(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop every field that is not on the list."""
    return {name: value for name, value in event.items() if name in FIELDS}


def configure(stream: Any = None) -> None:
    """Send JSON lines to standard error (or `stream`) and silence libraries that log what they handle."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            keep_listed_fields,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=lambda *_: structlog.PrintLogger(stream or sys.stderr),
    )
    for name in ("uvicorn.access", "uvicorn.error", "sqlalchemy.engine", "deltalake"):
        logging.getLogger(name).disabled = True


log = structlog.get_logger()
