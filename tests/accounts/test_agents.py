"""The administrators' page: agents get in through a link, and lose their access at once."""

import io
import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.test import Client

from hostup_dashboard.accounts.hashers import Argon2
from sandbox.special_tickets import SAMPLE_ID
from tests.accounts.people import (
    AUTHENTICATE,
    PASSWORD,
    choose_password,
    code_for,
    is_in,
    link_in,
    make_agent,
    set_up_app,
    sign_in,
)
from tickets.models import Activity, ApiKey, Draft

pytestmark = pytest.mark.django_db

URL = "/agents/"


@pytest.fixture(autouse=True)
def anna(sandbox):
    return make_agent()


@pytest.fixture
def boss():
    make_agent("boss", is_staff=True)
    return sign_in("boss")


def test_a_new_agent_chooses_a_password_with_the_link_and_signs_in(boss):
    link = link_in(boss.post(URL, {"username": "carin"}))
    assert not is_in(sign_in("carin"))
    browser, answer = choose_password(link)
    assert answer.headers["Location"] == "/accounts/password/chosen/"
    said = browser.get("/accounts/password/chosen/").content.decode()
    assert "<h1>Password saved</h1>" in said
    assert 'class="toast' not in said
    assert is_in(sign_in("carin"))


def test_a_link_has_the_address_that_people_type_whatever_it_was_asked_for_by(boss):
    answer = boss.post(URL, {"username": "carin"}, headers={"host": "localhost:8000"})
    assert f">{settings.SITE.origin}/accounts/password/" in answer.content.decode()


def names_her(browser, link) -> bool:
    return "carin" in browser.get(link, follow=True).content.decode()


def test_a_link_says_whose_password_it_is_while_it_works(boss):
    link = link_in(boss.post(URL, {"username": "carin"}))
    assert names_her(Client(), link)
    assert not names_her(Client(), link.replace("-", "-x", 1))
    browser, _ = choose_password(link)
    assert names_her(browser, "/accounts/password/chosen/")
    assert not names_her(browser, "/accounts/password/chosen/")  # for the next person at this computer
    assert not names_her(browser, link)
    assert not names_her(Client(), "/accounts/password/chosen/")


def test_password_managers_are_told_whose_password_is_changed(anna):
    page = sign_in().get("/accounts/password/").content.decode()
    assert re.search('<input [^>]*autocomplete="username" value="anna" readonly>', page)


def test_a_link_works_once(boss):
    link = link_in(boss.post(URL, {"username": "carin"}))
    choose_password(link)
    page = Client().get(link, follow=True).content.decode()
    assert "This link does not work any more" in page
    assert ">Back to sign-in</a>" in page


def works(link) -> bool:
    return "This link does not work any more" not in Client().get(link, follow=True).content.decode()


@pytest.mark.parametrize("username", ["anna", "carin"])  # one has a password, the other none yet
def test_a_new_link_withdraws_the_one_before(boss, username):
    boss.post(URL, {"username": "carin"})
    invite = f"{URL}{get_user_model().objects.get(username=username).pk}/invite/"
    first, second = link_in(boss.post(invite)), link_in(boss.post(invite))
    assert not works(first)
    assert works(second)
    assert is_in(sign_in())  # the password stays until another is chosen


def test_another_secret_key_ends_all_sessions_and_links(boss, settings):
    """Even those that come back with a restored backup."""
    link = link_in(boss.post(URL, {"username": "carin"}))
    assert (is_in(boss), works(link)) == (True, True)
    settings.SECRET_KEY = "another-key-that-only-these-tests-use-0123456789"
    assert (is_in(boss), works(link)) == (False, False)


def test_disabling_ends_a_link_for_good(boss, anna):
    link = link_in(boss.post(f"{URL}{anna.pk}/invite/"))
    under_way = Client()
    form = under_way.get(link, follow=True).request["PATH_INFO"]
    boss.post(f"{URL}{anna.pk}/disable/")
    assert not works(link)
    under_way.post(form, {"password1": "an-entirely-new-password", "password2": "an-entirely-new-password"})
    boss.post(f"{URL}{anna.pk}/enable/")
    assert not works(link)
    assert is_in(sign_in())


