"""allauth's views, where this dashboard does more than they do, or says more."""

from allauth.account.utils import passthrough_next_redirect_url
from allauth.account.views import PasswordResetFromKeyView
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.views import ActivateTOTPView
from allauth.mfa.utils import is_mfa_enabled
from allauth.mfa.webauthn.views import EditWebAuthnView, LoginWebAuthnView, ReauthenticateWebAuthnView
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_not_required
from django.contrib.messages.views import SuccessMessageMixin
from django.db import IntegrityError
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _

from hostup_dashboard.accounts.forms import use_code

CHOSE = "chose_password"  # in the session: the name of the agent who has just done so


class ChoosePassword(PasswordResetFromKeyView):
    """Lets an agent choose a password with an administrator's link. The next page says whose password it is."""

    def form_valid(self, form):
        response = super().form_valid(form)
        self.request.session[CHOSE] = self.reset_user.get_username()
        return response


@login_not_required
def chosen(request):
    context = {"agent": request.session.pop(CHOSE, "")}
    return render(request, "account/password_reset_from_key_done.html", context)


class PasskeySignIn(LoginWebAuthnView):
    """Signs an agent in with a passkey alone. A refusal keeps the page (`next`) that they were on the way to."""

    def form_invalid(self, form):
        refused = super().form_invalid(form)
        return redirect(passthrough_next_redirect_url(self.request, refused.url, REDIRECT_FIELD_NAME))


class PasskeyAgain(ReauthenticateWebAuthnView):
    """Asks for a passkey once more. A refusal stays on this page, on the way to the same `next`."""

    def form_invalid(self, form):
        return self.render_to_response(self.get_context_data() | {"form": form})


class RenamePasskey(SuccessMessageMixin, EditWebAuthnView):
    success_message = _("Passkey renamed.")


class SetUpApp(ActivateTOTPView):
    """Sets up an authenticator app, and marks its first code as used: whoever saw it could sign in with it."""

    def dispatch(self, request, *args, **kwargs):
        if request.method == "POST" and is_mfa_enabled(request.user, [Authenticator.Type.TOTP]):
            return _pressed_again()
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form):
        try:
            response = super().form_valid(form)
        except IntegrityError:  # the first press has just set it up
            return _pressed_again()
        app = Authenticator.objects.get(user=self.request.user, type=Authenticator.Type.TOTP)
        use_code(app, form.cleaned_data["code"])
        return response


def _pressed_again():
    """Redirect to where the first press led: the browser shows only this answer."""
    return redirect("mfa_view_recovery_codes")
