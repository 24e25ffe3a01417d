"""A ticket's files, passed on between HostUp and the browser. They are hostile: none ever runs on our origin."""

import re

from csp.constants import NONE
from csp.decorators import csp
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import reswap

from hostup_dashboard.htmx import answers_with_file
from hostup_dashboard.uploads import lacks_room, takes_files
from tickets import failures, replying
from tickets.answers import failure_answer
from tickets.forms import file_problem
from tickets.hostup import errors
from tickets.upstream import client_of

# Path separators, control characters, lone surrogates, and characters that can reverse how a name's end is shown.
_NOT_IN_A_NAME = re.compile(
    r'[\x00-\x1f\x7f-\x9f/\\:*?"<>|\u061c\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]'
)


# File types that may show in the browser, by their first bytes: a file's name and type are only claims.
_PREVIEWS = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
    b"%PDF-": "application/pdf",
}


@require_GET
@answers_with_file
def download(request, ticket_id, attachment_id):
    """Pass a file on, once all of it is here. HostUp decides whether this agent's key may have it.

    With `?preview` a picture or PDF shows in the browser, sandboxed; everything else downloads.
    """
    try:
        file = client_of(request.user).download(ticket_id, attachment_id)
    except failures.HANDLED as error:
        failure = failures.describe(error)
        ways_on = {"back_url": reverse("ticket", args=[ticket_id])}
        if isinstance(error, errors.TooLarge):
            ways_on["retry_url"] = ""  # it would be as large the next time
        if isinstance(error, errors.NotFound):
            sentences = [_("It may have been removed. Reload the ticket to check.")]
            failure = failure._replace(heading=_("HostUp has no such file"), sentences=sentences)
        return failure_answer(request, failure, **ways_on)
    try:
        return _passed_on(request, file, attachment_id)
    except Exception:
        file.close()  # else its slots are never freed
        raise


@csp({"default-src": [NONE], "frame-ancestors": [NONE], "sandbox": True})
def _passed_on(request, file, attachment_id):
    preview = _preview_type(file.beginning) if "preview" in request.GET else ""
    response = StreamingHttpResponse(file, content_type=preview or "application/octet-stream")
    response.headers["Content-Length"] = str(file.content_length)
    # `name` is the file's name in the ticket, passed on by the page: the header that HostUp sends with a file
    # cannot hold every character.
    name = _safe(request.GET.get("name") or file.filename or attachment_id)
    response.headers["Content-Disposition"] = content_disposition_header(not preview, name)
    return reswap(response, "none")  # htmx swaps in whatever comes, and a file must not go into a page


@require_POST
@takes_files
def upload(request, ticket_id):
    """Take one file for the reply that is being written, and pass it on to HostUp.

    A file that is refused (422) would be refused again, so the reply waits until it is removed.
    """
    file = request.FILES.get("file")
    if lacks_room(request):
        return _reply_not_sent(request, failures.no_room())
    if not file:
        return failure_answer(request, failures.Failure(422, _("Not attached"), [_("Choose a file first.")]))
    if problem := file_problem(file):
        return _not_attached(request, failures.Failure(422, _("Not attached"), [problem]))
    try:
        replying.upload(client_of(request.user), request.user, ticket_id, file)
    except errors.Invalid as error:
        return _not_attached(request, failures.describe(error))
    except errors.OutcomeUnknown as error:
        return _reply_not_sent(request, failures.lost_file(error, file.name))
    return HttpResponse(_("Attached."))


def _reply_not_sent(request, failure):
    sentences = [_("Your reply was not sent."), *failure.sentences]
    return failure_answer(request, failure._replace(sentences=sentences))


def _not_attached(request, failure):
    sentences = [*failure.sentences, _("Remove the file to send your reply.")]
    return failure_answer(request, failure._replace(sentences=sentences))


def _preview_type(beginning: bytes) -> str:
    return next((kind for start, kind in _PREVIEWS.items() if beginning.startswith(start)), "")


def _safe(filename: str) -> str:
    return _NOT_IN_A_NAME.sub("_", filename).strip(". ")[-150:].lstrip(". ") or "file"
