"""Signing in and out with what only a browser has, such as passkeys and the Back button."""

import re

import pytest
import requests
from playwright.sync_api import expect

from sandbox.special_tickets import ENCRYPTED_ID
from tests.accounts.identity_provider import CLIENT_ID, CLIENT_SECRET, identity_provider
from tests.accounts.people import ACCOUNT, code_for
from tests.browser.steps import TICKET, heading, sign_in
from tests.dashboard import PASSWORD, Dashboard


@pytest.fixture(scope="module")
def provider():
    """Run the company's identity provider, which signs in the newcomer."""
    with identity_provider() as provider:
        provider.claims = {"sub": "1", "email": "newcomer@example.com"}
        yield provider


@pytest.fixture(scope="module")
def by_name(running_sandbox, provider, tmp_path_factory):
    """Run a dashboard with a host name, as passkeys need, and with an identity provider."""
    settings = {
        "OIDC_ISSUER": provider.url,
        "OIDC_CLIENT_ID": CLIENT_ID,
        "OIDC_CLIENT_SECRET": CLIENT_SECRET,
        "OIDC_NAME": "Example AB",
    }
    home = tmp_path_factory.mktemp("by_name")
    with Dashboard(running_sandbox.url, home, host="localhost", **settings) as dashboard:
        yield dashboard


@pytest.fixture
def phone(new_context):
    """A page of somebody who is not signed in, on a device that makes passkeys."""
    page = new_context().new_page()
    device = page.context.new_cdp_session(page)
    device.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    device.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return page


def sign_out(page):
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("heading", name="Sign in", exact=True)).to_be_visible()


def set_up_app(page):
    page.get_by_role("link", name="Set up an authenticator app").click()
    expect(page.get_by_role("img", name="QR code for the authenticator app")).to_be_visible()
    secret = page.get_by_text(re.compile("^[A-Z2-7]{32}$")).inner_text()
    page.get_by_label("Authenticator code").fill(code_for(secret))
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_role("list", name="Recovery codes")).to_be_visible()


def remove_app(page):
    page.get_by_role("link", name="agent", exact=True).click()
    page.get_by_role("link", name="Remove Authenticator app").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("Off")).to_be_visible()


def sign_in_to_second_step(page):
    page.get_by_label("Username").fill("agent")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Second step")).to_be_visible()


def test_a_passkey_signs_in_alone_and_can_be_removed(phone, by_name):
    sign_in(phone, at=f"{by_name.url}/accounts/login/")
    phone.get_by_role("link", name="agent", exact=True).click()
    phone.get_by_role("link", name="Add a passkey").click()
    label_height = phone.get_by_role("checkbox").evaluate("box => box.labels[0].getBoundingClientRect().height")
    assert label_height >= 44  # large enough for a thumb
    phone.get_by_label("Name").fill("My phone")
    phone.get_by_label("Name").press("Enter")
    expect(phone.get_by_role("list", name="Recovery codes").get_by_role("listitem")).to_have_count(10)

    phone.goto(f"{by_name.url}/accounts/me/webauthn/add/")
    phone.get_by_role("button", name="Add a passkey").click()
    expect(phone.get_by_role("alert")).to_contain_text("This device already has a passkey here.")

    sign_out(phone)
    phone.get_by_role("button", name="Use a passkey").click()
    expect(phone.get_by_role("heading", name="Tickets", exact=True)).to_be_visible()

    sign_out(phone)
    sign_in_to_second_step(phone)
    phone.get_by_role("button", name="Use a passkey").click()
    expect(phone.get_by_role("heading", name="Tickets", exact=True)).to_be_visible()

    phone.get_by_role("link", name="agent", exact=True).click()
    phone.get_by_role("link", name="Manage passkeys").click()
    expect(phone.get_by_role("heading", name="My phone")).to_be_visible()
    phone.get_by_role("link", name="Remove My phone").click()
    expect(phone.get_by_text("My phone")).to_be_visible()
    phone.get_by_role("button", name="Remove").click()
    expect(phone.get_by_text("You have no passkey here.")).to_be_visible()