def test_an_agent_who_was_disabled_past_this_page_has_no_link_either(boss, anna):
    link = link_in(boss.post(f"{URL}{anna.pk}/invite/"))
    get_user_model().objects.update(is_active=False)
    assert not works(link)


@pytest.fixture
def while_hashing(monkeypatch):
    """Return a function that makes something happen while the next password is hashed, which takes a while."""

    def do(something):
        encode = Argon2.encode

        def interrupted(*args):
            monkeypatch.undo()
            something()
            return encode(*args)

        monkeypatch.setattr(Argon2, "encode", interrupted)

    return do


def test_a_link_pressed_in_two_browsers_at_once_works_once(boss, while_hashing):
    link = link_in(boss.post(URL, {"username": "carin"}))
    while_hashing(lambda: choose_password(link, "the-first-of-two-passwords"))
    _, answer = choose_password(link, "the-second-of-two-passwords")
    page = Client().get(answer.headers["Location"], follow=True).content.decode()
    assert "This link does not work any more" in page
    assert is_in(sign_in("carin", "the-first-of-two-passwords"))
    assert not is_in(sign_in("carin", "the-second-of-two-passwords"))


def test_an_agent_disabled_while_choosing_a_password_stays_disabled(boss, anna, while_hashing):
    link = link_in(boss.post(f"{URL}{anna.pk}/invite/"))
    while_hashing(lambda: boss.post(f"{URL}{anna.pk}/disable/"))
    choose_password(link, "an-entirely-new-password")
    assert not is_in(sign_in(password="an-entirely-new-password"))


@pytest.mark.parametrize("typed", ["åsa_é%\\", "ÅSA_É%\\"])
def test_an_agent_signs_in_in_whatever_capitals(typed):
    make_agent("Åsa_é%\\")
    assert is_in(sign_in(typed))


@pytest.mark.parametrize("typed", ["Åsa__k", "Åsa%", "%", "______", "Asa_ék", "Åſa_ék", "Åsa_é\N{KELVIN SIGN}"])
def test_no_other_name_is_taken_for_an_agent_s(typed):
    make_agent("Åsa_ék")
    assert not is_in(sign_in(typed))


def test_a_link_works_for_a_day(boss, settings):
    link = link_in(boss.post(URL, {"username": "carin"}))
    settings.PASSWORD_RESET_TIMEOUT = -1
    assert "This link does not work any more" in Client().get(link, follow=True).content.decode()


def test_a_weak_password_is_refused_there_too(boss):
    _, answer = choose_password(link_in(boss.post(URL, {"username": "carin"})), "carin")
    assert 'class="field-error"' in answer.content.decode()


def test_disabling_ends_every_session_at_once(boss, anna):
    here, there = sign_in(), sign_in()
    answer = boss.post(f"{URL}{anna.pk}/disable/", follow=True)
    assert "anna is disabled and signed out everywhere." in answer.content.decode()
    assert not is_in(here)
    assert not is_in(there)
    assert not is_in(sign_in())
    boss.post(f"{URL}{anna.pk}/enable/")
    assert is_in(sign_in())
    assert not is_in(here)


def test_an_administrator_reads_that_a_key_outlives_its_agent_s_access(boss, anna, agent):
    told = "HostUp does not know: their API key works there until it is revoked."
    assert told not in boss.post(f"{URL}{anna.pk}/disable/", follow=True).content.decode()  # anna has none
    assert told in boss.post(f"{URL}{agent.user.pk}/disable/", follow=True).content.decode()


def test_of_a_forgotten_agent_a_number_is_left(boss, agent):
    """The whole database is searched for everything that was kept about them."""
    anna = agent.user
    anna.first_name, anna.last_name, anna.email = "Annalisa", "Annason", "annalisa@example.com"
    anna.set_password(PASSWORD)
    anna.save()
    set_up_app(sign_in("agent", REMOTE_ADDR="192.0.2.77"))
    agent.htmx_post("/tickets/tkt_01/draft/", {"message": "Half a sentence"})
    agent.htmx_post(f"/tickets/{SAMPLE_ID}/reopen/", {"status": "closed"})
    kept = '"agent"', '"Annalisa', '"Annason', '"annalisa@', '"192.0.2.77'
    assert all(name in everything() for name in kept)
    with pytest.raises(CommandError, match="agent is not disabled"):
        call_command("forget_agent", "agent")

    boss.post(f"/agents/{anna.pk}/disable/")
    call_command("forget_agent", "agent", stdout=io.StringIO())
    assert [name for name in kept if name in everything()] == []
    for model in (ApiKey, Draft, Authenticator, UserSession):
        assert not model.objects.filter(user=anna).exists()
    assert not get_user_model().objects.get(pk=anna.pk).has_usable_password()
    assert f"former-{anna.pk}" in boss.get(f"/activity/?ticket={SAMPLE_ID}").content.decode()
    with pytest.raises(CommandError, match="There is no agent called agent"):
        call_command("forget_agent", "agent")


