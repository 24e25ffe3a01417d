"""Setting up an authenticator app."""

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.views import ActivateTOTPView

from hostup_dashboard.accounts.forms import use_code


class SetUpApp(ActivateTOTPView):
    """allauth's page, whose code is used with that: whoever saw it could sign in with it otherwise."""

    def form_valid(self, form):
        response = super().form_valid(form)
        app = Authenticator.objects.get(user=self.request.user, type=Authenticator.Type.TOTP)
        use_code(app, form.cleaned_data["code"])
        return response
