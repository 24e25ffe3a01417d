"""Signing in through the company's identity provider (OpenID Connect), by settings alone."""

import io
import re
from html import unescape
from importlib import import_module
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount
from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client

from tests.accounts.identity_provider import ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET, identity_provider
from tests.accounts.people import ACCOUNT, AUTHENTICATE, is_in, make_agent, recovery_codes, set_up_app, sign_in

pytestmark = pytest.mark.django_db

ANNA = {"sub": "1", "email": "anna@example.com", "email_verified": True, "preferred_username": "anna"}
LOGIN = "/accounts/oidc/company/login/"


@pytest.fixture(scope="module")
def running_provider():
    with identity_provider() as provider:
        yield provider


@pytest.fixture
def provider(running_provider, settings, sandbox):
    running_provider.claims = ANNA
    settings.OIDC_ISSUER = running_provider.url
    settings.SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {
            "OAUTH_PKCE_ENABLED": True,
            "APP": {
                "provider_id": "company",
                "name": "Example AB",
                "client_id": CLIENT_ID,
                "secret": CLIENT_SECRET,
                "settings": {"server_url": running_provider.url},
            },
        }
    }
    return running_provider


def sent_to(answer) -> str:
    """Return the address at the provider that the page leads to."""
    return answer.headers["Refresh"].removeprefix("0; url=")


def come_in(provider, *, next_url="/activity/"):
    """Sign in through the provider; return the browser, with the last answer in `answer`."""
    browser = Client()
    sent = browser.post(f"{LOGIN}?next={next_url}")
    browser.answer = browser.get(provider.authorize(sent_to(sent)))
    return browser


def test_the_sign_in_page_offers_it(provider):
    html = Client().get("/accounts/login/").content.decode()
    assert "Continue with Company account" in html
    assert f'action="{LOGIN}"' in html


def test_it_is_left_for_by_a_page_and_not_by_a_form_s_redirect(provider):
    """Browsers apply `form-action` to every redirect of a form, and the provider may be at any origin."""
    sent = Client().post(LOGIN)
    assert sent.status_code == 200
    assert sent_to(sent).startswith(f"{provider.entrance}/authorize?client_id={CLIENT_ID}&")
    (link,) = re.findall('<a class="button" href="([^"]+)">Continue</a>', sent.content.decode())
    assert unescape(link) == sent_to(sent)


def test_leaving_for_it_again_and_again_is_slowed_down(provider):
    """Each attempt calls the provider, in one of our threads, and makes a session."""
    answers = [Client().post(LOGIN).status_code for _ in range(32)]
    assert answers == [200] * 30 + [429] * 2


def test_only_what_was_asked_for_goes_on(provider):
    for answer in (Client().get(LOGIN), come_in(provider).answer, Client().get(f"{LOGIN}callback/")):
        assert "Refresh" not in answer.headers


def test_a_provider_that_names_no_address_of_the_web_is_not_left_for(provider, monkeypatch):
    monkeypatch.setattr(provider, "entrance", "javascript:alert(1)//")
    answer = Client().post(LOGIN)
    assert answer.status_code == 400
    assert "Refresh" not in answer.headers


def test_without_the_settings_there_is_no_such_way(sandbox):
    assert "Continue with" not in Client().get("/accounts/login/").content.decode()
    assert Client().post(LOGIN).status_code == 404


def test_an_agent_is_known_by_the_address_and_later_by_the_provider_s_id(provider):
    make_agent(email="Anna@Example.com")
    browser = come_in(provider)
    assert browser.answer.headers["Location"] == "/activity/"
    assert is_in(browser)
    provider.claims = {**provider.claims, "email": "anna.new@example.com"}
    assert is_in(come_in(provider))
    assert get_user_model().objects.count() == 1


def test_an_address_that_led_to_an_agent_once_leads_nobody_else_to_them(provider, caplog):
    """By then it may be the next employee's, or somebody may have put it into their own account there."""
    make_agent(email="anna@example.com")
    assert is_in(come_in(provider))
    provider.claims = {**ANNA, "sub": "2"}
    assert "There is no account for you here" in come_in(provider).answer.content.decode()
    assert SocialAccount.objects.get().uid == "1"
    assert "the agent anna is tied to another account there" in caplog.text


