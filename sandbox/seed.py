"""Fill a store with about 120 believable tickets for account A and 12 for account B.

The same seed makes the same tickets with the same ids. Only their times move with the clock, so that the newest
is always some minutes old and the oldest some months.
"""

import pickle
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from random import Random

from . import special_tickets as special
from .files import ACCESS_LOG
from .keys import ACCOUNT_A, ACCOUNT_B
from .making import Maker, Turn
from .special_tickets import SAMPLE_ID, SAMPLE_NUMBER
from .store import Store
from .stories import CUSTOMER, STAFF, STORIES, Story
from .times import utc_now

OTHER_ACCOUNT_ID = "tkt_01hxsandb0x0000000000000b1"

TICKETS_A = 120
TICKETS_B = 12
NEWEST = timedelta(minutes=6)
OLDEST = timedelta(days=150)
# From one ticket's number to the next: HostUp has other customers as well.
NUMBER_STEP = 7

# The places of the special tickets in the list, newest first. The sample is on the first page.
SPECIAL_PLACES: dict[int, Callable[[Maker, timedelta], None]] = {
    1: special.add_critical,
    3: special.add_hostile,
    5: special.add_sample,
    7: special.add_attachments,
    9: special.add_encrypted,
    12: special.add_nulls,
    14: special.add_long_thread,
    17: special.add_services,
    20: special.add_repeated_opening,
    22: special.add_unknown_status,
    31: special.add_long_text,
}
# How often each status comes up, relative to the others.
STATUS_SHARES = {"closed": 8, "answered": 4, "customer_reply": 3, "open": 2, "in_progress": 1, "on_hold": 1}
PRIORITY_SHARES = {"low": 4, "medium": 10, "high": 4, "urgent": 1, "critical": 1}
DOMAINS = (
    "example.com",
    "example.se",
    "example.org",
    "shop.example.se",
    "blogg.example.net",
    "intra.example.com",
)


def filled(seed: int) -> Store:
    """Return a store with all tickets. They are made once a minute and copied: tests need thousands of stores."""
    store = Store(seed)
    made = _made(seed, utc_now().replace(second=0, microsecond=0))
    store.rng, tickets = pickle.loads(made)  # noqa: S301  (what this process has just packed itself, below)
    for ticket in tickets:
        store.add(ticket)
    return store


@lru_cache(1)
def _made(seed: int, minute: datetime) -> bytes:
    store = Store(seed, now=lambda: minute)
    fill(store)
    return pickle.dumps((store.rng, store.all_tickets()))


def fill(store: Store) -> None:
    """Add all tickets; the store should be fresh."""
    maker = Maker(store)
    for place in range(TICKETS_A):
        age = age_at(place, TICKETS_A)
        if place in SPECIAL_PLACES:
            SPECIAL_PLACES[place](maker, age)
        else:
            add_story(maker, ACCOUNT_A, age, story_at(place))
    for place in range(TICKETS_B):
        ticket_id = OTHER_ACCOUNT_ID if place == 0 else None
        add_story(maker, ACCOUNT_B, age_at(place, TICKETS_B), story_at(place * 5), ticket_id)
    give_numbers(store)


def age_at(place: int, places: int) -> timedelta:
    """Return the age at a place in the list: dense among the newest, sparse among the oldest, as in an inbox."""
    return NEWEST + OLDEST * (place / (places - 1)) ** 2


def story_at(place: int) -> Story:
    return STORIES[place * 7 % len(STORIES)]


def add_story(maker: Maker, account: str, age: timedelta, story: Story, ticket_id: str | None = None) -> None:
    rng = maker.rng
    domain, ip, invoice = (
        rng.choice(DOMAINS),
        f"192.0.2.{rng.randint(2, 250)}",
        str(rng.randint(20_000, 29_999)),
    )

    def told(text: str) -> str:
        return text.replace("{domain}", domain).replace("{ip}", ip).replace("{invoice}", invoice)

    status = pick(rng, STATUS_SHARES)
    answers = story.turns[: turns_for(status, rng, len(story.turns))]
    turns = [
        Turn(
            CUSTOMER if index % 2 else STAFF,
            told(text),
            files=[ACCESS_LOG] if "attached" in text else (),
        )
        for index, text in enumerate(answers)
    ]
    if status == "closed" and rng.random() < 0.3:
        turns.append(Turn("automation", "This ticket was closed after seven days without an answer."))
    maker.ticket(
        account,
        age,
        ticket_id=ticket_id,
        subject=told(story.subject),
        body=told(story.opening),
        turns=turns,
        status=status,
        priority=pick(rng, PRIORITY_SHARES),
        department=story.department,
        services=[service(story.service, domain, ip, rng)] if rng.random() < 0.8 else [],
        cc_emails=["team@example.se"] if rng.random() < 0.15 else [],
    )


def pick(rng: Random, shares: dict[str, int]) -> str:
    return rng.choices(list(shares), weights=list(shares.values()))[0]


def turns_for(status: str, rng: Random, available: int) -> int:
    """Return how many turns have been told, so that the last fits the status: odd ones are staff's, even ours."""
    match status:
        case "open":
            return 0
        case "answered" | "in_progress" | "on_hold":
            return rng.choice(range(1, available + 1, 2))
        case "customer_reply":
            return rng.choice(range(2, available + 1, 2)) if available > 1 else 0
    return available


def service(kind: str, domain: str, ip: str, rng: Random) -> dict:
    details = {
        "domain": {"status": "active", "autoRenew": True},
        "hosting": {"status": "active", "planName": "Web M", "diskUsedMb": rng.randint(200, 9_000)},
        "vps": {"status": "active", "planName": "VPS XS", "ipAddress": ip},
        "other": None,
    }
    name = f"vps-{ip.rsplit('.', 1)[1]}" if kind == "vps" else domain
    return {
        "serviceType": kind,
        "serviceId": f"{kind}_{rng.randint(1000, 9999)}",
        "serviceName": None if kind == "other" else name,
        "details": details[kind],
    }


def give_numbers(store: Store) -> None:
    """Number the tickets in the order of creation. The sample gets the number that it has in the reference."""
    tickets = sorted(store.all_tickets(), key=lambda ticket: ticket.created_at)
    sample = tickets.index(store.find(SAMPLE_ID))
    for index, ticket in enumerate(tickets):
        ticket.number = SAMPLE_NUMBER + (index - sample) * NUMBER_STEP
