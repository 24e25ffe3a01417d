"""A session: where it is, how long it lasts, how it ends."""

import threading
import time

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client

from tests.accounts.people import HOUR, MINUTE, PASSWORD, SESSIONS, age, is_in, make_agent, sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def anna(sandbox):
    return make_agent()


def test_signing_in_gives_a_session_of_another_name(client):
    client.get("/accounts/login/")
    session = client.session
    session["planted"] = True
    session.save()
    planted = session.session_key
    browser = sign_in()
    assert browser.session.session_key != planted
    client.post("/accounts/login/", {"login": "anna", "password": PASSWORD})
    assert client.session.session_key != planted


def test_an_hour_without_use_ends_it():
    browser = sign_in()
    assert is_in(browser)
    age(browser, seen_at=59 * MINUTE)
    assert is_in(browser)
    age(browser, seen_at=61 * MINUTE)
    assert not is_in(browser)


def test_what_has_expired_is_deleted_when_somebody_signs_in():
    """Sessions of visitors who never come back, too, so that nobody has to run a job for it."""
    for browser in (Client(), sign_in()):
        session = browser.session
        session["seen"] = True
        session.set_expiry(-1)
        session.save()
    assert Session.objects.count() == 2
    here = sign_in()
    for kept in (Session, UserSession):  # the sessions, and where they came from
        assert [session.session_key for session in kept.objects.all()] == [here.session.session_key]


def test_use_keeps_it_going_but_not_beyond_twelve_hours():
    browser = sign_in()
    is_in(browser)
    age(browser, seen_at=30 * MINUTE, began_at=11 * HOUR)
    assert is_in(browser)
    assert time.time() - browser.session["seen_at"] < MINUTE
    age(browser, began_at=12 * HOUR + 1)
    assert not is_in(browser)
    assert Session.objects.count() <= 1  # the old one is gone from the server, too


def test_a_session_is_not_written_with_every_page(agent):
    agent.get("/accounts/sessions/")
    before = agent.session["seen_at"]
    agent.get("/activity/")
    assert agent.session["seen_at"] == before


@pytest.mark.django_db(transaction=True)
def test_a_page_that_takes_long_undoes_nothing_of_the_session(agent, sandbox):
    """For example, it keeps the secret of an app that is being set up in another tab."""
    age(agent, seen_at=2 * MINUTE)

    def ask_for_tickets():
        assert agent.get("/tickets/").status_code == 200
        connection.close()

    sandbox.fault(delay=0.5)
    asking = threading.Thread(target=ask_for_tickets)
    asking.start()
    while not sandbox.calls:
        time.sleep(0.01)
    session = agent.session
    session["noted"] = "meanwhile"
    session.save()
    asking.join()
    assert agent.session["noted"] == "meanwhile"
    assert time.time() - agent.session["seen_at"] < MINUTE


def test_a_clock_that_was_ahead_leaves_no_session_alive(agent):
    age(agent, seen_at=-2 * HOUR)
    assert not is_in(agent)


def test_an_ended_session_comes_back_to_the_same_page():
    browser = sign_in()
    is_in(browser)
    age(browser, seen_at=2 * HOUR)
    answer = browser.get("/tickets/149943/?status=closed")
    assert answer.headers["Location"] == "/accounts/login/?next=/tickets/149943/%3Fstatus%3Dclosed"


def test_one_sees_where_one_is_signed_in_and_ends_it_all():
    here, there = sign_in(headers={"User-Agent": "Here/1"}), sign_in(headers={"User-Agent": "There/2"})
    html = here.get(SESSIONS).content.decode()
    assert html.count("<bdi>Here/1</bdi>") == html.count("<bdi>There/2</bdi>") == 1
    assert html.count("This browser") == 1
    answer = here.post("/accounts/sessions/end/")
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert not is_in(here)
    assert not is_in(there)


