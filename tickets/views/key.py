"""The agent's HostUp API key: try it, keep it encrypted, check it, remove it. It is never shown again."""

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from hostup_dashboard.accounts.sessions import confirm_first, is_confirmed
from tickets import departments, failures
from tickets.answers import answer
from tickets.forms import ApiKeyForm
from tickets.hostup import errors
from tickets.models import Activity, ApiKey
from tickets.scopes import try_out
from tickets.upstream import NoKey, client_for, client_of

Outcome, Action = Activity.Outcome, Activity.Action


@require_http_methods(["GET", "HEAD", "POST"])
def key(request):
    """Show what is known about the key, and save a new one after trying it on HostUp."""
    if request.method != "POST":
        return _page(request, ApiKeyForm())
    if hasattr(request.user, "api_key") and not is_confirmed(request):
        return confirm_first("key")
    form = ApiKeyForm(request.POST)
    if not form.is_valid():
        return _page(request, form)
    clear = form.cleaned_data["api_key"]
    api_key = ApiKey(user=request.user)
    activity = Activity.objects.begin(request.user, Action.KEY_SAVED)
    try:
        try_out(client_for(clear), api_key)
    except errors.HostUpError as error:
        activity.finish(Outcome.of(error), error=error)
        return _page(request, form, failure=_not_saved(error))
    api_key.encrypt(clear)
    try:
        with transaction.atomic():
            api_key.save()
    except IntegrityError:  # another press has just created the row
        api_key.save()
    activity.finish(Outcome.DONE)
    if api_key.can_write is False:
        messages.info(request, _("Key saved. With it you can read tickets, but not reopen, close or reply."))
    else:
        messages.success(request, _("Key saved. HostUp accepts it."))
    return redirect("key")


@require_POST
def check(request):
    """Ask HostUp what the saved key may do now."""
    client = client_of(request.user)
    activity = Activity.objects.begin(request.user, Action.KEY_CHECKED)
    try:
        try_out(client, request.user.api_key)
    except errors.HostUpError as error:
        activity.finish(Outcome.of(error), error=error)
        return _page(request, ApiKeyForm(), failure=failures.describe(error)._replace(needs_key=False))
    request.user.api_key.keep("can_write", "checked_at", *departments.FIELDS)
    activity.finish(Outcome.DONE)
    messages.success(request, _("HostUp accepts the key."))
    return redirect("key")


@require_POST
def remove(request):
    """Forget the key. HostUp is not told."""
    if not is_confirmed(request):
        return confirm_first("key")
    with transaction.atomic():  # without a key there is no entry either
        activity = Activity.objects.begin(request.user, Action.KEY_REMOVED)
        removed, _rows = ApiKey.objects.filter(user=request.user).delete()
        if not removed:
            raise NoKey
    activity.finish(Outcome.DONE)
    messages.success(
        request,
        _("Key removed here. HostUp does not know: if it is still valid, revoke it in HostUp's control panel."),
    )
    return redirect("key")


def _not_saved(error: errors.HostUpError) -> failures.Failure:
    failure = failures.describe(error)
    return failure._replace(sentences=[_("The key was not saved."), *failure.sentences], needs_key=False)


def _page(request, form, *, failure=None):
    api_key = ApiKey.objects.filter(user=request.user).first()
    context = {"form": form, "api_key": api_key, "failure": failure}
    if api_key:
        try:
            api_key.decrypt()
        except ApiKey.Unreadable as error:
            context["unreadable"] = failures.describe(error)._replace(needs_key=False)
        else:
            if failure and form.is_bound:  # the failure is about another key than the saved one
                kept = _("The key saved before is still used.")
                context["failure"] = failure._replace(sentences=[*failure.sentences, kept])
    return answer(request, "tickets/key.html", context, failure, status=422 if form.errors else 200)
