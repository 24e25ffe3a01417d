"""What goes over the wire: a real gunicorn, as behind another machine's TLS proxy, gets hand-written requests."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from email import message_from_bytes
from pathlib import Path
from typing import NamedTuple

import pytest
import requests

from sandbox.special_tickets import SAMPLE_ID
from tests.dashboard import Dashboard, signed_in
from tests.headers import assert_has_our_headers
from tests.waiting import until

ROOT = Path(__file__).parent.parent
HOST = "tickets.example.com"
EVIL = "evil.example"
TLS = "X-Forwarded-Proto: https"


@pytest.fixture(scope="module")
def dashboard(running_sandbox, tmp_path_factory):
    home = tmp_path_factory.mktemp("dashboard")
    # gunicorn itself trusts no proxy here, as when the proxy is on another machine and nobody has configured it.
    settings = {"SITE_URL": f"https://{HOST}", "FORWARDED_ALLOW_IPS": "192.0.2.1"}
    with Dashboard(running_sandbox.url, home, **settings) as dashboard:
        yield dashboard


class Answer(NamedTuple):
    status_code: int
    headers: dict[str, str]
    raw: bytes


@pytest.fixture
def ask(dashboard):
    """Return a function that sends a request's lines as they are, and returns the answer."""

    def ask(*lines: str, body: bytes = b"") -> Answer:
        host, port = dashboard.address.split(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
            connection.shutdown(socket.SHUT_WR)
            raw = b"".join(iter(lambda: connection.recv(65536), b""))
        head, _, rest = raw.partition(b"\r\n")
        return Answer(int(head.split()[1]), dict(message_from_bytes(rest).items()), raw)

    return ask


def test_behind_a_proxy_with_tls_pages_show_and_do_not_redirect_in_a_circle(ask):
    answer = ask("GET /accounts/login/ HTTP/1.1", f"Host: {HOST}", TLS)
    assert answer.status_code == 200
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    assert "upgrade-insecure-requests" in answer.headers["Content-Security-Policy"]
    assert re.search("__Host-csrftoken=.*; Path=/; SameSite=Lax; Secure", answer.headers["Set-Cookie"])
    assert_has_our_headers(answer)


@pytest.mark.parametrize("headers", [[], ["X-Forwarded-Proto: http"], [f"X-Forwarded-Host: {EVIL}"]])
@pytest.mark.parametrize("host", [HOST, EVIL, "127.0.0.1"])
def test_without_tls_the_way_leads_to_our_own_https(ask, host, headers):
    answer = ask("GET /tickets/?status=open HTTP/1.1", f"Host: {host}", *headers)
    assert answer.status_code == 301
    assert answer.headers["Location"] == f"https://{HOST}/tickets/?status=open"
    assert_has_our_headers(answer)


def test_health_is_told_without_tls(ask):
    for path in ("/healthz", "/readyz"):
        assert ask(f"GET {path} HTTP/1.1", "Host: 127.0.0.1").status_code == 200


@pytest.mark.parametrize("lines", [
    ["GET /tickets/ HTTP/1.1", f"Host: {EVIL}"],
    ["GET /tickets/ HTTP/1.1", f"Host: {HOST}@{EVIL}"],
    ["GET /tickets/ HTTP/1.1", f"Host: {HOST}:80{EVIL}"],
    ["GET /tickets/ HTTP/1.1", f"Host: {HOST}", f"Host: {EVIL}"],
    ["GET /tickets/ HTTP/1.1", f"Host: {EVIL}", f"Host: {HOST}"],
])  # fmt: skip
def test_a_foreign_host_is_refused(ask, lines):
    answer = ask(*lines, TLS)
    assert answer.status_code == 400
    assert EVIL.encode() not in answer.raw
    assert_has_our_headers(answer)


@pytest.mark.parametrize("lines", [
    [f"GET http://{EVIL}/tickets/ HTTP/1.1", f"Host: {HOST}"],
    [f"GET https://{EVIL}/tickets/ HTTP/1.1", f"Host: {HOST}"],
    ["GET /tickets/ HTTP/1.1", f"Host: {HOST}", f"X-Forwarded-Host: {EVIL}", f"Forwarded: host={EVIL}"],
    ["GET /tickets/ HTTP/1.1", f"Host: {HOST}", f"X-Original-URL: //{EVIL}/", f"X-Rewrite-URL: //{EVIL}/"],
])  # fmt: skip
def test_another_name_of_the_host_leads_nowhere_else(ask, lines):
    answer = ask(*lines, TLS)
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/accounts/login/?next=/tickets/"
    assert EVIL.encode() not in answer.raw


@pytest.mark.parametrize("path", [
    f"//{EVIL}/tickets", f"/\\{EVIL}/tickets", f"//{EVIL}/..%2ftickets", f"/%5c{EVIL}", f"/tickets/%2f{EVIL}",
    "/tickets/../../etc/passwd", "/tickets/%2e%2e/", "/static/../../etc/passwd", "/static/%2e%2e/db.sqlite3",
    "/static//etc/passwd", "/static/..%5c..%5cdb.sqlite3", "/tickets/tkt_1%0d%0aX:%20y/", "/tickets/%00/",
    "/tickets/%c0%ae%c0%ae/", "/tickets/%D9%A1%D9%A2/", "/tickets/tkt_1%0a/", "/tickets/" + "x" * 3000 + "/",
])  # fmt: skip
def test_a_path_that_climbs_or_breaks_lines_leads_nowhere(ask, path):
    answer = ask(f"GET {path} HTTP/1.1", f"Host: {HOST}", TLS)
    assert answer.status_code == 404
    assert b"root:" not in answer.raw
    assert b"SQLite format" not in answer.raw
    assert_has_our_headers(answer)


@pytest.mark.parametrize(("lines", "status"), [
    (["what is this"], 400),
    (["GET /tickets/ HTTP/9.9"], 400),
    (["GET /tickets/?" + "x" * 9000 + " HTTP/1.1"], 414),
    (["GET /tickets/ HTTP/1.1", "X: " + "x" * 20_000], 431),
    (["GET /tickets/ HTTP/1.1", "X<script>: y"], 400),
    (["GET /tickets/ HTTP/1.1", "Content-Length: x"], 400),
    (["POST /tickets/new/ HTTP/1.1", "Content-Length: 1", "Transfer-Encoding: chunked"], 400),
    (["POST /tickets/new/ HTTP/1.1", "Content-Length: 1", "Content-Length: 2"], 400),
])  # fmt: skip
def test_what_is_no_request_is_refused_with_our_headers(ask, lines, status):
    """By gunicorn, before any of our code."""
    answer = ask(lines[0], f"Host: {HOST}", *lines[1:])
    assert answer.status_code == status
    assert b"<script>" not in answer.raw
    assert_has_our_headers(answer)


def test_a_long_address_such_as_that_of_more_tickets_is_ours_to_answer(ask):
    path = "/tickets/?cursor=" + "x" * 8000
    answer = ask(f"GET {path} HTTP/1.1", f"Host: {HOST}", TLS, f"HX-Current-URL: https://{HOST}{path}{'y' * 1000}")
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/accounts/login/?next=/tickets/")


@pytest.mark.parametrize(("query", "kind"), [
    ("next=%41", "text/plain; charset=rot13"),
    ("next=%41", "text/plain; charset=undefined"),
    ("next=%41", "text/plain; charset*=utf-8''rot13"),
    ("next=%41", "text/plain; x*=nonsense''y"),
    ("&".join(["a"] * 1001), "text/plain; charset=utf-8"),
])  # fmt: skip
def test_no_request_chooses_how_it_is_read(ask, query, kind):
    answer = ask(f"GET /accounts/login/?{query} HTTP/1.1", f"Host: {HOST}", TLS, f"Content-Type: {kind}")
    assert answer.status_code in (200, 400)
    assert_has_our_headers(answer)


@pytest.mark.parametrize("parameters", [
    "boundary=x", "Boundary=x", 'charset=utf-8; boundary="x"', "boundary=x; charset=utf-16",
    "boundary=x; charset=undefined",
])  # fmt: skip
def test_a_form_is_read_as_browsers_write_it(ask, parameters):
    kind = f"Content-Type: multipart/form-data; {parameters}"
    form = '--x\r\nContent-Disposition: form-data; name="message"\r\n\r\nRäksmörgås.\r\n--x--\r\n'.encode()
    length = f"Content-Length: {len(form)}"
    answer = ask("POST /accounts/login/ HTTP/1.1", f"Host: {HOST}", TLS, kind, length, body=form)
    assert answer.status_code == 403
    assert "Räksmörgås." in answer.raw.decode()
    assert_has_our_headers(answer)


@pytest.mark.parametrize("names", ["name*=a; name*0=b", "name=f; filename*0=a; filename*=b"])
def test_a_form_whose_parts_have_two_sorts_of_name_is_an_error_of_whoever_sent_it(ask, names):
    form = f"--x\r\nContent-Disposition: form-data; {names}\r\n\r\nHello.\r\n--x--\r\n".encode()
    kind, length = "Content-Type: multipart/form-data; boundary=x", f"Content-Length: {len(form)}"
    answer = ask("POST /accounts/login/ HTTP/1.1", f"Host: {HOST}", TLS, kind, length, body=form)
    assert answer.status_code in (400, 403)
    assert_has_our_headers(answer)


def test_a_form_that_is_cut_off_is_an_error_of_whoever_sent_it(ask):
    kind = "Content-Type: application/x-www-form-urlencoded"
    answer = ask("POST /accounts/login/ HTTP/1.1", f"Host: {HOST}", TLS, kind, "Content-Length: 100", body=b"a=b")
    assert answer.status_code in (400, 403)
    assert_has_our_headers(answer)


def test_static_files_have_the_headers_too(ask):
    page = ask("GET /accounts/login/ HTTP/1.1", f"Host: {HOST}", TLS).raw.decode()
    assets = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
    assert len(assets) >= 4
    for path in [*assets, "/static/nothing.js"]:
        answer = ask(f"GET {path} HTTP/1.1", f"Host: {HOST}", TLS)
        assert answer.status_code == (404 if "nothing" in path else 200)
        assert_has_our_headers(answer)
        assert ("no-store" in answer.headers["Cache-Control"]) == ("nothing" in path)


@pytest.fixture(scope="module")
def one_worker(running_sandbox, tmp_path_factory):
    """Run a dashboard with one worker, which trusts the headers that this machine forwards."""
    home = tmp_path_factory.mktemp("one_worker")
    with Dashboard(running_sandbox.url, home, WEB_CONCURRENCY="1") as dashboard:
        yield dashboard


def test_the_log_of_gunicorn_speaks_our_language_and_quotes_nobody(one_worker):
    before = len(one_worker.log.read_text())
    host, port = one_worker.address.split(":")
    for nonsense in (b'GET /?q=needle x"\r\n\r\n', b"GET / HTTP/1.1\r\nneedle\x1b[2J\r\n\r\n"):
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(nonsense)
            while connection.recv(1024):
                pass
    requests.get(f"{one_worker.url}/activity/?q=needle", timeout=10, allow_redirects=False)
    until(lambda: '"activity"' in one_worker.log.read_text()[before:])
    all_said = one_worker.log.read_text()
    when_it_started, said = (
        [
            json.loads(line)
            for line in part.splitlines()
            if line != "System check identified no issues (0 silenced)."
        ]
        for part in (all_said[:before], all_said[before:])
    )
    loggers = {line["logger"] for line in when_it_started + said}
    assert loggers == {"gunicorn.error", "hostup_dashboard.request"}
    assert len([line for line in said if line["message"].startswith("Invalid request from ip=127.0.0.1")]) == 2
    assert [line["route"] for line in said if "route" in line] == ["activity"]
    assert "needle" not in all_said


def test_no_header_says_where_the_site_is_or_which_page_is_asked_for(one_worker):
    for header in ({"SCRIPT_NAME": "/accounts"}, {"PATH_INFO": "/healthz"}):
        page = requests.get(f"{one_worker.url}/accounts/login/", headers=header, timeout=10)
        assert page.status_code == 200
        assert 'action="/accounts/login/"' in page.text


def test_a_worker_gives_back_the_memory_that_signing_in_took(one_worker):
    def held():
        (worker,) = one_worker.workers
        status = Path(f"/proc/{worker}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) / 1024

    signed_in(one_worker.url).get(f"{one_worker.url}/tickets/", timeout=30)
    before = held()
    for _ in range(3):
        signed_in(one_worker.url)
    assert held() - before < 10  # MB; hashing a password takes 20


def test_a_process_that_crashes_leaves_no_memory_on_the_disk(dashboard):
    for pid in (dashboard.pid, *dashboard.workers):
        limits = Path(f"/proc/{pid}/limits").read_text()
        assert re.search(r"Max core file size +(\S+) +(\S+)", limits).groups() == ("0", "0")


def test_whoever_takes_nothing_of_a_file_lets_go_of_its_place(running_sandbox, tmp_path):
    """Otherwise a phone that has lost its network could occupy all the slots for files from HostUp."""
    running_sandbox.fault(path="attachments", times=None, status=200, body=b"x" * 20_000_000)
    impatient = {"GUNICORN_CMD_ARGS": "--worker-class tests.impatient_worker.Worker"}
    with Dashboard(running_sandbox.url, tmp_path, **impatient) as dashboard:
        cookies = signed_in(dashboard.url).cookies
        request = f"GET /tickets/{SAMPLE_ID}/attachments/tatt_1/ HTTP/1.1\r\nHost: {dashboard.address}\r\n"
        request += f"Cookie: sessionid={cookies['sessionid']}\r\n\r\n"
        host, port = dashboard.address.split(":")
        with socket.create_connection((host, int(port)), timeout=10) as lost:
            lost.sendall(request.encode())
            until(lambda: '"route": "attachment"' in dashboard.log.read_text())  # logged when it has ended
            taken = sum(map(len, iter(lambda: lost.recv(1_000_000), b"")))
    running_sandbox.clear_faults()
    assert 0 < taken < 20_000_000


def test_whoever_does_not_hang_up_keeps_nobody_waiting(dashboard):
    """By itself gunicorn waits two seconds for each of them, and each of its two workers has three."""
    host, port = dashboard.address.split(":")
    with ExitStack() as open_connections:
        for _ in range(6):
            silent = open_connections.enter_context(socket.create_connection((host, int(port)), timeout=10))
            silent.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            assert silent.recv(12) == b"HTTP/1.1 200"
        began = time.monotonic()
        assert requests.get(f"http://{dashboard.address}/healthz", timeout=30).ok
        assert time.monotonic() - began < 2


@pytest.mark.parametrize(("wrong", "sentence"), [
    ({"SECRET_KEY": "short"}, "SECRET_KEY is too short"),
    ({"DEBUG": "on", "SITE_URL": f"https://{HOST}"}, "DEBUG is on and SITE_URL is"),
    ({"DATA_DIR": "/dev/null/data"}, "DATA_DIR is /dev/null/data, which cannot be written"),
    ({"WEB_CONCURRENCY": "0"}, "WEB_CONCURRENCY is 0"),
])  # fmt: skip
def test_a_bad_setting_is_a_sentence(wrong, sentence, tmp_path):
    server = [sys.executable, "-m", "gunicorn", "hostup_dashboard.wsgi", "--bind", "127.0.0.1:0"]
    environment = os.environ | {"DATA_DIR": str(tmp_path)} | wrong
    said = subprocess.run(
        server, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=30, check=False
    )
    assert said.returncode == 1
    assert sentence in said.stderr
    assert "Traceback" not in said.stderr
