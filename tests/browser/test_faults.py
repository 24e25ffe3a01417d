"""The line of tests/faults.md that needs a server process, which is killed in the middle of a request."""

import os
import signal
import time

from playwright.sync_api import expect

from sandbox.special_tickets import ENCRYPTED_ID
from tests.browser.steps import TICKET, close, posts, reopen, toast
from tests.fault_table import TABLE

OPEN_TICKET = f"/tickets/{ENCRYPTED_ID}/"


def kill_while_hostup_answers(sandbox, dashboard):
    while not posts(sandbox):
        time.sleep(0.01)
    for worker in dashboard.workers:
        os.kill(worker, signal.SIGKILL)


def test_a_process_that_is_killed_leaves_an_unknown_and_sends_nothing_twice(page, sandbox, dashboard):
    (line,) = [line for line in TABLE if line.fault == "process_killed"]
    page.goto(TICKET)
    page.wait_for_load_state("networkidle")  # the list loads with a request of its own
    dashboard.replace_workers()  # over an open connection the browser would by itself send the POST again
    sandbox.fault("slow", method="POST")
    reopen(page).click()
    kill_while_hostup_answers(sandbox, dashboard)
    for words in line.words:
        expect(page.get_by_role("alert").filter(visible=True)).to_contain_text(words)

    page.goto("/activity/")  # served by the next process
    entry = page.get_by_role("row").filter(has_text="Reopen ticket")
    expect(entry).to_have_count(1)
    expect(entry).to_contain_text("Unknown")
    page.goto(TICKET)
    expect(close(page)).to_be_visible()  # as HostUp has it
    assert ["POST" for _ in posts(sandbox)] == line.calls


def test_a_reply_that_the_browser_sends_once_more_by_itself_goes_out_once(page, sandbox, dashboard):
    page.goto(OPEN_TICKET)
    sandbox.fault("slow", method="POST")
    page.get_by_role("textbox", name="Reply").fill("Only once.")
    # Browsers do so over a connection that is still open, and gunicorn closes it after two idle seconds.
    page.get_by_role("button", name="Send reply").evaluate(
        "async (button) => { await (await fetch('/healthz')).text(); button.click() }"
    )
    kill_while_hostup_answers(sandbox, dashboard)
    expect(toast(page)).to_contain_text("Sent.")
    assert posts(sandbox) == ["messages"]
    assert [message.body for message in sandbox.tickets.find(ENCRYPTED_ID).messages].count("Only once.") == 1