def test_who_has_only_a_passkey_is_asked_for_that_first_and_for_no_app(phone, by_name):
    passkey = phone.get_by_role("button", name="Use a passkey")
    sign_in(phone, at=f"{by_name.url}/accounts/login/")
    phone.goto(f"{by_name.url}/accounts/me/webauthn/add/")
    phone.get_by_role("button", name="Add a passkey").click()
    expect(phone.get_by_role("list", name="Recovery codes")).to_be_visible()
    sign_out(phone)
    sign_in_to_second_step(phone)
    expect(passkey).to_be_focused()
    expect(phone.get_by_text("authenticator app")).to_have_count(0)
    assert passkey.bounding_box()["y"] < phone.get_by_label("Code").bounding_box()["y"]

    phone.get_by_label("Code").fill("000000")
    phone.get_by_label("Code").press("Enter")
    expect(phone.get_by_label("Code")).to_have_accessible_description("Incorrect code.")
    expect(phone.get_by_label("Code")).to_be_focused()
    passkey.click()
    expect(phone.get_by_role("heading", name="Tickets", exact=True)).to_be_visible()

    phone.goto(f"{by_name.url}/accounts/reauthenticate/")
    expect(phone.get_by_label("Password")).to_be_focused()
    phone.get_by_role("link", name="Use a recovery code").click()
    expect(phone.get_by_text("Type one of your recovery codes.")).to_be_visible()
    expect(phone.get_by_label("Code")).to_be_focused()
    phone.get_by_role("link", name="Use a passkey").click()
    expect(passkey).to_be_focused()

    phone.goto(f"{by_name.url}/accounts/me/webauthn/")
    phone.get_by_role("link", name="Remove").click()
    phone.get_by_role("button", name="Remove").click()
    expect(phone.get_by_text("You have no passkey here.")).to_be_visible()


def test_without_a_passkey_it_is_said(phone, by_name):
    phone.goto(f"{by_name.url}/accounts/login/")
    phone.get_by_role("button", name="Use a passkey").click()
    expect(phone.get_by_role("alert")).to_contain_text("The passkey was not used")


def test_without_javascript_no_passkey_is_offered_and_it_is_said(new_context, by_name):
    page = new_context(java_script_enabled=False).new_page()
    needs_javascript = page.get_by_role("paragraph").filter(has_text="Passkeys need JavaScript")
    page.goto(f"{by_name.url}/accounts/login/")
    expect(needs_javascript).to_be_visible()
    expect(page.get_by_role("button", name="Use a passkey")).to_have_count(0)
    sign_in(page, at=page.url)
    page.goto(f"{by_name.url}/accounts/me/webauthn/add/")
    expect(needs_javascript).to_be_visible()
    expect(page.get_by_role("button", name="Add a passkey")).to_have_count(0)


def test_what_a_passkey_has_to_sign_is_not_given_without_end(by_name):
    ask = f"{by_name.url}/accounts/me/webauthn/login/"
    script = {"X-Requested-With": "XMLHttpRequest"}
    statuses = [requests.get(ask, headers=script, timeout=10).status_code for _ in range(70)]
    assert statuses[0] == 200
    assert statuses.count(429) >= 10  # each of the two workers lets 30 a minute pass
    by_name.replace_workers()  # the new ones have counted nothing yet


def test_an_authenticator_app_is_asked_for_and_leads_back_to_the_page(phone, by_name):
    sign_in(phone, at=f"{by_name.url}/accounts/login/")
    phone.get_by_role("link", name="agent", exact=True).click()
    set_up_app(phone)
    code = phone.get_by_role("list", name="Recovery codes").get_by_role("listitem").first.inner_text()

    sign_out(phone)
    phone.goto(by_name.url + TICKET)
    phone.get_by_label("Username").fill("agent")
    phone.get_by_label("Password").fill(PASSWORD)
    phone.get_by_role("button", name="Sign in", exact=True).click()
    expect(phone.get_by_label("Code")).to_be_focused()
    expect(phone.get_by_role("button", name="Use a passkey")).to_have_count(0)
    phone.get_by_label("Code").fill(code)
    phone.get_by_role("button", name="Sign in", exact=True).click()
    expect(heading(phone)).to_be_visible()
    remove_app(phone)


def test_a_second_step_that_is_required_from_now_on_leaves_what_is_being_written(page):
    page.goto(f"/tickets/{ENCRYPTED_ID}/")
    page.route("**/draft/", lambda route: route.fulfill(headers={"HX-Redirect": ACCOUNT, "X-Request-Id": "1"}))
    page.get_by_label("Reply", exact=True).fill("A long and careful answer.")
    expect(heading(page, "Your account")).to_be_visible()
    page.unroute_all()
    page.goto(f"/tickets/{ENCRYPTED_ID}/")
    expect(page.get_by_label("Reply", exact=True)).to_have_value("A long and careful answer.")


