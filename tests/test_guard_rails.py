"""What holds on every address: sign-in, methods, CSRF, headers, hosts."""

import re
from io import StringIO
from itertools import product
from pathlib import Path

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.test import Client
from django.urls import resolve

from sandbox import keys
from sandbox.special_tickets import SAMPLE_ID
from tests.accounts.people import PASSWORD, make_agent
from tests.addresses import every_address
from tests.headers import assert_has_our_headers
from tests.test_settings import run
from tickets import departments
from tickets.models import Canary, Draft
from tickets.sending import MOST_FILES

PUBLIC = {
    "account_login",
    "account_logout",
    "account_inactive",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "mfa_authenticate",
    "openid_connect_login",
    "openid_connect_callback",
    "socialaccount_login_cancelled",
    "healthz",
    "readyz",
}
FORM = "application/x-www-form-urlencoded"


ADDRESSES = every_address()
PRIVATE = {name: path for name, path in ADDRESSES.items() if name not in PUBLIC}
CHANGES = {
    name: ADDRESSES[name]
    for name in (
        "reopen", "close", "key_check", "key_remove", "sign_out_everywhere",
        "agent_invite", "agent_disable", "agent_enable",
    )
}  # fmt: skip
FORMS = [*CHANGES, "key", "account_logout", "agent_reset_second_step"]  # the last three answer a GET, too
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"]
READING = {"GET", "HEAD", "OPTIONS", "TRACE"}  # methods that change nothing, and need no token of ours


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("name", PRIVATE)
def test_nothing_is_seen_without_signing_in(visitor, sandbox, name, method):
    response = getattr(visitor, method)(PRIVATE[name])
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/accounts/login/?next=/")
    assert sandbox.calls == []


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_what_is_open_to_everybody_sends_nobody_to_sign_in_first(visitor, name):
    assert not visitor.get(ADDRESSES[name]).headers.get("Location", "").startswith("/accounts/login/?next=")


@pytest.mark.parametrize("name", PRIVATE)
def test_an_expired_session_moves_the_whole_page_and_comes_back(visitor, name):
    at = f"http://testserver/tickets/{SAMPLE_ID}/?status=closed"
    response = visitor.htmx_get(PRIVATE[name], at=at)
    sign_in = f"/accounts/login/?next=/tickets/{SAMPLE_ID}/%3Fstatus%3Dclosed"
    assert response.headers["HX-Redirect"] == sign_in
    assert not response.content
    assert visitor.htmx_post(PRIVATE[name], at=at).headers["HX-Redirect"].startswith(sign_in)


@pytest.mark.parametrize(
    ("link", "back"),
    [
        (f"http://testserver/tickets/{SAMPLE_ID}/?status=closed", f"/tickets/{SAMPLE_ID}/%3Fstatus%3Dclosed"),
        ("https://evil.example/tickets/1/", "/tickets/"),
        ("http://testserver//evil.example/", "/tickets/"),
        ("http://[", "/tickets/"),
        (None, "/tickets/"),
    ],
)
def test_whoever_wanted_a_file_comes_back_to_the_page_it_is_on(visitor, link, back):
    """If signing in led to a download, the sign-in page would stay on the screen and take no second sign-in."""
    response = visitor.get(ADDRESSES["attachment"], headers={"Referer": link} if link else {})
    assert response.headers["Location"] == f"/accounts/login/?next={back}"


SIGNED_OUT = "You were signed out"
NOT_DONE, KEPT = "Your last action was not carried out.", "Your text is kept."
KEPT_IN_PART = "Your text is kept as it was when the draft was last saved."


