"""Passkeys without a browser, and as no browser would use them; tests/browser/test_accounts.py has a browser."""

import json
import re
import sys
from importlib import import_module, reload

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.test import Client, override_settings
from django.urls import clear_url_caches
from prometheus_client import REGISTRY

from hostup_dashboard import metrics
from tests.accounts.people import AUTHENTICATE, SIGN_IN, is_in, make_agent, set_up_app, sign_in
from tests.accounts.security_key import SecurityKey
from tickets.models import Activity

pytestmark = pytest.mark.django_db

ADD, ALONE = "/accounts/me/webauthn/add/", "/accounts/me/webauthn/login/"
SCRIPT = {"X-Requested-With": "XMLHttpRequest"}
AGAIN = "/accounts/me/webauthn/reauthenticate/"
SECOND_STEP = "Sign in with your password first; this passkey is your second step."


@pytest.fixture(autouse=True, scope="module")
def addresses_of_passkeys():
    """Turn passkeys on: the tests' site has an IP address, for which there are none."""
    with override_settings(MFA_SUPPORTED_TYPES=["totp", "recovery_codes", "webauthn"]):
        _read_addresses()
        yield
    _read_addresses()
    metrics.REQUEST_SECONDS.clear()  # its labels name the passkeys' routes, which other tests do not have


def _read_addresses():
    for name in ("allauth.mfa.urls", "hostup_dashboard.accounts.urls", "hostup_dashboard.urls"):
        reload(sys.modules.get(name) or import_module(name))
    clear_url_caches()


@pytest.fixture(autouse=True)
def anna(sandbox):
    return make_agent()


def challenge(browser) -> str:
    """Return the last challenge that the site gave this browser's passkey."""
    return browser.session["mfa.webauthn.state"]["challenge"]


def add(key, *, alone: bool) -> Client:
    browser = sign_in()
    browser.get(ADD)
    form = {"credential": key.made_for(challenge(browser), pin=True)} | ({"passwordless": "on"} if alone else {})
    assert browser.post(ADD, form).status_code == 302
    return browser


def sign_in_alone(key, user, *, pin: bool = True) -> Client:
    browser = Client()
    browser.get(ALONE, headers=SCRIPT)
    browser.answer = browser.post(ALONE, {"credential": key.answer_to(challenge(browser), user, pin=pin)})
    return browser


def sign_in_after_the_password(key, user, *, pin: bool = True) -> Client:
    browser = sign_in()
    browser.get(AUTHENTICATE)
    browser.answer = browser.post(AUTHENTICATE, {"credential": key.answer_to(challenge(browser), user, pin=pin)})
    return browser


@pytest.mark.parametrize("is_resident", [True, False, None])
def test_a_passkey_signs_in_alone_if_that_was_ticked_whatever_the_browser_says_of_it(anna, is_resident):
    add(key := SecurityKey(is_resident), alone=True)
    assert is_in(sign_in_alone(key, anna))
    assert is_in(sign_in_after_the_password(key, anna))


def test_a_passkey_tells_whether_it_was_ever_used(anna):
    browser = add(key := SecurityKey(), alone=True)
    assert ", never used." in browser.get("/accounts/me/webauthn/").content.decode()
    sign_in_alone(key, anna)
    assert ", last used " in browser.get("/accounts/me/webauthn/").content.decode()


def test_a_passkey_that_was_renamed_is_said_to_be(anna):
    browser = add(SecurityKey(), alone=True)
    rename = f"/accounts/me/webauthn/keys/{Authenticator.objects.get(type='webauthn').pk}/edit/"
    page = browser.post(rename, {"name": "Telephone"}, follow=True).content.decode()
    assert "Passkey renamed." in page
    assert "Telephone" in page


@pytest.mark.parametrize("is_resident", [True, False, None])
def test_a_passkey_for_the_second_step_does_not_sign_in_alone_and_it_is_said(anna, is_resident):
    add(key := SecurityKey(is_resident), alone=False)
    browser = sign_in_alone(key, anna)
    assert browser.answer.headers["Location"] == SIGN_IN
    assert SECOND_STEP in browser.get(SIGN_IN).content.decode()
    assert not is_in(browser)
    assert is_in(sign_in_after_the_password(key, anna, pin=False))


def test_whoever_is_refused_with_a_passkey_still_comes_to_their_page_by_the_password(anna):
    answer = Client().post(ALONE, {"credential": "{}", "next": "/settings/key/"})
    assert answer.headers["Location"] == f"{SIGN_IN}?next=%2Fsettings%2Fkey%2F"
    to_another_site = Client().post(ALONE, {"credential": "{}", "next": "//evil.example"})
    assert to_another_site.headers["Location"] == SIGN_IN


@pytest.mark.parametrize(("is_resident", "may"), [(True, True), (False, False), (None, False)])
def test_of_a_passkey_from_before_the_tick_was_kept_the_browser_s_word_counts(anna, is_resident, may):
    add(key := SecurityKey(is_resident), alone=True)
    row = Authenticator.objects.get(type="webauthn")
    del row.data["credential"]["passwordless"]
    row.save()
    assert is_in(sign_in_alone(key, anna)) == may
    assert is_in(sign_in_after_the_password(key, anna))


def test_a_passkey_alone_always_asks_for_its_pin(anna):
    add(key := SecurityKey(), alone=True)
    assert not is_in(sign_in_alone(key, anna, pin=False))


def test_another_s_passkey_does_not_sign_in_alone_with_what_one_s_own_second_step_asked(anna):
    """There a touch is enough. It must not be enough for somebody with another account who has found a key."""
    add(key := SecurityKey(), alone=True)
    make_agent("berit")
    set_up_app(sign_in("berit"))
    finder = sign_in("berit")
    finder.get(AUTHENTICATE)
    touched = key.answer_to(challenge(finder), anna, pin=False)
    finder.post("/accounts/logout/")
    finder.post(ALONE, {"credential": touched})
    assert not is_in(finder)


