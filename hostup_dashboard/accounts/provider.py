"""The way in through the company's identity provider, whatever it answers."""

from functools import wraps

from allauth.socialaccount.providers.openid_connect import views
from django.contrib.auth.decorators import login_not_required
from django.shortcuts import render


def _worded(view):
    """allauth lets what goes wrong between us and the provider through in places: no connection (an `OSError`), an
    answer that is no JSON, or one without the addresses that it must name."""

    @wraps(view)
    def worded(request, *args, **kwargs):
        try:
            return view(request, *args, **kwargs)
        except (OSError, ValueError, KeyError, TypeError):
            return render(request, "socialaccount/authentication_error.html", status=503)

    return login_not_required(worded)


login = _worded(views.login)
callback = _worded(views.callback)