@pytest.mark.parametrize("post", ["post", "htmx_post"])
@pytest.mark.parametrize(
    ("change", "form", "told"),
    [
        ("reopen", {}, [SIGNED_OUT, NOT_DONE]),
        ("reply", {"message": "Hello"}, [SIGNED_OUT, NOT_DONE, KEPT]),
        ("draft", {"message": "Hello"}, [SIGNED_OUT, KEPT]),
        ("draft", {"message": "Hello", "encrypted": "on"}, [SIGNED_OUT, KEPT_IN_PART]),  # browsers do not keep it
        ("draft", {"message": ""}, []),
    ],
)
def test_whoever_was_signed_out_is_told_what_was_not_done(visitor, post, change, form, told):
    answer = getattr(visitor, post)(f"/tickets/{SAMPLE_ID}/{change}/", form)
    if answer.status_code == 401:  # without JavaScript the text comes back
        assert form["message"] in answer.content.decode()
        return
    page = visitor.get(answer.headers.get("HX-Redirect") or answer.headers["Location"]).content.decode()
    assert [sentence for sentence in (SIGNED_OUT, NOT_DONE, KEPT, KEPT_IN_PART) if sentence in page] == told


def test_whoever_signs_out_is_told_nothing_of_it(agent):
    page = agent.post("/accounts/logout/", follow=True).content.decode()
    assert SIGNED_OUT not in page


@pytest.mark.parametrize(
    "at", ["http://localhost/", "http://127.0.0.1:8000/", "//localhost/", "https://evil.example/"]
)
def test_signing_in_leads_to_no_other_site_and_not_to_the_agent_s_own_machine(visitor, at):
    make_agent()
    response = visitor.post(f"/accounts/login/?next={at}", {"login": "anna", "password": PASSWORD})
    assert response.headers["Location"] == "/tickets/"


@pytest.mark.parametrize("name", CHANGES)
def test_a_get_changes_nothing(agent, sandbox, name):
    response = agent.get(CHANGES[name])
    assert response.status_code == 405
    assert response.headers["Allow"] == "POST"
    assert "Nothing was changed." in response.content.decode()
    assert sandbox.calls == []


@pytest.mark.parametrize("name", FORMS)
def test_a_post_without_our_token_changes_nothing(agent, sandbox, name):
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = agent.cookies
    response = strict.post(ADDRESSES[name], {"api_key": keys.COLLEAGUE})
    assert response.status_code == 403
    assert "Nothing was changed." in response.content.decode()
    assert sandbox.calls == []
    assert strict.get("/activity/").status_code == 200  # still signed in


def test_every_change_is_a_form_on_some_page(agent, colleague):
    """Otherwise only somebody who knows its address could make it."""
    agent.user.is_staff = True
    agent.user.save()
    make_agent("disabled", is_active=False)
    pages = ["/tickets/", "/settings/key/", "/accounts/sessions/", "/agents/"]
    pages.append(f"/agents/{colleague.user.pk}/second-step/")
    html = "".join(agent.get(page).content.decode() for page in pages)
    actions = re.findall(r'<form [^>]*method="post" action="([^"?]+)', html)
    assert set(FORMS) - {resolve(action).url_name for action in actions} == set()


def test_every_form_of_ours_that_changes_something_has_our_token():
    """Tests would not notice its absence: Django's test client sends no token, and is not asked for one."""
    for template in (Path(__file__).parent.parent / "templates").rglob("*.html"):
        for form in re.findall(r'<form\b[^>]*method="post".*?</form>', template.read_text(), re.DOTALL):
            assert re.search(r"csrf_input|page_fields|_composer_token", form), template


def test_a_page_of_ours_that_has_expired_gets_the_token_of_now_and_is_told_whose_it_is(agent):
    """No other site can send the request's headers or read the answer."""
    agent.handler.enforce_csrf_checks = True
    response = agent.htmx_post(ADDRESSES["draft"], {"message": "Kept?"})
    assert response.status_code == 403
    assert "Copy what you have written" in response.content.decode()
    assert response.headers["X-Agent"] == "agent"
    form = {"message": "Kept?", "csrfmiddlewaretoken": response.headers["X-CSRF-Token"]}
    assert agent.htmx_post(ADDRESSES["draft"], form).status_code == 200
    assert "X-CSRF-Token" not in agent.post(ADDRESSES["draft"], {"message": "Kept?"}).headers


