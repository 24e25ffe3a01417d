"""What attackers send: names, addresses and fields that try to reach further than they may."""

import re
from email.message import Message as Headers

import pytest
from django.contrib.auth import get_user_model

from sandbox import keys
from sandbox.special_tickets import ATTACHMENTS_ID, ENCRYPTED_ID, SAMPLE_ID
from tests.forms import form_of
from tests.hostile import PAYLOADS, POLYGLOT
from tickets.models import Activity, ApiKey, Draft

TICKET = f"/tickets/{SAMPLE_ID}/"
FILE = f"/tickets/{ATTACHMENTS_ID}/attachments/tatt_1/"
ELSEWHERE = [
    "https://evil.example/", "//evil.example/", "///evil.example", "/\\evil.example", "\\\\evil.example",
    "http:evil.example", "https:/evil.example", "\t//evil.example", "\x01//evil.example", "javascript:alert(1)",
    "data:text/html,x", "http://[", "//evil.example\\@testserver/", "http://testserver@evil.example/",
    "http://testserver//evil.example/", "ftp://testserver/", "",
]  # fmt: skip


NOTHING_TO_SEE = [
    " ",
    "\u00a0",
    "\u200b",
    "\u2060\ufeff",
    "\u00ad\u3000",
    "\u2800",
    "\u3164\u115f",
    "\u200d\ufe0f",
    "\n\t",
]


@pytest.mark.parametrize("text", NOTHING_TO_SEE)
def test_a_subject_or_name_that_shows_nothing_counts_as_none(agent, sandbox, text):
    ticket = sandbox.tickets.find(SAMPLE_ID)
    ticket.subject = ticket.requester_name = text
    ticket.body = "Hello."
    ticket.linked_services[0]["serviceName"] = text
    listed = agent.get("/tickets/").content.decode()
    assert re.search(rf'href="{TICKET}[^>]*><bdi>\(no subject\)</bdi></a></p>', listed)
    page = agent.get(TICKET).content.decode()
    assert re.search(r"<h1[^>]*><bdi>\(no subject\)</bdi></h1>", page)
    assert "<title>(no subject)" in page
    assert "<bdi>(no name)</bdi>" in page
    assert "<strong><bdi>Us</bdi></strong>" in page


@pytest.mark.parametrize("text", [" ", "\u200b"])
def test_a_file_whose_name_shows_nothing_is_called_by_its_id(agent, sandbox, text):
    kinds = {"tatt_png": "image/png", "tatt_pdf": "application/pdf"}
    files = [{"id": name, "filename": text, "mimeType": kind} for name, kind in kinds.items()]
    blank = {"attachments": files, "requesterName": text, "departmentName": text, "departmentSlug": text}
    sandbox.fault(transform=lambda ticket: ticket | blank)
    page = agent.get(TICKET).content.decode()
    assert 'alt="Preview of tatt_png"' in page
    assert 'View<span class="visually-hidden"> tatt_pdf</span>' in page
    assert "<dt>Requester</dt>" not in page
    assert "<dt>Department</dt>" not in page


def test_what_hostup_says_without_a_letter_is_not_said(agent, sandbox):
    problem = {"code": "invalid_request", "errors": [{"pointer": "/message", "detail": "\u200b"}]}
    sandbox.fault("problem_400", method="POST", transform=lambda body: body | problem)
    html = agent.htmx_post(f"{TICKET}reopen/", {"status": "closed"}).content.decode()
    assert "Check what you tried to do." in html
    assert "<p></p>" not in html


@pytest.mark.parametrize(
    "text", ["0", "é", "e\u0301", "\u0301", "  x", "\u200bx", "\u202e", "❤\ufe0f", "\x07", "\ufffd"]
)
def test_a_subject_that_shows_something_is_shown(agent, sandbox, text):
    sandbox.tickets.find(SAMPLE_ID).subject = text
    assert "(no subject)" not in agent.get(TICKET).content.decode()


@pytest.mark.parametrize("address", ELSEWHERE)
def test_no_form_leads_to_another_site(agent, address):
    response = agent.post(f"{TICKET}reopen/", {"status": "closed", "next": address})
    assert response.status_code == 302
    assert response.headers["Location"] == TICKET


