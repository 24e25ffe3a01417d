"""Setting up an authenticator app."""

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.views import ActivateTOTPView
from allauth.mfa.utils import is_mfa_enabled
from django.db import IntegrityError
from django.shortcuts import redirect

from hostup_dashboard.accounts.forms import use_code


class SetUpApp(ActivateTOTPView):
    """allauth's page, whose code is used with that: whoever saw it could sign in with it otherwise."""

    def dispatch(self, request, *args, **kwargs):
        if request.method == "POST" and is_mfa_enabled(request.user, [Authenticator.Type.TOTP]):
            return _pressed_again()
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form):
        try:
            response = super().form_valid(form)
        except IntegrityError:  # the first press is being answered
            return _pressed_again()
        app = Authenticator.objects.get(user=self.request.user, type=Authenticator.Type.TOTP)
        use_code(app, form.cleaned_data["code"])
        return response


def _pressed_again():
    """Lead where the first press led, whose answer nobody sees."""
    return redirect("mfa_view_recovery_codes")
