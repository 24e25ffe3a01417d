"""`make bench-peer`: how many pages a second, compared with django-helpdesk on the same machine in the same run?

Both show 50 tickets and threads of the same length and have two workers. django-helpdesk reads its own SQLite
file; the dashboard asks a HostUp that takes no time, over a socket. django-helpdesk's list is a page and the JSON
that the page then asks for: together they count as one. Its answer to a change is a redirect, whose page is not
counted; the dashboard's answer is the ticket. The dashboard's list is measured twice: with rows that it has
rendered before, as usual when several agents look at the same tickets, and with rows that it has not.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import urlencode

import requests

from benchmarks.client import ask
from benchmarks.hostup import HostUp
from benchmarks.pages import AT_ONCE, ROUNDS, SECONDS, Visitor, address_of, checked, request, served
from tests.dashboard import Dashboard, token_in

REOPENED = 2  # django-helpdesk's number for that status


def main() -> None:
    python = str(Path(sys.argv[1]).absolute())  # the one that has django-helpdesk
    with tempfile.TemporaryDirectory() as folder, HostUp() as hostup:
        site = {"PEER_DATABASE": str(Path(folder, "peer.sqlite3")), "DJANGO_SETTINGS_MODULE": "peer_site"}
        data = made(python, site)
        with (
            Dashboard(hostup.url, Path(folder)) as dashboard,
            served("django.core.wsgi:get_wsgi_application()", python=python, **site) as peer_url,
        ):
            ours, theirs = Visitor(dashboard.url).every_page(), every_page_of(peer_url, data)
            theirs["list, new rows"] = theirs["list"]
            print(f"{AT_ONCE} at once, pages a second   dashboard  django-helpdesk  times")
            for name, pages in theirs.items():
                rates = [(rate(dashboard.url, [(ours[name], 200)]), rate(peer_url, pages)) for _ in range(ROUNDS)]
                our_rate, their_rate = map(statistics.median, zip(*rates, strict=True))
                times = statistics.median(one / other for one, other in rates)
                print(f"{name:<28} {our_rate:9.0f} {their_rate:16.1f} {times:6.1f}", flush=True)


def made(python: str, site: dict[str, str]) -> dict:
    """Fill a database for django-helpdesk, and return its agent's session and tickets."""
    done = subprocess.run(
        [python, "peer_data.py"],
        cwd=Path(__file__).parent,
        env=os.environ | site,
        stdout=subprocess.PIPE,
        check=True,
    )
    return json.loads(done.stdout)


def every_page_of(url: str, data: dict) -> dict[str, list[tuple[bytes, int]]]:
    """Return the requests that make up each page of django-helpdesk, with the status of each answer."""
    session = requests.Session()
    session.cookies["sessionid"] = data["session"]
    ticket, long_ticket = f"/tickets/{data['tickets']['10']}/", f"/tickets/{data['tickets']['300']}/"
    listed = session.get(f"{url}/tickets/", timeout=30).text
    query = re.search(r'datatables_ticket_list/([^"\'?]+)', listed).group(1)
    columns = urlencode({"draw": 1, "start": 0, "length": 50, "order[0][column]": 0, "order[0][dir]": "desc"})
    form = {
        "csrfmiddlewaretoken": token_in(session.get(url + ticket, timeout=30).text),
        "new_status": REOPENED,
        "comment": "Once more.",
        "title": "Question about my hosting account",
        "priority": 3,
        "queue": 1,
    }
    headers = {"Cookie": "; ".join(f"{cookie.name}={cookie.value}" for cookie in session.cookies)}

    def get(path: str) -> tuple[bytes, int]:
        return request(address_of(url), "GET", path, headers), 200

    update = request(address_of(url), "POST", f"{ticket}update/", headers, urlencode(form))
    return {
        "list": [get("/tickets/"), get(f"/datatables_ticket_list/{query}?{columns}")],
        "ticket": [get(ticket)],
        "300 messages": [get(long_ticket)],
        "reopen": [(update, 302)],
    }


def rate(url: str, parts: list[tuple[bytes, int]]) -> float:
    """Return how many pages a second there are if each takes one request for every part."""
    loads = [
        checked(ask(address_of(url), part, at_once=AT_ONCE, seconds=SECONDS), status) for part, status in parts
    ]
    return 1 / sum(1 / load.per_second for load in loads)


if __name__ == "__main__":
    main()
