"""Answers to agents: a page or a part of one, with the status of what went wrong, and how long to wait."""

from django.shortcuts import render

from hostup_dashboard.errors import among_the_alerts, error_template, written_in
from tickets.failures import Failure


def answer(request, template: str, context: dict, failure: Failure | None, *, status: int = 200):
    """Render `template`; with a `failure`, answer with its status and say when to try again."""
    response = render(request, template, context, status=failure.status if failure else status)
    if failure and failure.retry_after:
        response.headers["Retry-After"] = str(failure.retry_after)
    return response


def failure_answer(request, failure: Failure, **context):
    """Answer with a page, or for htmx with a fragment: where the content would have come, or, when something
    was to be changed, among the alerts, so that the ticket on the screen stays as it was."""
    context |= {"failure": failure, "message": written_in(request)}
    if request.method != "POST" and failure.status >= 429:  # else it would only be refused again
        context.setdefault("retry_url", request.get_full_path())
    return among_the_alerts(request, answer(request, error_template(request), context, failure))
