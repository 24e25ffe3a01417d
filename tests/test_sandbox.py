"""What tests and developers can rely on when they talk to the sandbox instead of HostUp."""

import gzip
import http.client
import json
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests

from sandbox import keys, seed, special_tickets
from sandbox.model import PRIORITIES, STATUSES
from sandbox.named_faults import NAMED
from sandbox.server import Sandbox
from sandbox.shapes import whole_ticket
from sandbox.store import Store

TICKETS = "/api/v2/support/tickets"
ATTACHMENTS = "/api/v2/support/attachments"
ROOT = Path(__file__).parents[1]
SAMPLE = f"{TICKETS}/{special_tickets.SAMPLE_ID}"
HOSTILE = f"{TICKETS}/{special_tickets.HOSTILE_ID}"


class Caller:
    """A client with one key and one connection pool."""

    def __init__(self, sandbox: Sandbox, key: str) -> None:
        self.url = sandbox.url
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {key}"

    def get(self, path, **query):
        return self.session.get(self.url + path, params=query, timeout=5, allow_redirects=False)

    def post(self, path, body=None, **arguments):
        return self.session.post(self.url + path, json=body, timeout=5, **arguments)


@pytest.fixture(scope="module")
def running():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running):
    running.reset()
    return running


@pytest.fixture
def owner(sandbox):
    return Caller(sandbox, keys.FULL)