@pytest.fixture
def refusals():
    """Return a function that tells whose passkeys were refused since its last call; log and metric must agree."""

    def failures():
        return REGISTRY.get_sample_value("hostup_dashboard_sign_in_failures_total", {"step": "second_step"}) or 0

    seen = {"entries": 0, "failures": failures()}

    def refusals():
        entries = Activity.objects.filter(action="second_step_failed", outcome="refused").order_by("pk")
        names = list(entries.values_list("user__username", flat=True))[seen["entries"] :]
        assert failures() - seen["failures"] == len(names)
        seen.update(entries=entries.count(), failures=failures())
        return names

    return refusals


def test_a_refused_passkey_leaves_the_trace_that_a_wrong_code_leaves(anna, refusals):
    browser = add(key := SecurityKey(), alone=True)
    other = SecurityKey()  # not hers

    after_password = sign_in_after_the_password(other, anna)
    assert after_password.answer.status_code == 422
    assert 'class="field-error"' in after_password.answer.content.decode()
    assert refusals() == ["anna"]

    sign_in_alone(other, anna)
    sign_in_alone(key, anna, pin=False)
    assert refusals() == ["anna", "anna"]

    browser.get(AGAIN)
    browser.post(AGAIN, {"credential": other.answer_to(challenge(browser), anna, pin=True)})
    assert refusals() == ["anna"]


def test_a_passkey_of_the_second_step_that_comes_alone_leaves_a_trace(anna, refusals):
    add(key := SecurityKey(), alone=False)
    sign_in_alone(key, anna)
    assert refusals() == ["anna"]


def test_a_refused_passkey_of_nobody_is_noted_without_a_name(anna, refusals):
    anna.pk = 10_000
    sign_in_alone(SecurityKey(), anna)
    Client().post(ALONE, {"credential": "{}"})  # nothing was sent
    Client().post(ALONE, {"credential": '{"response": {"userHandle": "AAAA"}}'})
    Client().post(ALONE, {"credential": "[1]"})
    Client().post(ALONE, {"credential": '{"id": "x"}'})
    assert refusals() == [None, None, None, None]


def broken(answer: str):
    """Yield a passkey's answer with each of its parts, and of their parts, broken in turn."""
    yield from ("{}", "[1]", "1", '"x"', '{"response": 1}', '{"response": []}')
    for part in (whole := json.loads(answer)):
        for value in (None, 1, "", "x", "é", [], "AAAA", "v_8"):
            yield json.dumps(whole | {part: value})
    for part, said in whole["response"].items():
        for value in (None, 1, "", "x", "é", [], "AAAA", "v_8", said[: len(said) // 2]):
            yield json.dumps(whole | {"response": whole["response"] | {part: value}})


def test_what_is_no_passkey_s_answer_is_refused(anna, refusals):
    add(key := SecurityKey(), alone=True)
    again, alone = sign_in_after_the_password(key, anna), Client()
    for browser in (again, alone):
        browser.raise_request_exception = False  # answer with a 500 instead

    again.get(ADD)
    for answer in broken(SecurityKey().made_for(challenge(again), pin=True)):
        response = again.post(ADD, {"credential": answer})
        if response.status_code == 302:  # the part does not matter
            again.get(ADD)
            continue
        assert response.status_code == 422
        assert "The passkey was not accepted." in response.content.decode()

    for browser, url in ((again, AGAIN), (alone, ALONE)):
        browser.get(url, headers=SCRIPT)
        for answer in broken(key.answer_to(challenge(browser), anna, pin=True)):
            cache.clear()  # the throttle's counts
            assert browser.post(url, {"credential": answer}).status_code != 500


def test_who_is_refused_when_asked_again_can_try_once_more_for_the_same_page(anna):
    browser = add(key := SecurityKey(), alone=True)
    page = f"{AGAIN}?next=/agents/"
    browser.get(page)
    another = SecurityKey().answer_to(challenge(browser), anna, pin=True)
    refused = browser.post(page, {"credential": another, "next": "/agents/"})
    assert refused.status_code == 422
    html = refused.content.decode()
    assert '<p class="field-error" role="alert">The passkey was not accepted.' in html
    assert re.search('name="next"[^>]*value="/agents/"', html)
    answer = key.answer_to(challenge(browser), anna, pin=True)
    assert browser.post(page, {"credential": answer, "next": "/agents/"}).headers["Location"] == "/agents/"


def test_passkeys_that_the_throttle_stops_leave_no_trace(anna, refusals):
    add(SecurityKey(), alone=True)
    statuses = [sign_in_after_the_password(SecurityKey(), anna).answer.status_code for _ in range(7)]
    assert statuses == [422] * 5 + [429] * 2
    assert refusals() == ["anna"] * 5


def test_one_s_own_passkey_gives_no_more_guesses_at_others(anna):
    browser = add(key := SecurityKey(), alone=True)
    guesses = [sign_in(f"agent-{number}", "wrong").answer.status_code for number in range(9)]
    assert is_in(sign_in_after_the_password(key, anna))
    browser.get(AGAIN)
    browser.post(AGAIN, {"credential": key.answer_to(challenge(browser), anna, pin=True)})
    guesses += [sign_in(f"agent-{number}", "wrong").answer.status_code for number in (9, 10)]
    assert guesses == [422] * 10 + [429]


def test_a_passkey_that_is_taken_leaves_no_trace_of_a_failure(anna, refusals):
    add(key := SecurityKey(), alone=True)
    sign_in_alone(key, anna)
    sign_in_after_the_password(key, anna)
    assert refusals() == []
