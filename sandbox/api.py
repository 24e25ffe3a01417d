"""HostUp's support calls: a request in, an answer or a Problem out.

The order of refusals is: rate (429), no such path or method, key (401), scope (403), request (400),
ticket (404), the ticket's state (409).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote, unquote

from . import keys, multipart, shapes
from .answer import Answer, Request, json_answer, problem_answer
from .body_fields import BodyFields, read_json_object
from .cursors import decode_cursor, encode_cursor
from .limits import RateLimiter
from .model import FILTER_STATUSES, PRIORITIES, SERVICE_TYPES, Attachment, Ticket
from .problems import Problem, field_error, invalid
from .store import AttachmentNotFound, CriticalTooSoon, Store, TicketClosed, TicketNotFound

# Not documented: how many tickets a page holds when `limit` is left out.
DEFAULT_LIMIT = 25
# API reference: `limit` is 1 to 100.
MAX_LIMIT = 100
# Not documented: the largest file. This is the most that the dashboard sends.
MAX_UPLOAD = 25 * 1024 * 1024
FORM_AROUND_A_FILE = 64 * 1024
ONE_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


class Undocumented(Protocol):
    """What the API reference leaves open, and the sandbox can do either way."""

    already: str  # "unchanged" or "conflict": reopening a ticket that is not closed, or closing one that is
    close_answer: str  # "ticket" or "empty": what closing answers
    encrypted_body: str  # "text" or "null": what `body` holds for an encrypted message


class Api:
    def __init__(self, store: Store, limiter: RateLimiter, undocumented: Undocumented) -> None:
        self.store = store
        self.limiter = limiter
        self.undocumented = undocumented

    def answer(self, request: Request) -> Answer:
        """Carry out the call. The store is locked meanwhile, so that the answer shows only this call's work."""
        key = bearer_key(request)
        allowance = self.limiter.take(key)
        with self.store.lock:
            try:
                if allowance.exceeded:
                    raise too_many(allowance.retry_after, "rate_limit_exceeded", "Too many calls with this key.")
                answer = self._dispatch(request, key)
            except Problem as problem:
                answer = problem_answer(problem, request.path)
        answer.headers.update(allowance.headers())
        return answer

    def _dispatch(self, request: Request, key: str | None) -> Answer:
        route, reference = find_route(request)
        holder = keys.HOLDERS.get(key)
        if holder is None:
            raise Problem(
                401,
                "The API key is missing, wrong, expired or revoked.",
                headers={"WWW-Authenticate": "Bearer"},
            )
        if route.scope not in holder.scopes:
            raise Problem(403, f"The API key lacks the scope {route.scope}.")
        try:
            return route.call(self, request, holder, reference)
        except TicketNotFound:
            raise Problem(404, "There is no such ticket.", code="ticket_not_found") from None
        except AttachmentNotFound:
            raise Problem(404, "There is no such attachment.", code="attachment_not_found") from None
        except TicketClosed:
            detail = "The ticket is closed. Reopen it before replying."
            raise Problem(409, detail, code="ticket_closed") from None
        except CriticalTooSoon as early:
            seconds = int(early.wait.total_seconds()) + 1
            raise too_many(seconds, "rate_limited", "One critical ticket an hour is allowed.") from None

    def list_tickets(self, request: Request, holder: keys.Holder, _: str) -> Answer:
        limit, offset, status, department = self._list_parameters(request)
        tickets = self.store.tickets_of(holder.account, status, department)
        end = offset + limit
        return json_answer(
            200,
            {
                "data": [shapes.summary(ticket) for ticket in tickets[offset:end]],
                "nextCursor": encode_cursor(end) if end < len(tickets) else None,
            },
        )

    def _list_parameters(self, request: Request) -> tuple[int, int, str | None, str | None]:
        errors = []
        limit, offset = DEFAULT_LIMIT, 0
        if (text := request.query.get("limit")) is not None:
            if re.fullmatch(r"[0-9]{1,3}", text) and 1 <= int(text) <= MAX_LIMIT:
                limit = int(text)
            else:
                errors.append(field_error("/limit", f"limit must be 1 to {MAX_LIMIT}.", "out_of_range"))
        if (text := request.query.get("cursor")) is not None:
            try:
                offset = decode_cursor(text)
            except ValueError:
                errors.append(field_error("/cursor", "The cursor is not one of ours.", "invalid_cursor"))
        status = request.query.get("status")
        if status is not None and status not in FILTER_STATUSES:
            detail = f"status must be one of: {', '.join(FILTER_STATUSES)}."
            errors.append(field_error("/status", detail, "invalid_value"))
        department = request.query.get("departmentSlug")
        if department is not None and department not in self._department_slugs():
            errors.append(field_error("/departmentSlug", "There is no such department.", "unknown_department"))
        if errors:
            raise invalid(*errors)
        return limit, offset, status, department

    def _department_slugs(self) -> list[str]:
        return [department.slug for department in self.store.departments]

    def get_ticket(self, _: Request, holder: keys.Holder, reference: str) -> Answer:
        return self._ticket_answer(200, self.store.get(holder.account, reference))

    def _ticket_answer(self, status: int, ticket: Ticket) -> Answer:
        show = self.undocumented.encrypted_body == "text"
        return json_answer(status, shapes.whole_ticket(ticket, show_encrypted=show))

    def create_ticket(self, request: Request, holder: keys.Holder, _: str) -> Answer:
        fields = read_json_object(request)
        department = fields.required_text("departmentSlug")
        if department and department not in self._department_slugs():
            fields.wrong("/departmentSlug", "There is no such department.", "unknown_department")
        subject = fields.required_text("subject")
        message = fields.required_text("message")
        priority = fields.choice("priority", PRIORITIES, default="medium")
        if priority == "critical":
            # API reference: a critical ticket must say how customers are affected.
            fields.required_text("criticalReason")
        else:
            fields.optional("criticalReason", str)
        cc_emails = read_cc_emails(fields)
        linked_services = read_context(fields)
        fields.optional("aiSummary", str, nullable=True)
        fields.optional("aiHelpful", bool, nullable=True)
        fields.refuse_if_wrong()
        ticket = self.store.create(
            holder.account,
            department_slug=department,
            subject=subject,
            body=message,
            requester_name=holder.owner,
            priority=priority,
            cc_emails=cc_emails,
            linked_services=linked_services,
        )
        return self._ticket_answer(201, ticket)

    def reply(self, request: Request, holder: keys.Holder, reference: str) -> Answer:
        fields = read_json_object(request)
        body = fields.required_text("message")
        encrypted = fields.optional("encrypted", bool, default=False)
        fields.refuse_if_wrong()
        message = self.store.reply(
            holder.account,
            reference,
            body=body,
            encrypted=encrypted,
            sender_name=holder.owner,
            key_name=holder.key_name,
        )
        show = self.undocumented.encrypted_body == "text"
        return json_answer(201, shapes.message(message, show_encrypted=show))

    def reopen(self, _: Request, holder: keys.Holder, reference: str) -> Answer:
        """Reopen the ticket and answer with it (API reference). Not documented: reopening one that is not
        closed."""
        ticket = self.store.get(holder.account, reference)
        if ticket.status != "closed" and self.undocumented.already == "conflict":
            raise Problem(409, "The ticket is already open.", code="ticket_already_open")
        return self._ticket_answer(200, self.store.reopen(holder.account, reference))

    def close(self, _: Request, holder: keys.Holder, reference: str) -> Answer:
        """Close the ticket. Not documented: the answer, and what closing a closed ticket does."""
        ticket = self.store.get(holder.account, reference)
        if ticket.status == "closed" and self.undocumented.already == "conflict":
            raise Problem(409, "The ticket is already closed.", code="ticket_already_closed")
        ticket = self.store.close(holder.account, reference)
        return Answer(204) if self.undocumented.close_answer == "empty" else self._ticket_answer(200, ticket)

    def list_departments(self, _: Request, __: keys.Holder, ___: str) -> Answer:
        return json_answer(200, {"departments": [shapes.department(each) for each in self.store.departments]})

    def upload(self, request: Request, holder: keys.Holder, _: str) -> Answer:
        if len(request.body) > MAX_UPLOAD + FORM_AROUND_A_FILE:
            raise Problem(413, f"A file can have {MAX_UPLOAD} bytes.")
        try:
            parts = multipart.read(request.headers.get("Content-Type", ""), request.body)
        except multipart.NotMultipart as error:
            raise invalid(field_error("", str(error), "invalid_content_type")) from None
        file = parts.get("file")
        if file is None or file.filename is None:
            raise invalid(field_error("/file", "file is required.", "required"))
        ticket = parts.get("ticketId")
        upload = self.store.upload(
            holder.account,
            key_name=holder.key_name,
            filename=file.filename,
            content_type=file.content_type,
            content=file.content,
            reference=ticket.content.decode("utf-8", "replace") if ticket else None,
        )
        return json_answer(201, shapes.upload(upload))

    def download(self, request: Request, holder: keys.Holder, attachment_id: str) -> Answer:
        if not attachment_id.startswith("tatt_"):
            raise AttachmentNotFound
        reference = request.query.get("ticketId")
        if not reference:
            raise invalid(field_error("/ticketId", "ticketId is required.", "required"))
        attachment = self.store.download(holder.account, attachment_id, reference)
        headers = {
            "Content-Type": attachment.content_type or "application/octet-stream",
            "Content-Disposition": content_disposition(attachment),
        }
        return Answer(200, attachment.content, headers)


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    path: re.Pattern[str]
    scope: str
    call: Callable[[Api, Request, keys.Holder, str], Answer]


