"""The log: one line of JSON per record, with what an operator needs and nobody's secrets."""

import io
import json
import logging
import re
import time
from urllib.parse import quote

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from hypothesis import HealthCheck, given
from hypothesis import settings as bounds
from hypothesis import strategies as st

from hostup_dashboard.logs import JsonLines, WithoutKeys
from sandbox import keys
from sandbox.special_tickets import ATTACHMENTS_ID, SAMPLE_ID

REQUEST = "hostup_dashboard.request"
ANYTHING = st.text(max_size=60)
BROKEN_TOO = st.text(st.characters(), max_size=60)  # lone surrogates, too, which no database would keep


class Log(io.StringIO):
    """What the product's handler writes while a test runs."""

    @property
    def lines(self) -> list[dict]:
        return [json.loads(line) for line in self.getvalue().splitlines()]

    @property
    def requests(self) -> list[dict]:
        return [line for line in self.lines if line["logger"] == REQUEST]

    def clear(self):
        self.seek(0)
        self.truncate()


@pytest.fixture
def log():
    root = logging.getLogger()
    product = next(handler for handler in root.handlers if isinstance(handler.formatter, JsonLines))
    written = Log()
    handler = logging.StreamHandler(written)
    handler.filters, handler.formatter = product.filters, product.formatter
    root.addHandler(handler)
    yield written
    root.removeHandler(handler)


def test_a_request_is_one_line_with_all_that_an_operator_asks_for(agent, log):
    response = agent.htmx_post(f"/tickets/{SAMPLE_ID}/reopen/?q=needle", {"status": "closed", "x": "needle"})
    (line,) = log.lines
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line.pop("time"))
    assert 0 < line["hostup"].pop("ms") < line.pop("ms") < 60_000
    assert line == {
        "level": "INFO",
        "logger": REQUEST,
        "message": "request",
        "request_id": response.headers["X-Request-Id"],
        "agent": "agent",
        "client": "127.0.0.1",
        "method": "POST",
        "route": "reopen",
        "status": 200,
        "outcome": "ok",
        "ticket": SAMPLE_ID,
        "hostup": {"calls": 1, "request_ids": []},
    }


def test_every_try_counts_and_a_refusal_brings_hostup_s_request_id(agent, sandbox, log):
    sandbox.fault("problem_503", times=2)
    agent.get("/tickets/")
    assert log.requests[-1]["hostup"]["calls"] == 3
    assert len(log.requests[-1]["hostup"]["request_ids"]) == 2
    sandbox.fault("problem_403")
    html = agent.get("/tickets/").content.decode()
    (request_id,) = log.requests[-1]["hostup"]["request_ids"]
    assert request_id in html
    assert (log.requests[-1]["status"], log.requests[-1]["outcome"]) == (403, "refused")


def test_time_spent_waiting_for_hostup_is_told(agent, sandbox, log):
    sandbox.fault(delay=0.3)
    agent.get("/tickets/")
    line = log.requests[-1]
    assert 300 <= line["hostup"]["ms"] <= line["ms"]


def test_a_client_s_own_id_is_not_believed(agent, log):
    headers = {"X-Request-Id": "mine", "X-Correlation-Id": "mine"}
    first, second = (agent.get("/activity/", headers=headers).headers["X-Request-Id"] for _ in range(2))
    assert "mine" not in log.getvalue()
    assert re.fullmatch("[0-9a-f]{16}", first)
    assert first != second


@pytest.mark.parametrize("path", ["/nothing/needle/", "/tickets/needle%0Aneedle/x/", "/activity/?page=needle"])
def test_an_address_is_told_by_its_name_alone(agent, log, path):
    agent.get(path)
    assert "needle" not in log.getvalue()
    assert log.lines[-1]["route"] in (None, "activity")
    assert len(log.lines) == 1


def test_health_checks_and_files_of_the_site_are_no_noise(visitor, sandbox, log):
    for path in ("/healthz", "/readyz", "/static/staticfiles.json"):
        response = visitor.get(path)
        assert response.headers["X-Request-Id"]
    assert log.lines == []


