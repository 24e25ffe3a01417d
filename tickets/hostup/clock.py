"""Our clock and HostUp's, which may be hours apart."""

from datetime import UTC, datetime, timedelta

from tickets.hostup.client import Client

GRAIN = timedelta(seconds=2)  # HostUp's `Date` header has whole seconds
AGREE = timedelta(minutes=5)


def on_hostups_clock(client: Client, moment: datetime) -> tuple[datetime, datetime] | tuple[None, None]:
    """Return what HostUp's clock showed at `moment`, a time on ours: the earliest and the latest reading, each
    made earlier by `GRAIN`. Both are None when HostUp's last answer does not tell the time.

    HostUp's clock is the one that sets its tickets' times. But the server that sends its `Date` may be hours off,
    and so may our own clock. If the two differ widely, only what is true on both can be relied on.
    """
    if client.answered_at is None:
        return None, None
    by_hostup = client.answered_at - (datetime.now(UTC) - moment)
    agree = abs(by_hostup - moment) < AGREE
    latest = by_hostup if agree else max(by_hostup, moment)
    return min(by_hostup, moment) - GRAIN, latest - GRAIN