def _route(method: str, path: str, scope: str, call: Callable) -> Route:
    pattern = f"/api/v2/support{path}".replace("{id}", "([^/]+)")
    return Route(method, re.compile(pattern), scope, call)


# https://developer.hostup.se: one line for each call of the reference that this product uses.
ROUTES = (
    _route("GET", "/tickets", keys.READ_SUPPORT, Api.list_tickets),
    _route("POST", "/tickets", keys.WRITE_SUPPORT, Api.create_ticket),
    _route("GET", "/tickets/{id}", keys.READ_SUPPORT, Api.get_ticket),
    _route("POST", "/tickets/{id}/messages", keys.WRITE_SUPPORT, Api.reply),
    _route("POST", "/tickets/{id}/actions/close", keys.WRITE_SUPPORT, Api.close),
    _route("POST", "/tickets/{id}/actions/reopen", keys.WRITE_SUPPORT, Api.reopen),
    _route("GET", "/departments", keys.READ_ACCOUNT, Api.list_departments),
    _route("POST", "/attachments", keys.WRITE_SUPPORT, Api.upload),
    _route("GET", "/attachments/{id}", keys.READ_SUPPORT, Api.download),
)


def find_route(request: Request) -> tuple[Route, str]:
    """Return the call's route, and the id in its path ("" if it has none)."""
    methods = []
    for route in ROUTES:
        if match := route.path.fullmatch(request.path):
            if route.method == request.method:
                return route, unquote(match.group(1)) if match.groups() else ""
            methods.append(route.method)
    if methods:
        raise Problem(405, "This path has no such method.", headers={"Allow": ", ".join(methods)})
    raise Problem(404, "There is no such path.")


