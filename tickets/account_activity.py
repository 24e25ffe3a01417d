"""Writes into the activity log what happens to accounts: signing in and out, passwords, second steps, refusals.

There is no signal for a sign-in that the throttle stops, nor for one that an identity provider refuses: those are
only in the request log. The throttle also limits how many failures there are to log.
"""

from allauth.account.internal.userkit import get_user_by_username
from allauth.account.signals import password_changed, password_reset, user_logged_in
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import (
    authentication_failed,
    authenticator_added,
    authenticator_removed,
    authenticator_reset,
    authenticator_used,
)
from django.contrib import messages
from django.contrib.auth.signals import user_logged_out, user_login_failed
from django.dispatch import receiver
from django.utils.translation import gettext as _

from hostup_dashboard.accounts.agents import agent_changed
from hostup_dashboard.errors import denied
from hostup_dashboard.request_log import client_address
from tickets.models import Activity, ApiKey, forget_old

Action, Outcome = Activity.Action, Activity.Outcome
RECOVERY_CODES = Authenticator.Type.RECOVERY_CODES
CHANGES_OF_AGENTS = {
    "created": Action.AGENT_CREATED,
    "invited": Action.AGENT_INVITED,
    "disabled": Action.AGENT_DISABLED,
    "enabled": Action.AGENT_ENABLED,
    "second_step_reset": Action.SECOND_STEP_RESET,
}


@receiver(user_logged_in)
def signed_in(request, user, **kwargs):
    """Log a sign-in. The signal is allauth's, not Django's: it comes after the second step."""
    _note(request, user, Action.SIGNED_IN)
    forget_old()  # of all agents: sign-ins are frequent enough to do without a cron job


@receiver(user_login_failed)
def sign_in_failed(credentials, request=None, **kwargs):
    user = get_user_by_username(credentials.get("username") or "")  # the agent that signing in would have found
    _note(request, user, Action.SIGNED_IN, Outcome.REFUSED)


@receiver(user_logged_out)
def signed_out(request, user, **kwargs):
    _note(request, user, Action.SIGNED_OUT)


@receiver(denied)
def was_denied(request, reason, **kwargs):
    """Log a refusal, but only of a signed-in agent: others could fill the log, and would have no name in it."""
    user = getattr(request, "user", None)  # not there yet if the error comes early
    if user and user.is_authenticated:
        _note(request, user, Action.FORGED if reason == "csrf" else Action.DENIED, Outcome.REFUSED)


@receiver([password_changed, password_reset])
def changed_password(request, user, **kwargs):
    _note(request, user, Action.PASSWORD_CHANGED)


@receiver([authenticator_added, authenticator_reset])
def added_second_step(request, user, authenticator, **kwargs):
    is_codes = authenticator.type == RECOVERY_CODES
    _note(request, user, Action.RECOVERY_CODES_MADE if is_codes else Action.SECOND_STEP_ADDED)


@receiver(authenticator_removed)
def removed_second_step(request, user, authenticator, **kwargs):
    if authenticator.type != RECOVERY_CODES:  # recovery codes go with the last second step
        _note(request, user, Action.SECOND_STEP_REMOVED)


@receiver(authenticator_used)
def used_second_step(request, user, authenticator, **kwargs):
    if authenticator.type == RECOVERY_CODES:  # for the others, the sign-in that follows is logged
        _note(request, user, Action.RECOVERY_CODE_USED)


@receiver(authentication_failed)
def second_step_failed(request, user, **kwargs):
    _note(request, user, Action.SECOND_STEP_FAILED, Outcome.REFUSED)


@receiver(agent_changed)
def changed_agent(request, agent, action, **kwargs):
    _note(request, request.user, CHANGES_OF_AGENTS[action], about=agent)
    if action == "disabled" and ApiKey.objects.filter(user=agent).exists():
        messages.info(request, _("HostUp does not know: their API key works there until it is revoked."))


def _note(request, user, action, outcome=Outcome.DONE, **fields) -> None:
    Activity.objects.note(user, action, outcome, address=request and client_address(request), **fields)
