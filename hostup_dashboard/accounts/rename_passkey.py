"""Giving a passkey another name."""

from allauth.mfa.webauthn.views import EditWebAuthnView
from django.contrib.messages.views import SuccessMessageMixin
from django.utils.translation import gettext_lazy as _


class RenamePasskey(SuccessMessageMixin, EditWebAuthnView):
    """allauth's page, which says afterwards that it was done."""

    success_message = _("Passkey renamed.")
