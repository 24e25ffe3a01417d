"""allauth's forms, where this dashboard asks for more than they do, or says it in other words."""

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

# What allauth and fido2 raise for a malformed answer of a browser.
MALFORMED = (AttributeError, LookupError, TypeError, ValueError, struct.error)
CODE_SECONDS = 90  # that an app's code is taken: its own half minute, and one before and after it


class ChangePasswordForm(account.ChangePasswordForm):
    """allauth's, in which a guess at the old password counts, and is told, as one at signing in is."""

    def clean_oldpassword(self):
        adapter = get_account_adapter()
        old = self.cleaned_data["oldpassword"]
        agent = adapter.authenticate(context.request, username=self.user.get_username(), password=old)
        if agent != self.user:
            raise adapter.validation_error("incorrect_password")
        self.user.password = agent.password  # authenticating may have rehashed an older password
        return old


class _Code:
    """A code of an app or for recovery, used once.

    allauth notes a used code in the cache, which each process may have to itself, and for 30 s; with
    `MFA_TOTP_TOLERANCE` a code is valid for 90 s.
    """

    @cached_property
    def kinds(self) -> set[str]:
        """What the agent has for a second step: "totp" (an app), "webauthn" (passkeys), "recovery_codes"."""
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
    """Note in the app's row that its code is used, and tell whether it was not before. Of two who come with it
    together, one waits here for the other."""
    digits = "".join(filter(str.isdigit, code))  # what is typed between them does not count
    row = Authenticator.objects.select_for_update().filter(pk=app.pk).first()
    now = time.time()  # after waiting for the other one
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
    """The same once more, before something that guards the account."""


class AddPasskeyForm(AddWebAuthnForm):
    name = forms.CharField(required=False, max_length=100, label=_("Name"))
    passwordless = forms.BooleanField(
        required=False,
        initial=True,
        label=_("Sign in with this passkey alone"),
        help_text=_(
            "Your device then asks for your fingerprint, face or PIN. Otherwise you use it after your password."
        ),
    )

    def clean(self):
        """Keep the tick with the passkey (allauth keeps what the browser sent, and forgets the tick), and word it
        when the passkey is refused."""
        try:
            cleaned = super().clean()
            cleaned["credential"]["passwordless"] = cleaned["passwordless"]
        except (forms.ValidationError, *MALFORMED) as refusal:
            raise forms.ValidationError(_("The passkey was not accepted.")) from refusal
        return cleaned


@contextmanager
def _refusals_are_told(form):
    """Send for a refused passkey the signal that allauth sends for a wrong code only, and word the refusal."""
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
    """Return the agent whose passkey this says it is, which anybody can say; None if it names nobody."""
    try:
        return extract_user_from_response(answer)
    except (forms.ValidationError, *MALFORMED):
        return None


class _Passkey:
    """A passkey where it is known whose it has to be: each that is refused counts for the address."""

    def clean_credential(self):
        with _refusals_are_told(self):
            attempt = count_attempt(context.request)
            passkey = super().clean_credential()
            attempt.rollback()
            return passkey


class PasskeyForm(_Passkey, AuthenticateWebAuthnForm):
    """A passkey as the second step of signing in."""


class PasskeyAgainForm(_Passkey, ReauthenticateWebAuthnForm):
    """The same once more, before something that guards the account."""


class PasskeyAloneForm(LoginWebAuthnForm):
    """Signing in with a passkey alone, which then has to know its owner, and to be meant for that.

    allauth has the answer fit what this browser was asked last. That may have been for a second step, where a
    touch is enough.
    """

    def clean_credential(self):
        answer = self.cleaned_data["credential"]
        with _refusals_are_told(self):
            passkey = super().clean_credential()
            if not AuthenticationResponse.from_dict(answer).response.authenticator_data.is_user_verified():
                raise get_adapter().validation_error("incorrect_code")
            # Of passkeys from before the tick was kept, what the browser said of them tells.
            if not passkey.data["credential"].get("passwordless", passkey.wrap().is_passwordless):
                raise forms.ValidationError(
                    _("Sign in with your password first; this passkey is your second step.")
                )
            return passkey


class RenamePasskeyForm(EditWebAuthnForm):
    name = forms.CharField(max_length=100, label=_("Name"))
