"""What Prometheus reads: metrics that an operator acts on, of all processes together, and closed to others."""

import json
import os
import re
import signal
import socket
import time
from pathlib import Path

import pytest
import requests
from prometheus_client import REGISTRY, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from hostup_dashboard import metrics_server
from sandbox import keys
from sandbox.special_tickets import ATTACHMENTS_ID, SAMPLE_ID
from tests.accounts.people import make_agent, sign_in
from tests.addresses import every_address
from tests.dashboard import Dashboard, signed_in
from tests.ports import free_port
from tests.waiting import until
from tickets import upstream
from tickets.hostup import errors
from tickets.hostup.circuit import FAILURES

ROOT = Path(__file__).parent.parent
REQUESTS = "hostup_dashboard_request_seconds_count"
CALLS = "hostup_dashboard_hostup_call_seconds_count"
REFUSED = "hostup_dashboard_hostup_calls_refused_total"
UNDER_WAY = "hostup_dashboard_hostup_calls_under_way"
LIMIT = "hostup_dashboard_hostup_calls_limit"
CIRCUIT = "hostup_dashboard_hostup_circuit_state"
OPENINGS = "hostup_dashboard_hostup_circuit_openings_total"
SIGN_IN_FAILURES = "hostup_dashboard_sign_in_failures_total"


def value(name, **labels):
    return REGISTRY.get_sample_value(name, labels) or 0


@pytest.fixture
def counted():
    """Return a function that tells how much a metric has grown since the test began."""
    before = {}

    def counted(name, **labels):
        return value(name, **labels) - before.get((name, *sorted(labels.items())), 0)

    for family in REGISTRY.collect():
        for sample in family.samples:
            before[sample.name, *sorted(sample.labels.items())] = sample.value
    return counted


