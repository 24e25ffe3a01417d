"""Whatever HostUp does wrong, an agent gets the right status and a sentence, in time: never a 500."""

import time

import pytest

from sandbox.named_faults import NAMED
from sandbox.special_tickets import SAMPLE_ID

DEADLINE = 1.0  # seconds

# fault: our status for something that is shown, and for a change
EXPECTED = {
    **{f"{kind}_{status}": (ours, ours) for kind in ("problem", "empty", "html") for status, ours in {
        400: 422, 401: 403, 403: 403, 404: 404, 429: 429,
    }.items()},
    # A conflict is settled by reading: still closed.
    **{f"{kind}_409": (409, 409) for kind in ("problem", "empty", "html")},
    # A server error may come after the work was done: settled by reading, still closed.
    **{f"{kind}_{status}": (503, 503) for kind in ("problem", "empty", "html") for status in (500, 502, 503)},
    **{f"{kind}_504": (504, 504) for kind in ("problem", "empty", "html")},
    **{f"rate_limited_{how}": (429, 429) for how in ("seconds", "http_date", "reset_only", "silent", "critical")},
    # An answer that cannot be read: for a change the ticket is read, and tells.
    "html_200": (502, 503), "empty_200": (502, 503), "wrong_shape": (502, 503),
    "redirect_same_host": (502, 503), "redirect_other_host": (502, 503),
    "broken_json": (502, 200), "null_in_required": (502, 200), "oversize": (502, 200),
    "gzip_bomb": (502, 200), "truncated": (503, 200), "lost_answer": (503, 200),
    "slow": (504, 200), "dripping_headers": (504, 200), "dripping_body": (504, 200),
    "reset": (503, 503),
    # What can be lived with.
    "one_malformed_ticket": (200, 200), "unknown_values": (200, 200), "cursor_loop": (200, 200),
    "repeated_ids": (200, 200), "set_cookie": (200, 200), "hang_up": (200, 200),
}  # fmt: skip


def test_every_fault_of_the_sandbox_is_in_the_table():
    assert set(EXPECTED) == set(NAMED)


def answers_in_time(send):
    began = time.monotonic()
    response = send()
    assert time.monotonic() - began < 2 * DEADLINE + 0.5
    return response


def sentence_of(response):
    html = response.content.decode()
    assert 'role="alert"' in html
    assert "<h1>" in html or "<h2>" in html
    return html


@pytest.mark.parametrize("fault", EXPECTED)
@pytest.mark.parametrize("path", ["/tickets/", f"/tickets/{SAMPLE_ID}/"])
def test_a_page_says_what_went_wrong(agent, sandbox, settings, path, fault):
    settings.HOSTUP_DEADLINE = DEADLINE
    sandbox.fault(fault, times=None)
    response = answers_in_time(lambda: agent.get(path))
    expected = EXPECTED[fault][0]
    if fault == "null_in_required" and path == "/tickets/":
        expected = 200  # the other tickets show
    assert response.status_code == expected
    if response.status_code >= 400:
        assert ("Try again</a>" in sentence_of(response)) == (response.status_code >= 429)
    if response.status_code == 429:
        assert 1 <= int(response.headers["Retry-After"]) <= 300
    if "problem" in fault:
        assert "req_" in response.content.decode()


@pytest.mark.parametrize("fault", EXPECTED)
def test_a_change_says_what_became_of_it(agent, sandbox, settings, fault):
    settings.HOSTUP_DEADLINE = DEADLINE
    sandbox.fault(fault, method="POST", path="", times=None)
    response = answers_in_time(lambda: agent.htmx_post(f"/tickets/{SAMPLE_ID}/reopen/", {"status": "closed"}))
    assert response.status_code == EXPECTED[fault][1]
    assert [call.method for call in sandbox.calls].count("POST") == 1
    html = response.content.decode()
    if response.status_code == 200:
        assert "Reopened." in html
        assert sandbox.tickets.find(SAMPLE_ID).status == "open"
    else:
        sentence_of(response)
        assert "Reopened." not in html
        assert sandbox.tickets.find(SAMPLE_ID).status == "closed"
