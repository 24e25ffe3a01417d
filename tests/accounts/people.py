"""What people do with their accounts in these tests."""

import re
import time

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client

MINUTE, HOUR = 60, 3600  # seconds
PASSWORD = "a-long-password-of-the-tests"
SIGN_IN, ACCOUNT, SESSIONS = "/accounts/login/", "/accounts/me/", "/accounts/sessions/"
AUTHENTICATE, ACTIVATE = "/accounts/me/authenticate/", "/accounts/me/totp/activate/"


def make_agent(username="anna", **fields):
    return get_user_model().objects.create_user(username, password=PASSWORD, **fields)


def sign_in(username="anna", password=PASSWORD, *, at=SIGN_IN, **extra) -> Client:
    browser = Client(**extra)
    browser.answer = browser.post(at, {"login": username, "password": password})
    return browser


def is_in(browser) -> bool:
    return browser.get("/activity/").status_code == 200


def code_for(secret: str) -> str:
    """Return the code that an authenticator app shows now."""
    counters = list(yield_hotp_counters_from_time())
    return format_hotp_value(hotp_value(secret, counters[len(counters) // 2]))


def set_up_app(browser) -> str:
    """Set up an authenticator app, as if a while ago: its present code is still unused. Return its secret."""
    secret, _ = set_up_app_with_code(browser)
    app = Authenticator.objects.filter(type=Authenticator.Type.TOTP).latest("pk")
    app.data.pop("used", None)
    app.save()
    return secret


def set_up_app_with_code(browser) -> tuple[str, str]:
    """Set up an authenticator app and return its secret and the code that confirmed it."""
    html = browser.get(ACTIVATE).content.decode()
    secret = re.search('class="totp-key">([A-Z2-7]+)<', html).group(1)
    code = code_for(secret)
    assert browser.post(ACTIVATE, {"code": code}).status_code == 302
    return secret, code


def recovery_codes(browser) -> list[str]:
    return re.findall("<li><code>([0-9]+)</code>", browser.get("/accounts/me/recovery-codes/").content.decode())


def link_in(answer) -> str:
    """Return the link for choosing a password that a page shows to an administrator."""
    return re.search(
        rf'class="way-in">{settings.SITE.origin}(/accounts/password/[^<]+)<', answer.content.decode()
    ).group(1)


def choose_password(link, password=PASSWORD):
    """Open the link from an administrator and choose a password. Return the browser and the last answer."""
    browser = Client()
    page = browser.get(link, follow=True)
    assert "Choose a password" in page.content.decode()
    assert "<li>Your password must contain at least 12 characters.</li>" in page.content.decode()
    answer = browser.post(page.request["PATH_INFO"], {"password1": password, "password2": password})
    return browser, answer


def age(browser, **seconds):
    """Make a session older: set `began_at` or `seen_at` to this many seconds ago."""
    session = browser.session
    for name, ago in seconds.items():
        session[name] = time.time() - ago
    session.save()
