"""The client over real sockets: its deadlines, its limits, and what it must never do."""

import io
import os
import socket
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sandbox import keys
from sandbox.faults import gzip_bomb
from sandbox.special_tickets import ENCRYPTED_ID, SAMPLE_ID
from tests import fault_servers
from tickets.hostup import errors
from tickets.hostup.client import Pool

CALL_SECONDS = 0.8


@pytest.fixture
def pool(sandbox):
    return Pool(sandbox.url, call_seconds=CALL_SECONDS, file_seconds=30, most_at_once=4)


@pytest.fixture
def client(pool):
    return pool.client(keys.FULL)


def test_every_call_of_the_reference_has_a_method(client):
    assert client.tickets(limit=5).tickets
    assert client.ticket("149943").id == SAMPLE_ID
    assert client.reopen(SAMPLE_ID).status == "open"
    reply = client.reply(SAMPLE_ID, "Hello", encrypted=True)
    assert (reply.body, reply.encrypted, reply.sender) == ("Hello", True, "customer")
    assert client.close(SAMPLE_ID).is_closed
    departments = client.departments()
    created = client.create(
        {"departmentSlug": departments[0].slug, "subject": "Help", "message": "Now", "priority": "high"}
    )
    assert created.subject == "Help"
    upload = client.upload(created.id, "notes.txt", io.BytesIO(b"text"), 4)
    assert upload.attachment_id.startswith("satt_")


def test_filters_travel_as_the_reference_names_them(client, sandbox):
    client.tickets(status="closed", department="billing", limit=1)
    client.tickets(cursor=client.tickets().next_cursor)
    filtered, first, second = (call.query for call in sandbox.calls)
    assert filtered == {"limit": "1", "status": "closed", "departmentSlug": "billing"}
    assert first == {"limit": "50"}
    assert second.keys() == {"limit", "cursor"}


def test_a_file_goes_up_for_its_ticket_and_comes_down_whole(client, sandbox):
    content = bytes(range(256)) * 1000
    client.upload(ENCRYPTED_ID, "bytes.bin", io.BytesIO(content), len(content))
    client.reply(ENCRYPTED_ID, "See the file.")
    (file,) = client.ticket(ENCRYPTED_ID).thread[-1].attachments
    download = client.download(ENCRYPTED_ID, file.id)
    assert (download.filename, download.content_length) == ("bytes.bin", len(content))
    assert b"".join(download) == content
    assert (sandbox.calls[-1].method, sandbox.calls[-1].query) == ("GET", {"ticketId": ENCRYPTED_ID})


@pytest.mark.parametrize("more", [0, 1])
def test_a_file_may_have_25_megabytes(client, sandbox, more):
    sandbox.fault(status=200, body=b"x" * (25 * 1024 * 1024 + more))
    if more:
        with pytest.raises(errors.TooLarge):
            client.download(SAMPLE_ID, "tatt_1")
    else:
        client.download(SAMPLE_ID, "tatt_1").close()


def test_a_file_that_is_taken_slowly_holds_no_connection(client, sandbox):
    sandbox.fault(status=200, body=b"x" * 3_000_000)
    download = client.download(SAMPLE_ID, "tatt_1")
    assert client.tickets(limit=1).tickets
    first, second = (call.connection for call in sandbox.calls)
    assert first == second
    assert len(b"".join(download)) == 3_000_000


@pytest.mark.parametrize(("key", "can_write"), [(keys.FULL, True), (keys.READ_ONLY, False)])
def test_what_a_key_may_write_is_found_out_without_writing(pool, sandbox, key, can_write):
    assert pool.client(key).can_write() is can_write
    (call,) = sandbox.calls
    assert call.path.endswith("/support/attachments")
    assert call.status in (400, 403)


def test_hostup_s_clock_is_that_of_its_last_answer(client):
    assert client.answered_at is None
    client.tickets(limit=1)
    assert abs(datetime.now(UTC) - client.answered_at) < timedelta(seconds=10)


def test_an_unknown_outcome_keeps_what_hostup_said(client, sandbox):
    sandbox.fault("problem_503")
    with pytest.raises(errors.OutcomeUnknown) as caught:
        client.reopen(SAMPLE_ID)
    error = caught.value
    assert (error.status, error.code, error.too_slow) == (503, "upstream_unavailable", False)
    assert error.detail
    assert error.request_id.startswith("req_")


def test_a_file_name_cannot_end_its_header(client):
    name = 'a"\r\nX-Evil: 1\r\n\r\n; name="ticketId".txt'
    assert client.upload(SAMPLE_ID, name, io.BytesIO(b"text"), 4).attachment_id.startswith("satt_")


