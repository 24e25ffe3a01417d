"""The calls under /_sandbox/, by which people and scripts control a running sandbox. README.md shows them."""

import json
import re
from typing import TYPE_CHECKING, Any

from . import shapes
from .answer import Answer, Request, json_answer, problem_answer
from .model import PRIORITIES, SENDERS, STATUSES
from .problems import Problem
from .store import TicketNotFound

if TYPE_CHECKING:
    from .server import Sandbox

PREFIX = "/_sandbox/"
TICKET = re.compile(r"tickets/([^/]+)(/messages)?")
# What HostUp or a colleague can change in a ticket, by JSON name: the attribute and its allowed values.
CHANGEABLE: dict[str, tuple[str, tuple[str, ...] | None]] = {
    "status": ("status", STATUSES),
    "priority": ("priority", PRIORITIES),
    "subject": ("subject", None),
    "requesterName": ("requester_name", None),
}


def control(sandbox: "Sandbox", request: Request) -> Answer:
    try:
        return _control(sandbox, request)
    except TicketNotFound:
        return problem_answer(Problem(404, "There is no such ticket.", code="ticket_not_found"), request.path)
    except (ValueError, TypeError) as error:
        return problem_answer(Problem(400, str(error)), request.path)


def _control(sandbox: "Sandbox", request: Request) -> Answer:
    name = request.path.removeprefix(PREFIX)
    match request.method, name:
        case "POST", "faults":
            sandbox.fault(**read_object(request))
            return Answer(204)
        case "DELETE", "faults":
            sandbox.clear_faults()
            return Answer(204)
        case "GET", "calls":
            return json_answer(200, {"calls": [call.as_json() for call in sandbox.calls]})
        case "POST", "reset":
            sandbox.reset()
            return Answer(204)
    ticket = TICKET.fullmatch(name)
    if ticket and request.method == "PATCH" and not ticket[2]:
        return change_ticket(sandbox, ticket[1], read_object(request))
    if ticket and request.method == "POST" and ticket[2]:
        return add_message(sandbox, ticket[1], **read_object(request))
    return problem_answer(Problem(404, "The sandbox has no such control call."), request.path)


def read_object(request: Request) -> dict[str, Any]:
    value = json.loads(request.body or b"{}")
    if not isinstance(value, dict):
        raise ValueError("the body must be a JSON object")
    return value


def change_ticket(sandbox: "Sandbox", reference: str, changes: dict[str, Any]) -> Answer:
    store = sandbox.tickets
    with store.lock:
        ticket = store.find(reference)
        for name, value in changes.items():
            if name not in CHANGEABLE:
                raise ValueError(f"{name} cannot be changed; these can: {', '.join(CHANGEABLE)}")
            attribute, allowed = CHANGEABLE[name]
            if allowed is not None and value not in allowed:
                raise ValueError(f"{name} must be one of: {', '.join(allowed)}")
            setattr(ticket, attribute, value)
        ticket.updated_at = store.now()
        return json_answer(200, shapes.summary(ticket))


def add_message(
    sandbox: "Sandbox",
    reference: str,
    body: str,
    sender: str = "staff",
    senderName: str = "Sam Sandbox",
    encrypted: bool = False,
) -> Answer:
    """Add a message to the ticket. The parameters from `body` on are the fields of the JSON body."""
    if sender not in SENDERS:
        raise ValueError(f"sender must be one of: {', '.join(SENDERS)}")
    store = sandbox.tickets
    with store.lock:
        message = store.add_message(
            store.find(reference), sender=sender, body=body, sender_name=senderName, encrypted=encrypted
        )
        return json_answer(201, shapes.message(message, show_encrypted=True))