def test_pauses_in_typing_are_not_noted(agent, log):
    """Nobody needs to know when an agent wrote and for how long, only that a draft could not be kept."""
    draft = f"/tickets/{SAMPLE_ID}/draft/"
    assert agent.htmx_post(draft, {"message": "Half a sentence"}).status_code == 200
    assert log.requests == []
    assert agent.get(draft).status_code == 405
    assert [line["route"] for line in log.requests] == ["draft"]


def test_a_health_check_that_fails_is_told(agent, settings, log):
    settings.ENCRYPTION_KEYS = {"other": bytes(range(50, 82))}
    agent.get("/readyz")
    assert [(line["route"], line["level"]) for line in log.requests] == [("readyz", "WARNING")]


def download_path(agent):
    html = agent.get(f"/tickets/{ATTACHMENTS_ID}/").content.decode()
    return re.search(r'href="(/tickets/[^"]*/attachments/[^"]*\?name=[^"]*)"', html).group(1)


def test_a_download_is_told_when_its_last_byte_is_out(agent, log):
    response = agent.get(download_path(agent))
    log.clear()
    assert log.lines == []
    time.sleep(0.2)  # a slow browser is not HostUp's fault
    b"".join(response.streaming_content)
    (line,) = log.requests
    assert (line["route"], line["ticket"], line["outcome"]) == ("attachment", ATTACHMENTS_ID, "ok")
    assert line["hostup"]["calls"] == 1
    assert 0 < line["hostup"]["ms"] < line["ms"] - 190


def test_a_download_that_nobody_took_is_told_too(agent, log):
    response = agent.get(download_path(agent))
    log.clear()
    response.close()
    assert [line["outcome"] for line in log.requests] == ["broken_off"]


def test_a_mistake_of_ours_is_one_line_with_its_traceback_and_the_agent_s_reference(agent, log, monkeypatch):
    monkeypatch.setattr("tickets.hostup.wire.read_page", lambda answer: 1 / 0)
    agent.raise_request_exception = False
    response = agent.get("/tickets/?q=needle")
    mistake, request = log.lines
    assert (mistake["level"], mistake["logger"]) == ("ERROR", "django.request")
    assert "ZeroDivisionError: division by zero" in mistake["traceback"]
    assert (request["status"], request["outcome"], request["agent"]) == (500, "error", "agent")
    assert mistake["request_id"] == request["request_id"] == response.headers["X-Request-Id"]
    assert f"Reference: <code>{request['request_id']}</code>" in response.content.decode()
    assert "needle" not in log.getvalue()


@pytest.mark.parametrize("ask", ["get", "htmx_get", "htmx_post"])
def test_hostup_down_shows_the_reference_and_a_refusal_does_not(agent, sandbox, log, ask):
    path = f"/tickets/{SAMPLE_ID}/" + ("reopen/" if ask == "htmx_post" else "")
    sandbox.fault("problem_503", times=None)
    response = getattr(agent, ask)(path)
    assert log.requests[-1]["outcome"] == "unavailable"
    assert f"Reference: <code>{log.requests[-1]['request_id']}</code>" in response.content.decode()
    sandbox.clear_faults()
    sandbox.fault("problem_403", times=None)
    assert "Reference:" not in getattr(agent, ask)(path).content.decode()


def test_a_missing_token_says_why_but_not_where(agent, log):
    agent.handler.enforce_csrf_checks = True
    agent.post(f"/tickets/{SAMPLE_ID}/reopen/?q=needle")
    why, request = log.lines
    assert why["message"] == "Forbidden (CSRF cookie not set.): the page"
    assert (request["status"], request["route"]) == (403, "reopen")
    assert "needle" not in log.getvalue()


TOO_MANY = "&".join(f"needle{number}=x" for number in range(1001))  # more fields than Django reads


