"""`make screenshots`: take the pictures in docs/ from the real pages, with the sandbox's made-up tickets.

Screen, seed and clicks are fixed; the times are today's. Pillow, which the Makefile installs into a folder of its
own, makes the files small by reducing the colours, of which a page has few.
"""

import tempfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import requests
from PIL import Image
from playwright.sync_api import BrowserContext, Locator, Page, sync_playwright

from sandbox.server import Sandbox
from sandbox.special_tickets import HOSTILE_ID, SAMPLE_ID
from tests.browser import chromium
from tests.browser.conftest import SCREENS
from tests.browser.steps import TICKET, sign_in
from tests.dashboard import Dashboard

DOCS = Path(__file__).resolve().parents[2] / "docs"
COLOURS = 64
DESKTOP, PHONE = {"viewport": {"width": 1280, "height": 760}}, SCREENS["phone"]
LANGUAGES = {"en": "en-GB", "sv": "sv-SE"}
# What an agent would write, by the page's language.
REPLY = {
    "en": "Hello,\n\nhere is the password of the old server: correct-horse-42",
    "sv": "Hej,\n\nhär är lösenordet till den gamla servern: correct-horse-42",
}
NEWS = {
    "en": "We have found the cause. May we restart the server?",
    "sv": "Vi har hittat felet. Får vi starta om servern?",
}
SUBJECT = {"en": "The backup of web-2 has stopped", "sv": "Säkerhetskopieringen av web-2 har stannat"}
ANSWERED = 150013  # the ticket that is open in the picture of a whole desktop


def reopened(page: Page) -> None:
    page.goto(TICKET)
    row = page.locator(f"#row-{SAMPLE_ID}")
    row.wait_for()  # the list loads after the page, and shows tickets as they were when it was requested
    page.locator(".ticket-actions button").click()
    row.locator(".status.open").wait_for()
    page.locator(".toast").wait_for()


class Poses:
    """What each picture shows. Each method gets its page ready and returns the part to show; None is all of it."""

    def __init__(self, sandbox: Sandbox, language: str):
        self.sandbox, self.language = sandbox, language

    def sign_in(self, page: Page) -> Locator:
        page.context.clear_cookies()
        page.goto("/accounts/login/")
        return page.locator("main")

    def account(self, page: Page) -> Locator:
        page.goto("/accounts/me/")
        return page.locator("main")

    def key(self, page: Page) -> Locator:
        page.goto("/settings/key/")
        return page.locator("main")

    def list(self, page: Page) -> Locator:
        page.goto("/tickets/")
        return page.locator("#list-pane")

    def reopened(self, page: Page) -> None:
        reopened(page)

    def unknown(self, page: Page) -> None:
        page.goto(TICKET)
        self.sandbox.fault("problem_503", times=None)
        page.locator(".ticket-actions button").click()
        page.locator("#alerts .failure").wait_for()

    def reply(self, page: Page) -> Locator:
        page.goto(f"/tickets/{ANSWERED}/")
        page.locator(".composer textarea").fill(REPLY[self.language])
        page.locator("[name=encrypted]").check()
        page.locator(".attach-input").set_input_files(
            {"name": "access.log", "mimeType": "text/plain", "buffer": b"192.0.2.7 GET /\n" * 900}
        )
        page.locator(".composer-bar .hint:not(:empty)").wait_for()
        return page.locator(".composer form")

    def changed(self, page: Page) -> Locator:
        page.goto(f"/tickets/{ANSWERED}/")
        page.locator(".composer textarea").fill(REPLY[self.language])
        answer = {"sender": "staff", "body": NEWS[self.language]}
        requests.post(f"{self.sandbox.url}/_sandbox/tickets/{ANSWERED}/messages", json=answer, timeout=10)
        page.locator(".composer button.primary").click()
        page.locator(".news").wait_for()
        return page.locator(".composer form")

    def create(self, page: Page) -> Locator:
        page.goto("/tickets/new/")
        page.locator("[name=department]").select_option("technical")
        page.locator("[name=subject]").fill(SUBJECT[self.language])
        page.locator("[name=priority]").select_option("critical")
        return page.locator("main")

    def several(self, page: Page) -> None:
        page.goto("/tickets/?status=closed")
        page.locator("#bulk-select").click()
        for number in range(3):
            page.locator(".pick").nth(number).click()
        page.locator("#list-heading").scroll_into_view_if_needed()

    def activity(self, page: Page) -> Locator:
        reopened(page)
        page.locator(".toast form button").click()
        page.locator(".ticket-actions button.primary").wait_for()
        page.goto("/activity/")
        return page.locator("main")

    def unreachable(self, page: Page) -> None:
        self.sandbox.fault("reset", times=None)
        page.goto("/tickets/")


