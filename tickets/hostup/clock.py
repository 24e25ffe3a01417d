"""Our clock and HostUp's, which may be hours apart."""

from datetime import UTC, datetime, timedelta

from tickets.hostup.client import Client

GRAIN = timedelta(seconds=2)  # HostUp's `Date` header has whole seconds
AGREE = timedelta(minutes=5)


def on_hostups_clock(client: Client, moment: datetime) -> tuple[datetime, datetime] | tuple[None, None]:
    """Return between which times a `moment` of ours was, on the clock of HostUp's last answer; None for both when
    that does not tell the time.

    HostUp's clock is the one that its tickets' times are on, but what sends its `Date` may be hours off, and so
    may our own clock. Where the two differ widely, only what holds on both can be relied on.
    """
    if client.answered_at is None:
        return None, None
    by_hostup = client.answered_at - (datetime.now(UTC) - moment)
    agree = abs(by_hostup - moment) < AGREE
    latest = by_hostup if agree else max(by_hostup, moment)
    return min(by_hostup, moment) - GRAIN, latest - GRAIN
