"""`make lighthouse`: how does Google's Lighthouse score the list and a ticket? Fails below 100.

It visits the sandbox's tickets, signed in, as a phone on a slow line. The score for speed still depends on this
machine: when it is busy, the page seems slow.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from sandbox.server import Sandbox
from sandbox.special_tickets import SAMPLE_ID
from tests.browser import chromium
from tests.dashboard import Dashboard, signed_in

CATEGORIES = ("performance", "accessibility", "best-practices")
FLAGS = "--headless=new --no-sandbox --disable-dev-shm-usage"
PAGES = {"list": "/tickets/", "ticket": f"/tickets/{SAMPLE_ID}/"}


def main() -> None:
    command = Path(sys.argv[1]).resolve() / "node_modules" / ".bin" / "lighthouse"
    with (
        tempfile.TemporaryDirectory() as folder,
        Sandbox() as sandbox,
        Dashboard(sandbox.url, Path(folder)) as site,
    ):
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in signed_in(site.url).cookies)
        reports = {name: look_at(command, site.url + path, cookies) for name, path in PAGES.items()}
    for name, report in reports.items():
        print(name)
        for category in CATEGORIES:
            print(f"  {score(report, category):3}  {category}")
        for title in lost_points(report):
            print(f"       {title}")
    sys.exit(any(score(report, category) < 100 for report in reports.values() for category in CATEGORIES))


def look_at(command: Path, url: str, cookies: str) -> dict:
    """Let Lighthouse visit `url`, and return its report."""
    arguments = [command, url, f"--only-categories={','.join(CATEGORIES)}", "--output=json", "--quiet"]
    arguments += [f"--chrome-flags={FLAGS}", f"--extra-headers={json.dumps({'Cookie': cookies})}"]
    environment = os.environ | {"CHROME_PATH": chromium.find() or ""}
    visited = subprocess.run(arguments, env=environment, stdout=subprocess.PIPE, check=True, timeout=180)
    return json.loads(visited.stdout)


def score(report: dict, category: str) -> int:
    return round((report["categories"][category]["score"] or 0) * 100)


def lost_points(report: dict) -> list[str]:
    """Return the titles of the audits that kept the page from 100."""
    audits = {name: audit for name, audit in report["audits"].items() if (audit["score"] or 0) < 0.9}
    counted = {
        reference["id"]
        for category in CATEGORIES
        for reference in report["categories"][category]["auditRefs"]
        if reference["weight"]
    }
    return [
        f"{audit['title']} {audit.get('displayValue', '')}".strip()
        for name, audit in audits.items()
        if name in counted and audit["score"] is not None
    ]


if __name__ == "__main__":
    main()
