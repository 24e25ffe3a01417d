"""A key that only this test knows goes through everything that can be done with it; then we search for it."""

import base64
import io
import json
import logging
import re
from urllib.parse import quote

import pytest
from django.core import mail
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.utils.log import AdminEmailHandler

from hostup_dashboard.logs import WithoutKeys
from sandbox import keys
from sandbox.special_tickets import ATTACHMENTS_ID, ENCRYPTED_ID, SAMPLE_ID
from tests.forms import form_of
from tickets import upstream, urls
from tickets.models import ApiKey

CANARY = "hostup-sandbox-canary/7f3a9c51+e8d24b60=="  # is written differently in a URL
SPARE = "hostup-sandbox-canary/spare-b1f0+77a2c9d3=="


def echo(status, **fields):
    """Return a fault by which HostUp echoes the key in all its words, and in its headers."""
    said = f"Bad header Authorization: Bearer {CANARY}, {quote(CANARY, safe='')}"
    problem = {"status": status, "code": CANARY, "title": said, "detail": said, "requestId": CANARY}
    problem["errors"] = [{"pointer": "/message", "detail": said, "code": CANARY}]
    headers = {
        "X-Api-Key": CANARY,
        "Retry-After": CANARY,
        "Content-Disposition": f'attachment; filename="{CANARY}"',
    }
    return {"status": status, "body": problem | fields, "headers": headers}


def echo_as(escapes):
    """Return such a fault with escapes that JSON does not need, as software other than Python writes them."""
    fault = echo(400)
    body = json.dumps(fault["body"])
    for character, escape in escapes.items():
        body = body.replace(character, escape)
    return fault | {"body": body, "headers": {"Content-Type": "application/json"}}


FAULTS = {
    **{name: {"name": name} for name in ("lost_answer", "broken_json", "redirect_other_host")},
    **{f"echo_{status}": echo(status) for status in (400, 401, 403, 404, 409, 429, 500)},
    "echo_400_by_php": echo_as({"/": r"\/"}),
    "echo_400_by_net": echo_as({"+": r"\u002B"}),
    # The Content-Length comes after it and is not read as a header either, so the answer ends with the connection.
    "echo_in_what_is_no_header": {
        "headers": {"X-Note": f"\r\nNo header\r\nX-Echo: {CANARY}"},
        "hang_up": True,
    },
    "echo_200": echo(200) | {"path": "/support/(tickets|departments)"},  # a file's content is passed on as it is
}


@pytest.fixture
def everything_logged():
    """Make every logger as talkative as possible, through the product's own filters, and send error mails."""
    root = logging.getLogger()
    product = next(
        handler for handler in root.handlers if any(isinstance(f, WithoutKeys) for f in handler.filters)
    )
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.filters, handler.formatter = product.filters, product.formatter
    mailer = AdminEmailHandler(include_html=True)
    mailer.setLevel(logging.ERROR)
    mailer.filters = product.filters
    before = {name: logging.getLogger(name).level for name in ("", "django", "urllib3", "requests", "tickets")}
    for name in before:
        logging.getLogger(name).setLevel(logging.DEBUG)
    logging.getLogger("django.template").setLevel(logging.INFO)  # DEBUG reports every missing variable
    root.addHandler(handler)
    root.addHandler(mailer)
    yield written
    root.removeHandler(handler)
    root.removeHandler(mailer)
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture
def canary(newcomer, sandbox, settings, monkeypatch, everything_logged):
    """Return an agent whose key is the canary, which HostUp accepts."""
    settings.ADMINS = [("Operator", "operator@example.com")]
    for key in (CANARY, SPARE):
        monkeypatch.setitem(keys.HOLDERS, key, keys.HOLDERS[keys.FULL])
    newcomer.raise_request_exception = False
    newcomer.post("/settings/key/", {"api_key": CANARY})
    assert ApiKey.objects.get().decrypt() == CANARY
    return newcomer