def problem(response):
    assert response.headers["Content-Type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == response.status_code
    assert body["requestId"].startswith("req_")
    return body


class TestKeys:
    @pytest.mark.parametrize("key", [keys.REVOKED, "never-heard-of", ""])
    def test_it_refuses_a_key_that_it_does_not_know(self, sandbox, key):
        response = Caller(sandbox, key).get(TICKETS)
        assert (response.status_code, problem(response)["code"]) == (401, "unauthorized")

    def test_it_asks_for_the_scope_of_each_call(self, sandbox):
        assert Caller(sandbox, keys.READ_ONLY).post(SAMPLE + "/actions/reopen").status_code == 403
        assert Caller(sandbox, keys.NO_SUPPORT).get(TICKETS).status_code == 403
        assert Caller(sandbox, keys.NO_SUPPORT).get("/api/v2/support/departments").status_code == 200
        assert Caller(sandbox, keys.NO_ACCOUNT).get("/api/v2/support/departments").status_code == 403

    def test_it_looks_at_the_key_then_the_scope_then_the_request(self, sandbox):
        statuses = [
            Caller(sandbox, key).post(ATTACHMENTS).status_code for key in (keys.REVOKED, keys.READ_ONLY, keys.FULL)
        ]
        assert statuses == [401, 403, 400]

    def test_it_hides_the_tickets_of_other_accounts(self, sandbox, owner):
        other = Caller(sandbox, keys.OTHER)
        assert problem(other.get(SAMPLE))["code"] == "ticket_not_found"
        assert other.post(SAMPLE + "/actions/reopen").status_code == 404
        assert other.get(TICKETS, limit=100).json()["data"][0]["id"] == seed.OTHER_ACCOUNT_ID
        assert owner.get(f"{TICKETS}/{seed.OTHER_ACCOUNT_ID}").status_code == 404
        assert sandbox.tickets.find(special_tickets.SAMPLE_ID).status == "closed"

    def test_it_limits_calls_per_key(self):
        with Sandbox(rate_limit=2) as sandbox:
            owner, colleague = Caller(sandbox, keys.FULL), Caller(sandbox, keys.COLLEAGUE)
            assert [owner.get(SAMPLE).headers["X-RateLimit-Remaining"] for _ in range(2)] == ["1", "0"]
            refused = owner.get(SAMPLE)
            assert (refused.status_code, problem(refused)["code"]) == (429, "rate_limit_exceeded")
            assert 1 <= int(refused.headers["Retry-After"]) <= 60
            assert colleague.get(SAMPLE).status_code == 200


class TestList:
    def test_pages_hold_every_ticket_once_newest_activity_first(self, owner):
        seen, query = [], {"limit": 17}
        while query.get("cursor", "") is not None:
            page = owner.get(TICKETS, **query).json()
            seen += page["data"]
            query["cursor"] = page["nextCursor"]
        assert len(seen) == len({ticket["id"] for ticket in seen}) == 120
        assert seen == sorted(seen, key=lambda ticket: ticket["lastMessageAt"], reverse=True)
        assert not {"body", "messages", "attachments"} & seen[0].keys()

    def test_a_ticket_that_arrives_in_between_repeats_one(self, sandbox, owner):
        first = owner.get(TICKETS, limit=10).json()
        sandbox.tickets.reopen(keys.ACCOUNT_A, special_tickets.NULLS_ID)
        assert owner.post(f"{TICKETS}/{special_tickets.NULLS_ID}/messages", {"message": "Up"}).status_code == 201
        second = owner.get(TICKETS, limit=10, cursor=first["nextCursor"]).json()
        assert first["data"][-1]["id"] == second["data"][0]["id"]

    @pytest.mark.parametrize("query", [{}, {"status": "closed"}, {"departmentSlug": "billing"}])
    def test_the_reference_sample_is_on_the_first_page(self, owner, query):
        assert special_tickets.SAMPLE_ID in [ticket["id"] for ticket in owner.get(TICKETS, **query).json()["data"]]

    @pytest.mark.parametrize(
        ("query", "pointer"),
        [
            ({"limit": "0"}, "/limit"),
            ({"limit": "101"}, "/limit"),
            ({"cursor": "made-up"}, "/cursor"),
            ({"status": "unknown"}, "/status"),
            ({"departmentSlug": "nowhere"}, "/departmentSlug"),
        ],
    )
    def test_it_refuses_bad_parameters(self, owner, query, pointer):
        body = problem(owner.get(TICKETS, **query))
        assert body["code"] == "invalid_request"
        assert [error["pointer"] for error in body["errors"]] == [pointer]


class TestReopenAndClose:
    def test_reopening_answers_the_reference_sample(self, owner):
        before = owner.get(SAMPLE).json()
        after = owner.post(SAMPLE + "/actions/reopen").json()
        assert (before["status"], after["status"]) == ("closed", "open")
        assert after["updatedAt"] > before["updatedAt"]
        assert (after["number"], after["messageCount"], len(after["messages"])) == (149943, 3, 1)
        assert after == owner.get(f"{TICKETS}/149943").json()

    def test_reopening_an_open_ticket_changes_nothing(self, owner):
        before = owner.get(HOSTILE).json()
        assert owner.post(HOSTILE + "/actions/reopen").json() == before

    def test_reopening_an_open_ticket_can_be_a_conflict(self, sandbox, owner):
        sandbox.already = "conflict"
        assert problem(owner.post(HOSTILE + "/actions/reopen"))["code"] == "ticket_already_open"
        assert problem(owner.post(SAMPLE + "/actions/close"))["code"] == "ticket_already_closed"
        sandbox.reset()
        assert owner.post(HOSTILE + "/actions/reopen").status_code == 200

    def test_closing_answers_the_ticket_or_nothing(self, sandbox, owner):
        assert owner.post(HOSTILE + "/actions/close").json()["status"] == "closed"
        sandbox.close_answer = "empty"
        response = owner.post(HOSTILE + "/actions/close")
        assert (response.status_code, response.content) == (204, b"")


class TestReply:
    def test_a_reply_makes_it_hostups_turn(self, owner):
        before = owner.get(HOSTILE).json()
        response = owner.post(HOSTILE + "/messages", {"message": "Hej <b>du</b>", "encrypted": True})
        after = owner.get(HOSTILE).json()
        assert response.status_code == 201
        assert after["messages"][-1] == response.json()
        assert (response.json()["sender"], response.json()["senderName"]) == ("customer", "Jane Example")
        assert (after["status"], after["messageCount"]) == ("customer_reply", before["messageCount"] + 1)
        assert after["lastMessageAt"] > before["lastMessageAt"]

    def test_a_closed_ticket_takes_no_reply(self, owner):
        response = owner.post(SAMPLE + "/messages", {"message": "Hello?"})
        assert (response.status_code, problem(response)["code"]) == (409, "ticket_closed")
        assert len(owner.get(SAMPLE).json()["messages"]) == 1

    def test_it_names_every_field_that_is_wrong(self, owner):
        body = problem(owner.post(HOSTILE + "/messages", {"message": " ", "encrypted": "yes"}))
        assert [error["pointer"] for error in body["errors"]] == ["/message", "/encrypted"]

    @pytest.mark.parametrize("data", [b"{", b"[]", b"\xff"])
    def test_it_refuses_what_is_no_json_object(self, owner, data):
        response = owner.post(HOSTILE + "/messages", data=data, headers={"Content-Type": "application/json"})
        assert response.status_code == 400

    def test_encrypted_text_can_be_withheld(self, sandbox, owner):
        path = f"{TICKETS}/{special_tickets.ENCRYPTED_ID}"
        bodies = [m["body"] for m in owner.get(path).json()["messages"] if m["encrypted"]]
        assert {type(body) for body in bodies} == {str, type(None)}
        sandbox.encrypted_body = "null"
        assert {m["body"] for m in owner.get(path).json()["messages"] if m["encrypted"]} == {None}


class TestCreate:
    NEW = {"departmentSlug": "billing", "subject": "Invoice", "message": "Where is it?"}

    def test_it_creates_an_open_ticket_on_top_of_the_list(self, owner):
        response = owner.post(TICKETS, self.NEW | {"context": {"serviceType": "vps", "serviceId": "vps_1"}})
        ticket = response.json()
        assert (response.status_code, ticket["status"], ticket["departmentName"]) == (201, "open", "Billing")
        assert ticket["linkedServices"][0]["serviceId"] == "vps_1"
        assert owner.get(TICKETS).json()["data"][0]["id"] == ticket["id"]

    def test_a_critical_ticket_needs_a_reason_and_comes_once_an_hour(self, sandbox, owner):
        critical = self.NEW | {"priority": "critical"}
        assert problem(owner.post(TICKETS, critical))["errors"][0]["pointer"] == "/criticalReason"
        critical["criticalReason"] = "No customer can order"
        assert owner.post(TICKETS, critical).status_code == 201
        second = Caller(sandbox, keys.COLLEAGUE).post(TICKETS, critical)
        assert (second.status_code, problem(second)["code"]) == (429, "rate_limited")
        assert 3500 < int(second.headers["Retry-After"]) <= 3600


class TestAttachments:
    CONTENT = bytes(range(256)) + b"\r\n--boundary\r\n"

    def test_an_upload_comes_back_with_its_senders_next_reply(self, sandbox, owner):
        files = {"file": ("räksmörgås 1.png", self.CONTENT, "image/png")}
        upload = owner.post(ATTACHMENTS, files=files, data={"ticketId": special_tickets.HOSTILE_ID}).json()
        assert upload["attachmentId"].startswith("satt_")
        assert (upload["byteLength"], upload["filename"]) == (len(self.CONTENT), "räksmörgås 1.png")
        assert owner.get(upload["url"], ticketId=special_tickets.HOSTILE_ID).status_code == 404
        assert owner.get(upload["url"]).status_code == 404  # nor without the ticket: it is no download URL
        colleague = Caller(sandbox, keys.COLLEAGUE)
        assert colleague.post(HOSTILE + "/messages", {"message": "Mine"}).json()["attachments"] == []
        (attachment,) = owner.post(HOSTILE + "/messages", {"message": "See file"}).json()["attachments"]
        download = owner.get(attachment["downloadUrl"])
        assert (download.content, download.headers["Content-Type"]) == (self.CONTENT, "image/png")
        assert "filename*=UTF-8''r%C3%A4ksm%C3%B6rg%C3%A5s%201.png" in download.headers["Content-Disposition"]

    def test_a_file_is_found_only_through_its_own_ticket(self, sandbox, owner):
        ticket = owner.get(f"{TICKETS}/{special_tickets.ATTACHMENTS_ID}").json()
        path = f"{ATTACHMENTS}/{ticket['attachments'][0]['id']}"
        assert owner.get(path, ticketId=ticket["id"]).status_code == 200
        assert problem(owner.get(path, ticketId=special_tickets.SAMPLE_ID))["code"] == "attachment_not_found"
        assert Caller(sandbox, keys.OTHER).get(path, ticketId=ticket["id"]).status_code == 404
        assert owner.get(path).status_code == 400

    def test_every_seeded_file_can_be_downloaded(self, owner):
        ticket = owner.get(f"{TICKETS}/{special_tickets.ATTACHMENTS_ID}").json()
        files = ticket["attachments"] + [file for message in ticket["messages"] for file in message["attachments"]]
        assert {owner.get(file["downloadUrl"]).status_code for file in files} == {200}

    def test_it_refuses_a_file_that_is_too_large(self, owner):
        response = owner.post(ATTACHMENTS, files={"file": ("big", bytes(26 * 1024 * 1024))})
        assert response.status_code == 413


class TestSeed:
    NOW = datetime(2026, 4, 27, 11, 45, tzinfo=UTC)

    def tickets(self, number):
        store = Store(number, now=lambda: self.NOW)
        seed.fill(store)
        return [whole_ticket(ticket, show_encrypted=True) for ticket in store.all_tickets()]

    def test_the_same_seed_makes_the_same_tickets(self):
        assert self.tickets(1) == self.tickets(1)
        assert self.tickets(1) != self.tickets(2)

    def test_it_has_every_status_and_priority_and_unique_numbers(self):
        tickets = self.tickets(1)
        assert {ticket["status"] for ticket in tickets} == set(STATUSES)
        assert {ticket["priority"] for ticket in tickets} == set(PRIORITIES)
        assert len({ticket["number"] for ticket in tickets}) == len(tickets) == 132

    def test_last_words_fit_the_status(self):
        for ticket in self.tickets(1):
            senders = [message["sender"] for message in ticket["messages"] if message["sender"] != "automation"]
            if ticket["status"] == "answered":
                assert senders[-1] == "staff"
            elif ticket["status"] == "customer_reply" and ticket["id"] != special_tickets.HOSTILE_ID:
                assert ["customer", *senders][-1] == "customer"


class TestFaults:
    def test_a_fault_meets_the_calls_it_was_made_for(self, sandbox, owner):
        sandbox.fault(method="POST", path="/reopen$", status=503, skip=1, times=2)
        statuses = [owner.post(SAMPLE + "/actions/reopen").status_code for _ in range(4)]
        assert statuses == [200, 503, 503, 200]
        assert owner.get(SAMPLE).status_code == 200

    def test_faults_wait_in_line_and_can_be_cleared(self, sandbox, owner):
        sandbox.fault("problem_500")
        sandbox.fault("problem_502", times=None)
        assert [owner.get(SAMPLE).status_code for _ in range(3)] == [500, 502, 502]
        sandbox.clear_faults()
        assert owner.get(SAMPLE).status_code == 200

    def test_a_fault_that_is_misspelt_is_refused(self, sandbox):
        with pytest.raises(ValueError, match="statsu"):
            sandbox.fault(statsu=500)
        with pytest.raises(ValueError, match="no fault named"):
            sandbox.fault("no_such_fault")

    @pytest.mark.parametrize(("process", "status"), [(False, "closed"), (True, "open")])
    def test_an_error_status_can_come_before_or_after_the_work(self, sandbox, owner, process, status):
        sandbox.fault("problem_504", process=process)
        assert problem(owner.post(SAMPLE + "/actions/reopen"))["code"] == "upstream_timeout"
        assert sandbox.tickets.find(special_tickets.SAMPLE_ID).status == status

    @pytest.mark.parametrize(("name", "status"), [("reset", "closed"), ("lost_answer", "open")])
    def test_a_connection_is_reset_before_or_after_the_work(self, sandbox, owner, name, status):
        sandbox.fault(name)
        with pytest.raises(requests.ConnectionError) as caught:
            owner.post(SAMPLE + "/actions/reopen")
        assert "ConnectionResetError" in repr(caught.value)
        assert sandbox.tickets.find(special_tickets.SAMPLE_ID).status == status
        assert [call.status for call in sandbox.calls] == [None]

    def test_a_delay_is_waited(self, sandbox, owner):
        sandbox.fault("slow", delay=0.3)
        start = time.monotonic()
        assert owner.get(SAMPLE).status_code == 200
        assert time.monotonic() - start >= 0.3

    @pytest.mark.parametrize("name", ["dripping_headers", "dripping_body"])
    def test_dripping_gets_there_in_the_end(self, sandbox, owner, name):
        sandbox.fault(name, drip_interval=0.0005)
        start = time.monotonic()
        assert owner.get(SAMPLE).json()["id"] == special_tickets.SAMPLE_ID
        assert time.monotonic() - start >= 0.1

    def test_a_truncated_body_ends_early(self, sandbox, owner):
        sandbox.fault("truncated")
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            owner.get(SAMPLE)

    def test_hanging_up_is_not_announced(self, sandbox):
        sandbox.fault("hang_up")
        connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=5)
        connection.request("GET", SAMPLE, headers={"Authorization": f"Bearer {keys.FULL}"})
        response = connection.getresponse()
        assert response.read()
        assert response.getheader("Connection") is None
        assert connection.sock.recv(1) == b""
        connection.close()

    def test_a_bomb_is_small_until_it_is_unpacked(self, sandbox, owner):
        sandbox.fault("gzip_bomb", gzip_bomb=8)
        with owner.session.get(owner.url + SAMPLE, stream=True, timeout=5) as response:
            packed = response.raw.read(decode_content=False)
        assert len(packed) < 20_000
        assert len(gzip.decompress(packed)) > 8_000_000

    def test_a_redirect_to_another_host_shows_who_followed(self, sandbox, owner):
        sandbox.fault("redirect_other_host")
        response = owner.get(SAMPLE)
        assert response.status_code == 302
        assert response.headers["Location"].startswith("http://localhost:")

    def test_rate_limit_answers_differ_in_what_they_say(self, sandbox, owner):
        said = {}
        for name in ("seconds", "http_date", "reset_only", "silent"):
            sandbox.fault(f"rate_limited_{name}")
            headers = owner.get(SAMPLE).headers
            said[name] = (headers.get("Retry-After", "")[-3:], "X-RateLimit-Reset" in headers)
        assert said["seconds"][0] == "7"
        assert said["http_date"][0] == "GMT"
        assert said["reset_only"] == ("", True)
        assert said["silent"] == ("", False)

    def test_transforms_spoil_true_answers(self, sandbox, owner):
        sandbox.fault("one_malformed_ticket")
        tickets = owner.get(TICKETS).json()["data"]
        assert [index for index, ticket in enumerate(tickets) if "status" not in ticket] == [1]
        sandbox.fault("repeated_ids")
        ids = [ticket["id"] for ticket in owner.get(TICKETS).json()["data"]]
        assert len(ids) - len(set(ids)) == 2
        sandbox.fault("cursor_loop")
        cursor = owner.get(TICKETS).json()["nextCursor"]
        assert owner.get(TICKETS, cursor=cursor).json()["nextCursor"] == cursor
        sandbox.clear_faults()
        sandbox.fault("unknown_values")
        assert owner.get(SAMPLE).json()["status"] == "waiting_for_moon"

    # The client below waits at most a second for each byte, so the dripping ones make it time out.
    QUICKER = {
        "slow": {"delay": 0.01},
        "dripping_headers": {"drip_interval": 3},
        "dripping_body": {"drip_interval": 3},
        "gzip_bomb": {"gzip_bomb": 2},
    }

    @pytest.mark.parametrize("name", NAMED)
    def test_after_every_named_fault_the_sandbox_is_well(self, sandbox, owner, name):
        method, path = ("GET", TICKETS) if "path" in NAMED[name] else ("POST", SAMPLE + "/actions/reopen")
        sandbox.fault(name, **self.QUICKER.get(name, {}))
        with suppress(requests.RequestException):
            owner.session.request(method, owner.url + path, timeout=1, allow_redirects=False)
        sandbox.clear_faults()
        assert len(sandbox.calls) == 1
        assert Caller(sandbox, keys.FULL).get(SAMPLE).status_code == 200


