"""Signing in with a passkey alone."""

from allauth.account.utils import passthrough_next_redirect_url
from allauth.mfa.webauthn.views import LoginWebAuthnView
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.shortcuts import redirect


class PasskeySignIn(LoginWebAuthnView):
    """allauth's, where whoever is refused is still on the way to the page that they came for."""

    def form_invalid(self, form):
        refused = super().form_invalid(form)
        return redirect(passthrough_next_redirect_url(self.request, refused.url, REDIRECT_FIELD_NAME))