@pytest.mark.parametrize("name", PRIVATE)
def test_a_form_of_somebody_without_a_key_is_answered(newcomer, name):
    """The key may have been removed in another tab."""
    assert newcomer.post(PRIVATE[name], {"message": "Kept?"}).status_code < 500


@pytest.mark.parametrize("name", ADDRESSES)
def test_every_answer_has_the_headers(agent, name):
    response = agent.get(ADDRESSES[name])
    assert_has_our_headers(response)
    assert "no-store" in response.headers["Cache-Control"]


def what_is_kept():
    """Return every agent and all their data, except the departments, which a page may look up, and log entries
    about refused requests."""
    rows = [row for model in (get_user_model(), *apps.get_app_config("tickets").get_models())
            for row in model.objects.order_by("pk").values()]  # fmt: skip
    kept = [row for row in rows if row.get("action") not in ("denied", "forged")]
    return [{name: value for name, value in row.items() if name not in departments.FIELDS} for row in kept]


@pytest.mark.parametrize("name", ADDRESSES)
def test_no_method_breaks_an_address_or_changes_something_unasked(agent, visitor, sandbox, name):
    """A request that is no POST, or lacks our token, changes nothing, here or at HostUp."""
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = agent.cookies
    before = what_is_kept()
    for method, browser in product(METHODS, (visitor, strict)):
        response = browser.generic(method, ADDRESSES[name], "message=x&api_key=x", FORM)
        assert response.status_code < 500, method
        assert_has_our_headers(response)
        if browser is strict and method not in READING:
            assert response.status_code in (403, 405), method
    assert what_is_kept() == before
    assert {call.method for call in sandbox.calls} <= {"GET"}


NOT_THERE = ["/nothing/here/", "/accounts/signup/", "/admin/", "/accounts/password/reset/", "/static/nothing.js"]


@pytest.mark.parametrize("path", NOT_THERE)
def test_what_is_not_there_is_worded_and_has_the_headers(agent, path):
    response = agent.get(path)
    assert response.status_code == 404
    assert "There is no such page" in response.content.decode()
    assert_has_our_headers(response)
    assert "no-store" in response.headers["Cache-Control"]
    assert "HX-Request" in response.headers["Vary"]


@pytest.mark.parametrize("ask", ["post", "htmx_post"])
@pytest.mark.parametrize("path", ["/tickets/new/", f"/tickets/{SAMPLE_ID}/reply/"])
def test_more_text_than_is_read_at_once_is_called_that(agent, sandbox, ask, path):
    response = getattr(agent, ask)(path, {"message": "x" * 3_000_000})
    assert response.status_code == 413
    assert "That is too much text at once" in response.content.decode()
    assert_has_our_headers(response)
    assert sandbox.calls == []


def test_more_files_than_are_read_at_once_are_called_that(agent, sandbox):
    files = [SimpleUploadedFile("log.txt", b"x") for _ in range(101)]
    response = agent.post(f"/tickets/{SAMPLE_ID}/reply/", {"message": "Here.", "files": files})
    assert response.status_code == 413
    assert f"at most {MOST_FILES} files" in response.content.decode()
    assert sandbox.calls == []


@pytest.mark.parametrize(("headers", "status"), [({}, 404), ({"Host": "evil.example"}, 400)])
def test_a_form_that_cannot_be_read_does_not_break_the_error_page(visitor, headers, status):
    response = visitor.generic("POST", "/nothing/here/", b"x", "multipart/form-data", headers=headers)
    assert response.status_code == status
    assert_has_our_headers(response)


def test_an_error_for_htmx_is_a_fragment(agent):
    response = agent.htmx_get("/nothing/here/")
    assert response.status_code == 404
    assert "<html" not in response.content.decode()


