"""Hostile text is text, wherever it comes from and wherever it shows.

If some of it ran, there would be a dialog, an error or a refusal by the Content-Security-Policy, each of which
fails the test (see `watch`), or an element that our pages do not have, which `expect_only_ours` finds.
"""

from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from sandbox import files
from sandbox.keys import ACCOUNT_A
from sandbox.model import Attachment, Department, Message, Ticket
from sandbox.special_tickets import ENCRYPTED_ID
from tests.browser.conftest import CSP_LISTENER, watch
from tests.browser.steps import TICKET, close, heading, posts, reopen, ticket, toast
from tests.dashboard import AGENT
from tests.hostile import ALL, PAYLOADS, POLYGLOT

ID = "tkt_01hxhostile000000000000000"
# Returns everything on a page that only an attacker would have added, with what is wrong with it.
FOREIGN = """() => {
  const found = [];
  const bad = (element, what) => found.push(`${what}: ${element.outerHTML.slice(0, 200)}`);
  const isOurs = (address) => URL.parse(address, location.origin)?.origin === location.origin;
  const OURS = ["A", "ARTICLE", "BDI", "BLOCKQUOTE", "BODY", "BUTTON", "CODE", "DATALIST", "DD", "DIV", "DL", "DT",
    "FIELDSET", "FORM", "H1", "H2", "H3", "HEAD", "HEADER", "HTML", "INPUT", "LABEL", "LEGEND", "LI", "LINK",
    "MAIN", "META", "NAV", "OL", "OPTION", "P", "PROGRESS", "Q", "SCRIPT", "SECTION", "SELECT", "SPAN", "STRONG",
    "TABLE", "TBODY", "TD", "TEMPLATE", "TEXTAREA", "TH", "THEAD", "TIME", "TITLE", "TR", "UL", "svg", "path",
    "NOSCRIPT", "IMG"];
  for (const element of document.querySelectorAll("*")) {
    if (!OURS.includes(element.tagName)) bad(element, "element");
    if (element.tagName === "SCRIPT" && !element.matches("[src^='/static/']")) bad(element, "script");
    if (element.tagName === "IMG" && !element.matches("img.thumbnail[src^='/tickets/']")) bad(element, "picture");
    if (element.tagName === "svg" && !element.matches("svg.icon")) bad(element, "drawing");
    if (element.tagName === "LINK" && !element.matches("[href^='/static/']")) bad(element, "asset");
    if (element.hasAttribute("http-equiv")) bad(element, "meta");
    if (element.shadowRoot) bad(element, "shadow");
    for (const {name, value} of element.attributes) {
      if (/^(on|style$|srcdoc$|hx-on|data-hx)/.test(name)) bad(element, name);
      if (/^(action|formaction|src|hx-get|hx-post|data-upload)$/.test(name) && !isOurs(value)) bad(element, name);
      if (/^hx-(vals|vars|headers|swap-oob|ext)/.test(name)) bad(element, name);
      if (name === "href" && !isOurs(value)) {
        const isSafe = /^(https?)?:$/.test(element.protocol) && element.rel === "noopener noreferrer nofollow";
        if (!isSafe || !element.closest(".body")) bad(element, "link");
      }
    }
  }
  for (const text of document.querySelectorAll(".body")) {
    if (text.querySelector(":not(a)")) bad(text, "markup");
  }
  return found;
}"""


@pytest.fixture
def page(context):
    """Open a page, and fail if it sends a request to another host."""
    foreign = []
    context.on(
        "request", lambda request: foreign.append(request.url) if "://127.0.0.1:" not in request.url else None
    )
    yield context.new_page()
    assert foreign == []


def expect_only_ours(page):
    assert page.evaluate(FOREIGN) == []


def hostile_ticket(sandbox) -> Ticket:
    """Add a ticket with something hostile in everything that HostUp can send about one."""
    now = datetime.now(UTC)
    attachments = [
        Attachment(f"tatt_{number}", payload, payload, files.HTML)
        for number, payload in enumerate([*PAYLOADS, "x.html", "x.svg", "x.png"])
    ]
    attachments += [Attachment("tatt_png", f"{POLYGLOT}.png", "image/png", files.HTML)]
    messages = [
        Message(
            f"tmsg_{number}",
            ID,
            now,
            payload,
            payload[:200],
            payload,
            attachments=attachments[number : number + 1],
        )
        for number, payload in enumerate(PAYLOADS)
    ]
    services = [
        {
            "serviceType": payload,
            "serviceId": payload,
            "serviceName": payload,
            "details": {payload: [payload, {payload: 1}]},
        }
        for payload in PAYLOADS
    ]
    return sandbox.tickets.add(Ticket(
        id=ID, number=990001, account=ACCOUNT_A, subject=ALL, status=POLYGLOT, priority=ALL,
        department_slug=POLYGLOT, department_name=ALL, created_at=now, updated_at=now, last_message_at=now,
        requester_name=ALL, body=ALL,
        message_count=len(messages), cc_emails=list(PAYLOADS), linked_services=services,
        attachments=attachments[-3:], messages=messages,
    ))  # fmt: skip


