"""What htmx, or for files the browser, says about the page that a request comes from."""

from urllib.parse import urlsplit

from django.shortcuts import redirect
from django_htmx.http import HttpResponseClientRedirect


def wants_fragment(request) -> bool:
    """Tell whether htmx asks for a part of a page. To go back in the history, it asks for a whole one.

    A request that fails before htmx's middleware has run is answered with a page.
    """
    return hasattr(request, "htmx") and request.htmx.request_type == "partial"


def asking_page(request) -> str | None:
    """Return path and query of the page that htmx asks from, None if unknown or on another site."""
    try:
        address = request.htmx.current_url_abs_path  # with a fragment, such as "#message-…"
        return address and address.partition("#")[0]
    except ValueError:  # not an address, such as "http://["
        return None


def lead_to(request, address: str):
    """Redirect to `address`. htmx would load a redirect into its target, so it is told to load a new page."""
    return HttpResponseClientRedirect(address) if request.htmx else redirect(address)


def answers_with_file(view):
    """Mark a view that answers with a file: signing in leads back to the page that linked to it."""
    view.answers_with_file = True
    return view


def linking_page(request) -> str | None:
    """Return path and query of the page whose link was followed, None if unknown or on another site."""
    try:
        page = urlsplit(request.headers.get("Referer", ""))
    except ValueError:
        return None
    return page._replace(scheme="", netloc="").geturl() if page.netloc == request.get_host() else None
