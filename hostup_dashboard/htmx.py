"""What htmx tells of the page that asks, and for files the browser."""

from urllib.parse import urlsplit

from django.shortcuts import redirect
from django_htmx.http import HttpResponseClientRedirect


def wants_fragment(request) -> bool:
    """Tell whether htmx asks for a part of a page. For going back in the history it asks for all of it.

    What fails before htmx's middleware has run is answered with a page.
    """
    return hasattr(request, "htmx") and request.htmx.request_type == "partial"


def asking_page(request) -> str | None:
    """Return path and query of the page that htmx asks from, None when it says none or one of another site."""
    try:
        address = request.htmx.current_url_abs_path  # with where on the page the agent is ("#message-…")
        return address and address.partition("#")[0]
    except ValueError:  # no address, such as "http://["
        return None


def lead_to(request, address: str):
    """Redirect. htmx would follow a redirect inside its target, so it is told to move the whole page instead."""
    return HttpResponseClientRedirect(address) if request.htmx else redirect(address)


def answers_with_file(view):
    """Mark a view that answers with a file: signing in leads to the page that it was asked from."""
    view.answers_with_file = True
    return view


def linking_page(request) -> str | None:
    """Return path and query of the page whose link was followed, None when unknown or one of another site."""
    try:
        page = urlsplit(request.headers.get("Referer", ""))
    except ValueError:
        return None
    return page._replace(scheme="", netloc="").geturl() if page.netloc == request.get_host() else None
