"""Structured logs on stderr: text on a terminal, JSON lines elsewhere."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, ClassVar

import structlog

import xg2g_backends

from ..config import Configuration, Settings
from ..config.settings import LogSettings


def configure(settings: LogSettings) -> None:
    """Configure the logs of this process; a later call changes them."""
    is_text = sys.stderr.isatty() if settings.format == "auto" else settings.format == "text"
    shared: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S" if is_text else "iso", utc=not is_text),
    ]
    if is_text:
        # JSON escapes control characters by itself.
        shared.append(_escape)
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(pad_event_to=20, colors=sys.stderr.isatty())
        if is_text
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(settings.level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger(xg2g_backends.__name__).setLevel(settings.level.upper())
    # The body for a stalled viewer is never completed, which uvicorn reports as an error of the
    # application.
    logging.getLogger("uvicorn.error").addFilter(_is_worth_a_line)


class LiveLogs:
    """The logs as a part of the daemon that takes changed settings."""

    LIVE_KEYS: ClassVar[frozenset[str]] = frozenset({"log.level", "log.format"})

    async def apply(self, settings: Settings) -> None:
        """Write the log with this level and format from now on."""
        configure(settings.log)


def note(configuration: Configuration) -> None:
    """Log the warnings about the configuration itself."""
    log = structlog.get_logger()
    for line in configuration.notes:
        log.warning(line)


def _escape(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Escape control characters and line breaks: names come from outside, and a terminal would
    obey them."""
    return {key: _shown(value) for key, value in event.items()}


def _shown(value: Any) -> Any:
    if not isinstance(value, str) or value.isprintable():
        return value
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in value
    )


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    return "without completing response" not in record.getMessage()