@pytest.mark.parametrize(("why", "asked"), [
    ("DisallowedHost", lambda visitor: visitor.get("/accounts/login/", headers={"Host": "needle.example"})),
    ("DisallowedHost", lambda visitor: visitor.get("/accounts/login/", headers={"Host": "needle<\x1b[2J"})),
    ("DisallowedHost", lambda visitor: visitor.get("/healthz?needle", headers={"Host": "needle_"})),
    ("TooManyFieldsSent", lambda visitor: visitor.generic(
        "POST", "/accounts/login/", TOO_MANY, "application/x-www-form-urlencoded")),
])  # fmt: skip
def test_what_django_suspects_is_no_mistake_of_ours_and_quotes_nobody(visitor, log, why, asked):
    """Attackers need not sign in to do this, and would fill the log with tracebacks."""
    assert asked(visitor).status_code == 400
    said, request = log.lines
    assert (said["level"], said["message"]) == ("WARNING", f"Refused: {why}")
    assert (request["logger"], request["status"]) == (REQUEST, 400)
    assert "needle" not in log.getvalue()
    assert "traceback" not in log.getvalue()


@pytest.mark.parametrize("secret", [
    f"sending Authorization: Bearer {keys.FULL}",
    f"headers={{'Authorization': 'Bearer {keys.FULL}'}}",
    f"POST api_key={keys.FULL}&x=1",
    f'{{"api_key": "{keys.FULL}"}}',
    json.dumps(json.dumps({"api_key": keys.FULL})),
    f"<QueryDict: {{'api_key': ['{keys.FULL}']}}>",
])  # fmt: skip
def test_a_key_is_blanked_wherever_a_record_can_hold_it(log, secret):
    logger = logging.getLogger("another.package")
    logger.warning("%s", secret, extra={"fields": {"a": secret, "b": {"c": [secret]}}, "request": secret})
    try:
        try:
            raise ValueError(secret)
        except ValueError as error:
            raise RuntimeError("after that") from error
    except RuntimeError:
        logger.exception(secret, stack_info=True)
    assert [line["level"] for line in log.lines] == ["WARNING", "ERROR"]
    assert "RuntimeError" in log.lines[-1]["traceback"]
    assert log.getvalue().count("[removed]") == 5
    assert keys.FULL not in log.getvalue()


def test_a_record_whose_arguments_do_not_fit_breaks_nothing(log):
    logging.getLogger("another.package").warning("%d of them", "many")
    assert log.lines[0]["message"] == "%d of them ('many',)"


def is_one_harmless_line(text: str) -> bool:
    return bool(re.fullmatch("[ -~]+\n", text))


@bounds(max_examples=200, deadline=None)
@given(message=BROKEN_TOO, value=BROKEN_TOO, problem=BROKEN_TOO)
def test_whatever_is_logged_is_one_line_without_control_characters(message, value, problem):
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.addFilter(WithoutKeys())
    handler.setFormatter(JsonLines())
    record = logging.makeLogRecord({"msg": "%s", "args": (message,), "fields": {"value": value}})
    try:
        raise ValueError(problem)
    except ValueError as error:
        record.exc_info = (type(error), error, error.__traceback__)
    handler.handle(record)
    assert is_one_harmless_line(written.getvalue())
    line = json.loads(written.getvalue())
    if "api_key" not in (message + value).lower() and "bearer" not in (message + value).lower():
        assert (line["message"], line["value"]) == (message, value)


@bounds(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=ANYTHING, name=ANYTHING, client=ANYTHING, said=ANYTHING)
def test_whatever_people_and_hostup_send_a_request_is_one_line(agent, sandbox, log, path, name, client, said):
    log.clear()
    if connection.vendor != "sqlite":
        name = name.replace("\x00", "")[:150]  # other databases keep no NUL, and nothing longer than the column
    get_user_model().objects.filter(pk=agent.user.pk).update(username=name)
    sandbox.fault(status=403, body={"status": 403, "code": said, "detail": said, "requestId": said})
    agent.get(f"/tickets/{SAMPLE_ID}/", {"q": path}, headers={"User-Agent": client, "X-Forwarded-For": client})
    agent.get(f"/{quote(path)}")
    assert all(is_one_harmless_line(line) for line in log.getvalue().splitlines(keepends=True))
    assert len(log.requests) == len(log.lines) == 2
    line = log.requests[0]
    assert line["agent"] == (name or None)
    assert line["hostup"]["request_ids"] in ([], [said.replace("\x00", "\ufffd")])
