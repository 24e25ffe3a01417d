"""What every page's template may use."""

from django.conf import settings


def frame(request):
    """Tell the page whether the HostUp it shows is the sandbox, and how agents sign in here."""
    return {
        "is_sandbox": settings.HOSTUP_IS_SANDBOX,
        "oidc_name": settings.OIDC_NAME if settings.OIDC_ISSUER else "",
        "mfa_required": settings.MFA_REQUIRED,
    }
