"""The second step of signing in: an authenticator app, recovery codes. Passkeys are tested in a real browser."""

import re
import time
from io import StringIO

import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.mfa.base.forms import BaseAuthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP
from django.core.cache import cache
from django.core.management import call_command

from tests.accounts.people import (
    ACCOUNT,
    ACTIVATE,
    AUTHENTICATE,
    PASSWORD,
    SIGN_IN,
    code_for,
    is_in,
    make_agent,
    recovery_codes,
    set_up_app,
    set_up_app_with_code,
    sign_in,
)
from tests.agents import Agent
from tickets.models import Draft

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def anna(sandbox):
    return make_agent()


def signed_in_with(code):
    browser = sign_in()
    browser.answer = browser.post(AUTHENTICATE, {"code": code})
    return browser


def test_the_password_alone_is_not_enough_any_more():
    secret = set_up_app(sign_in())
    browser = sign_in(at="/accounts/login/?next=/tickets/149943/")
    assert browser.answer.headers["Location"].startswith(AUTHENTICATE)
    assert not is_in(browser)
    answer = browser.post(AUTHENTICATE, {"code": code_for(secret)})
    assert answer.status_code == 302
    assert is_in(browser)


def test_a_wrong_code_does_not_let_in_and_guessing_is_slowed_down():
    secret = set_up_app(sign_in())
    browser = sign_in()
    for _ in range(6):
        answer = browser.post(AUTHENTICATE, {"code": "000000"})
        assert 'class="field-error"' in answer.content.decode()
    assert browser.post(AUTHENTICATE, {"code": code_for(secret)}).status_code == 429
    assert not is_in(browser)


def test_guessing_at_the_code_that_sets_an_app_up_is_slowed_down_too():
    browser = sign_in()
    guesses = [browser.post(ACTIVATE, {"code": "000000"}) for _ in range(6)]
    assert [guess.status_code for guess in guesses] == [422] * 5 + [429]
    assert "Wait a few minutes, then try again." in guesses[-1].content.decode()


def guess(name):
    return sign_in(name, "wrong").answer.status_code


def test_one_s_own_sign_in_gives_no_more_guesses_at_others():
    own = set_up_app(sign_in())
    assert [guess(f"agent-{number}") for number in range(9)] == [422] * 9
    assert is_in(agent := signed_in_with(code_for(own)))
    agent.post("/accounts/me/totp/deactivate/")
    set_up_app(agent)
    assert [guess("agent-9"), guess("agent-10")] == [422, 429]


def test_codes_and_passwords_are_guessed_at_from_one_address_ten_times_together():
    set_up_app(sign_in())
    browser = sign_in()
    assert [browser.post(AUTHENTICATE, {"code": "000000"}).status_code for _ in range(4)] == [422] * 4
    assert [guess(f"agent-{number}") for number in range(6)] == [422] * 6
    assert browser.post(AUTHENTICATE, {"code": "000000"}).status_code == 429
    assert guess("agent-6") == 429


def test_guesses_at_a_name_that_looks_like_our_own_count_keep_nobody_from_the_second_step(anna):
    secret = set_up_app(sign_in())
    assert [guess(f"mfa-auth-user-{anna.pk}") for _ in range(6)] == [422] * 5 + [429]
    assert is_in(signed_in_with(code_for(secret)))


def test_guesses_at_one_name_stay_counted_however_many_others_are_guessed_at():
    assert [guess("anna") for _ in range(6)] == [422] * 5 + [429]
    for number in range(5_000):
        cache.set(f"guesses-at-name-{number}", [1.0], 300)
    assert guess("anna") == 429


def test_cancelling_it_lets_another_agent_sign_in_from_the_same_browser():
    set_up_app(sign_in())
    make_agent("berit")
    browser = sign_in()
    browser.get("/accounts/logout/")  # a GET cancels nothing
    assert browser.get(SIGN_IN).headers["Location"].startswith(AUTHENTICATE)
    assert browser.post("/accounts/logout/").headers["Location"] == SIGN_IN
    assert browser.get(SIGN_IN).status_code == 200
    browser.post(SIGN_IN, {"login": "berit", "password": PASSWORD})
    assert is_in(browser)


def test_an_answer_without_a_code_is_no_error_of_ours():
    set_up_app(sign_in())
    browser = sign_in()
    assert browser.post(AUTHENTICATE, {}).status_code == 422
    assert not is_in(browser)


def test_a_code_is_good_for_one_use():
    secret = set_up_app(sign_in())
    code = code_for(secret)
    assert sign_in().post(AUTHENTICATE, {"code": code}).status_code == 302
    assert sign_in().post(AUTHENTICATE, {"code": code}).status_code == 422


