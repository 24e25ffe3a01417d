"""The reply form as an agent's browser has it, and what arrived at HostUp."""

import re

from sandbox.special_tickets import ENCRYPTED_ID

OPEN_ID = ENCRYPTED_ID


def hidden_fields(html):
    return dict(re.findall(r'<input type="hidden" name="(token|shown_\w+|seen_\w+)" value="([^"]*)"', html))


def form_of(agent, ticket_id=OPEN_ID):
    html = agent.get(f"/tickets/{ticket_id}/").content.decode()
    return hidden_fields(html[html.index('class="composer"') :])


def messages_with(sandbox, text, ticket_id=OPEN_ID):
    return [message for message in sandbox.tickets.find(ticket_id).messages if message.body == text]


def methods(sandbox):
    return [call.method for call in sandbox.calls]
