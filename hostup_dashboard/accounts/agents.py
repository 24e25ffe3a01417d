"""The administrators' page: add and disable agents, and help those who cannot sign in."""

from functools import wraps

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.dispatch import Signal
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from hostup_dashboard.accounts.second_step import KINDS
from hostup_dashboard.accounts.sessions import confirm_first, end_sessions, is_confirmed
from hostup_dashboard.errors import FOR_ADMINISTRATORS, permission_denied

# Sent with `request`, `agent` and `action`: "created", "disabled", "enabled", "invited" or "second_step_reset".
agent_changed = Signal()

TYPED = "new_agent"  # in the session: what was typed into the form

User = get_user_model()
USERNAME_TAKEN = User._meta.get_field("username").error_messages["unique"]


def is_taken(username: str) -> bool:
    """Tell whether an agent has this name, as it would be saved. Case is ignored, as it is when signing in."""
    return User.objects.filter(username__iexact=User.normalize_username(username)).exists()


class NewAgentForm(forms.ModelForm):
    """A new agent. The e-mail address only matches them to the identity provider; nothing is sent to it."""

    class Meta:
        model = User
        fields = ["username", "email"]
        labels = {"email": gettext_lazy("E-mail")}
        help_texts = {
            "username": "",
            "email": gettext_lazy("Only needed to sign in through your company's identity provider."),
        }

    def clean_username(self):
        username = self.cleaned_data["username"]
        if is_taken(username):
            raise forms.ValidationError(USERNAME_TAKEN)
        return username

    def clean_email(self):
        email = self.cleaned_data["email"]
        if email and User.objects.filter(email__iexact=email).exists():
            raise forms.ValidationError(_("Another agent has this address."))
        return email


def administrators_only(view):
    """Let only administrators (`is_staff`) in, and let them make changes only shortly after they have confirmed
    who they are."""

    @wraps(view)
    def guarded(request, *args, **kwargs):
        if not request.user.is_staff:
            return permission_denied(request, words=FOR_ADMINISTRATORS)
        if request.method == "POST" and not is_confirmed(request):
            # A new agent's form is shown again, as it was, after the confirmation. It is not kept in the address,
            # or anybody's link could fill it in.
            request.session[TYPED] = {name: request.POST.get(name, "") for name in NewAgentForm.Meta.fields}
            return confirm_first("agents")
        return view(request, *args, **kwargs)

    return guarded


@require_http_methods(["GET", "HEAD", "POST"])
@administrators_only
def agents(request):
    """List the agents, and add a new one."""
    if request.method != "POST":
        return _page(request, NewAgentForm(initial=request.session.pop(TYPED, None)))
    form = NewAgentForm(request.POST)
    if not form.is_valid():
        return _page(request, form)
    agent = form.save(commit=False)
    agent.set_unusable_password()
    try:
        with transaction.atomic():
            agent.save()
    except IntegrityError:  # added after the form had checked
        form.add_error("username", USERNAME_TAKEN)
        return _page(request, form)
    agent_changed.send(User, request=request, agent=agent, action="created")
    return _way_in(request, agent)


@require_POST
@administrators_only
def invite(request, agent_id):
    """Show the administrator a link with which the agent chooses a (new) password."""
    agent = get_object_or_404(User, pk=agent_id, is_active=True)
    agent_changed.send(User, request=request, agent=agent, action="invited")
    return _way_in(request, agent)


@require_POST
@administrators_only
def disable(request, agent_id):
    """Keep an agent out from now on, and end their sessions."""
    agent = get_object_or_404(User, pk=agent_id)
    if agent == request.user:
        messages.error(request, _("You cannot disable yourself."))
        return redirect("agents")
    agent.is_active = False
    agent.save(update_fields=["is_active"])
    end_sessions(agent)
    messages.success(request, _("%(agent)s is disabled and signed out everywhere.") % {"agent": agent})
    agent_changed.send(User, request=request, agent=agent, action="disabled")
    return redirect("agents")


@require_POST
@administrators_only
def enable(request, agent_id):
    agent = get_object_or_404(User, pk=agent_id)
    agent.is_active = True
    agent.save(update_fields=["is_active"])
    agent_changed.send(User, request=request, agent=agent, action="enabled")
    messages.success(request, _("%(agent)s may sign in again.") % {"agent": agent})
    return redirect("agents")


@require_http_methods(["GET", "HEAD", "POST"])
@administrators_only
def reset_second_step(request, agent_id):
    """Let an agent who lost their phone sign in with the password alone, until they set up another second step.

    This cannot be undone, so a page first says what stops working. An administrator who has to confirm who they
    are does so before that page; after it, they would have to start over.
    """
    agent = get_object_or_404(User, pk=agent_id)
    if request.method != "POST":
        if not is_confirmed(request):
            return redirect(reverse("account_reauthenticate", query={"next": request.path}))
        return render(request, "agents/reset_second_step.html", {"agent": agent})
    Authenticator.objects.filter(user=agent).delete()
    end_sessions(agent)
    agent_changed.send(User, request=request, agent=agent, action="second_step_reset")
    messages.success(request, _("%(agent)s signs in with the password alone now.") % {"agent": agent})
    return redirect("agents")


def _way_in(request, agent):
    """Show the link once. It works for `PASSWORD_RESET_TIMEOUT`, or until it is used to choose a password, another
    link is made or the agent is disabled."""
    key = default_token_generator.make_token(agent)
    path = reverse("account_reset_password_from_key", args=[user_pk_to_url_str(agent), key])
    return render(request, "agents/link.html", {"agent": agent, "link": settings.SITE.origin + path})


def _page(request, form):
    second_step = Authenticator.objects.filter(user=OuterRef("pk"), type__in=KINDS)
    everyone = User.objects.annotate(has_second_step=Exists(second_step)).order_by("-is_active", "username")
    status = 422 if form.errors else 200
    return render(request, "agents/agents.html", {"form": form, "agents": everyone}, status=status)