def problem(status, pointers=()):
    """Return an error answer of HostUp's with something hostile in all its words."""
    errors = [{"pointer": pointer, "detail": ALL, "code": POLYGLOT} for pointer in (*pointers, POLYGLOT)]
    body = {"type": ALL, "title": ALL, "status": status, "detail": POLYGLOT + ALL, "code": POLYGLOT,
            "instance": ALL, "requestId": POLYGLOT, "errors": errors}  # fmt: skip
    return {"status": status, "body": body, "headers": {"X-Request-Id": "<script>"}}


def test_nothing_that_hostup_sends_of_a_ticket_runs(page, sandbox):
    hostile_ticket(sandbox)
    page.goto("/tickets/")
    row = page.get_by_role("listitem").filter(has_text="#990001")
    expect(row).to_contain_text("<script>alert(1)</script>")
    expect_only_ours(page)
    row.get_by_role("link").click()
    expect(ticket(page).get_by_role("heading", level=1)).to_contain_text("<img src=x onerror=alert(1)>")
    expect(ticket(page).locator(".message .body")).to_have_count(len(PAYLOADS) + 1)
    expect_only_ours(page)
    close(page).click()
    expect(toast(page)).to_contain_text("Closed.")
    reopen(page).click()
    expect(toast(page)).to_contain_text("Reopened.")
    expect_only_ours(page)
    page.goto(f"/tickets/{ID}/")
    page.get_by_role("link", name="What we did").click()
    expect(page.get_by_role("table")).to_be_visible()
    expect_only_ours(page)


def test_the_texts_are_whole(page, sandbox):
    """What makes them harmless must not make them unreadable."""
    hostile_ticket(sandbox)
    page.goto(f"/tickets/{ID}/")
    shown = ticket(page).locator(".message .body").all_text_contents()
    printable = [payload for payload in PAYLOADS if payload.isprintable()]
    assert len(printable) > 50
    assert set(printable) <= set(shown)


def test_nothing_in_the_words_of_an_error_runs(page, sandbox, dashboard):
    page.goto(TICKET)
    sandbox.fault(**problem(400), method="POST")
    reopen(page).click()
    expect(page.get_by_role("alert")).to_contain_text("<img src=x onerror=alert(1)>")
    expect_only_ours(page)
    for status in (400, 403, 404, 500, 429, 503):
        page.goto("/settings/key/")  # this page does not call HostUp, so that the ticket's page meets the fault
        sandbox.fault(**problem(status), times=3)
        page.goto(TICKET)
        expect(page.get_by_role("alert")).to_contain_text("<img src=x onerror=alert(1)>")
        expect_only_ours(page)
        sandbox.clear_faults()
        if status in (429, 503):
            dashboard.replace_workers()  # so that HostUp is called again at once
    page.goto("/activity/")
    expect(page.get_by_role("table")).to_contain_text("<img src=x onerror=alert(1)>")
    expect_only_ours(page)


