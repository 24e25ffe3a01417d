"""`MFA_REQUIRED`: nobody gets further than their own account before they have set up a second step."""

from allauth.account.authentication import get_authentication_records
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.shortcuts import render
from django.urls import reverse
from django.utils.deprecation import MiddlewareMixin

from hostup_dashboard.errors import written_in
from hostup_dashboard.htmx import lead_to

KINDS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]  # recovery codes alone do not count


class SecondStepRequired(MiddlewareMixin):
    """Send agents without a second step to their account page. What they had written is kept as it is for agents
    who were signed out (`middleware.SignInRequired`)."""

    def process_view(self, request, view_func, view_args, view_kwargs):
        is_open = not getattr(view_func, "login_required", True)
        if is_open or request.resolver_match.route.startswith("accounts/") or not is_missing(request):
            return None
        if (message := written_in(request)) and not request.htmx:
            return render(request, "second_step_first.html", {"message": message}, status=403)
        return lead_to(request, reverse("mfa_index"))


def is_missing(request) -> bool:
    """Tell whether the agent still has to set up a second step. Agents who signed in through the identity provider
    do not have to: the provider decides how they prove who they are."""
    if not settings.MFA_REQUIRED:
        return False
    records = get_authentication_records(request, request.user)
    if any(record["method"] == "socialaccount" for record in records):
        return False
    return not is_mfa_enabled(request.user, KINDS)
