"""allauth's forms, where their words are not those of this dashboard."""

from allauth.mfa.webauthn.forms import AddWebAuthnForm, EditWebAuthnForm
from django import forms
from django.utils.translation import gettext_lazy as _


class AddPasskeyForm(AddWebAuthnForm):
    name = forms.CharField(required=False, max_length=100, label=_("Name"))
    passwordless = forms.BooleanField(
        required=False,
        initial=True,
        label=_("Sign in with this passkey alone"),
        help_text=_("Your device then asks for your fingerprint, face or PIN. Else it comes after the password."),
    )


class RenamePasskeyForm(EditWebAuthnForm):
    name = forms.CharField(max_length=100, label=_("Name"))