def test_nothing_in_a_new_ticket_runs(page, sandbox, dashboard):
    """Neither in the choices that HostUp gives, nor in what is filled in, nor in what HostUp says about that."""
    departments = [Department(POLYGLOT[:60], ALL, ALL, ALL), Department("x", POLYGLOT, POLYGLOT)]
    sandbox.tickets.departments = departments
    dashboard.forget_departments()
    hostile_ticket(sandbox)
    page.goto("/tickets/")
    expect(page.get_by_label("Department")).to_contain_text("<script>alert(1)</script>")
    page.get_by_label("Department").select_option(POLYGLOT[:60])
    expect_only_ours(page)
    page.goto("/tickets/new/")
    expect_only_ours(page)
    fill_in_everything(page, ALL)
    expect(page.get_by_text("Draft saved.")).to_be_visible()  # else writing.js restores what was typed, unsaved
    page.get_by_role("button", name="Create ticket").click()
    expect(page.get_by_role("alert")).to_contain_text("Not created")
    expect_only_ours(page)
    expect(page.get_by_label("Message")).to_have_value(in_a_box(ALL))
    page.reload()
    expect(page.get_by_label("Message")).to_have_value(in_a_box(ALL))  # the draft
    expect_only_ours(page)

    fill_in_everything(page, POLYGLOT)
    page.get_by_label("CC addresses").fill("")
    page.get_by_label("Department").select_option("x")
    page.get_by_label("Priority").select_option("Low")
    page.get_by_label("Service", exact=True).select_option("VPS")
    pointers = ["/subject", "/message", "/departmentSlug", "/ccEmails/0", "/context/serviceId"]
    sandbox.fault(**problem(400, pointers), method="POST")
    page.get_by_role("button", name="Create ticket").click()
    expect(page.locator(".field-error").first).to_contain_text("<img src=x onerror=alert(1)>")
    expect_only_ours(page)
    page.get_by_role("button", name="Create ticket").click()
    expect(toast(page)).to_contain_text("Ticket created.")
    expect(heading(page, POLYGLOT)).to_be_visible()
    expect_only_ours(page)


def fill_in_everything(page, text):
    """Put a text into every field, selects included."""
    for name in ("Subject", "Message", "CC addresses", "Service ID"):
        page.get_by_label(name, exact=True).fill(text)
    for select in page.locator("#create select").all():
        select.evaluate("(select, text) => select.add(new Option(text, text, true, true))", text)


def in_a_box(text):
    """Return what a text box makes of a text."""
    return text.replace("\r\n", "\n").replace("\x00", "\ufffd")


def test_nothing_in_a_reply_runs(page, sandbox):
    page.goto(f"/tickets/{ENCRYPTED_ID}/")
    box = page.get_by_role("textbox", name="Reply")
    box.fill(ALL)
    expect(page.get_by_text("Draft saved.")).to_be_visible()
    page.reload()
    expect_only_ours(page)
    text = ALL.replace("\x00", "")
    box.fill(text)
    sandbox.tickets.add_message(
        sandbox.tickets.find(ENCRYPTED_ID), sender="staff", body=ALL, sender_name=ALL
    )  # meanwhile
    page.get_by_role("button", name="Send reply").click()
    expect(page.get_by_role("alert")).to_contain_text("Not sent")
    expect(page.locator(".news")).to_contain_text("<img src=x onerror=alert(1)>")
    expect_only_ours(page)
    upload = {"attachmentId": "satt_1", "url": "javascript:alert(1)", "filename": ALL, "byteLength": 1,
              "contentType": ALL}  # fmt: skip
    sandbox.fault(status=201, body=upload, method="POST", path="attachments")
    name = POLYGLOT.replace("/", "_") + ".txt"
    page.get_by_label("Attach files").set_input_files(
        {"name": name, "mimeType": "text/html", "buffer": files.HTML}
    )
    expect(page.locator(".upload-name").last).to_have_text(name)
    page.get_by_role("button", name="Send anyway").click()
    expect(page.locator("#toasts")).to_contain_text("Sent.")
    assert posts(sandbox) == ["attachments", "messages"]
    expect(ticket(page).locator(".message .body").last).to_contain_text("</textarea><img src=x onerror=alert(1)>")
    expect_only_ours(page)
    page.reload()
    sandbox.fault(**problem(413), method="POST", path="attachments")
    page.get_by_label("Attach files").set_input_files(
        {"name": name, "mimeType": "text/html", "buffer": files.HTML}
    )
    box.fill("With a file.")
    page.get_by_role("button", name="Send reply").click()
    expect(page.locator(".upload-state").last).to_contain_text("<img src=x onerror=alert(1)>")
    expect_only_ours(page)


def test_nothing_in_an_address_runs(page, visitor):
    for browser, payload in ((page, ALL), (visitor, POLYGLOT)):
        quoted = quote(payload, safe="")
        for address in (
            f"/tickets/?status={quoted}", f"/tickets/?department={quoted}", f"/tickets/?seen={quoted}",
            f"/tickets/go/?number={quoted}", f"/tickets/{quoted}/", f"/activity/?ticket={quoted}",
            f"/activity/?agent={quoted}&page={POLYGLOT}", f"{TICKET}?department={quoted}",
            f"{TICKET}attachments/{quoted}/?name={quoted}", f"/accounts/login/?next={quoted}", f"/no/{quoted}/",
        ):  # fmt: skip
            browser.goto(address[:3900])  # gunicorn refuses longer ones
            expect_only_ours(browser)
    visitor.goto("/accounts/login/")
    visitor.get_by_label("Username").fill(POLYGLOT)
    visitor.get_by_label("Password").fill(POLYGLOT)
    visitor.get_by_role("button", name="Sign in").click()
    expect(visitor.get_by_role("alert")).to_be_visible()
    expect_only_ours(visitor)


