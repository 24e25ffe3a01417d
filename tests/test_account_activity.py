"""The activity log of accounts: who signed in, who tried, and what became of passwords and second steps."""

import uuid
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.utils import timezone

from tests.accounts.people import (
    AUTHENTICATE,
    HOUR,
    PASSWORD,
    age,
    choose_password,
    code_for,
    is_in,
    link_in,
    make_agent,
    recovery_codes,
    set_up_app,
    sign_in,
)
from tests.agents import Agent
from tickets.models import Activity, Draft, Submission

Action = Activity.Action
OTHER_PASSWORD = "another-long-password-of-the-tests"


@pytest.fixture
def anna(db, sandbox):
    return make_agent()


@pytest.fixture
def admin(db, sandbox):
    admin = Agent("admin")
    admin.user.is_staff = True
    admin.user.save()
    return admin


def noted():
    """Return what is in the log, oldest first."""
    return list(Activity.objects.order_by("pk").values_list("user__username", "action", "outcome"))


def page_of(client):
    return client.get("/activity/").content.decode()


def test_signing_in_and_out_is_noted_with_the_address(anna):
    sign_in().post("/accounts/logout/")
    assert noted() == [("anna", "signed_in", "done"), ("anna", "signed_out", "done")]
    assert set(Activity.objects.values_list("address", flat=True)) == {"127.0.0.1"}
    assert not Activity.objects.filter(finished_at=None).exists()


def test_a_session_that_ran_out_is_no_sign_out_of_its_agent_s(anna):
    browser = sign_in()
    age(browser, seen_at=2 * HOUR)
    assert not is_in(browser)
    assert noted() == [("anna", "signed_in", "done")]


def test_who_is_not_signed_in_cannot_sign_out(visitor):
    visitor.post("/accounts/logout/")
    assert noted() == []


@pytest.mark.parametrize("username", ["anna", "ANNA"])
def test_a_wrong_password_is_noted_for_the_agent_whose_name_it_was(anna, username):
    sign_in(username, "wrong")
    assert noted() == [("anna", "signed_in", "refused")]


def test_a_name_that_no_agent_has_is_not_kept(anna, admin):
    sign_in("my-password-typed-into-the-wrong-field", "wrong")
    assert noted() == [(None, "signed_in", "refused")]
    assert "my-password" not in str(Activity.objects.values().get())
    assert "Unknown name" in page_of(admin)


def test_a_name_that_only_looks_like_an_agent_s_is_nobody_s(admin):
    """The database compares in upper case, in which ı and i are the same; for signing in they are different."""
    sign_in("admın", "wrong")
    assert noted() == [(None, "signed_in", "refused")]


def test_a_disabled_agent_s_attempt_is_noted(anna):
    get_user_model().objects.update(is_active=False)
    sign_in()
    assert noted() == [("anna", "signed_in", "refused")]


def test_guessing_fills_the_log_no_faster_than_the_throttle_lets_it(anna):
    for attempt in range(30):
        sign_in(f"nobody-{attempt}", "wrong")
    assert Activity.objects.count() == 10


