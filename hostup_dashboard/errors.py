"""The frame's error answers: never a bare page, always what happened and what to do."""

import sys
from urllib.parse import quote

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation, TooManyFilesSent
from django.db import Error as DatabaseError
from django.dispatch import Signal
from django.http import HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _
from django_htmx.http import reswap, retarget

from hostup_dashboard.htmx import wants_fragment

# Sent when somebody was not allowed to do something, with `request` and `reason`: "permission" or "csrf".
denied = Signal()

RETRY_AFTER = 10  # seconds
LIMIT_SECONDS = 60  # over which allauth counts the requests for a page

WORDS = {
    400: (_("That request was not understood"), _("Nothing was changed. Go back and try again.")),
    403: (_("That is not allowed"), _("Nothing was changed. Reload the page and try again.")),
    404: (_("There is no such page"), _("Check the address, or go to the tickets.")),
    405: (_("This address only does something when a button is pressed"), _("Nothing was changed.")),
    413: (
        _("That is too much text at once"),
        _("Nothing was changed. Shorten it, or put it into a file and attach that."),
    ),
    429: (_("Too many attempts"), _("Wait a few minutes, then try again.")),
    500: (
        _("Something broke in the dashboard"),
        _("If you were changing a ticket, check it before you try again."),
    ),
    503: (
        _("The dashboard's storage is not responding"),
        _("Try again in a moment. If you were changing a ticket, check it first."),
    ),
}
TOO_MANY_FILES = (
    _("Those are too many files at once"),
    _("Nothing was changed. Go back and choose at most 10 files."),
)
FOR_ADMINISTRATORS = (
    _("This page is for administrators"),
    _("Nothing was changed. If you need something there, ask an administrator."),
)


def keeps_drafts(view):
    """Mark a view that only saves what is being typed.

    Its errors leave no outcome unknown, and being signed out interrupts nothing that was pressed. Its requests,
    one for each pause in typing, stay out of the log unless they fail.
    """
    view.keeps_drafts = True
    return view


def storage_errors() -> tuple[type[Exception], ...]:
    """Return the exceptions that the database and the cache raise when they do not work.

    Redis's client takes 6 MB in each process, so it is loaded only where `CACHE_URL` names a Redis.
    """
    if "redis" not in sys.modules:
        return (DatabaseError,)
    from redis import RedisError  # waits if another thread is loading it

    return (DatabaseError, RedisError)


def error_template(request) -> str:
    """Return the template of an error: the page, or for htmx the fragment."""
    return "_error.html" if wants_fragment(request) else "error.html"


def error_answer(request, status, words=None):
    """Answer with an error page, or for htmx a fragment, that says `words`, by default those of `status`."""
    context = {"failure": _failure(request, status, words), "message": written_in(request)}
    return among_the_alerts(request, render(request, error_template(request), context, status=status))


def _failure(request, status, words=None):
    heading, advice = words or WORDS[status]
    view = request.resolver_match and request.resolver_match.func
    is_unknown = status >= 500 and request.method == "POST" and not getattr(view, "keeps_drafts", False)
    return {"status": status, "heading": heading, "sentences": [advice], "is_unknown": is_unknown}


def written_in(request) -> str:
    """Return the text in the posted form, to be shown where it would otherwise be lost. Return "" for a form that
    cannot be read, which may be what went wrong."""
    try:
        form = request.POST
    except (BadRequest, MultiPartParserError, SuspiciousOperation, OSError):
        return ""
    return "\n\n".join(filter(None, map(form.get, settings.TEXT_FIELDS)))


def among_the_alerts(request, response):
    """Have the error of a change shown beside what is on the screen, not in its place."""
    if wants_fragment(request) and request.method != "GET":
        return reswap(retarget(response, "#alerts"), "innerHTML")
    return response


def bad_request(request, exception=None):
    if isinstance(exception, TooManyFilesSent):
        return error_answer(request, 413, TOO_MANY_FILES)
    return error_answer(request, 413 if isinstance(exception, RequestDataTooBig) else 400)


def permission_denied(request, exception=None, words=None):
    denied.send(sender=None, request=request, reason="permission")
    return error_answer(request, 403, words)


def csrf_failure(request, reason=""):
    """Refuse a form from another site, or from a page that is older than a sign-in in another tab.

    htmx's headers, which no other site can send, show that a form is ours. Its answer has the current token, which
    no other site can read either, and the agent's name: static/writing.js tries again if that is the same.
    """
    if not wants_fragment(request):  # otherwise it is a page of ours
        denied.send(sender=None, request=request, reason="csrf")
    advice = _("Nothing was changed. Reload the page and try again.")
    if written_in(request):
        advice = _("Nothing was changed. Copy what you have written, then open the page again.")
    response = error_answer(request, 403, (_("This page has expired"), advice))
    if wants_fragment(request):
        response.headers["HX-Trigger"] = "page-expired"
        response.headers["X-CSRF-Token"] = get_token(request)
        response.headers["X-Agent"] = quote(request.user.get_username())
    return response


def page_not_found(request, exception=None):
    return error_answer(request, 404)


def too_many_requests(request):
    response = error_answer(request, 429)
    response.headers["Retry-After"] = str(LIMIT_SECONDS)
    return response


def server_error(request):
    """Answer without the database, the session or anything else that may have broken: with 503 if it was the
    database or the cache, wherever that was noticed. A text that was sent is shown, so that it is not lost.

    Without the cache nobody can sign in, because the password throttle is in it: it fails closed.
    """
    # Django calls this while it handles the exception, and does not pass it on in any other way.
    status = 503 if isinstance(sys.exception(), storage_errors()) else 500
    context = {"failure": _failure(request, status), "request": request, "message": written_in(request)}
    response = HttpResponse(render_to_string(error_template(request), context), status=status)
    if status == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER)
    return among_the_alerts(request, response)