@pytest.mark.parametrize("ask", ["get", "htmx_get", "htmx_post"])
@pytest.mark.parametrize(("error", "status", "words"), [
    (DatabaseError("the disk is full"), 503, "The dashboard&#39;s storage is not responding"),
    (ZeroDivisionError("a mistake"), 500, "Something broke in the dashboard"),
])  # fmt: skip
def test_what_breaks_is_worded_even_without_a_database(agent, monkeypatch, ask, error, status, words):
    def breaks(*arguments, **named):
        raise error

    agent.raise_request_exception = False
    monkeypatch.setattr("hostup_dashboard.accounts.session_store.SessionStore.load", breaks)
    response = getattr(agent, ask)("/activity/")
    assert response.status_code == status
    html = response.content.decode()
    assert words in html
    assert response.headers.get("Retry-After") == ("10" if status == 503 else None)
    assert ("<html" in html) == (ask == "get")
    assert_has_our_headers(response)


def test_a_foreign_host_is_refused(agent):
    response = agent.get("/tickets/", headers={"Host": "evil.example"})
    assert response.status_code == 400
    assert_has_our_headers(response)


def test_signing_in_and_out(db, visitor):
    make_agent()
    page = visitor.get("/accounts/login/?next=/activity/")
    assert "Username" in page.content.decode()
    wrong = visitor.post("/accounts/login/", {"login": "anna", "password": "wrong"})
    assert 'role="alert"' in wrong.content.decode()
    right = visitor.post("/accounts/login/", {"login": "anna", "password": PASSWORD, "next": "/activity/"})
    assert right.headers["Location"] == "/activity/"
    assert visitor.post("/accounts/logout/").status_code == 302
    assert visitor.get("/activity/").status_code == 302


def test_a_wrong_name_and_a_wrong_password_have_the_same_answer(db, visitor):
    """Otherwise anybody could find out who works here."""
    make_agent()
    make_agent("disabled", is_active=False)

    def answer(name):
        response = visitor.post("/accounts/login/", {"login": name, "password": "wrong"})
        html = response.content.decode()
        assert html.count(f'value="{name}"') == 1
        token = r'(?<=name="csrfmiddlewaretoken" value=")\w+'
        return response.status_code, re.sub(token, "", html.replace(f'value="{name}"', 'value=""'))

    assert answer("anna") == answer("nobody") == answer("disabled")


@pytest.mark.parametrize(
    "form", [{"login": "anna", "password": "with a \0"}, {"login": "x" * 200, "password": "x"}]
)
def test_what_can_be_no_name_or_password_is_said(db, visitor, form):
    assert 'class="field-error"' in visitor.post("/accounts/login/", form).content.decode()


def test_signing_in_never_leads_to_another_site(db, visitor):
    make_agent()
    form = {"login": "anna", "password": PASSWORD, "next": "https://evil.example/"}
    assert visitor.post("/accounts/login/", form).headers["Location"] == "/tickets/"


def test_guessing_a_password_is_slowed_down(db, visitor):
    make_agent()
    for _ in range(6):
        assert visitor.post("/accounts/login/", {"login": "anna", "password": "wrong"}).status_code in (422, 429)
    response = visitor.post("/accounts/login/", {"login": "anna", "password": PASSWORD})
    assert (response.status_code, response.headers["Retry-After"]) == (429, "300")
    assert "Too many failed attempts. Wait a few minutes, then try again." in response.content.decode()
    assert visitor.get("/activity/").status_code == 302


def test_asking_too_often_says_when_to_come_again(db, visitor):
    responses = [visitor.post("/accounts/login/", {"login": f"nobody{i}"}) for i in range(31)]  # the limit is 30
    assert (responses[-1].status_code, responses[-1].headers["Retry-After"]) == (429, "60")


def test_a_disabled_agent_is_out(agent):
    agent.user.is_active = False
    agent.user.save()
    assert agent.get("/tickets/").status_code == 302


def test_health_needs_nobody_and_nothing(visitor, sandbox):
    assert visitor.get("/healthz").content == b"ok\n"
    assert visitor.get("/readyz").json() == {"database": True, "cache": True, "keys": True}
    assert sandbox.calls == []


