"""Whatever is done at one replica holds at the other, and what is done at both at once is done once."""

import json
import pickle
import re
import uuid
from pathlib import Path

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time

from sandbox import keys
from sandbox.special_tickets import ENCRYPTED_ID
from tests.dashboard import AGENT, NEWCOMER, PASSWORD, token_in
from tests.scale.browsers import CODE, SIGN_IN, Browser, at_once, signed_in, words_of

TICKET = f"/tickets/{ENCRYPTED_ID}/"


@pytest.fixture
def one(scene):
    return f"http://{scene.one.address}"


@pytest.fixture
def two(scene):
    return f"http://{scene.two.address}"


def test_a_session_is_one_everywhere(scene, one, two):
    browser = signed_in(one)
    assert browser.is_in(one)
    assert browser.is_in(two)
    assert browser.is_in(scene.url)
    browser.press(two, "/accounts/logout/", on="/activity/")
    assert not browser.is_in(one)


def test_signing_out_everywhere_ends_the_sessions_at_the_other_one(one, two):
    here, there = signed_in(one), signed_in(two)
    here.press(one, "/accounts/sessions/end/", on="/accounts/sessions/")
    assert not there.is_in(two)
    assert not here.is_in(two)


def new_agent(boss: Browser, at: str) -> tuple[str, str]:
    """Return the name of a new agent, and the path with which they choose a password."""
    name = f"agent-{uuid.uuid4().hex[:8]}"
    answer = boss.press(at, "/agents/", {"username": name})
    return name, re.search(r'class="way-in">http://[^/]+(/accounts/password/[^<]+)<', answer.text).group(1)


def choose_password(at: str, link: str):
    browser = Browser()
    page = browser.get(at + link)
    form = {"password1": PASSWORD, "password2": PASSWORD, "csrfmiddlewaretoken": token_in(page.text)}
    return browser.post(page.url, form, allow_redirects=False)


def test_disabling_at_one_ends_the_session_at_the_other_at_once(one, two):
    boss = signed_in(one, NEWCOMER)
    name, link = new_agent(boss, one)
    assert choose_password(two, link).status_code == 302
    agent = signed_in(two, name)
    assert agent.is_in(two)
    agent_id = re.search(rf"{name}.*?/agents/(\d+)/disable/", boss.see(one, "/agents/").text, re.DOTALL).group(1)
    boss.press(one, f"/agents/{agent_id}/disable/", on="/agents/")
    assert not agent.is_in(two)
    again = Browser()
    assert again.sign_in(two, name).headers["Location"] == "/accounts/inactive/"
    assert not again.is_in(two)


def test_a_password_link_works_once_wherever_it_is_opened(one, two):
    _, link = new_agent(signed_in(one, NEWCOMER), one)
    assert choose_password(two, link).status_code == 302
    for at in (one, two):
        assert "This link does not work any more" in Browser().get(at + link).text


def test_failed_sign_ins_are_counted_together(one, two):
    """Five for one name, whichever replica they come to."""
    for at in (one, two, one, two, one):
        assert Browser().sign_in(at, AGENT, "wrong").status_code == 422
    for at in (two, one):
        answer = Browser().sign_in(at)
        assert answer.status_code == 429
        assert "Too many failed" in words_of(answer)


def test_guesses_at_both_at_once_are_counted_together(scene, one, two):
    guesses = [lambda at=at: words_of(Browser().sign_in(at, AGENT, "wrong")) for at in (one, two) * 4]
    answers = at_once(*guesses)
    assert sum("Too many failed" not in answer for answer in answers) <= 5
    assert "Too many failed" in words_of(Browser().sign_in(scene.url))


def test_a_code_of_the_second_step_works_once_at_both_at_once(scene, one, two):
    name, link = new_agent(signed_in(one, NEWCOMER), one)
    choose_password(one, link)
    owner = signed_in(one, name)
    activate = "/accounts/me/totp/activate/"
    page = owner.see(one, activate).text
    secret = re.search('class="totp-key">([A-Z2-7]+)<', page).group(1)
    form = {"code": code_for(secret), "csrfmiddlewaretoken": token_in(page)}
    assert owner.send_form(one, activate, form).status_code == 302

    browsers = {at: Browser() for at in (one, two)}
    forms = {}
    for at, browser in browsers.items():
        assert browser.sign_in(at, name).headers["Location"].startswith(CODE)
        forms[at] = {
            "code": code_for(secret, ahead=1),
            "csrfmiddlewaretoken": token_in(browser.see(at, CODE).text),
        }
    assert forms[one]["code"] == forms[two]["code"], "half a minute ended between the two: run it again"
    at_once(*[lambda at=at: browsers[at].send_form(at, CODE, forms[at]) for at in browsers])
    assert [browser.is_in(one) for browser in browsers.values()].count(True) == 1

    scene.cache.flushdb()  # emptying Redis makes no code valid again
    late = Browser()
    late.sign_in(two, name)
    late.send_form(two, CODE, forms[one] | {"csrfmiddlewaretoken": token_in(late.see(two, CODE).text)})
    assert not late.is_in(two)


