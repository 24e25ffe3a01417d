"""Browsers of the people in the tests, signed in or not."""

import time

from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from django.contrib.auth import get_user_model
from django.test import Client

from tickets.models import ApiKey

PAGE = "http://testserver/tickets/"


class Agent(Client):
    """A browser with cookies. `htmx_get` and `htmx_post` request a fragment as htmx 4 does."""

    def __init__(self, username: str = "", api_key: str = ""):
        super().__init__()
        if not username:
            return
        self.user = get_user_model().objects.create_user(username)
        self.force_login(self.user)
        self.signed_in(0)
        if api_key:
            row = ApiKey(user=self.user, departments={"billing": "Billing"})
            row.encrypt(api_key)
            row.save()

    def signed_in(self, seconds_ago: float) -> None:
        """Record in the session, as allauth does, that the agent signed in with the password `seconds_ago`."""
        session = self.session
        session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "password", "at": time.time() - seconds_ago}]
        session.save()

    def htmx_get(self, path, *, at=PAGE, source="a", **kwargs):
        return self.get(path, headers=_htmx(at, source), **kwargs)

    def htmx_post(self, path, data=None, *, at=PAGE, **kwargs):
        return self.post(path, data or {}, headers=_htmx(at, "form"), **kwargs)


def _htmx(at: str, source: str) -> dict[str, str]:
    return {
        "HX-Request": "true",
        "HX-Request-Type": "partial",
        "HX-Current-URL": at,
        "HX-Source": source,
    }