def everything() -> str:
    """Return all that the database holds, as JSON."""
    written = io.StringIO()
    call_command("dumpdata", exclude=["contenttypes", "auth.permission", "sessions"], stdout=written)
    return written.getvalue()


def test_who_waits_at_the_second_step_when_disabled_is_not_signed_in_once_enabled_either(boss, anna):
    secret = set_up_app(sign_in())
    waiting = sign_in()
    boss.post(f"{URL}{anna.pk}/disable/")
    waiting.post(AUTHENTICATE, {"code": code_for(secret)})
    assert Activity.objects.filter(user=anna, action="signed_in").count() == 1  # the one that set up the app
    boss.post(f"{URL}{anna.pk}/enable/")
    assert not is_in(waiting)


def test_an_administrator_is_not_locked_out_by_a_slip(boss):
    me = get_user_model().objects.get(username="boss")
    assert "You cannot disable yourself." in boss.post(f"{URL}{me.pk}/disable/", follow=True).content.decode()
    assert is_in(boss)


def test_a_lost_phone_is_no_end(boss, anna):
    set_up_app(sign_in())
    assert not is_in(sign_in())
    reset = f"{URL}{anna.pk}/second-step/"
    assert f'href="{reset}"' in boss.get(URL).content.decode()
    assert "<strong>anna</strong> is signed out everywhere" in boss.get(reset).content.decode()
    assert not is_in(sign_in())  # so far nobody has confirmed it
    boss.post(reset)
    assert is_in(sign_in())


def test_an_administrator_does_not_reset_their_own_second_step_by_a_slip(boss):
    set_up_app(boss)
    assert "Reset second step" not in boss.get(URL).content.decode()


def test_a_lost_password_gets_a_new_link(boss, anna):
    _, answer = choose_password(link_in(boss.post(f"{URL}{anna.pk}/invite/")), "an-entirely-new-password")
    assert answer.status_code == 302
    assert not is_in(sign_in())
    assert is_in(sign_in(password="an-entirely-new-password"))


@pytest.mark.parametrize("username", ["anna", "nobody"])
def test_who_has_forgotten_the_password_is_told_whom_to_ask(username):
    html = sign_in(username, "forgotten").answer.content.decode()
    assert "Forgotten your password? Ask an administrator for a new link." in html


@pytest.mark.parametrize(
    "fields",
    [
        {"username": "anna"},
        {"username": "Anna"},
        {"username": "åsa"},
        {"username": "\N{FULLWIDTH LATIN CAPITAL LETTER A}nna"},  # saved as "Anna"
        {"username": ""},
        {"username": "x", "email": "a@example.com"},
    ],
)
def test_what_cannot_be_an_agent_is_said(boss, fields):
    make_agent("Åsa", email="A@example.com")
    answer = boss.post(URL, fields)
    assert answer.status_code == 422
    assert 'class="field-error"' in answer.content.decode()


def test_an_administrator_made_on_the_server_has_no_agent_s_name(anna):
    with pytest.raises(CommandError, match="already exists"):
        call_command("createsuperuser", interactive=False, username="Anna", email="")
    assert is_in(sign_in("anna"))


def test_create_agent_pressed_twice_at_once_makes_one(boss, monkeypatch):
    """The other press finishes after this form has been checked and before it is saved."""
    monkeypatch.setattr(get_user_model(), "set_unusable_password", lambda agent: make_agent(agent.username))
    answer = boss.post(URL, {"username": "carin"})
    assert answer.status_code == 422
    assert "A user with that username already exists." in answer.content.decode()
    assert 'value="carin"' in answer.content.decode()
    assert get_user_model().objects.filter(username="carin").count() == 1


