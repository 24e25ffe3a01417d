"""Any answer from HostUp and any request to us: never a 500, never an exception, always our headers.

`make fuzz` tries `FUZZ_CASES` cases in all; `make test` a few hundred, the same every time.
"""

import json
import os
import pickle
import re
import uuid
from io import BytesIO
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from hostup_dashboard.wsgi import heeded
from sandbox import keys, shapes
from sandbox.server import Sandbox
from sandbox.special_tickets import ATTACHMENTS_ID, SAMPLE_ID, SAMPLE_MESSAGE_ID
from tests.addresses import every_address
from tests.headers import assert_has_our_headers
from tickets import upstream

ROOT = Path(__file__).parent.parent
CASES = int(os.environ.get("FUZZ_CASES", 0))
FEW = 150  # cases for each test here, unless `FUZZ_CASES` is set
SHARES = {"answers": 0.3, "values": 0.35, "requests": 0.35}  # of CASES


def fuzzed(share: str):
    """Return a test's settings: its share of `FUZZ_CASES` new cases, or else a few that are always the same."""
    return settings(
        max_examples=round(CASES * SHARES[share]) or FEW,
        derandomize=not CASES,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


@pytest.fixture(scope="session")
def running_sandbox():
    """Run a sandbox that never asks us to slow down."""
    with Sandbox(rate_limit=10**9) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(sandbox, settings):
    settings.HOSTUP_DEADLINE = settings.HOSTUP_FILE_DEADLINE = 0.1  # seconds: some answers never end
    return sandbox


class Front:
    """The dashboard for one agent and one visitor. Every case starts from the same state."""

    def __init__(self, agent, visitor, sandbox):
        self.agent, self.visitor, self.sandbox = agent, visitor, sandbox
        self.reached_hostup = []  # for each case, whether it did
        self._cookies = pickle.dumps((agent.cookies, visitor.cookies))

    def ask(self, send) -> None:
        """Let `send` make its request, and check the answer."""
        with transaction.atomic():
            try:
                response = send()
                event(str(response.status_code))
                assert response.status_code != 500
                assert_has_our_headers(response)
                if response.streaming:
                    b"".join(response.streaming_content)
            finally:
                self.reached_hostup.append(bool(self.sandbox.calls))
                transaction.set_rollback(True)
                self.agent.cookies, self.visitor.cookies = pickle.loads(self._cookies)  # noqa: S301  (our own)
                self.sandbox.clear_faults()
                self.sandbox.clear_calls()
                cache.clear()
                upstream.pool_for.cache_clear()  # with what it remembers: HostUp's 429, and how often it failed


@pytest.fixture
def front(agent, visitor, sandbox):
    return Front(agent, visitor, sandbox)


@pytest.fixture
def hostup_is_asked(front):
    """Fail unless 90 % of the cases reach HostUp: others test nothing. On a busy machine some run out of time."""
    yield
    assert front.reached_hostup.count(True) > 0.9 * len(front.reached_hostup)


def _requests(agent) -> dict:
    """Return one request for each action that makes us call HostUp."""
    ticket = f"/tickets/{SAMPLE_ID}/"
    reply = {"seen_message": SAMPLE_MESSAGE_ID, "seen_status": "closed", "message": "Hello.", "reopen": "1"}
    new = {"department": "billing", "subject": "Hello", "message": "Hello.", "priority": "low"}
    token = uuid.uuid4  # each request is a form of its own
    return {
        "list": lambda: agent.get("/tickets/?status=closed&department=billing"),
        "more": lambda: agent.htmx_get("/tickets/?cursor=MjU&seen=1-2"),
        "filter": lambda: agent.htmx_get("/tickets/?status=closed", source="form#filters"),
        "departments": lambda: agent.htmx_get("/tickets/departments/"),
        "ticket": lambda: agent.get(ticket),
        "pane": lambda: agent.htmx_get(ticket),
        "reopen": lambda: agent.htmx_post(ticket + "reopen/", SHOWN, at=f"http://testserver{ticket}"),
        "close": lambda: agent.post(ticket + "close/", SHOWN, follow=True),
        "reply": lambda: agent.htmx_post(ticket + "reply/", reply | {"token": token()}),
        "reply without htmx": lambda: agent.post(ticket + "reply/", reply | {"token": token()}),
        "upload": lambda: agent.htmx_post(ticket + "upload/", {"file": SimpleUploadedFile("a.txt", b"a")}),
        "download": lambda: agent.get(ticket + "attachments/tatt_1/?name=a.txt"),
        "download without a name": lambda: agent.get(ticket + "attachments/tatt_1/"),
        "preview": lambda: agent.get(ticket + "attachments/tatt_1/?preview"),
        "new ticket": lambda: agent.get("/tickets/new/"),
        "create": lambda: agent.htmx_post("/tickets/new/", new | {"token": token()}),
        "key": lambda: agent.post("/settings/key/", {"api_key": keys.COLLEAGUE}, follow=True),
        "check": lambda: agent.post("/settings/key/check/", follow=True),
    }


def test_the_requests_are_all_that_make_us_ask_hostup(agent, sandbox):
    sandbox.clear_calls()
    for request in _requests(agent).values():
        request()
    asked = {f"{call.method} {call.path}" for call in sandbox.calls}
    for path, operations in json.loads((ROOT / "sandbox/openapi.json").read_text())["paths"].items():
        for method in operations.keys() - {"parameters"}:
            call = re.compile(f"{method} {re.sub('{.*?}', '[^/?]+', path)}", re.IGNORECASE)
            assert [one for one in asked if call.fullmatch(one)], call.pattern


SHOWN = {"status": "closed", "updated_at": "1577836800000000", "next": "/tickets/"}
REQUESTS = sorted(_requests(None))


def mostly(usual, unusual):
    return st.integers(0, 4).flatmap(lambda dice: usual if dice else unusual)


# Latin-1 is what an HTTP header can hold.
header_text = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=60)
dates = st.datetimes().map(lambda moment: moment.strftime("%a, %d %b %Y %H:%M:%S ")) | st.just("")
zones = st.sampled_from(["GMT", "+0000", "-2359", "+2359", "-9999", "Z", ""])
http_dates = st.tuples(dates, zones).map("".join)
names = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=30)
dispositions = names.map('attachment; filename="{}"'.format) | st.tuples(
    st.sampled_from(
        ["utf-8", "utf-16", "utf-7", "hex", "idna", "undefined", "unicode_escape", "punycode", "\0", ""]
    ),
    names.map(lambda name: quote(name.encode())) | st.just("%5cud800"),
).map(lambda parts: "attachment; filename*={}''{}".format(*parts))
HEADERS = {
    "Content-Type": header_text | st.sampled_from(["application/json", "text/html", "application/problem+json"]),
    "Content-Encoding": header_text | st.sampled_from(["br", "identity"]),
    "Content-Disposition": header_text | dispositions,
    "Date": header_text | http_dates,
    "Retry-After": header_text | http_dates | st.integers().map(str),
    "X-RateLimit-Reset": header_text | st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
    "Location": header_text,
    "Set-Cookie": header_text,
    "Connection": header_text,
}
ROUGH = {
    "content-length": header_text | st.integers().map(str),  # besides the true one
    "Transfer-Encoding": st.sampled_from(["chunked", "gzip", ""]),
    "Content-Encoding": st.sampled_from(["gzip", "deflate"]),
}
headers = mostly(st.fixed_dictionaries({}, optional=HEADERS), st.fixed_dictionaries({}, optional=HEADERS | ROUGH))
statuses = mostly(
    st.sampled_from([200, 201, 204, 304, 400, 401, 403, 404, 409, 422, 429, 500, 503]), st.integers(200, 999)
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(10**70),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
bodies = st.binary() | json_values.map(json.dumps).map(str.encode)


@given(name=st.sampled_from(REQUESTS), status=statuses, headers=headers, body=bodies)
@fuzzed("answers")
@pytest.mark.usefixtures("hostup_is_asked")
def test_whatever_hostup_answers_is_worded(front, name, status, headers, body):
    front.sandbox.fault(status=status, headers=headers, body=body, times=None)
    front.ask(_requests(front.agent)[name])


# What may take the place of a value in the contract.
texts = st.text(st.characters(), max_size=40) | st.sampled_from(  # lone surrogates, too
    ["\0", "\ud800", "a" * 5000, "\u202e<b>", "../..", "//x", "&quot;'>"]
)
times = st.tuples(st.datetimes(), st.sampled_from(["Z", "", "+00:00", "-23:59", "+23:59"])).map(
    lambda parts: parts[0].isoformat() + parts[1]
)
numbers = st.integers() | st.sampled_from([0, -1, 2**63, 2**64, 10**70, 10**4000])
scalars = texts | times | numbers | st.none() | st.booleans() | st.floats()


@st.composite
def spoilt(draw, value):
    """Draw a true value of HostUp's, in which any value may be changed, left out or doubled."""
    if draw(st.integers(0, 59)) == 0:
        return draw(scalars | json_values)
    if isinstance(value, dict):
        spoiler = {key: draw(spoilt(item)) for key, item in value.items() if draw(st.integers(0, 39))}
        return spoiler | draw(st.dictionaries(texts, json_values, max_size=1))
    if isinstance(value, list):
        items = [draw(spoilt(item)) for item in value[:2] if draw(st.integers(0, 39))]
        return items + items[:1] * draw(st.integers(0, 1))
    if isinstance(value, str) and draw(st.integers(0, 4)) == 0:
        return draw(texts | times)
    if isinstance(value, int) and draw(st.integers(0, 4)) == 0:
        return draw(numbers)
    return value


def _true_answers(sandbox) -> dict:
    """Return a true answer of each shape in the contract."""
    store = sandbox.tickets
    sample, files = store.find(SAMPLE_ID), store.find(ATTACHMENTS_ID)
    ticket = shapes.whole_ticket(sample, show_encrypted=True)
    ticket["attachments"] = [shapes.attachment(each, SAMPLE_ID) for each in files.attachments[:1]]
    message = shapes.message(sample.messages[0], show_encrypted=True) | {"attachments": ticket["attachments"]}
    upload = {
        "attachmentId": "satt_1",
        "url": "/x",
        "filename": "a.txt",
        "byteLength": 1,
        "contentType": "text/plain",
    }
    fields = [
        {"pointer": pointer, "detail": "No.", "code": "x"} for pointer in ("/subject", "/ccEmails/0", "/0", "")
    ]
    return {
        "ticket": ticket | {"messages": [message]},
        "page": {"data": [shapes.summary(sample), shapes.summary(files)], "nextCursor": "MjU"},
        "departments": {"departments": [shapes.department(each) for each in store.departments]},
        "message": message,
        "upload": upload,
        "problem": {
            "code": "invalid_request",
            "detail": "No.",
            "title": "No",
            "requestId": "req_1",
            "errors": fields,
        },
    }


SHAPES = ["ticket", "page", "departments", "message", "upload", "problem"]
FIRST = {
    "list": "page",
    "more": "page",
    "filter": "page",
    "departments": "departments",
    "upload": "upload",
    "new ticket": "departments",
    "key": "page",
    "check": "page",
}  # the shape that each of these gets first; all others get a ticket


@given(name=st.sampled_from(REQUESTS), data=st.data())
@fuzzed("values")
@pytest.mark.usefixtures("hostup_is_asked")
def test_whatever_values_hostup_sends_are_shown_or_worded(front, name, data):
    answers = _true_answers(front.sandbox)
    # The first answer is for this request's first call, the second for all calls after it.
    for fitting, times_met in ((FIRST.get(name, "ticket"), 1), ("ticket", None)):
        shape = data.draw(st.sampled_from([fitting] * 6 + SHAPES))
        value = data.draw(spoilt(answers[shape]))
        errors_too = st.sampled_from([400, 401, 403, 404, 409, 422, 429, 500, 503, 504])
        status = data.draw(errors_too if shape == "problem" else st.sampled_from([200, 201]))
        front.sandbox.fault(status=status, body=json.dumps(value).encode(), times=times_met)
    front.ask(_requests(front.agent)[name])


def _file(name: str, content: bytes) -> BytesIO:
    """Return a file to send in a form. Django's own class would refuse the names that are worth trying."""
    file = BytesIO(content)
    file.name = name
    return file


ADDRESSES = sorted(every_address().values())
PARAMETERS = {
    "status", "department", "cursor", "seen", "used", "number", "agent", "ticket", "page", "name", "preview",
    "next", "token", "message", "subject", "priority", "critical_reason", "cc_emails", "service_type",
    "service_id", "seen_message", "seen_status", "encrypted", "reopen", "updated_at", "api_key", "login",
    "password", "remember", "file", "files", "csrfmiddlewaretoken", "user", "is_staff", "last_four", "outcome",
}  # fmt: skip
OURS = [
    "closed",
    "billing",
    "open",
    str(uuid.uuid4()),
    SAMPLE_ID,
    "/tickets/",
    "9" * 5000,
    "-1",
    "\0",
    "\r\nX: y",
    "2026-04-27T11:45:00Z",
    "0001-01-01T00:00:00+23:59",
    "https://evil.example/",
    "//evil.example",
    "x" * 3000,
]
typed = st.text(max_size=60) | st.sampled_from(OURS)
fields = st.dictionaries(st.sampled_from(sorted(PARAMETERS)) | st.text(max_size=10), typed, max_size=6)
encoded = fields.map(lambda values: urlencode(values, errors="replace"))
known = st.sampled_from(ADDRESSES)
unknown = st.tuples(known, st.text(max_size=20)).map("".join) | st.text(max_size=80).map("/{}".format)
paths = mostly(known, unknown | typed.map("/tickets/{}/".format))
raw_bodies = st.binary(max_size=300) | encoded.map(str.encode)
forms = st.dictionaries(
    st.sampled_from(sorted(PARAMETERS)),
    typed | st.builds(_file, st.text(min_size=1, max_size=20), st.binary()),
    max_size=6,
)
content_types = st.text(max_size=40) | st.sampled_from(
    [
        "application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded; charset=utf-16",
        MULTIPART_CONTENT,
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "application/json",
        "text/plain",
    ]
)
mild_headers = st.fixed_dictionaries({}, optional={
    "HTTP_HX_REQUEST": st.just("true") | header_text,
    "HTTP_HX_REQUEST_TYPE": st.sampled_from(["partial", "full"]) | header_text,
    "HTTP_HX_CURRENT_URL": header_text | paths.map("http://testserver{}".format).map(quote) | st.just("http://["),
    "HTTP_HX_CURRENT_URL_URI_AUTOENCODED": st.sampled_from(["true", ""]),
    "HTTP_HX_SOURCE": st.just("form#filters") | header_text,
    "HTTP_HX_TARGET": header_text,
    "HTTP_X_FORWARDED_FOR": header_text | st.sampled_from(["127.0.0.1, x", "1.2.3.4", "::1", "[::1]:80"]),
    "HTTP_X_FORWARDED_HOST": header_text,
    "HTTP_X_FORWARDED_PROTO": st.sampled_from(["https", "http", "https, http"]) | header_text,
    "HTTP_ACCEPT_LANGUAGE": st.sampled_from(["sv", "en", "xx-YY;q=0.5", "*"]) | header_text,
    "HTTP_COOKIE": header_text | header_text.map("timezone={}".format),
    "HTTP_ORIGIN": header_text | st.just("null"),
    "HTTP_REFERER": header_text,
    "HTTP_RANGE": header_text,
    "HTTP_IF_MODIFIED_SINCE": header_text | http_dates,
    "HTTP_IF_NONE_MATCH": header_text,
})  # fmt: skip
hosts = st.sampled_from(["127.0.0.1", "evil.example", "testserver:99999", "[::1", ""]) | header_text
asked_headers = mostly(mild_headers, st.fixed_dictionaries({"HTTP_HOST": hosts}))
methods = st.sampled_from(
    ["GET"] * 6 + ["POST"] * 6 + ["HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "ABC"]
)


@given(
    who=st.sampled_from(["agent", "agent", "visitor"]), method=methods, path=paths,
    query=mostly(encoded, st.text(max_size=40)),
    body=raw_bodies | forms, content_type=content_types, asked=asked_headers,
)  # fmt: skip
@fuzzed("requests")
def test_whatever_is_asked_of_us_is_answered(front, who, method, path, query, body, content_type, asked):
    if isinstance(body, dict):
        body, content_type = encode_multipart(BOUNDARY, body), MULTIPART_CONTENT
    client = getattr(front, who)
    address = quote(path, safe="/%", errors="replace")
    asked = {"QUERY_STRING": quote(query, safe="=&%+", errors="replace"), **asked}
    if cookie := asked.pop("HTTP_COOKIE", None):  # besides the session's
        client.cookies["timezone"] = re.sub("[^!-~]", "", cookie)
    front.ask(lambda: client.generic(method, address, body, heeded(content_type), **asked))
