"""Adds the calls to HostUp to the request's log line, and answers their errors that no view has handled."""

from django.utils.deprecation import MiddlewareMixin

from tickets import failures
from tickets.answers import failure_answer
from tickets.hostup import tally


def hostup_tally(get_response):
    """Add to the request's log line which ticket it was about, and the calls to HostUp that it made."""

    def middleware(request):
        with tally.counting() as calls:
            response = get_response(request)
        if request.resolver_match and "ticket_id" in request.resolver_match.kwargs:
            request.log["ticket"] = request.resolver_match.kwargs["ticket_id"]
        request.log["hostup"] = calls
        return response

    return middleware


class HostUpErrors(MiddlewareMixin):
    def process_exception(self, request, exception):
        if not isinstance(exception, failures.HANDLED):
            return None
        is_changing = request.method == "POST" and "ticket_id" in request.resolver_match.kwargs
        return failure_answer(request, failures.describe(exception, changing=is_changing))