def test_coming_in_anew_through_the_provider_confirms_nobody_who_can_be_asked_here(provider):
    """While its session is open, it lets in anybody who finds the screen open, without asking anything."""
    anna = make_agent(email="anna@example.com", is_staff=True)
    invite = f"/agents/{anna.pk}/invite/"
    assert come_in(provider).post(invite).headers["Location"].startswith("/accounts/reauthenticate/")
    anna.set_unusable_password()
    anna.save()
    assert come_in(provider).post(invite).status_code == 200


def test_what_the_provider_says_of_somebody_and_its_tokens_are_kept_nowhere(provider):
    """Not even while an agent is at the second step here."""
    make_agent(email="anna@example.com")
    set_up_app(sign_in())
    provider.claims = ANNA | {"phone_number": "+46701740605"}
    for _ in range(2):  # known first by the address, then by the id
        browser = come_in(provider)
        assert browser.answer.headers["Location"] == AUTHENTICATE
        assert not {ACCESS_TOKEN, "+46701740605"} & set(re.findall(r"[\w+-]+", str(dict(browser.session))))
        assert SocialAccount.objects.get().extra_data == {}


@pytest.mark.parametrize("address", ["ırma.k@example.com", "irma.\N{KELVIN SIGN}@example.com"])
def test_an_address_that_only_looks_alike_is_another_s(provider, address):
    """In upper case, ı and i are the same letter; in lower case, a Kelvin sign is a k."""
    make_agent("irma", email="irma.k@example.com")
    provider.claims = {**ANNA, "email": address}
    assert not is_in(come_in(provider))


def test_a_provider_that_says_nothing_about_the_address_is_believed(provider):
    make_agent(email="anna@example.com")
    provider.claims = {"sub": "1", "email": "anna@example.com"}
    assert is_in(come_in(provider))


@pytest.mark.parametrize("claims", [
    {"sub": "1", "email": "anna@example.com", "email_verified": False},
    {"sub": "1", "email": "anna@example.com", "email_verified": "false"},
    {"sub": "1", "email": "somebody@example.com", "email_verified": True},
    {"sub": "1"},
])  # fmt: skip
def test_whoever_is_no_agent_stays_out_and_is_told_so(provider, claims):
    make_agent(email="anna@example.com")
    provider.claims = claims
    browser = come_in(provider)
    assert "There is no account for you here" in browser.answer.content.decode()
    assert not is_in(browser)
    assert get_user_model().objects.count() == 1


def test_an_address_that_two_agents_have_opens_neither(provider):
    make_agent(email="anna@example.com")
    make_agent("other", email="anna@example.com")
    assert not is_in(come_in(provider))


def test_a_setting_lets_the_provider_decide_who_is_an_agent(provider, settings):
    settings.OIDC_CREATES_AGENTS = True
    assert is_in(come_in(provider))
    assert get_user_model().objects.get().username == "anna"
    provider.claims = {"sub": "2", "email": "another@example.com", "preferred_username": "anna"}
    assert is_in(come_in(provider))
    assert get_user_model().objects.count() == 2


@pytest.mark.parametrize("unverified", [False, "false"])
def test_an_address_that_is_not_verified_is_nobody_s(provider, settings, unverified):
    """Otherwise somebody who claimed Anna's address first would share an account with her."""
    settings.OIDC_CREATES_AGENTS = True
    provider.claims = ANNA | {"sub": "2", "email_verified": unverified}
    assert is_in(come_in(provider))
    assert get_user_model().objects.get().email == ""
    provider.claims = ANNA
    assert is_in(come_in(provider))
    assert set(get_user_model().objects.values_list("email", flat=True)) == {"", "anna@example.com"}


def test_an_agent_who_is_known_keeps_the_address(provider):
    make_agent(email="anna@example.com")
    come_in(provider)
    provider.claims = ANNA | {"email_verified": False}
    assert is_in(come_in(provider))
    assert get_user_model().objects.get().email == "anna@example.com"


