"""allauth's forms, where their words are not those of this dashboard."""

from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import AddWebAuthnForm, EditWebAuthnForm
from django import forms
from django.core.cache import cache
from django.utils.translation import gettext_lazy as _

CODE_SECONDS = 90  # that an app's code is taken: its own half minute, and one before and after it


class _UsedOnce:
    """allauth remembers a used code for half a minute, while with `MFA_TOTP_TOLERANCE` it is good for longer."""

    def clean_code(self):
        code = super().clean_code()
        is_apps = self.authenticator.type == Authenticator.Type.TOTP
        digits = "".join(filter(str.isdigit, code))  # what is typed between them does not count
        name = f"used-code:{self.user.pk}:{digits}"
        if is_apps and not cache.add(name, True, CODE_SECONDS):
            raise get_adapter().validation_error("incorrect_code")
        return code


class CodeForm(_UsedOnce, AuthenticateForm):
    """The second step of signing in."""


class CodeAgainForm(_UsedOnce, ReauthenticateForm):
    """The same once more, before something that guards the account."""


class AddPasskeyForm(AddWebAuthnForm):
    name = forms.CharField(required=False, max_length=100, label=_("Name"))
    passwordless = forms.BooleanField(
        required=False,
        initial=True,
        label=_("Sign in with this passkey alone"),
        help_text=_(
            "Your device then asks for your fingerprint, face or PIN. Otherwise it comes after the password."
        ),
    )


class RenamePasskeyForm(EditWebAuthnForm):
    name = forms.CharField(max_length=100, label=_("Name"))