def test_the_address_is_the_one_that_our_proxy_saw(anna, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    sign_in(headers={"X-Forwarded-For": "203.0.113.9, 198.51.100.7"})
    assert Activity.objects.get().address == "198.51.100.7"


def test_a_refusal_is_noted_for_who_is_signed_in_only(visitor, agent):
    for client in (visitor, agent):
        assert client.get("/agents/").status_code in (302, 403)
        client.handler.enforce_csrf_checks = True
        assert client.post("/settings/key/check/").status_code == 403
    assert noted() == [("agent", "denied", "refused"), ("agent", "forged", "refused")]
    assert agent.htmx_post("/tickets/149943/draft/").status_code == 403  # as after signing in again in another tab
    assert len(noted()) == 2


def test_a_new_password_is_noted(anna):
    fields = {"oldpassword": PASSWORD, "password1": OTHER_PASSWORD, "password2": OTHER_PASSWORD}
    sign_in().post("/accounts/password/", fields)
    assert noted()[1:] == [("anna", "password_changed", "done")]


def test_a_guess_at_the_old_password_is_noted_as_one_at_signing_in_is(anna):
    browser = sign_in()
    fields = {"oldpassword": "wrong", "password1": OTHER_PASSWORD, "password2": OTHER_PASSWORD}
    assert browser.post("/accounts/password/", fields).status_code == 422
    browser.post("/accounts/reauthenticate/", {"password": "wrong"})
    assert noted()[1:] == [("anna", "signed_in", "refused")] * 2
    assert set(Activity.objects.values_list("address", flat=True)) == {"127.0.0.1"}


@pytest.mark.django_db(transaction=True)
def test_the_life_of_a_second_step_is_noted(anna):
    browser = sign_in()
    set_up_app(browser)
    browser.post("/accounts/me/recovery-codes/generate/")
    assert sorted(noted()[1:]) == [
        ("anna", "recovery_codes_made", "done"),
        ("anna", "recovery_codes_made", "done"),
        ("anna", "second_step_added", "done"),
    ]
    codes = recovery_codes(browser)
    Activity.objects.all().delete()

    browser = sign_in()
    assert noted() == []  # the password alone no longer signs in
    browser.post(AUTHENTICATE, {"code": "000000"})
    browser.post(AUTHENTICATE, {"code": codes[0]})
    browser.post("/accounts/me/totp/deactivate/")
    assert noted() == [
        ("anna", "second_step_failed", "refused"),
        ("anna", "recovery_code_used", "done"),
        ("anna", "signed_in", "done"),
        ("anna", "second_step_removed", "done"),
    ]


@pytest.mark.django_db(transaction=True)
def test_a_sign_in_with_the_usual_second_step_is_one_entry(anna):
    secret = set_up_app(sign_in())
    Activity.objects.all().delete()
    sign_in().post(AUTHENTICATE, {"code": code_for(secret)})
    assert noted() == [("anna", "signed_in", "done")]


@pytest.mark.parametrize("seconds_later", [0, 60])
def test_a_used_code_that_comes_again_is_noted_as_a_wrong_one_is(anna, seconds_later):
    secret = set_up_app(sign_in())
    code = code_for(secret)
    sign_in().post(AUTHENTICATE, {"code": code})
    again = sign_in()
    Activity.objects.all().delete()
    if seconds_later > 30:
        cache.clear()  # allauth keeps used codes in it for 30 seconds
    again.post(AUTHENTICATE, {"code": code})
    assert noted() == [("anna", "second_step_failed", "refused")]


def test_what_an_administrator_does_with_agents_is_noted_for_both(admin, anna):
    admin.post("/agents/", {"username": "carin"})
    carin = get_user_model().objects.get(username="carin")
    for action in ("invite", "second-step", "disable", "enable"):
        admin.post(f"/agents/{carin.pk}/{action}/")
    entries = Activity.objects.order_by("pk").values_list("user__username", "action", "about__username", "address")
    assert list(entries) == [
        ("admin", action, "carin", "127.0.0.1")
        for action in ("agent_created", "agent_invited", "second_step_reset", "agent_disabled", "agent_enabled")
    ]
    choose_password(link_in(admin.post(f"/agents/{carin.pk}/invite/")))
    assert noted()[-1] == ("carin", "password_changed", "done")


def test_what_concerns_accounts_is_for_staff_and_whom_it_concerns(agent, colleague, admin):
    note = Activity.objects.note
    note(colleague.user, Action.SIGNED_IN, address="192.0.2.1")
    note(admin.user, Action.SECOND_STEP_RESET, about=agent.user, address="192.0.2.2")
    note(None, Action.SIGNED_IN, Activity.Outcome.REFUSED, address="192.0.2.3")
    note(agent.user, Action.SIGNED_IN, address="192.0.2.4")

    everything = page_of(admin)
    for words in ("Sign in", "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "Reset second step: agent"):
        assert words in everything

    mine = page_of(agent)
    assert "Reset second step: agent" in mine
    assert "192.0.2.4" in mine
    assert "<option>colleague" not in mine
    for address in ("192.0.2.1", "192.0.2.2", "192.0.2.3"):
        assert address not in mine
    assert mine.count("<tr>") == 1 + 2


def test_the_log_of_an_agent_has_what_was_done_to_them(agent, admin):
    Activity.objects.note(admin.user, Action.AGENT_DISABLED, about=agent.user)
    assert "Disable agent: agent" in admin.get("/activity/?agent=agent").content.decode()


def test_it_is_told_in_swedish(agent):
    Activity.objects.note(agent.user, Action.SIGNED_IN)
    assert "Logga in" in agent.get("/activity/", headers={"Accept-Language": "sv"}).content.decode()


def test_what_is_older_than_400_days_is_forgotten_with_the_next_sign_in(anna, agent):
    for days in (399, 401):
        entry = Activity.objects.begin(agent.user, Action.REOPEN)
        Activity.objects.filter(pk=entry.pk).update(started_at=timezone.now() - timedelta(days=days))
    sign_in()
    assert noted() == [("agent", "reopen", "unknown"), ("anna", "signed_in", "done")]


def test_old_drafts_and_forms_are_forgotten_with_the_next_sign_in(anna, agent):
    for days in (13, 15, 29, 31):
        at = timezone.now() - timedelta(days=days)
        Draft.objects.create(user=agent.user, ticket_id=f"tkt_{days}", token="sealed", updated_at=at)
        Submission.objects.create(user=agent.user, token=uuid.uuid4(), digest=str(days), started_at=at)
    sign_in()
    assert {draft.ticket_id for draft in Draft.objects.all()} == {"tkt_13"}
    assert {form.digest for form in Submission.objects.all()} == {"13", "15", "29"}
