"""The seed's tickets that tests ask for by id: the reference's sample and the awkward ones."""

from datetime import timedelta

from . import files
from .keys import ACCOUNT_A
from .making import NO_REQUESTER, Maker, Turn
from .model import Message

# API reference: the sample answer of the reopen call.
SAMPLE_ID = "tkt_01hxa3b4c5d6e7f8g9h0j1k2m3"
SAMPLE_NUMBER = 149943
SAMPLE_MESSAGE_ID = "tmsg_01hxa3b4c5d6e7f8g9h0j1k2m3"

LONG_THREAD_ID = "tkt_01hxsandb0x000000000000001"
LONG_TEXT_ID = "tkt_01hxsandb0x000000000000002"
HOSTILE_ID = "tkt_01hxsandb0x000000000000003"
ENCRYPTED_ID = "tkt_01hxsandb0x000000000000004"
ATTACHMENTS_ID = "tkt_01hxsandb0x000000000000005"
NULLS_ID = "tkt_01hxsandb0x000000000000006"
SERVICES_ID = "tkt_01hxsandb0x000000000000007"
REPEATED_OPENING_ID = "tkt_01hxsandb0x000000000000008"
UNKNOWN_STATUS_ID = "tkt_01hxsandb0x000000000000009"
CRITICAL_ID = "tkt_01hxsandb0x00000000000000a"

LONG_THREAD_MESSAGES = 300
LONG_LOG = "\n".join(f"[{n:05}] worker {n % 8} finished job {n * 37 % 1009} in {n % 90} ms" for n in range(3000))

HOSTILE_SUBJECT = "<script>alert('subject')</script> \"quoted\" & 'single' \u202ereversed\u202c 🧨"
HOSTILE_TEXTS = (
    "<img src=x onerror=alert(1)><b>bold?</b> </textarea></script><script>alert(2)</script>",
    "javascript:alert(1) [click](javascript:alert(2)) data:text/html,<script>alert(3)</script> "
    'https://example.com/?a=1&b=<2> http://example.com/"onmouseover=alert(4)',
    "Right to left: \u202egnp.exe\u202c, isolate \u2066never closed, and an Arabic word: مرحبا",
    "Zero\u200bwidth\u200djoiner\ufeff, combining: Z͑ͫ̓ͪ̂ͫ̽a̴l̷g̸o, family: 👨‍👩‍👧‍👦, flag: 🇸🇪",
    "Control characters: [\u0007] [\u001b[31mred\u001b[0m] [\u0000] [\u2028] [\u0085] tab\tend",
    "{{ settings.SECRET_KEY }} {% debug %} ${7*7} %s %(name)s {0} \\n '; DROP TABLE tickets; --",
    "W" * 4000,
)


def add_sample(maker: Maker, age: timedelta) -> None:
    """Add the sample, closed, so that reopening it gives the reference's answer: one message, messageCount 3."""
    ticket = maker.ticket(
        ACCOUNT_A,
        age,
        ticket_id=SAMPLE_ID,
        subject="Question about my hosting account",
        body="Hello, I have a question about my hosting account.",
        status="closed",
        priority="low",
        department="billing",
        requester="Jane Example",
        services=[
            {
                "serviceType": "vps",
                "serviceId": "vps_example",
                "serviceName": "example-vps",
                "details": {"status": "Active"},
            }
        ],
    )
    ticket.created_at -= timedelta(days=2)
    ticket.message_count = 3
    ticket.messages = [
        Message(
            id=SAMPLE_MESSAGE_ID,
            ticket_id=SAMPLE_ID,
            sent_at=ticket.last_message_at,
            body="Hello, I have a question about my hosting account.",
            sender="customer",
            sender_name="Jane Example",
        )
    ]


def add_long_thread(maker: Maker, age: timedelta) -> None:
    senders = ("staff", "customer", "staff", "customer", "automation")
    turns = [
        Turn(senders[index % len(senders)], f"Step {index + 1} of the migration: site {index // 5 + 1} of 60.")
        for index in range(LONG_THREAD_MESSAGES - 1)
    ]
    maker.ticket(
        ACCOUNT_A,
        age,
        ticket_id=LONG_THREAD_ID,
        subject="Migration of 60 sites, one after the other",
        body="We move 60 sites to you and would like to keep everything about it in this ticket.",
        turns=[*turns, Turn("staff", "Site 60 is moved as well. Shall we close?")],
        status="answered",
        pace=timedelta(minutes=25),
    )


def add_long_text(maker: Maker, age: timedelta) -> None:
    maker.ticket(
        ACCOUNT_A,
        age,
        ticket_id=LONG_TEXT_ID,
        subject="Here is the whole log, as you asked for, " + "and some more of the subject " * 12,
        body="The log of last night:\n\n" + LONG_LOG,
        status="in_progress",
        turns=[Turn("staff", "Thank you, we are reading it.")],
    )


