"""The way in through the company's identity provider, whatever it answers."""

import logging
import re
from functools import wraps

from allauth.socialaccount.models import SocialAccount
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect import views
from django.contrib.auth.decorators import login_not_required
from django.db.models.signals import pre_save
from django.dispatch import receiver
from django.http import HttpResponseRedirect
from django.shortcuts import render

logger = logging.getLogger(__name__)

# Of what the provider says only its name for an error goes into the log (RFC 6749, 4.1.2.1 and 5.2): in the rest
# may be a token, a code, or our secret.
_NAME = "[a-z_]{1,40}"


@receiver(pre_save, sender=SocialAccount)
def keep_the_id_alone(instance, **kwargs):
    """allauth keeps all that the provider says of somebody, and renews it with each sign-in. Nothing here asks for
    it again: their real name, groups or picture are the provider's to keep."""
    instance.extra_data = {}


def _worded(view):
    """Answer with a page where allauth lets through what goes wrong between us and the provider: no connection (an
    `OSError`), an answer that is no JSON or no object, or one without the addresses that it must name."""

    @wraps(view)
    def worded(request, *args, **kwargs):
        try:
            return view(request, *args, **kwargs)
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            logger.warning("no sign-in through the provider: %s: %s", type(error).__name__, error, exc_info=True)
            return render(request, "socialaccount/authentication_error.html", status=503)

    return login_not_required(worded)


def log_refusal(request, error: Exception | None, was_asked: bool) -> None:
    """Log why somebody who came back from the provider was not signed in. `was_asked` tells whether they had left
    from here."""
    match error:
        case OAuth2Error():  # its words quote the provider's whole answer
            said, _, answer = str(error).partition(":")
            names = re.findall(rf'"error": ?"({_NAME})"', answer)
            cause = [type(error.__cause__).__name__] if error.__cause__ else []
            reason = ", ".join([said, *names, *cause])
        case Exception():
            reason = f"{type(error).__name__}: {error}"
        case None if was_asked:
            name = request.GET.get("error", "")
            reason = f"it sent back {name if re.fullmatch(_NAME, name) else 'no code'}"
        case None:
            reason = "this browser did not ask for it, or too long ago"
    log_reason(reason)


def log_reason(reason: str) -> None:
    """Log why there was no sign-in, for whoever runs the dashboard: the page sends people to them."""
    logger.warning("no sign-in through the provider: %s", reason)


@_worded
def login(request, provider_id):
    """Leave for the provider by a page that goes on by itself, in place of allauth's redirect.

    Browsers hold a form to the policy's `form-action` through every redirect that answers it, and where a provider
    has people sign in may be at any origin (OpenID Connect Discovery 1.0, 3), or send on to another.
    """
    response = views.login(request, provider_id)
    if not isinstance(response, HttpResponseRedirect):
        return response
    page = render(request, "socialaccount/leaving.html", {"address": response.url})
    page.headers["Refresh"] = f"0; url={response.url}"
    return page


callback = _worded(views.callback)
