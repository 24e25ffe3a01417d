"""Answers to agents: a page or a part of one, with the status of what went wrong, and how long to wait."""

from django.shortcuts import render
from django.urls import reverse

from hostup_dashboard.errors import among_the_alerts, error_template, written_in
from hostup_dashboard.htmx import asking_page
from tickets.failures import Failure


def answer(request, template: str, context: dict, failure: Failure | None, *, status: int = 200):
    """Render `template`; with a `failure`, answer with its status and say when to try again."""
    response = render(request, template, context, status=failure.status if failure else status)
    if failure and failure.retry_after:
        response.headers["Retry-After"] = str(failure.retry_after)
    return response


def failure_answer(request, failure: Failure, **context):
    """Answer with a page or, for htmx, a fragment. The fragment takes the place of the expected content; if a
    change failed, it goes among the alerts, so that the ticket on the screen stays as it was."""
    context |= {"failure": failure, "message": written_in(request)}
    if (
        request.method != "POST" and failure.status >= 429
    ):  # a lower status is a refusal, which would only be repeated
        context.setdefault("retry_url", request.get_full_path())
    return among_the_alerts(request, answer(request, error_template(request), context, failure))


def is_on_screen(request, ticket) -> bool:
    """Tell whether the page that a form was sent from shows the ticket, beside the list or alone. htmx names that
    page, or else the form does; if neither does, assume that it shows the ticket."""
    address = asking_page(request) or request.POST.get("next")
    names = tuple(reverse("ticket", args=[name]) for name in ticket.names_of_ticket)
    return not address or address.startswith(names)
