"""Context for the templates of all pages."""

from django.conf import settings
from django.template.backends.utils import csrf_input
from django.utils.functional import SimpleLazyObject

from hostup_dashboard.accounts.second_step import is_missing


def frame(request):
    """Tell every page whether HostUp is the sandbox here, and how agents sign in."""
    return {
        # Django's makes a new token for every form of a page. Each takes as long as a query.
        "csrf_input": SimpleLazyObject(lambda: csrf_input(request)),
        "is_sandbox": settings.HOSTUP_IS_SANDBOX,
        "oidc_name": settings.OIDC_NAME if settings.OIDC_ISSUER else "",
        "second_step_is_missing": SimpleLazyObject(lambda: is_missing(request)),
    }