@pytest.mark.parametrize("fault", ["slow", "dripping_headers", "dripping_body"])
def test_the_deadline_holds_however_slowly_it_comes(client, sandbox, fault):
    sandbox.fault(fault)
    began = time.monotonic()
    with pytest.raises(errors.TooSlow):
        client.tickets()
    assert time.monotonic() - began < CALL_SECONDS + 2


def test_a_hundred_megabytes_in_a_few_kilobytes_are_not_unpacked(client, sandbox):
    gzip_bomb(100)  # made beforehand: compressing it takes longer than the call may
    sandbox.fault("gzip_bomb")
    with pytest.raises(errors.Unreadable):
        client.tickets()


def test_an_answer_that_is_not_packed_as_it_says_is_unreadable(client, sandbox):
    sandbox.fault(headers={"Content-Encoding": "gzip"})
    with pytest.raises(errors.Unreadable):
        client.tickets()


def test_a_call_without_time_is_not_made(sandbox):
    pool = Pool(sandbox.url, call_seconds=0, file_seconds=0, most_at_once=1)
    with pytest.raises(errors.TooSlow):
        pool.client(keys.FULL).reopen(SAMPLE_ID)
    assert sandbox.calls == []


def test_a_success_without_a_file_is_no_download(client, sandbox):
    sandbox.fault(status=202)
    with pytest.raises(errors.Unreadable):
        client.download(SAMPLE_ID, "tatt_1")


@pytest.mark.parametrize("fault", [{"status": 201}, {"status": 500}, {"drop": "before"}])
def test_what_a_key_may_write_is_not_guessed(client, sandbox, fault):
    sandbox.fault(**fault)
    assert client.can_write() is None


def test_a_get_is_tried_again_when_the_connection_breaks(client, sandbox):
    sandbox.fault("reset", times=2)
    assert client.tickets().tickets
    assert len(sandbox.calls) == 3


def test_those_who_try_again_do_not_all_come_at_once(client, sandbox, monkeypatch):
    pauses = []
    monkeypatch.setattr("tickets.hostup.client.BACKOFF_SECONDS", 0.1)
    monkeypatch.setattr("tickets.hostup.client.time.sleep", pauses.append)
    for _ in range(20):
        sandbox.fault("problem_503", times=2)
        client.tickets()
    firsts, seconds = pauses[::2], pauses[1::2]
    assert len({round(pause, 6) for pause in pauses}) > 20
    assert min(pauses) >= 0
    assert max(firsts) <= 0.2 < max(seconds) <= 0.4


@pytest.mark.parametrize("fault", ["problem_500", "problem_404", "problem_429", "html_200"])
def test_a_get_is_not_tried_again_when_that_would_not_help(client, sandbox, fault):
    sandbox.fault(fault, times=None)
    with pytest.raises(errors.HostUpError):
        client.tickets()
    assert len(sandbox.calls) == 1


@pytest.mark.parametrize("fault", ["reset", "lost_answer", "problem_500", "problem_503", "slow", "truncated"])
def test_a_change_is_sent_once_and_called_unknown(client, sandbox, fault):
    sandbox.fault(fault, times=None)
    with pytest.raises(errors.OutcomeUnknown):
        client.reopen(SAMPLE_ID)
    assert len(sandbox.calls) == 1


def test_a_change_that_never_left_is_not_unknown(nowhere):
    client = Pool(nowhere, call_seconds=1, file_seconds=1, most_at_once=1).client(keys.FULL)
    with pytest.raises(errors.Unavailable):
        client.reopen(SAMPLE_ID)


def test_a_change_on_a_connection_that_just_closed_is_unknown_at_worst(client, sandbox):
    """The server may close a kept-alive connection at any time, but a change is not sent twice because of that."""
    sandbox.fault("hang_up")
    client.tickets()
    with suppress(errors.OutcomeUnknown):
        assert client.reopen(SAMPLE_ID).status == "open"
    assert [call.method for call in sandbox.calls].count("POST") <= 1


@pytest.mark.parametrize("fault", ["redirect_same_host", "redirect_other_host"])
def test_redirects_are_not_followed(client, sandbox, fault):
    sandbox.fault(fault)
    with pytest.raises(errors.Unreadable):
        client.tickets()
    assert len(sandbox.calls) == 1


def test_cookies_are_not_kept(client, sandbox):
    sandbox.fault("set_cookie")
    client.tickets()
    client.tickets()
    assert "Cookie" not in sandbox.calls[1].headers


def test_an_answer_that_hints_come_before_is_nobody_else_s(pool, sandbox):
    """Hints (1xx) are answers of their own. The real one, left on the connection, used to go to the next call."""
    for status in (102, 103):
        sandbox.fault(interim=status, delay=0.2)
        assert pool.client(keys.FULL).ticket(SAMPLE_ID).id == SAMPLE_ID
        with pytest.raises(errors.NotFound):
            pool.client(keys.OTHER).ticket(SAMPLE_ID)