@pytest.mark.parametrize("verified", [False, True])
def test_an_address_that_agents_have_already_breaks_nothing(provider, settings, verified):
    settings.OIDC_CREATES_AGENTS = True
    make_agent(email="anna@example.com")
    make_agent("other", email="anna@example.com")
    provider.claims = ANNA | {"email_verified": verified}
    browser = come_in(provider)
    assert browser.answer.status_code < 500
    assert not SocialAccount.objects.filter(user__username__in=["anna", "other"]).exists()


def test_a_disabled_agent_stays_out(provider):
    make_agent(email="anna@example.com", is_active=False)
    assert not is_in(come_in(provider))


def test_a_forgotten_agent_stays_out_where_the_provider_decides_who_is_one(provider, settings):
    settings.OIDC_CREATES_AGENTS = True
    provider.claims = ANNA | {"given_name": "Annalisa", "family_name": "Annason"}
    assert is_in(come_in(provider))
    anna = get_user_model().objects.get()
    assert not anna.get_full_name()  # no page shows it
    provider.claims = {"sub": "2", "given_name": "Berit"}  # neither address nor name of an account
    assert is_in(come_in(provider))
    berit = get_user_model().objects.get(username="berit")
    assert not berit.get_full_name()
    provider.claims = ANNA
    anna.is_active = False
    anna.save()
    call_command("forget_agent", "anna", stdout=io.StringIO())
    assert not is_in(come_in(provider))
    assert get_user_model().objects.count() == 2


@pytest.mark.django_db(transaction=True)  # allauth tells of an app once its row is written
def test_who_sets_up_a_second_step_is_not_asked_for_it_at_once(provider):
    """The code that they typed is used up: to be asked for it before the recovery codes show was a dead end."""
    anna = make_agent(email="anna@example.com")
    anna.set_unusable_password()
    anna.save()
    browser = come_in(provider)
    set_up_app(browser)
    assert recovery_codes(browser)


def test_it_needs_no_second_step_here_when_one_is_required(provider, settings):
    settings.MFA_REQUIRED = True
    make_agent(email="anna@example.com")
    browser = come_in(provider)
    assert is_in(browser)
    assert "Set up a second step first" not in browser.get(ACCOUNT).content.decode()
    assert sign_in().get("/activity/").headers["Location"] == ACCOUNT


def test_an_upgrade_forgets_the_real_names_that_a_provider_had_brought(provider):
    for username in ("anna", "bo"):
        make_agent(username, email=f"{username}@example.com", first_name="Real", last_name="Name")
    assert is_in(come_in(provider))
    import_module("tickets.migrations.0009_forget_names").forget(apps, None)
    names = {agent.username: agent.get_full_name() for agent in get_user_model().objects.all()}
    assert names == {"anna": "", "bo": "Real Name"}  # bo has no account at the provider


def test_it_never_leads_to_another_site(provider):
    make_agent(email="anna@example.com")
    browser = come_in(provider, next_url="https://evil.example/")
    assert browser.answer.headers["Location"] == "/tickets/"


def test_an_answer_without_our_state_is_no_sign_in(provider):
    make_agent(email="anna@example.com")
    browser, other = Client(), Client()
    sent = browser.post(LOGIN)
    stolen = provider.authorize(sent_to(sent))
    answer = other.get(stolen)
    assert "Sign-in failed" in answer.content.decode()
    assert not is_in(other)


def test_nobody_ties_an_identity_to_an_account_by_themselves(provider):
    make_agent("berit")
    browser = sign_in("berit")
    sent = browser.post(f"{LOGIN}?process=connect")
    answer = browser.get(provider.authorize(sent_to(sent)))
    assert "Sign-in failed" in answer.content.decode()
    assert not SocialAccount.objects.exists()


def test_a_provider_that_is_down_is_said(provider, settings, nowhere):
    settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APP"]["settings"]["server_url"] = nowhere
    answer = Client().post(LOGIN)
    assert "Sign-in failed" in answer.content.decode()
    assert answer.status_code == 503


