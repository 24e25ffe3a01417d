"""allauth's forms, where this dashboard checks more than they do, or words it differently."""

import struct
import time
from contextlib import contextmanager

from allauth.account import forms as account
from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authentication_failed
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    EditWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from allauth.mfa.webauthn.internal.auth import extract_user_from_response
from django import forms
from django.db import transaction
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from fido2.webauthn import AuthenticationResponse

from hostup_dashboard.accounts.throttle import count_attempt

# What allauth and fido2 raise for a malformed answer from a browser.
MALFORMED = (AttributeError, LookupError, TypeError, ValueError, struct.error)
CODE_SECONDS = 90  # that an app's code is accepted: its own half minute, the one before and the one after


class ChangePasswordForm(account.ChangePasswordForm):
    """allauth's form, in which a wrong old password is counted and reported like a failed sign-in."""

    def clean_oldpassword(self):
        adapter = get_account_adapter()
        old = self.cleaned_data["oldpassword"]
        agent = adapter.authenticate(context.request, username=self.user.get_username(), password=old)
        if agent != self.user:
            raise adapter.validation_error("incorrect_password")
        self.user.password = agent.password  # authenticating may have rehashed an older password
        return old


class _Code:
    """A code from an app or a recovery code, accepted only once.

    allauth remembers a used code for 30 s, in a cache that may be each process's own. With `MFA_TOTP_TOLERANCE`,
    an app's code is valid for 90 s.
    """

    @cached_property
    def kinds(self) -> set[str]:
        """The agent's kinds of second step: "totp" (an app), "webauthn" (passkeys), "recovery_codes"."""
        return set(Authenticator.objects.filter(user=self.user).values_list("type", flat=True))

    def clean_code(self):
        attempt = count_attempt(context.request)
        code = super().clean_code()
        is_apps = self.authenticator.type == Authenticator.Type.TOTP
        if is_apps and not use_code(self.authenticator, code):
            self._emit_authentication_failed(self.authenticator)
            raise get_adapter().validation_error("incorrect_code")
        attempt.rollback()
        return code


@transaction.atomic
def use_code(app: Authenticator, code: str) -> bool:
    """Note in the app's row that this code was used; return False if it had been used before. Of two requests with
    the same code, one waits here for the other."""
    digits = "".join(filter(str.isdigit, code))  # without whatever else was typed between them
    row = Authenticator.objects.select_for_update().filter(pk=app.pk).first()
    now = time.time()  # after the wait for the row
    if row is None:  # reset meanwhile
        return False
    used = {other: at for other, at in row.data.get("used", {}).items() if now - at < CODE_SECONDS}
    if digits in used:
        return False
    row.data["used"] = used | {digits: now}
    row.save(update_fields=["data"])
    return True


class CodeForm(_Code, AuthenticateForm):
    """The second step of signing in."""


class CodeAgainForm(_Code, ReauthenticateForm):
    """A code once more, before a sensitive change."""


class AddPasskeyForm(AddWebAuthnForm):
    name = forms.CharField(required=False, max_length=100, label=_("Name"))
    passwordless = forms.BooleanField(
        required=False,
        initial=True,
        label=_("Sign in with this passkey alone"),
        help_text=_(
            "Your device then asks for your fingerprint, face or PIN. "
            "Otherwise the passkey is used after your password."
        ),
    )

    def clean(self):
        """Store the tick with the passkey, and word a refusal. allauth stores what the browser sent, without the
        tick."""
        try:
            cleaned = super().clean()
            cleaned["credential"]["passwordless"] = cleaned["passwordless"]
        except (forms.ValidationError, *MALFORMED) as refusal:
            raise forms.ValidationError(_("The passkey was not accepted.")) from refusal
        return cleaned


@contextmanager
def _refusals_are_told(form):
    """Word a passkey's refusal, and send the signal for it that allauth sends only for a wrong code."""
    try:
        yield
    except (forms.ValidationError, *MALFORMED) as refusal:
        code = getattr(refusal, "code", "incorrect_code")
        if code == "too_many_login_attempts":
            raise
        user = form.user or _who_it_says(form.cleaned_data["credential"])
        told = {"request": context.request, "user": user, "authenticator": None}
        authentication_failed.send(Authenticator, reauthentication=form.reauthenticated, **told)
        if code == "incorrect_code":
            raise forms.ValidationError(_("The passkey was not accepted.")) from refusal
        raise


def _who_it_says(answer):
    """Return the agent whom the answer names, without proof; None if it names nobody."""
    try:
        return extract_user_from_response(answer)
    except (forms.ValidationError, *MALFORMED):
        return None


class _Passkey:
    """A passkey of an agent who is already known. Each refusal counts against the client's address."""

    def clean_credential(self):
        with _refusals_are_told(self):
            attempt = count_attempt(context.request)
            passkey = super().clean_credential()
            attempt.rollback()
            return passkey


class PasskeyForm(_Passkey, AuthenticateWebAuthnForm):
    """A passkey as the second step of signing in."""


class PasskeyAgainForm(_Passkey, ReauthenticateWebAuthnForm):
    """A passkey once more, before a sensitive change."""


class PasskeyAloneForm(LoginWebAuthnForm):
    """A sign-in with a passkey alone, which must have verified its user and be meant for this.

    allauth accepts an answer to this browser's last challenge. That may have been one for a second step, for which
    a touch is enough.
    """

    def clean_credential(self):
        answer = self.cleaned_data["credential"]
        with _refusals_are_told(self):
            passkey = super().clean_credential()
            if not AuthenticationResponse.from_dict(answer).response.authenticator_data.is_user_verified():
                raise get_adapter().validation_error("incorrect_code")
            # For passkeys that are older than the stored tick, what the browser said about them decides.
            if not passkey.data["credential"].get("passwordless", passkey.wrap().is_passwordless):
                raise forms.ValidationError(
                    _("Sign in with your password first; this passkey is your second step.")
                )
            return passkey


class RenamePasskeyForm(EditWebAuthnForm):
    name = forms.CharField(max_length=100, label=_("Name"))
