"""What every page's template may use."""

from django.conf import settings
from django.template.backends.utils import csrf_input
from django.utils.functional import SimpleLazyObject

from hostup_dashboard.accounts.second_step import is_missing


def frame(request):
    """Tell the page whether the HostUp it shows is the sandbox, and how agents sign in here."""
    return {
        # Django's makes a token anew for every form of a page, each in as long as a query takes.
        "csrf_input": SimpleLazyObject(lambda: csrf_input(request)),
        "is_sandbox": settings.HOSTUP_IS_SANDBOX,
        "oidc_name": settings.OIDC_NAME if settings.OIDC_ISSUER else "",
        "second_step_is_missing": SimpleLazyObject(lambda: is_missing(request)),
    }
