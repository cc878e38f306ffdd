"""Shape log lines: sentences, with colours on a terminal alone, or one JSON object a line in production.

Our own events and those of Django and RQ pass through the same processors, so a line always has a time, a level, the logger
and, inside a request, its id (django-structlog binds it).
"""

import logging
import sys
from typing import Any

import structlog
from structlog.typing import Processor

SHARED_PROCESSORS: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.UnicodeDecoder(),
]


def configure_structlog() -> None:
    """Send structlog's events through the standard library's handlers, where `logging_settings` formats them."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED_PROCESSORS,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def shorten_refusal(record: logging.LogRecord) -> bool:
    """Take the traceback from a request that was refused (403, 404): the answer was meant, and one line an event is enough."""
    if getattr(record, "status_code", 500) < 500:
        record.exc_info = record.exc_text = None
    return True


def logging_settings(*, level: str, shape: str) -> dict[str, Any]:
    """Return Django's `LOGGING`; `shape` is `console` or `json`. Logs go to stderr, stdout belongs to results."""
    renderers: list[Processor] = (
        [structlog.processors.dict_tracebacks, structlog.processors.JSONRenderer()]
        if shape == "json"
        else [
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback),
        ]
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
                "foreign_pre_chain": SHARED_PROCESSORS,
            },
        },
        "filters": {"refusals": {"()": "django.utils.log.CallbackFilter", "callback": shorten_refusal}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured", "filters": ["refusals"]}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Django installs handlers of its own on these two; one line an event is enough.
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.server": {"handlers": [], "level": level, "propagate": True},
            # A line for every statement is asked for by name, not by LOG_LEVEL=DEBUG: it would hold people's data.
            "django.db.backends": {"level": "INFO"},
            "rq": {"level": level},
        },
    }