def add_hostile(maker: Maker, age: timedelta) -> None:
    senders = ("customer", "staff", "automation")
    maker.ticket(
        ACCOUNT_A,
        age,
        ticket_id=HOSTILE_ID,
        subject=HOSTILE_SUBJECT,
        body="\n\n".join(HOSTILE_TEXTS),
        turns=[Turn(senders[index % 3], text) for index, text in enumerate(HOSTILE_TEXTS)],
        status="customer_reply",
        requester="<b>Jane</b> \u202eelpmaxE",
        cc_emails=['"<script>"@example.com', "anna+test@example.se"],
        services=[
            {
                "serviceType": "hosting",
                "serviceId": "../../admin",
                "serviceName": "<i>example</i>",
                "details": {"<b>key</b>": "<script>alert(5)</script>", "url": "javascript:alert(6)"},
            }
        ],
    )


def add_encrypted(maker: Maker, age: timedelta) -> None:
    maker.ticket(
        ACCOUNT_A,
        age,
        ticket_id=ENCRYPTED_ID,
        subject="Temporary password for the migration",
        body="Please tell me where to send the password of the old server.",
        turns=[
            Turn("staff", "Reply here and choose to send it encrypted."),
            Turn("customer", "user: example, password: not-a-real-one", encrypted=True),
            Turn("customer", None, encrypted=True),
            Turn("staff", "We have it, thank you.", encrypted=True),
        ],
        status="answered",
    )


def add_attachments(maker: Maker, age: timedelta) -> None:
    maker.ticket(
        ACCOUNT_A,
        age,
        ticket_id=ATTACHMENTS_ID,
        subject="Files that you asked for",
        body="The first three are attached.",
        files=files.ORDINARY,
        turns=[
            Turn("customer", "And these.", files=files.AWKWARD),
            Turn("customer", "Careful with these.", files=files.HOSTILE),
        ],
        status="customer_reply",
    )


def add_nulls(maker: Maker, age: timedelta) -> None:
    """Add a ticket with null wherever the reference allows it."""
    ticket = maker.ticket(
        ACCOUNT_A,
        age,
        ticket_id=NULLS_ID,
        subject=None,
        body=None,
        turns=[Turn("customer", None)],
        status="closed",
        department="discontinued",
        requester=NO_REQUESTER,
        services=[{"serviceType": "other", "serviceId": None, "serviceName": None, "details": None}],
    )
    ticket.messages[0].sent_at = None


def add_services(maker: Maker, age: timedelta) -> None:
    maker.ticket(
        ACCOUNT_A,
        age,
        ticket_id=SERVICES_ID,
        subject="Renewal of everything we have",
        body="Please renew all services below for another year.",
        department="sales",
        cc_emails=["accounts@example.se", "anna@example.com"],
        services=[
            {
                "serviceType": "vps",
                "serviceId": "vps_1001",
                "serviceName": "web-1",
                "details": {"status": "active", "planName": "VPS XS", "ipAddress": "192.0.2.10"},
            },
            {
                "serviceType": "hosting",
                "serviceId": "hosting_2002",
                "serviceName": "example.se",
                "details": {
                    "quota": {"usedMb": 812, "limitMb": 10240},
                    "addons": ["backup", "ssh"],
                    "ssl": True,
                },
            },
            {
                "serviceType": "domain",
                "serviceId": "domain_3003",
                "serviceName": "räksmörgås.example",
                "details": {
                    "expiresAt": "2031-01-31T00:00:00.000Z",
                    "autoRenew": False,
                    "transferLock": None,
                },
            },
        ],
    )


def add_repeated_opening(maker: Maker, age: timedelta) -> None:
    """Add a ticket that repeats the opening message in `messages`. Not documented: whether HostUp does."""
    opening = "Do you support IPv6 on all plans?"
    ticket = maker.ticket(
        ACCOUNT_A,
        age,
        ticket_id=REPEATED_OPENING_ID,
        subject="IPv6?",
        body=opening,
        turns=[Turn("customer", opening), Turn("staff", "Yes, on all of them.")],
        status="answered",
        department="sales",
    )
    ticket.messages[0].sent_at = ticket.created_at
    ticket.message_count = 2


def add_unknown_status(maker: Maker, age: timedelta) -> None:
    maker.ticket(
        ACCOUNT_A,
        age,
        ticket_id=UNKNOWN_STATUS_ID,
        subject="Moved from the old system",
        body="This ticket was opened before the new support system.",
        status="unknown",
        turns=[Turn("automation", "This ticket was moved from the old support system.")],
    )


def add_critical(maker: Maker, age: timedelta) -> None:
    maker.ticket(
        ACCOUNT_A,
        age,
        ticket_id=CRITICAL_ID,
        subject="Web shop down, no customer can order",
        body="All requests to shop.example.se answer 503 since 08:12. We lose every order.",
        priority="critical",
        status="in_progress",
        turns=[
            Turn("automation", "Your critical ticket has alerted our staff on duty."),
            Turn("staff", "We see it and are working on it. Next message in 15 minutes at the latest."),
        ],
        pace=timedelta(minutes=3),
    )
