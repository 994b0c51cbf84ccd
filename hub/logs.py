"""Structured logs to standard error: for people on a terminal, JSON lines for machines."""

from __future__ import annotations

import logging
import sys

import stamina.instrumentation
import structlog
from stamina.instrumentation import RetryDetails

from hub.settings import Settings

log = structlog.get_logger(__name__)


def configure_logs(settings: Settings) -> None:
    """Log from HUB_LOG_LEVEL on, in HUB_LOG_FORMAT; standard output stays the command's own."""
    renderer = (
        structlog.processors.JSONRenderer()
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[settings.log_level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    stamina.instrumentation.set_on_retry_hooks([_asked_again])


def _asked_again(details: RetryDetails) -> None:
    """A retry is the normal way of things: the error that ends a stream says what kept going wrong."""
    log.debug("asking again", stream=details.name, wait_s=details.wait_for, because=str(details.caused_by))