def test_the_process_s_own_netrc_and_proxy_do_not_matter(client, sandbox, monkeypatch, tmp_path, nowhere):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", nowhere)
    client.tickets()
    assert sandbox.calls[0].key_name == "FULL"


def test_a_proxy_of_ours_is_used(sandbox):
    """No host has this address: only the proxy, here the sandbox itself, can have answered."""
    pool = Pool("http://hostup.invalid", call_seconds=1, file_seconds=1, most_at_once=1, proxy=sandbox.url)
    assert pool.client(keys.FULL).tickets().tickets


def test_a_proxy_that_leads_nowhere_has_sent_nothing():
    with fault_servers.proxy_without_a_way() as (proxy, _):
        pool = Pool("https://hostup.invalid", call_seconds=1, file_seconds=1, most_at_once=1, proxy=proxy)
        with pytest.raises(errors.Unavailable):
            pool.client(keys.FULL).reopen("tkt_1")


def test_many_calls_share_a_few_connections(pool, sandbox):
    def ten_calls():
        for _ in range(10):
            pool.client(keys.FULL).tickets(limit=1)

    threads = [threading.Thread(target=ten_calls) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sandbox.calls) == 40
    assert len({call.connection for call in sandbox.calls}) <= 4


@pytest.mark.skipif(not hasattr(socket, "TCP_KEEPIDLE"), reason="the system does not say when it asks")
def test_a_connection_that_is_kept_is_asked_now_and_then_whether_it_is_there(client, sandbox):
    """A connection that a firewall dropped silently would cost the next call its whole deadline."""

    def connections():
        """Return the kernel's timer of each connection to the sandbox, by our end's address."""
        lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return {
            ours: timer for _, ours, theirs, _, _, timer, *_ in lines if theirs.endswith(f":{sandbox.port:04X}")
        }

    before = connections()
    client.tickets()
    (timer,) = [timer for ours, timer in connections().items() if ours not in before]
    kind, when = timer.split(":")
    assert kind == "02"  # keepalive: https://docs.kernel.org/networking/proc_net_tcp.html
    assert 0 < int(when, 16) <= 15 * os.sysconf("SC_CLK_TCK")


def test_one_call_too_many_is_refused_at_once(pool, sandbox):
    pool.call_seconds, answered = 30, threading.Event()  # long enough that none of the four ends by itself
    sandbox.fault(transform=lambda page: answered.wait(60) and page, times=4)
    waiting = [threading.Thread(target=pool.client(keys.FULL).tickets) for _ in range(4)]
    for thread in waiting:
        thread.start()
    while len(sandbox.calls) < 4:
        time.sleep(0.01)
    began = time.monotonic()
    with pytest.raises(errors.Busy):
        pool.client(keys.FULL).ticket(SAMPLE_ID, tries=1)
    assert time.monotonic() - began < 10  # seconds; a call that waits takes thirty
    answered.set()
    for thread in waiting:
        thread.join()
    assert pool.client(keys.FULL).tickets().tickets


def test_a_download_given_up_late_leaves_the_next_call_its_time(client, sandbox):
    """It may be closed at any time, even by the garbage collector, once the browser has given up on it."""
    sandbox.fault(status=200, body=b"x" * 1_000_000, times=2)
    given_up = client.download(SAMPLE_ID, "tatt_1")
    download = client.download(SAMPLE_ID, "tatt_1")
    given_up.close()
    assert len(b"".join(download)) == 1_000_000


@pytest.mark.parametrize("identifier", ["..", "a/b", "a?b", "", "x" * 65, "å"])
def test_an_id_that_is_none_is_not_sent(client, sandbox, identifier):
    for call in (client.ticket, client.reopen, client.close):
        with pytest.raises(errors.NotFound):
            call(identifier)
    with pytest.raises(errors.NotFound):
        client.download(SAMPLE_ID, identifier)
    assert sandbox.calls == []


def test_we_say_who_we_are(client, sandbox):
    client.tickets()
    assert sandbox.calls[0].headers["User-Agent"].startswith("HostUp-Dashboard/")


def test_the_key_is_in_no_error(client, sandbox):
    for fault in ("problem_401", "reset", "html_200", "slow"):
        sandbox.clear_faults()
        sandbox.fault(fault, times=None)
        with pytest.raises(errors.HostUpError) as caught:
            client.tickets()
        assert keys.FULL not in repr(caught.value) + str(caught.value.__dict__)


def test_looking_whether_hostup_is_there_ends_at_the_deadline_too(pool, sandbox):
    sandbox.fault("slow")
    with pytest.raises(errors.TooSlow):
        pool.reach()