def desktop(page: Page) -> None:
    page.goto(f"/tickets/{ANSWERED}/")


def phone(page: Page) -> None:
    page.goto(TICKET)


def pictures(sandbox: Sandbox):
    """Yield the name, language, browser options and pose of every picture."""
    yield "desktop", "en", DESKTOP, desktop
    yield "desktop-dark", "en", DESKTOP | {"color_scheme": "dark"}, desktop
    yield "phone", "en", PHONE, phone
    dark_phone = PHONE | {"color_scheme": "dark"}
    for language in LANGUAGES:
        poses = Poses(sandbox, language)
        for name, screen in {
            "sign_in": DESKTOP,
            "account": DESKTOP,
            "key": DESKTOP,
            "list": DESKTOP,
            "reopened": DESKTOP,
            "unknown": PHONE,
            "reply": DESKTOP,
            "changed": DESKTOP,
            "create": DESKTOP,
            "several": PHONE,
            "activity": DESKTOP,
            "unreachable": dark_phone,
        }.items():
            yield f"{name.replace('_', '-')}.{language}", language, screen, getattr(poses, name)


def take(context: BrowserContext, pose: Callable[[Page], Locator | None]) -> bytes:
    """Return a PNG of what `pose` leaves on the screen."""
    page = context.new_page()
    part = pose(page)
    page.mouse.move(0, 0)
    page.wait_for_load_state("networkidle")
    return (part or page).screenshot(animations="disabled")


def write_small(png: bytes, path: Path) -> None:
    image = Image.open(BytesIO(png)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    image.save(path, optimize=True)


def signed_in_state(browser, dashboard: Dashboard) -> dict:
    context = browser.new_context(base_url=dashboard.url, timezone_id="Europe/Stockholm")
    sign_in(context.new_page())
    return context.storage_state()


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as home,
        Sandbox(seed=1) as sandbox,
        Dashboard(sandbox.url, Path(home), host="localhost") as dashboard,  # a name, so that passkeys are offered
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=chromium.find(), args=["--no-sandbox", "--disable-lcd-text"]
        )
        state = signed_in_state(browser, dashboard)
        for name, language, screen, pose in pictures(sandbox):
            sandbox.reset()
            dashboard.forget()
            # A subject that tries to break pages is for tests; in a manual it looks like a broken page.
            sane = {"subject": "Move example.com to the new server", "requesterName": "Kim Sample"}
            requests.patch(f"{sandbox.url}/_sandbox/tickets/{HOSTILE_ID}", json=sane, timeout=10)
            options = {
                "locale": LANGUAGES[language],
                "timezone_id": "Europe/Stockholm",
                "reduced_motion": "reduce",
            }
            with browser.new_context(base_url=dashboard.url, storage_state=state, **options, **screen) as context:
                write_small(take(context, pose), DOCS / f"{name}.png")
            if name.startswith(("unknown", "unreachable")):
                dashboard.replace_workers()  # else HostUp would not be called for a while
            print(f"docs/{name}.png  {(DOCS / f'{name}.png').stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