class TestLog:
    """The page asks people to tell the person who runs the dashboard, who finds the reason in the log."""

    @pytest.fixture(autouse=True)
    def anna(self, provider):
        return make_agent(email="anna@example.com")

    @pytest.fixture
    def reasons(self, caplog):
        def said():
            lines = [record for record in caplog.records if record.name == "hostup_dashboard.accounts.provider"]
            assert {line.levelname for line in lines} <= {"WARNING"}
            return [line.getMessage().removeprefix("no sign-in through the provider: ") for line in lines]

        return said

    def test_that_it_cannot_be_reached(self, settings, nowhere, reasons, caplog):
        settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APP"]["settings"]["server_url"] = nowhere
        Client().post(LOGIN)
        (reason,) = reasons()
        assert reason.startswith("ConnectionError: ")
        assert str(urlsplit(nowhere).port) in reason
        assert "Traceback" in caplog.text

    @pytest.mark.parametrize("answer", [[], "x", 3, None])
    def test_that_what_it_says_of_itself_is_nothing_of_the_kind(self, provider, monkeypatch, reasons, answer):
        monkeypatch.setattr(provider, "answer", lambda *_: answer)
        assert Client().post(LOGIN).status_code == 503
        assert len(reasons()) == 1

    def test_which_address_it_does_not_name(self, provider, monkeypatch, reasons):
        monkeypatch.setattr(provider, "answer", lambda *_: {"issuer": provider.url})
        Client().post(LOGIN)
        assert reasons() == ["KeyError: 'token_endpoint'"]

    @pytest.mark.parametrize(("answer", "reason"), [
        ({"error": "invalid_client"}, "Error retrieving access token, invalid_client"),
        ({"error": "T0ken", "id_token": "T0ken"}, "Error retrieving access token"),
        ("T0ken", "Error retrieving access token"),
    ])  # fmt: skip
    def test_why_it_gives_no_token_and_nothing_else_that_it_says(
        self, provider, monkeypatch, reasons, caplog, answer, reason
    ):
        usual, forms = provider.answer, []

        def refuse(method, path, form):
            if path != "/token":
                return usual(method, path, form)
            forms.append(form)
            return answer | {"error_description": form} if isinstance(answer, dict) else [answer, form]

        monkeypatch.setattr(provider, "answer", refuse)
        assert come_in(provider).answer.status_code == 401
        assert reasons() == [reason]
        (form,) = forms
        for secret in ("T0ken", form["client_secret"], form["code"], form["code_verifier"]):
            assert secret not in caplog.text

    def test_that_what_it_signed_is_for_another_client(self, provider, monkeypatch, reasons):
        browser = Client()
        back = provider.authorize(sent_to(browser.post(LOGIN)))
        monkeypatch.setattr("tests.accounts.identity_provider.CLIENT_ID", "another")
        assert browser.get(back).status_code == 401
        assert reasons() == ["Invalid id_token, InvalidAudienceError"]

    @pytest.mark.parametrize(("query", "said"), [
        ("error=invalid_scope&error_description=needle", ["it sent back invalid_scope"]),
        ("error=1+needle", ["it sent back no code"]),
        ("error=access_denied", []),  # the person changed their mind
    ])  # fmt: skip
    def test_what_it_sends_people_back_with(self, reasons, caplog, query, said):
        browser = Client()
        sent = browser.post(LOGIN)
        (state,) = parse_qs(urlsplit(sent_to(sent)).query)["state"]
        browser.get(f"{LOGIN}callback/?state={state}&{query}")
        assert reasons() == said
        assert "needle" not in caplog.text

    def test_that_nobody_here_had_asked(self, provider, reasons):
        Client().get(provider.authorize(sent_to(Client().post(LOGIN))))
        assert reasons() == ["this browser did not ask for it, or too long ago"]

    def test_that_an_account_cannot_be_tied_to_it(self, provider, reasons):
        browser = sign_in()
        browser.get(provider.authorize(sent_to(browser.post(f"{LOGIN}?process=connect"))))
        assert reasons() == ["PermissionDenied: the address that an administrator wrote down is the only link"]