def test_an_address_that_is_taken_is_told_and_leaves_the_server_running(settings, monkeypatch, tmp_path, caplog):
    monkeypatch.setenv(metrics_server.FOLDER, str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings.METRICS_ADDRESS = taken.getsockname()
        metrics_server.when_ready(server=None)
        assert f"metrics are not served at 127.0.0.1 port {taken.getsockname()[1]}: " in caplog.text


def test_a_request_counts_by_route_method_and_class_of_status(agent, counted):
    agent.get(f"/tickets/{SAMPLE_ID}/")
    agent.get("/tickets/tkt_nothing/")
    agent.htmx_post(f"/tickets/{SAMPLE_ID}/reopen/", {"status": "closed"})
    assert counted(REQUESTS, route="ticket", method="GET", status="2xx") == 1
    assert counted(REQUESTS, route="ticket", method="GET", status="4xx") == 1
    assert counted(REQUESTS, route="reopen", method="POST", status="2xx") == 1


def test_a_call_counts_by_endpoint_and_outcome(agent, sandbox, counted):
    agent.get(f"/tickets/{SAMPLE_ID}/")
    agent.get("/tickets/tkt_nothing/")
    agent.get(f"/tickets/{ATTACHMENTS_ID}/attachments/tatt_none/")
    sandbox.fault("problem_500")
    agent.post(f"/tickets/{SAMPLE_ID}/reopen/")
    assert counted(CALLS, endpoint="GET /tickets/{id}", outcome="ok") == 2  # one of them after the failed POST
    assert counted(CALLS, endpoint="GET /tickets/{id}", outcome="NotFound") == 1
    assert counted(CALLS, endpoint="GET /attachments/{id}", outcome="NotFound") == 1
    assert counted(CALLS, endpoint="POST /tickets/{id}/actions/reopen", outcome="Unavailable") == 1


def test_calls_that_are_not_made_count_by_reason(sandbox, counted):
    client = upstream.client_for(keys.FULL)
    sandbox.fault("rate_limited_seconds")
    for _ in range(3):
        with pytest.raises(errors.RateLimited):
            client.tickets()
    assert counted(CALLS, endpoint="GET /tickets", outcome="RateLimited") == 1
    assert counted(REFUSED, reason="RateLimited") == 2

    client = upstream.client_for(keys.COLLEAGUE)
    held = [upstream.pool().slot() for _ in range(upstream.CALLS_AT_ONCE)]
    for slot in held:
        slot.__enter__()
    with pytest.raises(errors.Busy):
        client.tickets()
    for slot in held:
        slot.__exit__(None, None, None)
    assert counted(REFUSED, reason="Busy") == 1
    assert counted(CALLS, endpoint="GET /tickets", outcome="Busy") == 0


def test_the_circuit_shows_while_it_is_open_and_how_often_it_opened(sandbox, counted, monkeypatch):
    monkeypatch.setattr("tickets.hostup.circuit.PROBE_AFTER", 1.0)
    client = upstream.client_for(keys.FULL)
    assert (value(CIRCUIT), counted(OPENINGS)) == (0, 0)
    sandbox.fault("problem_500", times=None)
    for _ in range(FAILURES):
        with pytest.raises(errors.Unavailable):
            client.tickets()
    with pytest.raises(errors.CircuitOpen):
        client.tickets()
    assert (value(CIRCUIT), counted(OPENINGS), counted(REFUSED, reason="CircuitOpen")) == (2, 1, 1)
    sandbox.reset()
    time.sleep(1.0)
    client.tickets()
    assert (value(CIRCUIT), counted(OPENINGS)) == (0, 1)


def test_a_download_is_under_way_until_its_last_byte(sandbox):
    client = upstream.client_for(keys.FULL)
    file = client.ticket(ATTACHMENTS_ID).attachments[0]
    download = client.download(ATTACHMENTS_ID, file.id)
    assert value(UNDER_WAY) == 1
    assert value(LIMIT) == upstream.CALLS_AT_ONCE
    for _ in download:
        assert value(UNDER_WAY) == 1
    assert value(UNDER_WAY) == 0


def test_failed_sign_ins_count(visitor, counted):
    visitor.post("/accounts/login/", {"login": "somebody", "password": "wrong"})
    assert counted(SIGN_IN_FAILURES, step="password") == 1


def test_guesses_at_the_old_password_count(db, sandbox, counted):
    make_agent()
    sign_in().post("/accounts/password/", {"oldpassword": "wrong", "password1": "x", "password2": "x"})
    assert counted(SIGN_IN_FAILURES, step="password") == 1


def test_nobody_can_make_a_label_of_their_own(agent, visitor):
    """Neither a request nor HostUp can: every label's value comes from a list in the code."""
    for path in [
        *every_address().values(),
        "/needle/",
        "/tickets/needle/",
        "/static/needle.js",
        "/tickets/?q=needle",
    ]:
        for method in ("GET", "POST", "NEEDLE"):
            agent.generic(method, path)
            visitor.generic(method, path, HTTP_HOST="testserver")
    visitor.post("/accounts/login/", {"login": "needle", "password": "needle"})
    text = generate_latest(REGISTRY).decode()
    assert "needle" not in text.lower()
    assert SAMPLE_ID not in text
    families = [family for family in text_string_to_metric_families(text) if family.name.startswith("hostup_")]
    labels = {
        (name, label) for family in families for sample in family.samples for name, label in sample.labels.items()
    }
    routes = {*every_address(), "none"}
    assert {label for name, label in labels if name == "route"} <= routes
    assert {label for name, label in labels if name == "method"} <= {"GET", "HEAD", "POST", "other"}


# A server with two processes


@pytest.fixture(scope="module")
def metrics_port():
    return free_port()


@pytest.fixture(scope="module")
def dashboard(running_sandbox, metrics_port, tmp_path_factory):
    running_sandbox.reset()
    home = tmp_path_factory.mktemp("dashboard")
    folders = {name: str(home / name) for name in ("TMPDIR", "RUNTIME_DIRECTORY")}
    for folder in folders.values():
        Path(folder).mkdir()
    settings = {"METRICS_ADDRESS": f"127.0.0.1:{metrics_port}", "WEB_CONCURRENCY": "2", **folders}
    with Dashboard(running_sandbox.url, home, **settings) as dashboard:
        yield dashboard


@pytest.fixture
def scrape(metrics_port):
    def scrape():
        text = requests.get(f"http://127.0.0.1:{metrics_port}/metrics", timeout=10).text
        return {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    return scrape


HEALTH = (REQUESTS, ("method", "GET"), ("route", "healthz"), ("status", "2xx"))


def test_all_processes_count_together_and_one_that_is_replaced_goes_on_where_it_was(dashboard, scrape):
    agent = signed_in(dashboard.url)

    def ask_for(path):  # on a new connection: a kept one leads to the same process
        assert agent.get(dashboard.url + path, headers={"Connection": "close"}, timeout=10).status_code == 200

    def have_all_served(processes):
        return scrape().get((LIMIT,)) == processes * upstream.CALLS_AT_ONCE

    until(lambda: have_all_served(2), lambda: ask_for("/tickets/"))
    before = scrape()
    for _ in range(40):
        ask_for("/healthz")
    assert scrape()[HEALTH] == before[HEALTH] + 40
    files = sorted(dashboard.home.glob("RUNTIME_DIRECTORY/*/*.db"))

    victim = dashboard.workers[0]
    os.kill(victim, signal.SIGKILL)
    until(lambda: victim not in dashboard.workers and len(dashboard.workers) == 2)
    assert have_all_served(1)  # the killed process's gauges no longer count
    for _ in range(40):
        ask_for("/healthz")
    assert scrape()[HEALTH] == before[HEALTH] + 80
    until(lambda: have_all_served(2), lambda: ask_for("/tickets/"))
    assert sorted(dashboard.home.glob("RUNTIME_DIRECTORY/*/*.db")) == files


def test_files_on_their_way_take_no_room_from_what_is_counted(dashboard):
    """On a full disk, counting would kill the process (SIGBUS)."""
    assert list(dashboard.home.glob("RUNTIME_DIRECTORY/*/*.db"))
    assert not list(dashboard.home.glob("TMPDIR/*"))


def test_no_address_of_the_site_leads_to_the_metrics(dashboard):
    for path in ("/metrics", "/metrics/", "/static/metrics"):
        assert requests.get(dashboard.url + path, timeout=10, allow_redirects=False).status_code == 404


def test_the_port_is_closed_to_other_machines(metrics_port, dashboard):
    """Bound to loopback only: not even this machine's other addresses reach it."""
    listening = [line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if " 0A " in line]
    assert [address for address in listening if address.endswith(f":{metrics_port:04X}")] == [
        f"0100007F:{metrics_port:04X}"
    ]


# What uses these metrics


def names_in(text):
    return set(re.findall(r"hostup_dashboard_\w+", text))


@pytest.mark.parametrize("file", ["grafana-dashboard.json", "prometheus-alerts.yml"])
def test_dashboard_and_alerts_name_metrics_that_exist(file, agent):
    agent.get("/tickets/")
    agent.post("/accounts/login/")
    exist = names_in(generate_latest(REGISTRY).decode())
    named = names_in((ROOT / "deploy" / file).read_text())
    assert len(named) >= 4
    assert named <= exist


def test_every_panel_says_what_it_shows_in_which_unit():
    dashboard = json.loads((ROOT / "deploy/grafana-dashboard.json").read_text())
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    assert len(panels) >= 8
    for panel in panels:
        assert panel["title"]
        assert panel["description"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["datasource"]["uid"] == "${datasource}"
        assert all(target["expr"] for target in panel["targets"])
    assert [variable["name"] for variable in dashboard["templating"]["list"]] == ["datasource"]


def test_the_share_of_errors_that_is_shown_is_the_one_that_is_alerted():
    panels = json.loads((ROOT / "deploy/grafana-dashboard.json").read_text())["panels"]
    (panel,) = [panel for panel in panels if panel["title"] == "Share of answers that are errors"]
    alert = (ROOT / "deploy/prometheus-alerts.yml").read_text().partition("- alert: ErrorShare")[2]
    (counted,) = [re.findall(r"{.*?}", target["expr"]) for target in panel["targets"]]
    assert len(counted) == 2
    assert counted == re.findall(r"{.*?}", alert)[:2]
