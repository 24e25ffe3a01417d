"""A key that only this test knows goes through everything that can be done with it; then it is looked for."""

import io
import logging

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection

from hostup_dashboard.logs import WithoutKeys
from sandbox import keys
from sandbox.special_tickets import ENCRYPTED_ID, SAMPLE_ID
from tests.test_reply import form_of

CANARY = "hostup-sandbox-canary-7f3a9c51e8d24b60"


@pytest.fixture
def everything_logged():
    """Every logger at its most talkative, with what the product's own handler keeps out kept out."""
    root = logging.getLogger()
    product = next(
        handler for handler in root.handlers if any(isinstance(f, WithoutKeys) for f in handler.filters)
    )
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.filters, handler.formatter = product.filters, product.formatter
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield written
    root.setLevel(level)
    root.removeHandler(handler)


@pytest.mark.django_db
def test_the_key_is_nowhere_but_in_the_calls(newcomer, sandbox, monkeypatch, everything_logged):
    monkeypatch.setitem(keys.HOLDERS, CANARY, keys.HOLDERS[keys.FULL])
    newcomer.raise_request_exception = False
    pages = [
        newcomer.post("/settings/key/", {"api_key": CANARY}),
        newcomer.get("/settings/key/"),
        newcomer.post("/settings/key/check/", follow=True),
        newcomer.get("/tickets/"),
        newcomer.htmx_post(f"/tickets/{SAMPLE_ID}/reopen/", {"status": "closed"}),
        newcomer.post(f"/tickets/{ENCRYPTED_ID}/reply/", form_of(newcomer) | {"message": "Hello."}),
    ]
    for fault in ("problem_401", "html_500", "reset", "broken_json", "redirect_other_host"):
        sandbox.fault(fault, times=None)
        pages += [
            newcomer.get("/tickets/"),
            newcomer.htmx_post(f"/tickets/{SAMPLE_ID}/close/", {"status": "open"}),
        ]
        pages.append(newcomer.post("/settings/key/", {"api_key": CANARY}))
        sandbox.clear_faults()
        pages.append(newcomer.get("/tickets/"))  # HostUp is up again, and not left alone
    monkeypatch.setattr("tickets.hostup.wire.read_page", lambda answer: 1 / 0)
    pages.append(newcomer.get("/tickets/"))  # a mistake of ours, with the key in the frames of its traceback
    pages.append(newcomer.get("/activity/"))
    assert pages[-2].status_code == 500
    assert any(call.key_name == "FULL" for call in sandbox.calls)

    dump = io.StringIO()
    call_command("dumpdata", stdout=dump)
    with connection.cursor() as cursor:
        cursor.execute("SELECT session_data FROM django_session")
        sessions = [newcomer.session.decode(data) for (data,) in cursor.fetchall()]
    kept = getattr(cache, "_cache", {})
    places = {
        "pages": [page.content.decode() + str(page.headers) for page in pages],
        "log": [everything_logged.getvalue()],
        "database": [dump.getvalue()],
        "sessions": [str(session) for session in sessions],
        "cache": [str(value) for value in kept.values()],
    }
    assert everything_logged.getvalue()
    assert {place for place, texts in places.items() if any(CANARY in text for text in texts)} == set()
