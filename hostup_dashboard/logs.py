"""How everything is logged: one line of JSON for each record, without secrets or the addresses of pages.

All of it is JSON, because that escapes what would break a line or a terminal, and because readers of the log
then need only one rule. gunicorn (`gunicorn.conf.py`) and Django (`settings.py`) share the same `LOGGING`.
"""

import json
import logging
import re
from contextvars import ContextVar
from datetime import UTC, datetime

from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

# The id of the request that is being answered, "" between requests.
request_id: ContextVar[str] = ContextVar("request_id", default="")

# Our own calls carry the key as a Bearer token; the key form carries it as `api_key`.
_SECRETS = re.compile(r"(Bearer\s+|api_key[\\'\"]*\s*[=:]\s*\[?[\\'\"]*)[^\s'\"&\]]+", re.IGNORECASE)


class WithoutAddresses(logging.Filter):
    """Remove the page's address, and whatever else is quoted, from what Django, gunicorn and urllib3 log about a
    request: it may hold anything.

    Django's own record of a bad answer is dropped unless it brings a traceback, because the request has a line
    already (`request_log.py`).
    """

    def filter(self, record: logging.LogRecord) -> bool:
        match record.name:
            case "django.request":
                record.msg, record.args = "Internal Server Error", ()
                return record.levelno >= logging.ERROR and bool(record.exc_info)
            case "django.security.csrf" if record.args:
                record.args = (*record.args[:-1], "the page")  # the last one is the address
            case name if name.startswith("django.security.") and record.exc_info:
                # Such as a foreign Host, which anybody can send. The record quotes it; it is no error of ours.
                record.msg, record.args, record.exc_info = f"Refused: {name.rpartition('.')[2]}", (), None
                record.levelno, record.levelname = logging.WARNING, "WARNING"
            case "gunicorn.error" if str(record.msg).startswith("Error handling request"):
                record.msg, record.args = "Error handling request", ()
            case "gunicorn.error" if str(record.msg).startswith("Invalid request from"):
                record.msg = re.split("['\"]", record.msg)[0]  # the rest is quoted from the request
            case "urllib3.connection" if str(record.msg).startswith("Failed to parse headers"):  # and quotes them
                record.msg, record.args, record.exc_info = "Failed to parse the headers of an answer", (), None
        return True


class WithoutKeys(logging.Filter):
    """Blank anything that looks like an API key in a record: its message, its fields and its traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = _blank(_message(record)), ()
        record.fields = _blank(getattr(record, "fields", {}))
        if record.exc_info:
            record.exc_text = _blank(logging.Formatter().formatException(record.exc_info))
        if record.stack_info:
            record.stack_info = _blank(record.stack_info)
        return True


class JsonLines(logging.Formatter):
    """One JSON object for each record, in ASCII, so that no character can end the line or control a terminal.

    Of `extra`, only `fields` is written, a dict that JSON can hold. Other entries may be whole requests.
    """

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if current := request_id.get():
            line["request_id"] = current
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["traceback"] = record.exc_text or self.formatException(record.exc_info)
        if record.stack_info:
            line["stack"] = record.stack_info
        return json.dumps(line)


class NoVariables(SafeExceptionReporterFilter):
    """Error reports show the traceback, never the values in it: a frame may hold the key in clear text."""

    def get_traceback_frame_variables(self, request, tb_frame):
        return []

    def get_post_parameters(self, request):
        return {}


class Reporter(ExceptionReporter):
    """Error reports, as a page or a mail, without the keys that an error's message may quote."""

    def get_traceback_html(self):
        return _blank(super().get_traceback_html())

    def get_traceback_text(self):
        return _blank(super().get_traceback_text())


def _message(record: logging.LogRecord) -> str:
    """Return the message. Arguments that do not fit it must not break the code that logs it."""
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        return f"{record.msg} {record.args}"


def _blank(value):
    match value:
        case str():
            return _SECRETS.sub(r"\1[removed]", value)
        case dict():
            return {name: _blank(inner) for name, inner in value.items()}
        case list():
            return [_blank(inner) for inner in value]
    return value


LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "without_addresses": {"()": WithoutAddresses},
        "without_keys": {"()": WithoutKeys},
    },
    "formatters": {"json_lines": {"()": JsonLines}},
    "handlers": {
        "console": {  # stderr
            "class": "logging.StreamHandler",
            "filters": ["without_addresses", "without_keys"],
            "formatter": "json_lines",
        }
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    # Their own handlers would write in other formats (and Django's mail errors), past the filters above.
    "loggers": {
        "django": {"handlers": [], "propagate": True},
        "gunicorn.error": {"handlers": [], "propagate": True},
    },
}