def bearer_key(request: Request) -> str | None:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else None


def too_many(seconds: int, code: str, detail: str) -> Problem:
    """Return a Problem for the status 429. API reference: it has `Retry-After` in seconds."""
    return Problem(429, detail, code=code, headers={"Retry-After": str(seconds)})


def read_cc_emails(fields: BodyFields) -> tuple[str, ...]:
    addresses = fields.optional("ccEmails", list, default=[])
    for index, address in enumerate(addresses):
        if not isinstance(address, str) or not ONE_ADDRESS.fullmatch(address):
            fields.wrong(f"/ccEmails/{index}", "This is no e-mail address.", "invalid_email")
    return tuple(addresses)


def read_context(fields: BodyFields) -> tuple[dict, ...]:
    """Return the linked service of a new ticket, as the ticket will show it."""
    context = fields.optional("context", dict)
    if context is None:
        return ()
    service_type, service_id = context.get("serviceType"), context.get("serviceId")
    if service_type not in SERVICE_TYPES:
        detail = f"serviceType must be one of: {', '.join(SERVICE_TYPES)}."
        fields.wrong("/context/serviceType", detail, "invalid_value")
    if not isinstance(service_id, str):
        fields.wrong("/context/serviceId", "serviceId must be text.", "invalid_type")
    return ({"serviceType": service_type, "serviceId": service_id, "serviceName": None, "details": None},)


def content_disposition(attachment: Attachment) -> str:
    """Return the header's value (RFC 6266): a plain name for old clients, and the true name, percent-encoded."""
    name = attachment.filename or "file"
    plain = "".join(c if " " <= c <= "~" and c not in '"\\' else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='', errors='replace')}"
