"""The API key: tried on HostUp, kept encrypted, never shown again."""

import threading
import uuid
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from sandbox import keys
from tests.accounts.people import PASSWORD
from tests.full_disk import nothing_goes_into
from tickets.models import Activity, ApiKey

URL = "/settings/key/"


def saved_key(agent):
    return ApiKey.objects.get(user=agent.user)


def test_saving_tries_the_key_and_says_what_it_can_do(newcomer, sandbox):
    response = newcomer.post(URL, {"api_key": keys.FULL}, follow=True)
    html = response.content.decode()
    assert "Key ending in a1b2" in html
    assert html.count("<strong>yes</strong>") == 3
    assert sandbox.calls[0].query["limit"] == "1"
    assert saved_key(newcomer).decrypt() == keys.FULL
    assert "<select" in newcomer.get("/tickets/").content.decode()


@pytest.mark.parametrize(("key", "can_write", "can_read_departments"), [
    (keys.FULL, True, True), (keys.READ_ONLY, False, True), (keys.NO_ACCOUNT, True, False),
])  # fmt: skip
def test_scopes_are_found_out_without_changing_anything(newcomer, sandbox, key, can_write, can_read_departments):
    newcomer.post(URL, {"api_key": key})
    saved = saved_key(newcomer)
    assert (saved.can_write, saved.can_read_departments) == (can_write, can_read_departments)
    assert not [call for call in sandbox.calls if call.method == "POST" and call.status not in (400, 403)]


def test_of_a_key_that_may_only_read_that_is_said_at_once(newcomer):
    html = newcomer.post(URL, {"api_key": keys.READ_ONLY}, follow=True).content.decode()
    assert "With it you can read tickets, but not reopen, close or reply." in html


@pytest.mark.parametrize("key", [keys.REVOKED, keys.NO_SUPPORT, "no-such-key"])
def test_a_key_that_hostup_refuses_is_not_saved(newcomer, key):
    response = newcomer.post(URL, {"api_key": key})
    assert response.status_code == 403
    html = response.content.decode()
    assert "The key was not saved." in html
    assert key not in html
    assert "HostUp&#39;s request ID:" in html
    assert "The key saved before is still used." not in html
    assert not ApiKey.objects.exists()
    assert Activity.objects.get().outcome == "refused"


def test_a_limit_says_when_to_come_again(newcomer, sandbox):
    sandbox.fault("rate_limited_seconds")
    response = newcomer.post(URL, {"api_key": keys.FULL})
    assert (response.status_code, response.headers["Retry-After"]) == (429, "7")


def test_what_is_no_hostup_is_not_a_ticket_that_is_missing(newcomer, sandbox):
    sandbox.fault("html_404")
    html = newcomer.post(URL, {"api_key": keys.FULL}).content.decode()
    for words in ("There is no such address at HostUp", "The key was not saved.", "who runs this dashboard"):
        assert words in html
    assert "Check the number" not in html


def test_a_refused_replacement_leaves_the_old_key(agent):
    html = agent.post(URL, {"api_key": keys.REVOKED}).content.decode()
    assert saved_key(agent).decrypt() == keys.FULL
    assert "The key saved before is still used." in html
    assert "Read tickets:" in html
    assert keys.REVOKED not in html


def test_hostup_down_is_no_reason_to_save_blindly(newcomer, settings, nowhere):
    settings.HOSTUP_API_URL = nowhere
    response = newcomer.post(URL, {"api_key": keys.FULL})
    assert response.status_code == 503
    assert "The key was not saved." in response.content.decode()
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "k\x00ey", "nyckelå", "x" * 513])
def test_what_can_be_no_key_never_leaves(newcomer, sandbox, key):
    response = newcomer.post(URL, {"api_key": key})
    assert response.status_code == 422
    assert 'role="alert"' in response.content.decode()
    assert sandbox.calls == []


def test_the_key_is_shown_nowhere(agent):
    for path in (URL, "/tickets/", "/activity/"):
        assert keys.FULL not in agent.get(path).content.decode()
    row = saved_key(agent)
    assert keys.FULL not in row.token
    assert keys.FULL not in repr(vars(row))


def test_the_page_itself_calls_nobody(agent, sandbox):
    agent.get(URL)
    assert sandbox.calls == []


def test_check_asks_hostup_again(agent, sandbox):
    response = agent.post("/settings/key/check/", follow=True)
    assert "HostUp accepts the key." in response.content.decode()
    assert saved_key(agent).can_write is True
    sandbox.fault("problem_401")
    refused = agent.post("/settings/key/check/")
    assert refused.status_code == 403
    assert "HostUp does not accept your API key" in refused.content.decode()
    assert "Read tickets:" not in refused.content.decode()
    assert "The key saved before is still used." not in refused.content.decode()
    assert "The ticket was not changed." not in refused.content.decode()  # no ticket is involved
    assert list(Activity.objects.values_list("action", "outcome")) == [
        ("key_checked", "refused"),
        ("key_checked", "done"),
    ]


