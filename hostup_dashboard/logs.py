"""Keep secrets out of logs and error reports."""

import logging
import re

from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

# Our own calls carry the key as a Bearer token; the key form carries it as `api_key`.
_SECRETS = re.compile(r"(Bearer\s+|api_key['\"]?\s*[=:]\s*\[?['\"]?)[^\s'\"&\]]+", re.IGNORECASE)


class WithoutKeys(logging.Filter):
    """Blank anything that looks like an API key in a log line, its arguments and its traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = _blank(record.getMessage()), ()
        if record.exc_info:
            record.exc_text = _blank(logging.Formatter().formatException(record.exc_info))
        return True


class NoVariables(SafeExceptionReporterFilter):
    """Error reports show the traceback, never the values in it: a frame may hold the key in clear."""

    def get_traceback_frame_variables(self, request, tb_frame):
        return []

    def get_post_parameters(self, request):
        return {}


class Reporter(ExceptionReporter):
    """Error reports as a page or a mail, without what an error's own words say of a key."""

    def get_traceback_html(self):
        return _blank(super().get_traceback_html())

    def get_traceback_text(self):
        return _blank(super().get_traceback_text())


def _blank(text: str) -> str:
    return _SECRETS.sub(r"\1[removed]", text)