def test_health_asks_no_database_who_is_asking(agent, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert agent.get("/healthz").status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/accounts/login/"])
def test_a_cookie_that_no_database_can_be_asked_for_is_no_session(visitor, path):
    assert visitor.get(path, headers={"Cookie": r'sessionid="\000aaaaaaaaaaaaaaa"'}).status_code == 200


def test_a_database_without_tables_is_what_is_wrong_rather_than_its_keys(visitor):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE tickets_canary RENAME TO elsewhere")
    response = visitor.get("/readyz")
    assert (response.status_code, response.json()["database"]) == (503, False)


def test_not_ready_when_the_keys_cannot_be_read(agent, settings):
    settings.ENCRYPTION_KEYS = {"other": bytes(range(50, 82))}
    response = agent.get("/readyz")
    assert (response.status_code, response.json()["keys"]) == (503, False)
    assert agent.get("/healthz").status_code == 200


def test_a_process_with_other_keys_is_not_ready_though_nobody_has_saved_anything(visitor, settings):
    assert visitor.get("/readyz").status_code == 200
    first = settings.ENCRYPTION_KEYS
    settings.ENCRYPTION_KEYS = {"other": bytes(range(50, 82))}
    assert visitor.get("/readyz").json()["keys"] is False
    settings.ENCRYPTION_KEYS = settings.ENCRYPTION_KEYS | first
    call_command("rotate_encryption_key", stdout=StringIO())
    settings.ENCRYPTION_KEYS = {"other": settings.ENCRYPTION_KEYS["other"]}
    assert visitor.get("/readyz").status_code == 200


def test_the_first_look_with_other_keys_leaves_nothing_behind(agent, visitor, settings):
    """Otherwise `keys` would be false for ever, although the agents' pages work."""
    first = settings.ENCRYPTION_KEYS
    for is_there in (True, False):  # False: no canary yet, as an older version left it
        settings.ENCRYPTION_KEYS = {"other": bytes(range(50, 82))}
        assert visitor.get("/readyz").json()["keys"] is False
        assert Canary.objects.exists() is is_there
        settings.ENCRYPTION_KEYS = first
        assert visitor.get("/readyz").json()["keys"] is True
        Canary.objects.all().delete()


def test_other_keys_are_noticed_where_only_a_draft_is_stored(newcomer, visitor, settings):
    Canary.objects.all().delete()
    Draft.objects.keep(newcomer.user, "", {"subject": "Invoice"})
    first = settings.ENCRYPTION_KEYS
    for kid in ("other", *first):  # a key of another name, and another key of the same name
        settings.ENCRYPTION_KEYS = {kid: bytes(range(50, 82))}
        assert visitor.get("/readyz").json()["keys"] is False
    settings.ENCRYPTION_KEYS = first
    assert visitor.get("/readyz").json()["keys"] is True


def test_migrating_marks_a_new_database_with_its_keys_and_no_other(newcomer, settings):
    Canary.objects.all().delete()
    call_command("migrate", verbosity=0)
    assert Canary.objects.get().decrypt()
    first = settings.ENCRYPTION_KEYS
    Draft.objects.keep(newcomer.user, "", {"subject": "Invoice"})
    settings.ENCRYPTION_KEYS = {"other": bytes(range(50, 82))}
    call_command("migrate", verbosity=0)
    Canary.objects.all().delete()
    call_command("migrate", verbosity=0)
    assert not Canary.objects.exists()
    settings.ENCRYPTION_KEYS = first
    Canary.verify()


def test_a_database_goes_to_any_migration_and_back(tmp_path):
    """The receiver of `post_migrate` has to cope with the tables of earlier migrations."""
    steps = (
        "from django.core.management import call_command\n"
        "for to in (['tickets', '0001'], ['tickets', '0002'], [], ['tickets', 'zero']):\n"
        "    call_command('migrate', *to, verbosity=0)"
    )
    done = run("manage.py", "shell", "-c", steps, DATABASE_URL=f"sqlite:///{tmp_path / 'db.sqlite3'}")
    assert done.returncode == 0, done.stderr


def test_the_screen_says_sandbox_only_when_it_is(agent, settings):
    assert ">Sandbox<" in agent.get("/activity/").content.decode()
    settings.HOSTUP_IS_SANDBOX = False
    assert ">Sandbox<" not in agent.get("/activity/").content.decode()
