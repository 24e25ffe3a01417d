"""Counts the calls to HostUp, and turns what went wrong with them into an answer: the one place that does."""

from django.shortcuts import render

from hostup_dashboard.errors import among_the_alerts, written_in
from hostup_dashboard.htmx import wants_fragment
from tickets import failures
from tickets.hostup import tally


def hostup_tally(get_response):
    """Add to the request's log line which ticket it was about and what HostUp was asked for it."""

    def middleware(request):
        with tally.counting() as calls:
            response = get_response(request)
        if request.resolver_match and "ticket_id" in request.resolver_match.kwargs:
            request.log["ticket"] = request.resolver_match.kwargs["ticket_id"]
        request.log["hostup"] = calls
        return response

    return middleware


class HostUpErrors:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        if not isinstance(exception, failures.HANDLED):
            return None
        return failure_answer(request, failures.describe(exception, changing=request.method == "POST"))


def failure_answer(request, failure: failures.Failure, **context):
    """Answer with a page, or for htmx with a fragment: where the content would have come, or, when something
    was to be changed, among the alerts, so that the ticket on the screen stays as it was."""
    changing = request.method == "POST"
    template = "_error.html" if wants_fragment(request) else "error.html"
    context |= {"failure": failure, "message": written_in(request)}
    if not changing and failure.status >= 429:  # else it would only be refused again
        context["retry_url"] = request.get_full_path()
    response = render(request, template, context, status=failure.status)
    tell_when_to_retry(response, failure)
    return among_the_alerts(request, response)


def tell_when_to_retry(response, failure: failures.Failure | None) -> None:
    """Put what HostUp, or we, said about waiting into the answer's `Retry-After`."""
    if failure and failure.retry_after:
        response.headers["Retry-After"] = str(failure.retry_after)
