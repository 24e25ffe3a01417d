"""A file of a ticket, passed on from HostUp. Hostile until proven otherwise: it never shows on our origin."""

import re

from csp.constants import NONE
from csp.decorators import csp
from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET

from tickets.upstream import client_of

# Path separators, control characters, and those that turn the direction of a name's end.
_NOT_IN_A_NAME = re.compile(r'[\x00-\x1f\x7f-\x9f/\\:*?"<>|\u200b-\u200f\u202a-\u202e\u2066-\u2069]')


@require_GET
@csp({"default-src": [NONE], "sandbox": True})
def download(request, ticket_id, attachment_id):
    """Pass a file on as it comes. HostUp decides whether this agent's key may have it."""
    file = client_of(request.user).download(ticket_id, attachment_id)
    response = StreamingHttpResponse(file, content_type="application/octet-stream")
    if file.content_length is not None:
        response.headers["Content-Length"] = str(file.content_length)
    # The ticket knows the name better than the download's own header, which cannot hold every letter.
    name = _safe(request.GET.get("name") or file.filename or attachment_id)
    response.headers["Content-Disposition"] = content_disposition_header(True, name)
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _safe(filename: str) -> str:
    return _NOT_IN_A_NAME.sub("_", filename).strip(". ")[-150:] or "file"