@pytest.mark.parametrize("address", ELSEWHERE)
def test_signing_in_again_leads_to_no_other_site(visitor, address):
    answers = [
        visitor.post(f"{TICKET}reopen/", {"next": address}).headers["Location"],
        visitor.htmx_get(TICKET, at=address.encode().decode("latin-1")).headers["HX-Redirect"],
    ]
    assert answers == ["/accounts/login/?next=/tickets/&pressed", "/accounts/login/?next=/tickets/"]


@pytest.mark.parametrize(
    "address", [*ELSEWHERE, f"https://evil.example{TICKET}", f"http://testserver//evil{TICKET}"]
)
def test_filtering_pushes_no_other_site_into_the_address(agent, address):
    response = agent.htmx_get("/tickets/?status=closed", at=address, source="form#filters")
    assert response.headers["HX-Push-Url"] == "/tickets/?status=closed"


NAMES = [
    *PAYLOADS, POLYGLOT, "a\r\nX-Injected: yes", "a\nb", 'a"; filename=evil.exe', "a\\", "../../etc/passwd",
    "..\\..\\x", "/etc/passwd", "C:\\x", "invoice\u202efdp.exe", "\u2066x", "räksmörgås på ön.txt", "请求.txt",
    "x" * 5000 + ".pdf", ".htaccess", "...", " ", "CON", "a;b=c", "%0d%0aX: y", "=?utf-8?q?x?=", "\ufeff",
    "a\x00.txt", "\x7f", "x." + "y" * 149,
]  # fmt: skip


@pytest.mark.django_db(transaction=True)  # `close` ends the connection to the database, and a test's transaction
@pytest.mark.parametrize("whose", ["of the link", "of HostUp's answer"])
def test_no_file_name_gets_out_of_its_header(agent, sandbox, whose):
    for name in NAMES:
        header = name.encode().decode("latin-1").replace("\r", "").replace("\n", "")
        sandbox.fault(status=200, body=b"x", headers={"Content-Disposition": f'attachment; filename="{header}"'})
        response = agent.get(FILE, {"name": name} if whose == "of the link" else {})
        response.close()
        disposition = response.headers["Content-Disposition"]
        assert re.fullmatch(r"attachment; filename(=\"[^\"\\\r\n]+\"|\*=utf-8''[!-:<-~]+)", disposition)
        assert "X-Injected" not in response.headers
        parsed = Headers()
        parsed["Content-Disposition"] = disposition
        safe = parsed.get_filename()
        assert 1 <= len(safe) <= 150
        assert safe == safe.strip(". ")
        assert not re.search(r"[/\\\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", safe)
        assert safe.endswith(".pdf") or not name.endswith(".pdf")


@pytest.mark.parametrize("address", [
    "https://evil.example/x", "//evil.example/x", "http://127.0.0.1:1/x", "file:///etc/passwd",
    "javascript:alert(1)", "/api/v2/support/tickets", "../admin", "\\\\evil.example\\x",
    "/x\r\nHost: evil.example",
])  # fmt: skip
def test_the_address_that_hostup_gives_of_a_file_is_never_used(agent, sandbox, address):
    def point_elsewhere(ticket):
        for attachment in ticket["attachments"]:
            attachment["downloadUrl"] = address
        return ticket

    sandbox.fault(transform=point_elsewhere, path="tickets/")
    html = agent.get(f"/tickets/{ATTACHMENTS_ID}/").content.decode()
    assert address not in html
    link = re.search(r'href="(/tickets/[^"]*/attachments/[^"?]*)\?name=[^"]*"', html).group(1)
    sandbox.clear_calls()
    assert agent.get(link).status_code == 200
    (call,) = sandbox.calls
    assert call.path == f"/api/v2/support/attachments/{link.split('/')[-2]}"
    assert call.query == {"ticketId": ATTACHMENTS_ID}
    assert call.key_name == "FULL"


