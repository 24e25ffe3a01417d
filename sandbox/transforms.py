"""Answers that are JSON but not what the reference promises. Each takes the true value and gives another.

A value is a page of tickets, a ticket, a message or the departments; what a transform does not know, it
passes on unchanged.
"""

import copy
from typing import Any

from .cursors import encode_cursor


def _tickets(value: Any) -> list[dict]:
    """The tickets in an answer: those of a page, or the one that it is."""
    if "data" in value:
        return value["data"]
    return [value] if "number" in value else []


def oversize(value: Any) -> Any:
    """6 MB, true otherwise."""
    return value | {"padding": "x" * 6 * 1024 * 1024}


def null_in_required(value: Any) -> Any:
    """Null in fields that the reference never lets be null, in whatever the answer is."""
    value = copy.deepcopy(value)
    for ticket in _tickets(value):
        ticket["id"] = ticket["status"] = None
    for department in value.get("departments", []):
        department["slug"] = None
    if "sender" in value:
        value["id"] = value["sender"] = None
    return value


def one_malformed_ticket(value: Any) -> Any:
    """The second ticket of a page has text for a number and no status; the others are good."""
    value = copy.deepcopy(value)
    if len(value.get("data", [])) > 1:
        value["data"][1]["number"] = "many"
        del value["data"][1]["status"]
    return value


def unknown_values(value: Any) -> Any:
    """Values and fields that HostUp may add one day."""
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
    """Times without a zone, a number for a cursor, and a list for a name, all of which may be null."""
    value = copy.deepcopy(value)
    for ticket in _tickets(value):
        ticket |= {"createdAt": "2026-04-27", "updatedAt": "2026-04-27T11:45:00", "requesterName": ["Jane"]}
        for message in ticket.get("messages", []):
            message["sentAt"] = "2026-04-27T11:45:00"
    return value | {"nextCursor": 5} if "nextCursor" in value else value


def half_characters(value: Any) -> Any:
    """Texts that were cut inside an emoji, wherever people or HostUp write one, and in a field that is new."""
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
    """API reference: an error has `extensions` sometimes. Not documented: what is in it."""
    return value | {"extensions": {"upstream": {"code": 17, "requestId": "up_1"}, "hints": [None, "Wait."]}}


def cursor_loop(value: Any) -> Any:
    """Every page says that the first page comes next."""
    return value | {"nextCursor": encode_cursor(0)} if "nextCursor" in value else value


def repeated_ids(value: Any) -> Any:
    """The page's first two tickets come again at its end."""
    return value | {"data": value["data"] + value["data"][:2]} if "data" in value else value
