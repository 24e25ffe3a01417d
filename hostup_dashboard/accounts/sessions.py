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
    """End a session that was left alone for `SESSION_IDLE_SECONDS`, or that is as old as `SESSION_COOKIE_AGE`,
    before it opens a page. Pages that are open to everybody ask for no session."""

    def process_view(self, request, view_func, view_args, view_kwargs):
        if not getattr(view_func, "login_required", True) or not request.user.is_authenticated:
            return
        session, now = request.session, time.time()
        session.setdefault(BEGAN, now)
        if has_ended(session):
            session.flush()  # `logout` would tell the log that the agent signed out, now and from here
            request.user = AnonymousUser()
        elif now - session.get(SEEN, 0) > SEEN_GRAIN:
            _note(session, now)


def _note(session, now: float) -> None:
    """Write down when the session was seen, at once: with the answer, which may take as long as HostUp does, all
    of it would be written as it was before, over what other requests have noted in it meanwhile."""
    session[SEEN] = now
    with suppress(DatabaseError, UpdateError):  # what is left then is for the request's end, as ever
        session.save()
        session.modified = False


def has_ended(session) -> bool:
    """Tell whether a session is past one of its limits. One that has opened no page yet is past none."""
    now = time.time()
    began, seen = session.get(BEGAN, now), session.get(SEEN, now)
    # `abs`: a clock that was ahead leaves a session no longer alive than any other.
    return abs(now - began) > settings.SESSION_COOKIE_AGE or abs(now - seen) > settings.SESSION_IDLE_SECONDS


class ListSessions(ListUserSessionsView):
    """allauth's page, without the sessions that have ended, which the database still has until they expire."""

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        alive = [row for row in context["sessions"] if not has_ended(SessionStore(row.session_key))]
        return context | {"sessions": alive}


@receiver(user_logged_in)
def delete_expired(**kwargs):
    """Delete the sessions that have run out, whoever's, which Django leaves to a job of the operator's, and from
    where they were, which allauth keeps until their agent comes again."""
    SessionStore.clear_expired()
    UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()


def is_confirmed(request) -> bool:
    """Tell whether the agent proved who they are, by signing in or since, within the last five minutes
    (`ACCOUNT_REAUTHENTICATION_TIMEOUT`).

    An agent who has neither a password nor a second step here can only be asked by the identity provider, which
    they come from: they count as confirmed. From nobody else is its word taken, because where they are signed in
    it gives that to whoever presses the button.
    """
    if not get_adapter().get_reauthentication_methods(request.user):
        return True
    records = get_authentication_records(request, request.user)
    ours = [record for record in records if record["method"] != "socialaccount"]
    # `abs`: a time that lies ahead, which a clock that was wrong wrote down, confirms no longer than any other.
    return any(abs(time.time() - record["at"]) < app_settings.REAUTHENTICATION_TIMEOUT for record in ours)


@receiver(authenticator_added)
def adding_confirms(request, user, authenticator, **kwargs):
    """Who has just set up a second step need not prove it once more: its code would be used up."""
    record_authentication(request, user, "mfa", id=authenticator.pk, type=authenticator.type)


def confirm_first(view_name: str):
    """Ask the agent who they are before a change, and bring them to a page to make it themselves.

    What was posted is not kept: it may be a key. That nothing was changed is in the address alone, so that it is
    said to whoever is on this way, and nowhere else.
    """
    back_to = reverse(view_name, query={"undone": ""})
    return redirect(reverse("account_reauthenticate", query={"next": back_to}))


@login_not_required  # it also cancels signing in between the password and the second step
def sign_out(request):
    """Sign out, and have the browser forget what it has seen here."""
    response = views.logout(request)
    if request.method == "POST":
        _forget(response)
    return response


@require_POST
def sign_out_everywhere(request):
    """End all sessions of the agent, this one too."""
    end_sessions(request.user)
    logout(request)
    return _forget(redirect(settings.LOGIN_URL))


def end_sessions(user) -> None:
    """End every session of `user`, on whatever device."""
    for session in UserSession.objects.filter(user=user):
        session.end()


def _forget(response):
    response.headers["Clear-Site-Data"] = '"cache", "storage"'  # cookies hold nothing but the time zone by now
    return response