def code_for(secret: str, *, ahead: int = 0) -> str:
    """Return an app's code; `ahead` is by how many half minutes its clock is fast."""
    counters = list(yield_hotp_counters_from_time())
    return format_hotp_value(hotp_value(secret, counters[len(counters) // 2 + ahead]))


def test_a_reply_pressed_at_both_at_once_goes_out_once(sandbox, one, two):
    browser = signed_in(one)
    for number in range(5):
        form = browser.form_of(one, ENCRYPTED_ID) | {"message": f"Pressed twice, {number}."}
        answers = at_once(
            *[lambda at=at, form=form: send(browser, at, f"{TICKET}reply/", form) for at in (one, two)]
        )
        assert 302 in [answer.status_code for answer in answers]
        written = [message.body for message in sandbox.tickets.find(ENCRYPTED_ID).messages]
        assert written.count(form["message"]) == 1


def test_a_new_ticket_pressed_at_both_at_once_is_created_once(sandbox, one, two):
    browser = signed_in(two)
    page = browser.see(two, "/tickets/new/").text
    form = dict(re.findall(r'<input type="hidden" name="(token|csrfmiddlewaretoken)" value="([^"]*)"', page))
    form |= {"department": "billing", "subject": "At both", "message": "At once.", "priority": "low"}
    answers = at_once(*[lambda at=at: send(browser, at, "/tickets/new/", form) for at in (one, two)])
    (made,) = [ticket for ticket in sandbox.tickets.all_tickets() if ticket.subject == "At both"]
    assert {(answer.status_code, answer.headers["Location"]) for answer in answers} == {
        (302, f"/tickets/{made.id}/")
    }


def send(browser: Browser, at: str, path: str, form: dict):
    """Send a form with a connection and a cookie jar of its own, as another tab does."""
    tab = Browser()
    tab.cookies.update(browser.cookies)
    return tab.send_form(at, path, form)


def test_a_draft_written_at_one_shows_at_the_other(one, two):
    browser = signed_in(one)
    browser.press(one, f"{TICKET}draft/", {"message": "Half a sent"}, on=TICKET)
    assert "Half a sent" in browser.see(two, TICKET).text
    browser.press(two, f"{TICKET}draft/", {"message": ""}, on=TICKET)
    assert "Half a sent" not in browser.see(one, TICKET).text


def test_the_same_draft_saved_at_both_at_once_is_kept(one, two):
    browser = signed_in(one)
    token = token_in(browser.see(one, TICKET).text)
    form = {"message": "From two tabs.", "csrfmiddlewaretoken": token}
    answers = at_once(*[lambda at=at: send(browser, at, f"{TICKET}draft/", form) for at in (one, two) * 4])
    assert {answer.status_code // 100 for answer in answers} == {2}
    assert "From two tabs." in browser.see(one, TICKET).text
    browser.press(one, f"{TICKET}draft/", {"message": ""}, on=TICKET)


def test_a_key_replaced_at_one_is_used_by_the_other(sandbox, one, two):
    browser = signed_in(one)
    try:
        for key, name in ((keys.COLLEAGUE, "COLLEAGUE"), (keys.FULL, "FULL")):
            assert browser.press(one, "/settings/key/", {"api_key": key}).status_code == 302
            sandbox.clear_calls()
            assert browser.see(two, "/tickets/").status_code == 200
            assert {call.key_name for call in sandbox.calls} == {name}
    finally:
        browser.press(one, "/settings/key/", {"api_key": keys.FULL})


def test_the_cache_holds_json_and_runs_nothing(scene, one, two, tmp_path):
    """Django stores pickles by default, through which anybody who can write to Redis could run code."""
    browser = signed_in(one)
    Browser().sign_in(two, AGENT, "wrong")
    browser.see(two, "/tickets/")
    cached = {name: scene.cache.get(name) for name in scene.cache.scan_iter()}
    assert any(b"services" in name for name in cached)
    assert any(b"login_failed" in name for name in cached)
    for value in cached.values():
        json.loads(value)

    trace = tmp_path / "it ran"
    for name in cached:
        scene.cache.set(name, pickle.dumps(Trap(trace)))
    browser.see(two, "/tickets/")
    Browser().sign_in(one)
    assert not trace.exists()


class Trap:
    def __init__(self, path: Path):
        self._path = path

    def __reduce__(self):
        return Path.touch, (self._path,)


def test_both_say_that_they_are_ready(one, two):
    for at in (one, two):
        answer = Browser().see(at, "/readyz")
        assert (answer.status_code, answer.json()) == (200, {"database": True, "cache": True, "keys": True})
    assert Browser().see(one, SIGN_IN).status_code == 200