def journey(agent):
    """Do everything that an agent can do, with htmx and without, and yield the answers."""
    reply = {"message": "Hello.", "seen_status": "open", "token": "5d2a4f3e-8a4b-4c47-9a55-3a8c2f0d9f11"}
    new = {"department": "billing", "subject": "Help", "message": "Now.", "priority": "low"}
    for post in (agent.post, agent.htmx_post):
        yield post("/settings/key/", {"api_key": CANARY})
        yield post("/settings/key/check/")
        yield post(f"/tickets/{SAMPLE_ID}/reopen/", {"status": "closed"})
        yield post(f"/tickets/{SAMPLE_ID}/close/", {"status": "open"})
        yield post(f"/tickets/{ENCRYPTED_ID}/reply/", reply | fresh(agent))
        yield post(f"/tickets/{ENCRYPTED_ID}/reply/", reply | fresh(agent) | {"encrypted": "on"})
        yield post(f"/tickets/{ENCRYPTED_ID}/draft/", {"message": "Hello."})
        yield post(f"/tickets/{ENCRYPTED_ID}/upload/", {"file": SimpleUploadedFile("notes.txt", b"text")})
        yield post("/tickets/new/", new | fresh(agent))
    yield agent.get("/settings/key/")
    for get in (agent.get, agent.htmx_get):
        yield get("/tickets/")
        yield get(f"/tickets/{SAMPLE_ID}/")
        yield get(f"/tickets/{ATTACHMENTS_ID}/")
        yield get("/tickets/new/")
        yield get(f"/tickets/{ATTACHMENTS_ID}/attachments/{attachment(agent)}/")
        yield get("/activity/")
    yield agent.htmx_post("/tickets/new/draft/", new)
    yield agent.htmx_get("/tickets/departments/")
    yield agent.get("/tickets/go/?number=149943")


def fresh(agent):
    try:
        return form_of(agent)
    except ValueError:  # HostUp fails: there is no form
        return {}


def attachment(agent):
    links = re.findall(r"attachments/(tatt_\w+)/", agent.get(f"/tickets/{ATTACHMENTS_ID}/").content.decode())
    return links[0] if links else "tatt_1"


def what_was_said(response):
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return body + str(response.headers).encode()


def everything_kept(agent, log):
    """Return everything that is kept anywhere, by the name of its place."""
    dump = io.StringIO()
    call_command("dumpdata", stdout=dump)
    with connection.cursor() as cursor:
        cursor.execute("SELECT session_data FROM django_session")
        sessions = [agent.session.decode(data) for (data,) in cursor.fetchall()]
    return {
        "log": log.getvalue().encode(),
        "error mail": b"".join(message.message().as_bytes() for message in mail.outbox),
        "error mail in clear": str([(message.body, message.alternatives) for message in mail.outbox]).encode(),
        "database": dump.getvalue().encode(),
        "database file": database_as_it_is_kept(),
        "sessions": str(sessions).encode(),
        "cache": b"".join(cache_as_it_is_kept()),
    }


def database_as_it_is_kept():
    """Return SQLite's file, freed pages included; of another database, whose files are elsewhere, every row."""
    if connection.vendor == "sqlite":
        return connection.connection.serialize()
    rows = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT kept::text FROM "{table}" kept')  # noqa: S608  (names of ours)
            rows += [row for (row,) in cursor.fetchall()]
    return "\n".join(rows).encode()


def cache_as_it_is_kept():
    if hasattr(cache._cache, "values"):  # a cache in this process
        return cache._cache.values()
    redis = cache._cache.get_client()
    return [redis.get(name) for name in redis.scan_iter()]


def forms_of(key):
    """Yield the key as it may be written: in clear, in a URL, in base64 after any number of other bytes."""
    yield key.encode()
    yield quote(key, safe="").encode()
    for before in range(3):
        encoded = base64.b64encode(b"x" * before + key.encode())
        yield encoded[4 if before else 0 : -4]  # without the ends, which depend on what is around it


def places_with_the_key(places):
    forms = [form for key in (CANARY, SPARE) for form in forms_of(key)]
    return {place for place, text in places.items() if any(form in text for form in forms)}


