"""How long a session lasts, how recently its agent proved who they are, and how it ends."""

import time
from contextlib import suppress

from allauth.account import app_settings, views
from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.signals import authenticator_added
from allauth.usersessions.models import UserSession
from allauth.usersessions.views import ListUserSessionsView
from django.conf import settings
from django.contrib.auth import logout, user_logged_in
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import DatabaseError
from django.dispatch import receiver
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.deprecation import MiddlewareMixin
from django.views.decorators.http import require_POST

BEGAN, SEEN = "began_at", "seen_at"  # in the session: seconds since 1970
SEEN_GRAIN = 60  # seconds: a session is not written anew with every request


class SessionLimits(MiddlewareMixin):
    """Ends a session that was idle for `SESSION_IDLE_SECONDS`, or is older than `SESSION_COOKIE_AGE`, before it
    opens a page. Pages that are open to everybody load no session."""

    def process_view(self, request, view_func, view_args, view_kwargs):
        if not getattr(view_func, "login_required", True) or not request.user.is_authenticated:
            return
        session, now = request.session, time.time()
        session.setdefault(BEGAN, now)
        if has_ended(session):
            session.flush()  # `logout` would log that the agent signed out, now and from here
            request.user = AnonymousUser()
        elif now - session.get(SEEN, 0) > SEEN_GRAIN:
            _note(session, now)


def _note(session, now: float) -> None:
    """Save at once when the session was last used.

    Saved with the answer, which may take as long as HostUp does, the whole session would be written as it was
    before, over what other requests have saved in it meanwhile.
    """
    session[SEEN] = now
    with suppress(DatabaseError, UpdateError):  # it is then saved at the end of the request, as usual
        session.save()
        session.modified = False


def has_ended(session) -> bool:
    """Tell whether a session is past one of its limits. One that has not opened a page yet is not."""
    now = time.time()
    began, seen = session.get(BEGAN, now), session.get(SEEN, now)
    # `abs`: a time from a clock that was ahead does not keep a session alive longer than any other.
    return abs(now - began) > settings.SESSION_COOKIE_AGE or abs(now - seen) > settings.SESSION_IDLE_SECONDS


class ListSessions(ListUserSessionsView):
    """allauth's page, without sessions that have ended but are in the database until they expire."""

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        alive = [row for row in context["sessions"] if not has_ended(SessionStore(row.session_key))]
        return context | {"sessions": alive}


@receiver(user_logged_in)
def delete_expired(**kwargs):
    """Delete everybody's expired sessions, with the addresses and browsers that they were used from.

    Django leaves the first to a job of the operator's. allauth keeps the second until the agent comes back.
    """
    SessionStore.clear_expired()
    UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()


def is_confirmed(request) -> bool:
    """Tell whether the agent has confirmed who they are, by signing in or since, within the last five minutes
    (`ACCOUNT_REAUTHENTICATION_TIMEOUT`).

    An agent with neither a password nor a second step here could only be asked by the identity provider, so they
    count as confirmed. For everybody else a sign-in through the provider does not count: in a browser that is
    signed in there, it succeeds for whoever presses the button.
    """
    if not get_adapter().get_reauthentication_methods(request.user):
        return True
    records = get_authentication_records(request, request.user)
    ours = [record for record in records if record["method"] != "socialaccount"]
    # `abs`: a time in the future, from a clock that was wrong, does not count for longer than any other.
    return any(abs(time.time() - record["at"]) < app_settings.REAUTHENTICATION_TIMEOUT for record in ours)


@receiver(authenticator_added)
def adding_confirms(request, user, authenticator, **kwargs):
    """Count setting up a second step as a confirmation: its code is used up and could not be typed again."""
    record_authentication(request, user, "mfa", id=authenticator.pk, type=authenticator.type)


def confirm_first(view_name: str):
    """Have the agent confirm who they are before a change, then redirect them to `view_name` to make it again.

    What was posted is not kept: it may be an API key. Only the address (`undone`) says that nothing was changed,
    so that it is shown on this path and nowhere else.
    """
    back_to = reverse(view_name, query={"undone": ""})
    return redirect(reverse("account_reauthenticate", query={"next": back_to}))


@login_not_required  # it also cancels a sign-in between the password and the second step
def sign_out(request):
    """Sign out, and have the browser delete what it has stored of this site."""
    response = views.logout(request)
    if request.method == "POST":
        _forget(response)
    return response


@require_POST
def sign_out_everywhere(request):
    """End all sessions of the agent, including this one."""
    end_sessions(request.user)
    logout(request)
    return _forget(redirect(settings.LOGIN_URL))


def end_sessions(user) -> None:
    """End every session of `user`, on whatever device."""
    for session in UserSession.objects.filter(user=user):
        session.end()


def _forget(response):
    # Without "cookies": all that they still hold is the time zone and a form token.
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response
