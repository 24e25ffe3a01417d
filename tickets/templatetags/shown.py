"""What rows, messages and status forms show, worked out before a template loops over it.

A page has 50 rows, a ticket may have 2,000 messages. Whatever a template does in each of them (look up an address,
a translation or a name that is not there, call a filter) it does as often, at several times what it costs here.
"""

from django import template
from django.template.backends.utils import csrf_input
from django.urls import reverse
from django.utils.translation import gettext as _

from tickets import words
from tickets.templatetags.tickets import age, ago, exact, linked, plain, sender_class, status_class

register = template.Library()


@register.simple_tag(takes_context=True)
def rows(context, tickets) -> list[dict]:
    """Return what the row of each ticket shows: dicts, in which a template finds names fastest."""
    tickets_url, query = reverse("tickets"), context["filters"].query
    drafts, focus, focus_first = (context.get(name) or () for name in ("drafts", "focus", "focus_first"))
    statuses = {status: str(word) for status, word in words.STATUSES.items()}
    turns = {status: str(whose) for status, whose in words.TURNS.items()}
    our_turn, without_subject, which = str(words.ON_US), _("(no subject)"), _("ticket %(number)s")
    reopen, close = (_("Reopen"), _("Reopening…")), (_("Close"), _("Closing…"))
    same_in_each = _same_in_each(context) | {"next": tickets_url + query}

    def row(index, ticket):
        active_at, turn = ticket.last_activity_at, turns.get(ticket.status, "")
        form = _form(ticket, tickets_url, query, reopen if ticket.is_closed else close)
        return {
            "id": ticket.id,
            "number": str(ticket.number),
            "url": f"{tickets_url}{ticket.id}/{query}",
            "subject": plain(ticket.subject) or without_subject,
            "has_focus": focus or (focus_first and index == 0),
            "active_at": _iso(active_at),
            "exact_time": exact(active_at),
            "age": age(active_at),
            "has_draft": ticket.id in drafts,
            "status": statuses.get(ticket.status, ticket.status),
            "status_class": status_class(ticket.status),
            "turn": turn,
            "is_our_turn": turn == our_turn,
            "department": plain(ticket.department_name or ticket.department_slug),
            "requester": plain(ticket.requester_name),
            "form": {**form, **same_in_each, "which": which % {"number": ticket.number}},
        }

    return [row(index, ticket) for index, ticket in enumerate(tickets)]


@register.simple_tag
def thread(ticket) -> list[dict]:
    """Return what each message of the ticket shows, oldest first."""
    senders = {sender: str(word) for sender, word in words.SENDERS.items()}
    return [
        {
            "id": message.id,
            "sender": senders.get(message.sender, message.sender),
            "sender_class": sender_class(message.sender),
            "sender_name": plain(message.sender_name),
            "sent_at": _iso(message.sent_at),
            "exact_time": exact(message.sent_at),
            "ago": ago(message.sent_at),
            "body": linked(message.body),
            "encrypted": message.encrypted,
            "attachments": message.attachments,
        }
        for message in ticket.thread
    ]


@register.simple_tag(takes_context=True)
def status_form(context, ticket) -> dict:
    """Return what the form that reopens or closes a ticket on its own page is made of."""
    tickets_url, query = reverse("tickets"), context["filters"].query
    reopen, close = (_("Reopen ticket"), _("Reopening…")), (_("Close ticket"), _("Closing…"))
    form = _form(ticket, tickets_url, query, reopen if ticket.is_closed else close)
    return form | _same_in_each(context) | {"next": f"{tickets_url}{ticket.id}/{query}"}


def _form(ticket, tickets_url: str, query: str, button: tuple[str, str]) -> dict:
    button_words, busy_words = button
    return {
        "reopens": ticket.is_closed,
        "action": f"{tickets_url}{ticket.id}/{'reopen' if ticket.is_closed else 'close'}/{query}",
        "status": ticket.status,
        "updated_at": _iso(ticket.updated_at),
        "words": button_words,
        "busy_words": busy_words,
    }


def _same_in_each(context) -> dict:
    """Return what is the same in every form of a page. `arrived` tells that it is the answer to a change, so that
    its buttons came where others had just been pressed."""
    has_arrived = bool(context.get("change") or context.get("messages"))
    return {"csrf_input": csrf_input(context["request"]), "arrived": has_arrived}


def _iso(moment) -> str:
    return moment.isoformat() if moment else ""
