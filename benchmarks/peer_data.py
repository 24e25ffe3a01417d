"""Fill django-helpdesk's database with what the dashboard shows: 49 tickets of ten messages and one of 300.

Print a session's cookie, and the id of a ticket of either kind, as JSON.
"""

import json
import sys

import django

django.setup()

from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client
from helpdesk.models import FollowUp, Queue, Ticket

BODY = "Good morning, the site has answered slowly since yesterday evening. Could you have a look at it, please?"


def main() -> None:
    call_command("migrate", verbosity=0)
    agent = get_user_model().objects.create_superuser("agent", "agent@example.com", "not asked for")
    queue = Queue.objects.create(title="Billing", slug="billing")
    ids = {messages: add_ticket(queue, agent, messages) for messages in [10] * 49 + [300]}
    client = Client()
    client.force_login(agent)
    json.dump({"session": client.cookies["sessionid"].value, "tickets": ids}, sys.stdout)


def add_ticket(queue, agent, messages: int) -> int:
    ticket = Ticket.objects.create(
        queue=queue,
        title="Question about my hosting account",
        submitter_email="jane@example.com",
        description=BODY,
    )
    FollowUp.objects.bulk_create(
        FollowUp(ticket=ticket, title="Comment", comment=BODY, public=True, user=agent) for _ in range(messages)
    )
    return ticket.pk


if __name__ == "__main__":
    main()