@pytest.mark.parametrize("between", ["", " ", "-"])
def test_a_used_code_is_not_good_again_in_the_half_minutes_beside_its_own(anna, between):
    secret = set_up_app(sign_in())
    code = code_for(secret)
    sign_in().post(AUTHENTICATE, {"code": code})
    cache.delete(f"allauth.mfa.totp.used?user={anna.pk}&code={code}")  # as after half a minute
    assert not is_in(after := sign_in())
    assert after.post(AUTHENTICATE, {"code": f"{code[:3]}{between}{code[3:]}"}).status_code == 422
    assert not is_in(after)


def test_a_used_code_stays_used_though_the_cache_forgets():
    """Where each server process has a cache of its own, the code may have been used in another process."""
    secret = set_up_app(sign_in())
    code = code_for(secret)
    assert is_in(agent := signed_in_with(code))
    cache.clear()
    assert not is_in(signed_in_with(code))
    assert agent.post("/accounts/me/reauthenticate/", {"code": code}).status_code == 422


def test_the_code_that_sets_an_app_up_is_used_with_that():
    _, code = set_up_app_with_code(sign_in())
    assert not is_in(signed_in_with(code))


def test_a_code_that_two_send_at_once_lets_one_in(monkeypatch):
    secret = set_up_app(sign_in())
    code = code_for(secret)
    check = BaseAuthenticateForm.clean_code

    def other_comes_first(form):
        checked = check(form)
        monkeypatch.setattr(BaseAuthenticateForm, "clean_code", check)
        cache.clear()
        assert is_in(signed_in_with(code))
        cache.clear()
        return checked

    monkeypatch.setattr(BaseAuthenticateForm, "clean_code", other_comes_first)
    assert not is_in(signed_in_with(code))


def reset(agent):
    """Reset the agent's second step, as an administrator does on *Agents*."""
    make_agent("boss", is_staff=True)
    assert sign_in("boss").post(f"/agents/{agent.pk}/second-step/").status_code == 302


def test_a_code_whose_app_is_reset_while_it_is_looked_at_lets_nobody_in(anna, monkeypatch):
    code = code_for(set_up_app(sign_in()))
    check = BaseAuthenticateForm.clean_code

    def reset_meanwhile(form):
        checked = check(form)
        reset(anna)
        return checked

    monkeypatch.setattr(BaseAuthenticateForm, "clean_code", reset_meanwhile)
    assert not is_in(signed_in_with(code))


def test_whoever_waits_at_the_code_signs_in_anew_when_their_second_step_was_reset(anna):
    set_up_app(sign_in())
    waiting = sign_in()
    reset(anna)
    assert waiting.get(AUTHENTICATE, follow=True).status_code == 200  # without a redirect loop
    waiting.post(SIGN_IN, {"login": anna.username, "password": PASSWORD})
    assert is_in(waiting)