GIF = b"GIF89a/*\x01\x00\x01\x00*/=1;alert(1)//<script>alert(1)</script>"
FILES = {
    "page.html": files.HTML,
    "drawing.svg": files.SVG,
    "drawing.png": files.SVG,
    "invoice.pdf": files.PDF + b"<script>alert(1)</script>",
    "polyglot.pdf": b"%PDF-1.4\n<!doctype html><script>alert(1)</script>",
    "picture.gif": GIF,
    "picture.html": GIF,
    "picture.png": files.PNG + b"<script>alert(1)</script>",
    "script.js": b"alert(1)",
    "page.xhtml": b"<html xmlns='http://www.w3.org/1999/xhtml'><script>alert(1)</script></html>",
    "page.xml": b"<?xml version='1.0'?><x:script xmlns:x='http://www.w3.org/1999/xhtml'>alert(1)</x:script>",
}


def test_no_file_runs_on_our_origin(browser, base_url, sign_ins, sandbox):
    """Neither opened by its address, nor as a preview, nor as what it claims to be.

    Only dialogs are watched: Chromium's own page around a picture has styles, which our policy refuses.
    """
    context, dialogs = browser.new_context(base_url=base_url, storage_state=sign_ins[AGENT]), []
    context.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page = context.new_page()
    types = ["text/html", "image/svg+xml", "application/pdf", "image/gif", "image/png", None]
    attachments = [
        Attachment(f"tatt_{number}", name, types[number % len(types)], content)
        for number, (name, content) in enumerate(FILES.items())
    ]
    hostile_ticket(sandbox).attachments = attachments
    shown = []
    for attachment in attachments:
        address = f"/tickets/{ID}/attachments/{attachment.id}/"
        page.goto("/activity/")
        with page.expect_download() as downloading:
            page.evaluate("address => { location.href = address }", f"{address}?name={attachment.filename}")
        assert downloading.value.suggested_filename == attachment.filename
        answer = page.request.get(f"{address}?preview")
        policy = answer.headers["content-security-policy"].split("; ")
        assert {*policy} == {"default-src 'none'", "frame-ancestors 'none'", "sandbox"}
        assert answer.headers["x-content-type-options"] == "nosniff"
        if not answer.headers["content-disposition"].startswith("inline"):
            continue
        shown.append(attachment.filename)
        assert answer.headers["content-type"] in ("image/png", "image/gif", "application/pdf")
        if answer.headers["content-type"] != "application/pdf":  # some browsers download it
            page.goto(f"{address}?preview")
            assert page.evaluate("[origin, document.scripts.length]") == ["null", 0]
    context.close()
    assert dialogs == []
    assert shown == ["invoice.pdf", "polyglot.pdf", "picture.gif", "picture.html", "picture.png"]


def test_the_go_box_takes_anything_for_text(page):
    page.goto("/tickets/")
    page.get_by_label("Go to ticket").fill(POLYGLOT)
    page.get_by_role("button", name="Go", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("That is not a ticket number")
    expect_only_ours(page)


def test_what_did_run_would_be_noticed(browser, base_url, sign_ins):
    """The other tests here rely on this: attempts to run something are noticed, and their traces are found."""
    context, troubles, foreign = browser.new_context(base_url=base_url, storage_state=sign_ins[AGENT]), [], []
    context.add_init_script(CSP_LISTENER)
    watch(context, troubles)
    context.on("request", lambda request: foreign.append(request.url) if "evil.example" in request.url else None)
    page = context.new_page()
    page.goto("/activity/")
    expect_only_ours(page)
    assert troubles == []
    for payload in (payload for payload in PAYLOADS if "http-equiv" not in payload):  # it leaves the page at once
        page.evaluate("html => document.body.insertAdjacentHTML('beforeend', `<div class=body>${html}`)", payload)
    page.wait_for_timeout(500)
    refused = {trouble.split()[2] for trouble in troubles if trouble.startswith("console: CSP: ")}
    assert {"script-src-attr", "img-src", "style-src-attr", "base-uri"} <= refused
    assert len(page.evaluate(FOREIGN)) > 20
    context.close()
