"""Drafts: what an agent has written and not sent, kept as a form posts it, and the hint to show for it."""

from django import forms
from django.utils.translation import gettext_lazy as _

from tickets.forms import LONGEST_MESSAGE, NewTicketForm, ReplyForm
from tickets.models import Draft
from tickets.shown import from_stamp

NEW = ""  # the ticket id that drafts of new tickets are kept under
SAVED = _("Draft saved.")


def keep(request, ticket_id: str) -> str:
    """Keep what is in the posted form of a reply or a `NEW` ticket, each field up to `LONGEST_MESSAGE`. Return the
    hint to show for it."""
    form = NewTicketForm if ticket_id == NEW else ReplyForm
    written = {name: request.POST.get(name, "") for name in (*form.WRITTEN, *form.CHOSEN)}
    fields = {name: text[:LONGEST_MESSAGE] for name, text in written.items()}
    # Only a critical ticket is asked why it is critical: in others the field is there, but hidden.
    showing = [name for name in form.WRITTEN if name != "critical_reason" or fields["priority"] == "critical"]
    has_words = any(fields[name].strip() for name in showing)
    Draft.objects.keep(request.user, ticket_id, fields if has_words else {}, **typed_in(request.POST))
    if fields != written:
        return _("Too long to save as a draft.")
    return SAVED if has_words else ""


class TurnForm(forms.Form):
    """Which form a text was written in, and which turn of it this is (writing.js counts the changes typed)."""

    token = forms.UUIDField(required=False)
    shown_draft = forms.CharField(required=False)
    turn = forms.IntegerField(required=False, min_value=0, max_value=2**53)


def typed_in(data) -> dict:
    """Return which form `data` was sent from, which turn of its text that is, and when the draft that it showed
    was kept, as `Draft.objects.keep` and `forget` take them.

    Values that make no sense count as unknown, because the text matters more.
    """
    form = TurnForm(data)
    form.is_valid()
    said = form.cleaned_data
    shown_draft = from_stamp(said.get("shown_draft", ""))
    return {"form": said.get("token"), "turn": said.get("turn") or 0, "shown_draft": shown_draft}
