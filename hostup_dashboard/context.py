"""What every page's template may use."""

from django.conf import settings


def frame(request):
    """Tell the page whether the HostUp it shows is the sandbox."""
    return {"is_sandbox": settings.HOSTUP_IS_SANDBOX}