def test_a_new_password_ends_a_sign_in_that_waits_for_its_code(anna):
    here = sign_in()
    secret = set_up_app(here)
    waiting = sign_in()
    new = "another-long-password-of-the-tests"
    here.post("/accounts/password/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert waiting.post(AUTHENTICATE, {"code": code_for(secret)}).headers["Location"] == SIGN_IN
    assert not is_in(waiting)


CODES = "/accounts/me/recovery-codes/"


def test_turned_on_twice_it_leads_to_the_recovery_codes():
    browser = sign_in()
    secret, code = set_up_app_with_code(browser)
    assert browser.post(ACTIVATE, {"code": code}).headers["Location"] == CODES


def test_turned_on_twice_at_once_it_leads_to_the_recovery_codes(anna, monkeypatch):
    activate = TOTP.activate

    def other_comes_first(user, secret):
        Authenticator.objects.create(user=anna, type=Authenticator.Type.TOTP, data={"secret": "another press's"})
        return activate(user, secret)

    monkeypatch.setattr(TOTP, "activate", other_comes_first)
    browser = sign_in()
    secret = re.search('class="totp-key">([A-Z2-7]+)<', browser.get(ACTIVATE).content.decode()).group(1)
    assert browser.post(ACTIVATE, {"code": code_for(secret)}).headers["Location"] == CODES


def test_of_used_codes_only_those_are_kept_that_would_be_good_again():
    secret = set_up_app(sign_in())
    app = Authenticator.objects.get(type="totp")
    app.data["used"] = {"111111": time.time() - 91}  # seconds: no code is accepted for longer
    app.save()
    assert is_in(signed_in_with(code := code_for(secret)))
    assert list(Authenticator.objects.get(type="totp").data["used"]) == [code]


def test_a_recovery_code_signs_in_once():
    browser = sign_in()
    set_up_app(browser)
    codes = recovery_codes(browser)
    assert len(codes) == 10
    assert sign_in().post(AUTHENTICATE, {"code": codes[0]}).status_code == 302
    assert sign_in().post(AUTHENTICATE, {"code": codes[0]}).status_code == 422
    assert len(recovery_codes(browser)) == 9


def test_secrets_are_not_in_the_database_in_clear():
    browser = sign_in()
    secret = set_up_app(browser)
    rows = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret not in rows
    assert rows.count("1.test.") == 2  # the app's and the recovery codes', under the key ring's key


def test_without_the_encryption_key_it_is_said_and_nobody_gets_in(settings):
    secret = set_up_app(sign_in())
    browser = sign_in()
    settings.ENCRYPTION_KEYS = {"other": bytes(range(50, 82))}
    answer = browser.post(AUTHENTICATE, {"code": code_for(secret)})
    assert answer.status_code == 403
    assert "Your second step cannot be checked" in answer.content.decode()
    assert not is_in(browser)


def test_rotating_the_encryption_key_takes_second_steps_along(settings):
    secret = set_up_app(sign_in())
    old, new = {"test": settings.ENCRYPTION_KEYS["test"]}, {"new": bytes(range(101, 133))}
    settings.ENCRYPTION_KEYS = new | old
    out = StringIO()
    call_command("rotate_encryption_key", stdout=out)
    assert "second steps: 2 rotated, 0 unreadable, 0 left under another key." in out.getvalue()
    settings.ENCRYPTION_KEYS = new
    browser = sign_in()
    browser.post(AUTHENTICATE, {"code": code_for(secret)})
    assert is_in(browser)
    assert len(recovery_codes(browser)) == 10


@pytest.mark.parametrize("path", ["/accounts/me/totp/activate/", "/accounts/me/recovery-codes/generate/"])
def test_what_guards_the_account_asks_for_the_password_again_after_a_while(path):
    agent = Agent("berit")
    agent.user.set_password(PASSWORD)
    agent.user.save()
    agent.force_login(agent.user)
    agent.signed_in(seconds_ago=600)
    answer = agent.get(path)
    assert answer.headers["Location"].startswith("/accounts/reauthenticate/")
    wrong = agent.post(answer.headers["Location"], {"password": "wrong"})
    assert 'class="field-error"' in wrong.content.decode()
    right = agent.post(answer.headers["Location"], {"password": PASSWORD})
    assert right.headers["Location"] == path


def test_a_clock_that_ran_ahead_does_not_put_that_off():
    browser = sign_in()
    assert browser.get(ACTIVATE).status_code == 200
    session = browser.session
    session[AUTHENTICATION_METHODS_SESSION_KEY][0]["at"] += 3600
    session.save()
    assert browser.get(ACTIVATE).headers["Location"].startswith("/accounts/reauthenticate/")


def test_whoever_has_an_app_is_offered_its_codes_beside_the_password():
    browser = sign_in()
    set_up_app(browser)
    password = browser.get("/accounts/reauthenticate/").content.decode()
    assert ">Use a code from the app or a recovery code</a>" in password
    assert ">Use your password</a>" in browser.get("/accounts/me/reauthenticate/").content.decode()


class TestRequired:
    """`MFA_REQUIRED`."""

    @pytest.fixture(autouse=True)
    def required(self, settings):
        settings.MFA_REQUIRED = True

    @pytest.mark.parametrize("path", ["/tickets/", "/settings/key/", "/activity/", "/agents/"])
    def test_nothing_is_seen_before_a_second_step_is_set_up(self, path, sandbox):
        browser = sign_in()
        assert browser.get(path).headers["Location"] == ACCOUNT
        assert browser.get(path, headers={"HX-Request": "true"}).headers["HX-Redirect"] == ACCOUNT
        assert "Set up a second step first" in browser.get(ACCOUNT).content.decode()
        assert sandbox.calls == []

    def test_a_text_that_was_being_written_is_given_back(self, sandbox):
        browser = sign_in()
        answer = browser.post("/tickets/149943/reply/", {"message": "<b>My words.</b>"})
        assert answer.status_code == 403
        page = answer.content.decode()
        assert "&lt;b&gt;My words.&lt;/b&gt;</textarea>" in page
        assert f'<a class="button" href="{ACCOUNT}">' in page
        assert browser.post("/tickets/149943/reply/").headers["Location"] == ACCOUNT
        assert sandbox.calls == []

    def test_a_page_that_saves_a_draft_is_led_to_the_account(self, sandbox):
        """The tab keeps what it could not save."""
        draft = {"message": "My words."}
        answer = sign_in().post("/tickets/149943/draft/", draft, headers={"HX-Request": "true"})
        assert (answer.status_code, answer.headers["HX-Redirect"], answer.content) == (200, ACCOUNT, b"")
        assert not Draft.objects.exists()
        assert sandbox.calls == []

    def test_the_way_out_and_health_stay_open(self):
        browser = sign_in()
        assert browser.get("/healthz").status_code == 200
        assert browser.post("/accounts/logout/").status_code == 302

    def test_with_one_everything_is_open(self):
        browser = sign_in()
        set_up_app(browser)
        assert is_in(browser)
        assert "Set up a second step first" not in browser.get(ACCOUNT).content.decode()

    def test_removing_it_closes_the_door_again(self):
        browser = sign_in()
        set_up_app(browser)
        cache.clear()
        browser.post("/accounts/me/totp/deactivate/")
        assert not is_in(browser)
