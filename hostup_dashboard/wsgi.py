"""What the web server starts: `gunicorn hostup_dashboard.wsgi`."""

import os
import re

from django.core.handlers.wsgi import WSGIRequest
from django.core.wsgi import get_wsgi_application
from django.http.multipartparser import MultiPartParserError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hostup_dashboard.settings")


class Request(WSGIRequest):
    def parse_file_upload(self, META, post_data):
        try:
            return super().parse_file_upload(META, post_data)
        except TypeError:  # Python cannot sort the parts of a name (RFC 2231) if one has no number
            raise MultiPartParserError("a part's name cannot be read") from None


answer = get_wsgi_application()
answer.request_class = Request


def application(environ, start_response):
    """Answer a request."""
    environ["CONTENT_TYPE"] = heeded(environ.get("CONTENT_TYPE", ""))
    return answer(environ, start_response)


def heeded(content_type: str) -> str:
    """Return a Content-Type without what we ignore: all parameters but a form's boundary.

    Django would decode the address's query with the `charset`, which can name any of Python's codecs. If that
    failed, there would not be a page of ours yet to say so.
    """
    kind, *parameters = content_type.split(";")
    boundary = [parameter for parameter in parameters if re.match(r"\s*boundary=", parameter, re.IGNORECASE)]
    return ";".join([kind, *boundary])