@pytest.mark.parametrize("fault", ["problem_503", "html_403", "html_400"])
def test_a_check_that_cannot_tell_a_scope_leaves_what_is_known(newcomer, sandbox, fault):
    newcomer.post(URL, {"api_key": keys.FULL})
    for path in ("/departments", "/attachments"):
        sandbox.fault(fault, path=path, times=None)
    assert newcomer.post("/settings/key/check/", follow=True).content.decode().count("<strong>yes</strong>") == 3


def test_remove_forgets_it(agent, sandbox):
    response = agent.post("/settings/key/remove/", follow=True)
    assert "Key removed here. HostUp does not know" in response.content.decode()
    assert not ApiKey.objects.exists()
    assert agent.get("/tickets/").status_code == 403
    assert sandbox.calls == []


def test_a_key_that_is_not_there_is_not_said_to_be_removed(agent, sandbox):
    agent.post("/settings/key/remove/")
    again = agent.post("/settings/key/remove/")  # as in another tab
    assert again.status_code == 403
    assert "Add your API key" in again.content.decode()
    assert Activity.objects.filter(action="key_removed").count() == 1


def test_two_first_saves_of_a_key_at_once_are_both_answered(newcomer, sandbox):
    """The other press inserts its row after this one has looked for a row and before it inserts its own."""

    def other_comes_first(execute, sql, *arguments):
        if sql.startswith('INSERT INTO "tickets_apikey"') and not others:
            others.append(ApiKey(user=newcomer.user))
            others[0].encrypt(keys.COLLEAGUE)
            others[0].save()
        return execute(sql, *arguments)

    others = []
    with connection.execute_wrapper(other_comes_first):
        assert newcomer.post(URL, {"api_key": keys.FULL}).status_code == 302
    assert others
    assert ApiKey.objects.get().decrypt() == keys.FULL
    assert Activity.objects.get().outcome == "done"


@pytest.mark.parametrize(("path", "form"), [(URL, {"api_key": keys.COLLEAGUE}), ("/settings/key/remove/", {})])
def test_a_key_is_not_replaced_or_removed_by_whoever_finds_the_screen_open(agent, sandbox, path, form):
    agent.user.set_password(PASSWORD)
    agent.user.save()
    agent.force_login(agent.user)
    agent.signed_in(seconds_ago=600)
    answer = agent.post(path, form)
    assert answer.headers["Location"] == "/accounts/reauthenticate/?next=%2Fsettings%2Fkey%2F%3Fundone%3D"
    assert saved_key(agent).decrypt() == keys.FULL
    assert keys.COLLEAGUE not in str(dict(agent.session))
    assert sandbox.calls == []
    page = agent.get(answer.headers["Location"]).content.decode()
    assert "Nothing has been changed yet." in page
    back = agent.post(answer.headers["Location"], {"password": PASSWORD})
    assert back.headers["Location"] == f"{URL}?undone="
    assert "If you still want it, do it again." in agent.get(back.headers["Location"]).content.decode()
    agent.post(path, form)
    saved = ApiKey.objects.filter(user=agent.user).first()
    assert saved is None or saved.decrypt() == keys.COLLEAGUE


def test_a_change_that_was_not_confirmed_is_spoken_of_nowhere_else(agent):
    agent.user.set_password(PASSWORD)
    agent.user.save()
    agent.force_login(agent.user)
    agent.signed_in(seconds_ago=600)
    assert agent.post("/settings/key/remove/").status_code == 302
    form = {"token": uuid.uuid4(), "department": "billing", "subject": "S", "message": "M", "priority": "low"}
    ticket = agent.post("/tickets/new/", form, follow=True).content.decode()
    assert "Ticket created." in ticket
    others = ["/accounts/reauthenticate/?next=/accounts/me/totp/activate/", URL]
    assert "Nothing has been changed yet." not in "".join(
        [ticket, *(agent.get(at).content.decode() for at in others)]
    )


@pytest.mark.parametrize("path", ["/tickets/", "/tickets/149943/"])
def test_without_a_key_the_way_to_one_is_shown(newcomer, sandbox, path):
    response = newcomer.get(path)
    assert response.status_code == 403
    html = response.content.decode()
    assert "Add your API key" in html
    assert 'class="failure todo"' in html  # nothing has gone wrong
    assert "All tickets" not in html  # the link would lead to this very page
    assert f'href="{URL}"' in response.content.decode()
    assert sandbox.calls == []


def test_an_unreadable_key_asks_for_the_key_again_and_calls_nobody(agent, sandbox, settings):
    settings.ENCRYPTION_KEYS = {"other": bytes(range(50, 82))}
    for response in (agent.get("/tickets/"), agent.htmx_post("/tickets/149943/reopen/")):
        assert response.status_code == 403
        assert "Save your API key again." in response.content.decode()
    page = agent.get(URL)
    assert page.status_code == 200
    assert "Save your API key again." in page.content.decode()
    assert sandbox.calls == []