def test_over_a_unix_socket_whoever_does_not_say_for_whom_it_comes_is_this_machine():
    """As over TCP from a proxy on this machine: if `SITE_URL` is plain http, no header says otherwise."""
    browser = sign_in(REMOTE_ADDR="", headers={"X-Forwarded-For": "192.0.2.1"})
    assert is_in(browser)
    assert "127.0.0.1" in browser.get(SESSIONS).content.decode()


def test_over_a_unix_socket_guessing_is_slowed_down():
    for number in range(11):
        guess = sign_in(f"nobody{number}", "wrong", REMOTE_ADDR="").answer
    assert guess.status_code == 429


def test_a_session_that_has_ended_is_not_among_them():
    here = sign_in()
    for marks in ({"seen_at": 61 * MINUTE}, {"began_at": 12 * HOUR + 1}):
        age(sign_in(headers={"User-Agent": "Ended/1"}), **marks)
    html = here.get(SESSIONS).content.decode()
    assert html.count("This browser") == 1
    assert "Ended/1" not in html


def test_one_does_not_see_another_s_sessions():
    make_agent("berit")
    sign_in("berit", headers={"User-Agent": "Hers/1"})
    assert "Hers/1" not in sign_in().get(SESSIONS).content.decode()


def test_signing_out_has_the_browser_forget():
    browser = sign_in()
    answer = browser.post("/accounts/logout/")
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert "no-store" in answer.headers["Cache-Control"]


def test_a_new_password_ends_the_other_sessions():
    here, there = sign_in(), sign_in()
    new = "another-long-password-of-the-tests"
    form = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert "Password changed." in here.post("/accounts/password/", form, follow=True).content.decode()
    assert is_in(here)
    assert not is_in(there)
    assert is_in(sign_in(password=new))


def guess_at_the_old_password(browser, old="wrong"):
    new = "another-long-password-of-the-tests"
    return browser.post(
        "/accounts/password/", {"oldpassword": old, "password1": new, "password2": new}
    ).status_code


def test_guessing_at_the_old_password_is_slowed_down_as_signing_in_is():
    browser = sign_in()
    assert [guess_at_the_old_password(browser) for _ in range(5)] == [422] * 5
    assert guess_at_the_old_password(browser, PASSWORD) == 429
    assert sign_in().answer.status_code == 429  # the name has had its five guesses
    assert [sign_in(f"nobody-{number}", "wrong").answer.status_code for number in range(4)] == [422] * 4
    assert sign_in("nobody-4", "wrong").answer.status_code == 429  # the address has had its ten guesses


def test_a_wrong_old_password_is_called_that():
    fields = {"oldpassword": "wrong", "password1": "x", "password2": "x"}
    assert "Incorrect password." in sign_in().post("/accounts/password/", fields).content.decode()


def test_the_right_old_password_is_no_guess():
    browser = sign_in()
    for _ in range(5):
        form = {"oldpassword": PASSWORD, "password1": "short", "password2": "short"}
        assert browser.post("/accounts/password/", form).status_code == 422
    assert is_in(sign_in())


def test_a_password_of_before_can_be_changed(anna):
    """It is hashed anew as soon as it is typed, so its hash changes."""
    browser = sign_in()
    anna.password = make_password(PASSWORD, hasher="pbkdf2_sha256")
    anna.save()
    session = browser.session
    session[HASH_SESSION_KEY] = anna.get_session_auth_hash()
    session.save()
    assert guess_at_the_old_password(browser, PASSWORD) == 302
    assert is_in(browser)
    assert is_in(sign_in(password="another-long-password-of-the-tests"))


@pytest.mark.parametrize("new", ["short", "qwerty123456"])
def test_a_password_that_is_easy_to_guess_is_refused(new):
    browser = sign_in()
    form = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    answer = browser.post("/accounts/password/", form)
    assert answer.status_code == 422
    assert 'class="field-error"' in answer.content.decode()


def test_a_password_of_before_is_hashed_anew_when_its_agent_signs_in(anna, costly_passwords):
    anna.password = make_password(PASSWORD, hasher="pbkdf2_sha256")
    anna.save()
    assert is_in(sign_in())
    anna.refresh_from_db()
    assert anna.password.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert is_in(sign_in())