class TestServer:
    def test_it_keeps_connections_and_a_journal(self, sandbox, owner):
        owner.get(TICKETS, status="closed")
        Caller(sandbox, "unknown").get(SAMPLE)
        owner.post(SAMPLE + "/actions/reopen")
        first, second, third = sandbox.calls
        assert (first.method, first.path, first.query) == ("GET", TICKETS, {"status": "closed"})
        assert [call.status for call in sandbox.calls] == [200, 401, 200]
        assert [call.key_name for call in sandbox.calls] == ["FULL", None, "FULL"]
        assert first.connection == third.connection != second.connection
        assert "Authorization" not in first.headers

    def test_it_answers_problems_for_unknown_paths_and_methods(self, owner):
        assert problem(owner.get("/api/v2/elsewhere"))["status"] == 404
        response = owner.session.delete(owner.url + SAMPLE, timeout=5)
        assert (problem(response)["status"], response.headers["Allow"]) == (405, "GET")

    def test_it_comes_back_on_the_same_port_with_the_same_state(self):
        sandbox = Sandbox().start()
        owner = Caller(sandbox, keys.FULL)
        owner.post(SAMPLE + "/actions/reopen")
        sandbox.stop()
        with pytest.raises(requests.ConnectionError):
            owner.get(SAMPLE)
        with sandbox:
            assert owner.get(SAMPLE).json()["status"] == "open"

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_it_runs_in_the_foreground_until_it_is_told_to_end(self, number):
        command = [sys.executable, "-m", "sandbox", "--port", "0"]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            url = re.search(r"http://127\.0\.0\.1:[0-9]+", process.stdout.readline())[0]
            status = requests.get(
                url + SAMPLE, headers={"Authorization": f"Bearer {keys.FULL}"}, timeout=5
            ).status_code
            process.send_signal(number)
            assert (status, process.wait(timeout=5)) == (200, 0)

    def test_by_itself_it_names_new_tickets_as_it_never_did_before(self):
        """The dashboard's database outlives the sandbox, and would take new tickets for old ones that it knows."""
        command = [sys.executable, "-m", "sandbox", "--port", "0"]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            url = re.search(r"http://127\.0\.0\.1:[0-9]+", process.stdout.readline())[0]
            owner = Caller(SimpleNamespace(url=url), keys.FULL)
            made = [owner.post(TICKETS, TestCreate.NEW).json() for _ in range(3)]
            owner.post("/_sandbox/reset")
            made_anew = [owner.post(TICKETS, TestCreate.NEW).json() for _ in range(3)]
            process.terminate()
        for name in ("id", "number"):
            assert [ticket[name] for ticket in made] != [ticket[name] for ticket in made_anew]


