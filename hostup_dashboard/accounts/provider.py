"""Sign-in through the company's identity provider, whatever it answers."""

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

# Of what the provider says, only its name for an error (RFC 6749, 4.1.2.1 and 5.2) goes into the log. The rest may
# hold a token, an authorization code or our secret.
_NAME = "[a-z_]{1,40}"


@receiver(pre_save, sender=SocialAccount)
def keep_the_id_alone(instance, **kwargs):
    """Keep nothing that the provider says about somebody, except its id for them.

    allauth would store all of it, such as real name, groups and picture, and renew it with each sign-in. Nothing
    here uses it.
    """
    instance.extra_data = {}


def _worded(view):
    """Answer with a page when something that allauth does not catch goes wrong between us and the provider: no
    connection (an `OSError`), an answer that is not a JSON object, or one without the endpoints that it must name.
    """

    @wraps(view)
    def worded(request, *args, **kwargs):
        try:
            return view(request, *args, **kwargs)
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            logger.warning("no sign-in through the provider: %s: %s", type(error).__name__, error, exc_info=True)
            return render(request, "socialaccount/authentication_error.html", status=503)

    return login_not_required(worded)


def log_refusal(request, error: Exception | None, was_asked: bool) -> None:
    """Log why somebody who came back from the provider was not signed in. `was_asked` tells whether their sign-in
    had begun here."""
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
    """Log why there was no sign-in, for the operator: the page tells people to ask them."""
    logger.warning("no sign-in through the provider: %s", reason)


@_worded
def login(request, provider_id):
    """Go to the provider through a page that forwards by itself, in place of allauth's redirect.

    Browsers apply the policy's `form-action` to every redirect that follows a form, and a provider's sign-in page
    may be at any origin (OpenID Connect Discovery 1.0, 3), or redirect to another.
    """
    response = views.login(request, provider_id)
    if not isinstance(response, HttpResponseRedirect):
        return response
    page = render(request, "socialaccount/leaving.html", {"address": response.url})
    page.headers["Refresh"] = f"0; url={response.url}"
    return page


callback = _worded(views.callback)
