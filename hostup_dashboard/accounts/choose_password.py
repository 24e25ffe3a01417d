"""Choosing a password with an administrator's link."""

from allauth.account.views import PasswordResetFromKeyView
from django.contrib.auth.decorators import login_not_required
from django.shortcuts import render

CHOSE = "chose_password"  # in the session: who has just done so


class ChoosePassword(PasswordResetFromKeyView):
    """allauth's page, which says on the next one whose password it was."""

    def form_valid(self, form):
        response = super().form_valid(form)
        self.request.session[CHOSE] = self.reset_user.get_username()
        return response


@login_not_required
def chosen(request):
    context = {"agent": request.session.pop(CHOSE, "")}
    return render(request, "account/password_reset_from_key_done.html", context)