def test_the_identity_provider_leads_in_and_back_to_the_page(visitor, by_name):
    visitor.goto(f"{by_name.url}/settings/key/")
    visitor.get_by_role("button", name="Continue with Example AB").click()
    expect(visitor.get_by_role("heading", name="HostUp API key")).to_be_visible()
    expect(visitor.get_by_role("link", name="newcomer")).to_be_visible()


def test_back_from_the_identity_provider_is_the_sign_in_page(visitor, by_name, provider, monkeypatch):
    """It is not the page in between, which would lead on to the provider again."""
    monkeypatch.setattr(provider, "authorize", lambda location: f"{provider.url}/jwks")  # which leads nowhere else
    visitor.goto(f"{by_name.url}/accounts/login/")
    visitor.get_by_role("button", name="Continue with Example AB").click()
    visitor.wait_for_url(f"{provider.url}/jwks")
    visitor.go_back()
    expect(visitor.get_by_role("button", name="Continue with Example AB")).to_be_visible()


def test_a_form_leads_to_this_site_alone(by_name):
    policy = requests.get(f"{by_name.url}/accounts/login/", timeout=10).headers["Content-Security-Policy"]
    assert "form-action 'self'" in policy.split("; ")


def test_after_a_wrong_password_the_next_try_is_typed_at_once(visitor):
    visitor.goto("/accounts/login/")
    expect(visitor.get_by_label("Username")).to_be_focused()
    visitor.keyboard.type("agent")
    visitor.keyboard.press("Tab")
    visitor.keyboard.type("not the password")
    visitor.keyboard.press("Enter")
    expect(visitor.get_by_role("alert")).to_be_visible()
    expect(visitor.get_by_label("Password")).to_be_focused()
    visitor.keyboard.type(PASSWORD)
    visitor.keyboard.press("Enter")
    expect(visitor.get_by_role("button", name="Sign out")).to_be_visible()


def test_what_was_refused_is_on_the_screen_and_typed_anew_at_once(new_context):
    page = new_context().new_page()
    page.set_viewport_size({"width": 1280, "height": 400})
    sign_in(page, at="/agents/")
    page.get_by_label("Username").fill("agent")
    page.get_by_role("button", name="Create agent").click()
    expect(page.get_by_text("A user with that username already exists.")).to_be_in_viewport()
    expect(page.get_by_label("Username")).to_be_focused()

    page.goto("/accounts/password/")
    page.get_by_label("Current Password").fill(PASSWORD)
    page.get_by_label("New Password", exact=True).fill("another-long-password")
    page.get_by_label("New Password (again)").fill("another-long-pasword")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_label("New Password (again)")).to_be_focused()

    page.goto("/settings/key/")
    page.get_by_label("API key").fill("two words")
    page.get_by_role("button", name="Save key").click()
    expect(page.get_by_text("no spaces")).to_be_in_viewport()
    expect(page.get_by_label("API key")).to_be_focused()


def test_after_signing_out_back_shows_nothing(visitor):
    sign_in(visitor)
    visitor.goto(TICKET)
    expect(heading(visitor)).to_be_visible()
    with visitor.expect_navigation():  # as where a browser has kept the page in memory
        visitor.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    expect(heading(visitor)).to_be_visible()
    sign_out(visitor)
    visitor.go_back()
    expect(visitor.get_by_role("heading", name="Sign in", exact=True)).to_be_visible()
    expect(heading(visitor)).to_have_count(0)


def test_an_administrator_lets_a_colleague_in(new_context):
    page = new_context().new_page()
    sign_in(page, at="/agents/")
    page.get_by_label("Username").fill("carin")
    page.get_by_role("button", name="Create agent").click()
    link = page.get_by_text(re.compile("/accounts/password/")).inner_text()

    colleague = new_context().new_page()
    colleague.goto(link)
    expect(colleague.get_by_label("Username")).to_have_value("carin")
    colleague.get_by_label("New Password", exact=True).fill(PASSWORD)
    colleague.get_by_label("New Password (again)").fill(PASSWORD)
    colleague.get_by_role("button", name="Save password").click()
    expect(colleague.get_by_text("Sign in with it as carin.")).to_be_visible()
    colleague.get_by_role("link", name="Sign in").click()
    colleague.get_by_label("Username").fill("carin")
    colleague.get_by_label("Password").fill(PASSWORD)
    colleague.get_by_role("button", name="Sign in", exact=True).click()
    expect(colleague.get_by_role("alert")).to_contain_text("Add your API key")

    page.goto("/agents/")
    page.get_by_role("button", name="Disable carin").click()
    colleague.goto("/tickets/")
    expect(colleague.get_by_role("heading", name="Sign in", exact=True)).to_be_visible()