def test_fields_that_no_form_has_are_not_taken(agent, colleague, sandbox):
    """Each of these names a column of ours, or a field of HostUp's that we do not offer."""
    more = {
        "user": colleague.user.pk, "user_id": colleague.user.pk, "is_staff": "1", "is_superuser": "1", "id": "1",
        "pk": "1", "last_four": "ffff", "can_write": "1", "outcome": "refused", "request_id": "x", "code": "x",
        "state": "sent", "ticket_id": ENCRYPTED_ID, "ticketId": ENCRYPTED_ID, "sender": "staff", "aiSummary": "x",
        "requesterName": "x", "departmentSlug": "sales",
    }  # fmt: skip
    new = {"department": "billing", "subject": "Mine", "message": "Mine", "priority": "low", "token": "0" * 32}
    agent.post("/settings/key/", more | {"api_key": keys.COLLEAGUE})
    agent.post(f"{TICKET}reopen/", more | {"status": "closed"})
    agent.post(f"/tickets/{ENCRYPTED_ID}/reply/", form_of(agent) | more | {"message": "Mine"})
    agent.post(f"{TICKET}draft/", more | {"message": "Mine"})
    agent.post("/tickets/new/", more | new)
    assert set(Activity.objects.values_list("user", "outcome", "code", "request_id")) == {
        (agent.user.pk, "done", "", "")
    }
    assert ApiKey.objects.get(user=agent.user).last_four == keys.COLLEAGUE[-4:]
    assert ApiKey.objects.get(user=colleague.user).can_write is None
    assert set(Draft.objects.values_list("user", "ticket_id")) == {(agent.user.pk, SAMPLE_ID)}
    agent.user.refresh_from_db()
    assert not agent.user.is_staff
    (message,) = [each for each in sandbox.tickets.find(ENCRYPTED_ID).messages if each.body == "Mine"]
    assert message.sender == "customer"
    (ticket,) = [each for each in sandbox.tickets.all_tickets() if each.subject == "Mine"]
    assert ticket.department_slug == "billing"


def test_no_page_takes_anything_from_another_host(agent):
    for path in (
        "/tickets/",
        TICKET,
        "/tickets/new/",
        "/settings/key/",
        "/activity/",
        "/accounts/logout/",
        "/nothing/",
    ):
        html = agent.get(path).content.decode()
        loaded = re.findall(r'<(?:script|link|img|source|use|iframe)\b[^>]*?\b(?:src|href)="([^"]*)"', html)
        assert len(loaded) >= 4
        assert {address[:8] for address in loaded} <= {"/static/", "/tickets"}


@pytest.mark.parametrize(("proxies", "forwarded_for"), [(0, "192.0.2.{}"), (1, "192.0.2.{}, 198.51.100.7")])
def test_a_forged_address_of_the_caller_gets_nobody_more_guesses(visitor, settings, proxies, forwarded_for):
    """Without a proxy the header counts for nothing; behind one, only the address that the proxy added counts."""
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    get_user_model().objects.create_user("anna", password=POLYGLOT)

    def sign_in(number, username, password):
        headers = {"X-Forwarded-For": forwarded_for.format(number)}
        return visitor.post("/accounts/login/", {"login": username, "password": password}, headers=headers)

    for number in range(30):
        sign_in(number, f"somebody-{number}", "a guess")
    assert sign_in(99, "anna", POLYGLOT).status_code == 429
    assert visitor.get("/activity/").status_code == 302


def test_another_host_or_port_in_the_request_gets_nobody_more_guesses(visitor, settings):
    """The sign-in answers under any port in the Host header, but guesses at a name are counted together."""
    settings.ACCOUNT_RATE_LIMITS = {"login_failed": "5/5m/key"}  # for one name, whatever the address
    get_user_model().objects.create_user("anna", password=POLYGLOT)

    def sign_in(host, password):
        visitor.post("/accounts/login/", {"login": "anna", "password": password}, headers={"Host": host})

    for port in range(5):
        sign_in(f"127.0.0.1:{port}", "a guess")
    for host in ("127.0.0.1:99", "localhost", "testserver"):
        sign_in(host, POLYGLOT)
        assert visitor.get("/activity/").status_code == 302
