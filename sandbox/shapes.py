"""The JSON shapes of the API reference, made from the store's records."""

from pathlib import PurePosixPath

from .model import Attachment, Department, Message, Ticket, Upload
from .times import iso


def summary(ticket: Ticket) -> dict:
    """Return a list entry, which has no body, attachments or messages."""
    return {
        "id": ticket.id,
        "number": ticket.number,
        "subject": ticket.subject,
        "status": ticket.status,
        "priority": ticket.priority,
        "departmentSlug": ticket.department_slug,
        "departmentName": ticket.department_name,
        "createdAt": iso(ticket.created_at),
        "updatedAt": iso(ticket.updated_at),
        "lastMessageAt": iso(ticket.last_message_at),
        "ccEmails": ticket.cc_emails,
        "requesterName": ticket.requester_name,
        "messageCount": ticket.message_count,
        "linkedServices": ticket.linked_services,
    }


def whole_ticket(ticket: Ticket, *, show_encrypted: bool) -> dict:
    return {
        **summary(ticket),
        "body": ticket.body,
        "attachments": [attachment(each, ticket.id) for each in ticket.attachments],
        "messages": [message(each, show_encrypted=show_encrypted) for each in ticket.messages],
    }


def message(record: Message, *, show_encrypted: bool) -> dict:
    """Return a message. Not documented: if encrypted, whether `body` is its text or null. The caller chooses."""
    hidden = record.encrypted and not show_encrypted
    return {
        "id": record.id,
        "ticketId": record.ticket_id,
        "sentAt": iso(record.sent_at),
        "body": None if hidden else record.body,
        "sender": record.sender,
        "senderName": record.sender_name,
        "encrypted": record.encrypted,
        "attachments": [attachment(each, record.ticket_id) for each in record.attachments],
    }


def attachment(record: Attachment, ticket_id: str) -> dict:
    extension = PurePosixPath(record.filename).suffix.lstrip(".") if record.filename else ""
    return {
        "id": record.id,
        "filename": record.filename,
        "extension": extension or None,
        "mimeType": record.content_type,
        "downloadUrl": f"/api/v2/support/attachments/{record.id}?ticketId={ticket_id}",
    }


def department(record: Department) -> dict:
    return {
        "slug": record.slug,
        "displayName": record.display_name,
        "description": record.description,
        "email": record.email,
    }


def upload(record: Upload) -> dict:
    """Return an upload. API reference: `url` is not a download URL. Asking for it answers 404."""
    shape = {
        "attachmentId": record.id,
        "url": f"/api/v2/support/attachments/{record.id}",
        "filename": record.filename,
        "byteLength": len(record.content),
        "contentType": record.content_type,
        "uploadedAt": iso(record.uploaded_at),
    }
    if record.ticket_id is not None:
        shape["ticketId"] = record.ticket_id
    return shape
