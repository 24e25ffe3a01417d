"""Passkeys that are used otherwise than a browser would; tests/browser/test_accounts.py uses them as it does."""

import sys
from importlib import import_module, reload

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client, override_settings
from django.urls import clear_url_caches

from hostup_dashboard import metrics
from tests.accounts.people import AUTHENTICATE, SIGN_IN, is_in, make_agent, set_up_app, sign_in
from tests.accounts.security_key import SecurityKey

pytestmark = pytest.mark.django_db

ADD, ALONE = "/accounts/me/webauthn/add/", "/accounts/me/webauthn/login/"
SCRIPT = {"X-Requested-With": "XMLHttpRequest"}
SECOND_STEP = "Sign in with your password first; this passkey is your second step."


@pytest.fixture(autouse=True, scope="module")
def addresses_of_passkeys():
    """The tests' site is called by numbers, for which there are no passkeys."""
    with override_settings(MFA_SUPPORTED_TYPES=["totp", "recovery_codes", "webauthn"]):
        _read_addresses()
        yield
    _read_addresses()
    metrics.REQUEST_SECONDS.clear()  # whose labels are addresses that the other tests have


def _read_addresses():
    for name in ("allauth.mfa.urls", "hostup_dashboard.accounts.urls", "hostup_dashboard.urls"):
        reload(sys.modules.get(name) or import_module(name))
    clear_url_caches()


@pytest.fixture(autouse=True)
def anna(sandbox):
    return make_agent()


def challenge(browser) -> str:
    """Return what the site asked this browser's passkey last."""
    return browser.session["mfa.webauthn.state"]["challenge"]


def add(key, *, alone: bool, pin: bool = True) -> Client:
    browser = sign_in()
    browser.get(ADD)
    form = {"credential": key.made_for(challenge(browser), pin=pin)} | ({"passwordless": "on"} if alone else {})
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


@pytest.mark.parametrize("is_resident", [True, False, None])
def test_a_passkey_for_the_second_step_does_not_sign_in_alone_and_it_is_said(anna, is_resident):
    add(key := SecurityKey(is_resident), alone=False)
    browser = sign_in_alone(key, anna)
    assert browser.answer.headers["Location"] == SIGN_IN
    assert SECOND_STEP in browser.get(SIGN_IN).content.decode()
    assert not is_in(browser)
    assert is_in(sign_in_after_the_password(key, anna, pin=False))


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
    """There a touch is enough. So it would be for whoever has an account here and found a key."""
    add(key := SecurityKey(), alone=True)
    make_agent("berit")
    set_up_app(sign_in("berit"))
    finder = sign_in("berit")
    finder.get(AUTHENTICATE)
    touched = key.answer_to(challenge(finder), anna, pin=False)
    finder.post("/accounts/logout/")
    finder.post(ALONE, {"credential": touched})
    assert not is_in(finder)