def test_the_key_is_nowhere_but_in_the_calls(canary, sandbox, everything_logged):
    places, been = {}, {"home", "healthz", "readyz", "key_remove"}  # no part of the journey, or done last

    def everything_is_done(name):
        for number, response in enumerate(journey(canary)):
            place = f"{name} {number} {response.request['REQUEST_METHOD']} {response.request['PATH_INFO']}"
            places[place] = what_was_said(response)
            been.add(response.resolver_match.url_name)
            upstream.pool_for.cache_clear()  # close the circuit, so that every step reaches HostUp

    places["replaced"] = what_was_said(canary.post("/settings/key/", {"api_key": SPARE}, follow=True))
    everything_is_done("good")
    for name, fault in FAULTS.items():
        sandbox.fault(**fault, times=None)
        everything_is_done(name)
        sandbox.clear_faults()
    sandbox.tickets.add_message(
        sandbox.tickets.find(SAMPLE_ID), sender="staff", sender_name=CANARY, body=f"Your key is {CANARY}."
    )
    everything_is_done("in a ticket")
    places["removed"] = what_was_said(canary.post("/settings/key/remove/", follow=True))

    assert b"Your key is [removed]." in places[f"in a ticket 20 GET /tickets/{SAMPLE_ID}/"]
    assert {call.key_name for call in sandbox.calls} == {"FULL"}
    assert been == {address.name for address in urls.urlpatterns}
    assert len(everything_logged.getvalue()) > 100_000
    places |= everything_kept(canary, everything_logged)
    assert len(places["database file"]) > (100_000 if connection.vendor == "sqlite" else 10_000)
    assert places_with_the_key(places) == set()


@pytest.mark.parametrize("debug", [False, True])
def test_our_own_mistakes_tell_no_key(canary, sandbox, settings, monkeypatch, everything_logged, debug):
    """Neither in the traceback's local variables nor in the error's own words."""

    def mistake(answer):
        authorization = f"Bearer {CANARY}"
        raise RuntimeError(f"cannot use {authorization}")

    for reader in ("read_page", "read_ticket", "read_message", "read_upload", "read_departments"):
        monkeypatch.setattr(f"tickets.hostup.wire.{reader}", mistake)
    settings.DEBUG = debug
    answers = list(journey(canary)) + [canary.get("/tickets/", headers={"Accept": "text/plain"})]
    assert [answer.status_code for answer in answers].count(500) > 15
    assert debug == (b"Traceback" in answers[0].content)
    places = {f"{number}": what_was_said(answer) for number, answer in enumerate(answers)}
    places |= everything_kept(canary, everything_logged)
    assert len(mail.outbox) > 15
    assert b"RuntimeError" in places["log"]
    assert places_with_the_key(places) == set()


def test_the_field_is_never_filled_in_nor_remembered_by_the_browser(canary):
    for response in (canary.get("/settings/key/"), canary.post("/settings/key/", {"api_key": f"{CANARY} "[::-1]})):
        (field,) = re.findall(r"<input[^>]*name=\"api_key\"[^>]*>", response.content.decode())
        assert 'type="password"' in field
        assert "value=" not in field
        # Otherwise a saved sign-in password would be filled in and tried at HostUp; browsers ignore `off` here.
        assert 'autocomplete="new-password"' in field
        assert " data-1p-ignore" in field
        assert 'data-lpignore="true"' in field
        assert 'data-bwignore="true"' in field


def test_nothing_that_holds_the_key_shows_it_when_printed(canary):
    client = upstream.client_of(canary.user)
    row = ApiKey.objects.get()
    for thing in (client, client._pool, row, vars(row)):
        assert not places_with_the_key({"repr": repr(thing).encode(), "str": str(thing).encode()})


def test_what_is_too_short_for_a_key_is_left_in_what_hostup_says(newcomer, sandbox, monkeypatch):
    monkeypatch.setitem(keys.HOLDERS, "tickets", keys.HOLDERS[keys.FULL])
    newcomer.post("/settings/key/", {"api_key": "tickets"})
    sandbox.tickets.add_message(
        sandbox.tickets.find(SAMPLE_ID), sender="staff", sender_name="Ola", body="Two tickets."
    )
    assert "Two tickets." in newcomer.get(f"/tickets/{SAMPLE_ID}/").content.decode()