class TestControl:
    def test_a_running_sandbox_can_be_asked_for_a_fault(self, sandbox, owner):
        assert owner.post("/_sandbox/faults", {"name": "problem_503", "times": 2}).status_code == 204
        assert owner.get(SAMPLE).status_code == 503
        assert owner.session.delete(owner.url + "/_sandbox/faults", timeout=5).status_code == 204
        assert owner.get(SAMPLE).status_code == 200
        calls = owner.get("/_sandbox/calls").json()["calls"]
        assert [call["status"] for call in calls] == [503, 200]

    @pytest.mark.parametrize("body", [{"name": "nothing"}, {"statsu": 500}, {"drop": "sideways"}, [1]])
    def test_it_explains_what_is_wrong_with_a_fault(self, owner, body):
        assert problem(owner.post("/_sandbox/faults", body))["detail"]

    def test_hostup_and_colleagues_can_be_played(self, sandbox, owner):
        address = f"{owner.url}/_sandbox/tickets/{special_tickets.SAMPLE_ID}"
        changed = owner.session.patch(address, data=json.dumps({"status": "on_hold"}), timeout=5)
        assert changed.json()["status"] == "on_hold"
        written = owner.post("/_sandbox/tickets/149943/messages", {"sender": "staff", "body": "Hello"})
        assert written.status_code == 201
        ticket = owner.get(SAMPLE).json()
        assert (ticket["status"], ticket["messages"][-1]["sender"]) == ("answered", "staff")

    def test_reset_brings_the_seed_back(self, sandbox, owner):
        owner.post(SAMPLE + "/actions/reopen")
        assert owner.post("/_sandbox/reset").status_code == 204
        assert owner.get(SAMPLE).json()["status"] == "closed"
        assert len(sandbox.calls) == 1
