"""Turn answers into JSON that is not what the reference promises. Each takes the true value and returns another.

A value is a page of tickets, a ticket, a message or the departments. A transform leaves alone what it does not
know.
"""

import copy
from typing import Any

from .cursors import encode_cursor


def _tickets(value: Any) -> list[dict]:
    """Return the tickets in an answer: those of a page, or the single ticket."""
    if "data" in value:
        return value["data"]
    return [value] if "number" in value else []


def oversize(value: Any) -> Any:
    """Add 6 MB of padding; the rest stays true."""
    return value | {"padding": "x" * 6 * 1024 * 1024}


def null_in_required(value: Any) -> Any:
    """Put null into fields that the reference never lets be null, whatever the answer is."""
    value = copy.deepcopy(value)
    for ticket in _tickets(value):
        ticket["id"] = ticket["status"] = None
    for department in value.get("departments", []):
        department["slug"] = None
    if "sender" in value:
        value["id"] = value["sender"] = None
    return value


def one_malformed_ticket(value: Any) -> Any:
    """Give the second ticket of a page text for its number, and no status; the others stay good."""
    value = copy.deepcopy(value)
    if len(value.get("data", [])) > 1:
        value["data"][1]["number"] = "many"
        del value["data"][1]["status"]
    return value


def unknown_values(value: Any) -> Any:
    """Put in values and fields that HostUp may add one day."""
    value = copy.deepcopy(value)
    for ticket in _tickets(value):
        ticket |= {"status": "waiting_for_moon", "priority": "cosmic", "sentiment": {"score": 0.5}}
        for service in ticket["linkedServices"]:
            service["serviceType"] = "mainframe"
        for message in ticket.get("messages", []):
            message |= {"sender": "oracle", "mood": "calm"}
    if "sender" in value:
        value |= {"sender": "oracle", "mood": "calm"}
    value["futureField"] = [1, 2, 3]
    return value


def odd_optional_values(value: Any) -> Any:
    """Put in times without a zone, a number for a cursor and a list for a name. All of these may be null."""
    value = copy.deepcopy(value)
    for ticket in _tickets(value):
        ticket |= {"createdAt": "2026-04-27", "updatedAt": "2026-04-27T11:45:00", "requesterName": ["Jane"]}
        for message in ticket.get("messages", []):
            message["sentAt"] = "2026-04-27T11:45:00"
    return value | {"nextCursor": 5} if "nextCursor" in value else value


def half_characters(value: Any) -> Any:
    """Cut texts off inside an emoji, wherever people or HostUp write text, and in a new field."""
    half = "\ud83d"
    value = copy.deepcopy(value)
    for ticket in _tickets(value):
        ticket |= {"subject": f"{ticket['subject']}{half}", "requesterName": f"Jane{half}"}
        for service in ticket["linkedServices"]:
            service["details"] = {half: half}
        for message in ticket.get("messages", []):
            message["body"] = f"{message['body']}{half}"
    for department in value.get("departments", []):
        department["displayName"] += half
    if "sender" in value:
        value["senderName"] = f"Jane{half}"
    value["futureField"] = half
    return value


def with_extensions(value: Any) -> Any:
    """Add `extensions`. API reference: an error sometimes has them. Not documented: what is in them."""
    return value | {"extensions": {"upstream": {"code": 17, "requestId": "up_1"}, "hints": [None, "Wait."]}}


def cursor_loop(value: Any) -> Any:
    """Make every page say that the first page comes next."""
    return value | {"nextCursor": encode_cursor(0)} if "nextCursor" in value else value


def repeated_ids(value: Any) -> Any:
    """Repeat the page's first two tickets at its end."""
    return value | {"data": value["data"] + value["data"][:2]} if "data" in value else value