def test_an_agent_with_an_address_sets_up_a_second_step(boss):
    """We send no mail, so nobody has a verified address."""
    link = link_in(boss.post(URL, {"username": "carin", "email": "carin@example.com"}))
    choose_password(link)
    set_up_app(sign_in("carin"))
    assert not is_in(sign_in("carin"))


def test_more_than_the_form_asks_for_is_not_taken(boss):
    fields = {"username": "carin", "is_staff": "on", "is_superuser": "on", "password": PASSWORD}
    boss.post(URL, fields)
    carin = get_user_model().objects.get(username="carin")
    assert (carin.is_staff, carin.is_superuser, carin.has_usable_password()) == (False, False, False)


@pytest.mark.parametrize("action", ["", "1/invite/", "1/disable/", "1/enable/", "1/second-step/"])
def test_only_administrators_do_this(anna, action):
    browser = sign_in()
    assert browser.post(URL + action).status_code == 403
    assert browser.get(URL).status_code == 403
    assert browser.get(f"{URL}1/second-step/").status_code == 403
    assert "Agents</a>" not in browser.get("/activity/").content.decode()


def test_who_is_no_administrator_is_told_so_and_can_go_on():
    html = sign_in().get(URL).content.decode()
    assert "<h1>This page is for administrators</h1>" in html
    assert "Reload the page" not in html
    assert '<a href="/tickets/">All tickets</a>' in html


def test_who_is_disabled_can_sign_in_as_somebody_else(boss, anna):
    boss.post(f"{URL}{anna.pk}/disable/")
    browser = sign_in()
    html = browser.get(browser.answer.headers["Location"]).content.decode()
    assert "This account is disabled" in html
    assert 'href="/accounts/login/">Back to sign-in</a>' in html


def let_a_while_pass(browser):
    session = browser.session
    for record in session["account_authentication_methods"]:
        record["at"] -= 600
    session.save()


def test_an_administrator_is_asked_for_the_password_after_a_while(boss, anna):
    let_a_while_pass(boss)
    answer = boss.post(f"{URL}{anna.pk}/disable/")
    assert answer.headers["Location"] == "/accounts/reauthenticate/?next=%2Fagents%2F%3Fundone%3D"
    assert is_in(sign_in())
    page = boss.get(answer.headers["Location"]).content.decode()
    assert "Nothing has been changed yet. After this, repeat" in page
    back = boss.post(answer.headers["Location"], {"password": PASSWORD}, follow=True).content.decode()
    assert 'class="toast info">Nothing has been changed yet. If you still want it, do it again.' in back
    boss.post(f"{URL}{anna.pk}/disable/")
    assert not is_in(sign_in())


def test_a_second_step_is_reset_by_confirming_once_also_after_a_while(boss, anna):
    set_up_app(sign_in())
    let_a_while_pass(boss)
    reset = f"{URL}{anna.pk}/second-step/"
    ask = boss.get(reset).headers["Location"]
    assert "Nothing has been changed yet" not in boss.get(ask).content.decode()
    answer = boss.post(ask, {"password": PASSWORD})
    assert answer.headers["Location"] == reset
    assert "<strong>anna</strong> is signed out everywhere" in boss.get(reset).content.decode()
    assert "with the password alone now." in boss.post(reset, follow=True).content.decode()
    assert is_in(sign_in())


def test_what_was_typed_of_a_new_agent_is_there_after_the_password(boss):
    let_a_while_pass(boss)
    ask = boss.post(URL, {"username": "nina", "email": "nina@example.com"}).headers["Location"]
    answer = boss.post(ask, {"password": PASSWORD})
    html = boss.get(answer.headers["Location"]).content.decode()
    assert 'value="nina"' in html
    assert 'value="nina@example.com"' in html
    assert "nina" not in boss.get(URL).content.decode()  # it is filled in once


def test_a_link_writes_nothing_into_the_form(boss):
    """An administrator who then pressed *Create agent* would let in whoever made the link."""
    html = boss.get(f"{URL}?username=mallory&email=mallory@example.com&undone=").content.decode()
    assert "mallory" not in html