def test_a_colleague_s_encrypted_key_is_useless_in_ones_own_row(agent, colleague):
    ApiKey.objects.filter(user=agent.user).update(token=saved_key(colleague).token)
    assert agent.get("/tickets/").status_code == 403


ROTATED = {"new": bytes(range(101, 133)), "test": bytes(range(1, 33))}


def rotate(*arguments):
    out = StringIO()
    call_command("rotate_encryption_key", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def test_rotation_moves_every_key_to_the_first_one(agent, colleague, settings):
    settings.ENCRYPTION_KEYS = ROTATED
    assert "api keys: 2 would be rotated, 0 unreadable, 2 left under another key." in rotate("--dry-run")
    assert not saved_key(agent).is_under_current_key
    assert "api keys: 2 rotated, 0 unreadable, 0 left under another key." in rotate()
    settings.ENCRYPTION_KEYS = {"new": ROTATED["new"]}
    assert saved_key(agent).decrypt() == keys.FULL
    assert agent.get("/tickets/").status_code == 200


def test_rotation_gives_up_what_was_damaged_and_moves_the_rest(agent, colleague, settings):
    ApiKey.objects.filter(user=agent.user).update(token="garbage")
    settings.ENCRYPTION_KEYS = ROTATED
    assert "api keys: 1 rotated, 1 unreadable, 0 left under another key." in rotate("--delete-unreadable")
    assert saved_key(colleague).is_under_current_key


def test_rotation_says_which_key_is_lost(agent, settings):
    settings.ENCRYPTION_KEYS = {"new": ROTATED["new"]}
    with pytest.raises(CommandError):
        rotate()


@pytest.mark.django_db(transaction=True)  # a test's own transaction would end with the first error
@pytest.mark.parametrize("path", [URL, "/settings/key/check/", "/settings/key/remove/"])
def test_what_cannot_be_logged_is_not_done_and_speaks_of_no_ticket(agent, sandbox, path):
    with nothing_goes_into("tickets_activity"):
        response = agent.post(path, {"api_key": keys.COLLEAGUE})
    assert response.status_code == 503
    assert "The dashboard cannot write to its log" in response.content.decode()
    assert "The ticket was not changed." not in response.content.decode()
    assert sandbox.calls == []
    assert saved_key(agent).last_four == keys.FULL[-4:]


@pytest.mark.django_db(transaction=True)
def test_nobody_saves_a_key_while_it_is_being_rotated(agent, settings, monkeypatch):
    """Otherwise the rotation would put the old key back."""
    settings.ENCRYPTION_KEYS = ROTATED
    decrypt, results = ApiKey.decrypt, []

    def save_another():
        try:
            other = ApiKey(user=agent.user)
            other.encrypt(keys.COLLEAGUE)
            other.save()
            results.append("saved")
        except OperationalError as error:
            results.append(str(error))
        connection.close()

    def while_it_is_read(row):
        thread = threading.Thread(target=save_another)
        thread.start()
        thread.join()
        return decrypt(row)

    monkeypatch.setattr(ApiKey, "decrypt", while_it_is_read)
    rotate()
    (result,) = results
    assert "locked" in result or "statement timeout" in result  # SQLite's words, or PostgreSQL's


def test_a_check_under_way_does_not_undo_a_rotation(agent, settings, monkeypatch):
    settings.ENCRYPTION_KEYS = ROTATED
    decrypt = ApiKey.decrypt

    def rotated_meanwhile(row):
        clear = decrypt(row)
        monkeypatch.undo()
        rotate()
        return clear

    monkeypatch.setattr(ApiKey, "decrypt", rotated_meanwhile)
    agent.post("/settings/key/check/")
    assert saved_key(agent).is_under_current_key


def test_a_check_under_way_does_not_bring_a_removed_key_back(agent, settings, monkeypatch):
    decrypt = ApiKey.decrypt

    def removed_meanwhile(row):
        monkeypatch.undo()
        agent.post("/settings/key/remove/")
        return decrypt(row)

    monkeypatch.setattr(ApiKey, "decrypt", removed_meanwhile)
    agent.post("/settings/key/check/")
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize(("name", "left"), [("new", 1), ("test", 0)])
def test_what_is_lost_is_deleted_on_request_only(agent, settings, name, left):
    """Also when the new key was given the name of the lost one."""
    settings.ENCRYPTION_KEYS = {name: ROTATED["new"]}
    with pytest.raises(CommandError):
        rotate("--dry-run")
    assert f"api keys: 0 would be rotated, 1 unreadable, {left} left" in rotate("--dry-run", "--delete-unreadable")
    assert ApiKey.objects.exists()
    assert "api keys: 0 rotated, 1 unreadable, 0 left" in rotate("--delete-unreadable")
    assert not ApiKey.objects.exists()


def test_two_agents_keys_stay_apart(agent, stranger, sandbox):
    agent.get("/tickets/")
    stranger.get("/tickets/")
    assert [call.key_name for call in sandbox.calls] == ["FULL", "OTHER"]
