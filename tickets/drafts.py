"""What an agent has written and not sent: kept as it comes from a form, and what is said of that."""

from django.utils.translation import gettext_lazy as _

from tickets.forms import LONGEST_MESSAGE, NewTicketForm, ReplyForm, turn_in
from tickets.models import Draft

NEW = ""  # the ticket id that drafts of new tickets are kept under
SAVED = _("Draft saved.")


def keep(request, ticket_id: str) -> str:
    """Keep what is in the form that was posted, a reply's or that of a `NEW` ticket, or as much of it as is kept.
    Return what is said of that."""
    form = NewTicketForm if ticket_id == NEW else ReplyForm
    written = {name: request.POST.get(name, "") for name in (*form.WRITTEN, *form.CHOSEN)}
    fields = {name: text[:LONGEST_MESSAGE] for name, text in written.items()}
    has_words = any(fields[name].strip() for name in form.WRITTEN)
    Draft.objects.keep(request.user, ticket_id, fields if has_words else {}, **turn_in(request.POST))
    if fields != written:
        return _("Too long to be kept as a draft.")
    return SAVED if has_words else ""
