"""What `manage.py doctor` checks in addition to the frame's checks: the stored secrets, and HostUp."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Warning

from hostup_dashboard.doctor import certificate_ends
from tickets import upstream
from tickets.hostup import errors
from tickets.models import HOLDERS_OF_SECRETS, Canary

CLOCK_SECONDS = 5  # that two well-kept clocks may differ, network delay and HostUp's whole seconds included
CALL_SECONDS = 6.0  # for HostUp to answer


def keys() -> Iterator[CheckMessage]:
    """Check the canary, if there is one, and every other secret in the database."""
    rows = [row for model in HOLDERS_OF_SECRETS for row in model.objects.iterator()]
    unreadable = [row for row in rows if not _is_readable(row)]
    old = sum(not row.is_under_current_key for row in rows)
    stored = len(rows)
    if stored > 1 and [type(row) for row in unreadable] == [Canary]:
        yield Error(
            "only the canary cannot be read: it was written with different ENCRYPTION_KEYS from everything else",
            "If no process has those keys any more, have it rewritten: "
            "manage.py rotate_encryption_key --delete-unreadable",
        )
        return
    if any(isinstance(row, Canary) for row in unreadable):
        yield Error(
            "the database was written with different ENCRYPTION_KEYS from the current ones",
            "Put the former key back, after the new one; then manage.py rotate_encryption_key.",
        )
    if unreadable:
        yield Error(
            f"{len(unreadable)} of {stored} stored secrets cannot be read",
            "Put their key back into ENCRYPTION_KEYS, or have their agents set them up again.",
        )
    if old:
        yield Warning(f"{old} of {stored} stored secrets are under an old key", "manage.py rotate_encryption_key")
    if not unreadable and not old:
        yield Info(f"{stored} stored secrets, all readable")


def hostup() -> Iterator[CheckMessage]:
    """Check HostUp by the route that calls take, without anybody's key: its answer, certificate and clock."""
    url = settings.HOSTUP_API_URL
    way = f"{url} through {_without_password(settings.HOSTUP_PROXY)}" if settings.HOSTUP_PROXY else url
    pool = upstream.pool_for(url, CALL_SECONDS, CALL_SECONDS, settings.HOSTUP_CA_BUNDLE, settings.HOSTUP_PROXY)
    began = time.time()
    try:
        reached = pool.reach()
    except errors.Unsafe as error:
        if settings.HOSTUP_CA_BUNDLE:
            advice = "HOSTUP_CA_BUNDLE takes the place of the public authorities: whose certificate is it?"
        else:
            advice = "If your network terminates TLS, name its authority in HOSTUP_CA_BUNDLE; else ask HostUp."
        yield Error(f"{way} cannot prove that it is HostUp: {error.detail}", advice)
        return
    except errors.Unavailable as error:
        yield Error(
            f"{way} cannot be reached: {error.detail}",
            "Look at HOSTUP_API_URL, HOSTUP_PROXY, name resolution and the firewall.",
        )
        return
    took = time.time() - began
    if reached.status == 401:
        yield Info(f"{way} answered in {took * 1000:.0f} ms, and requires a key")
    else:
        yield Error(
            f"{way} answered {reached.status} where HostUp says 401",
            "Is it HostUp's address, with nothing in between that answers instead? 5xx: HostUp is failing.",
        )
    if reached.certificate_ends_at:
        days = (reached.certificate_ends_at - datetime.now(UTC)).total_seconds() / 86400
        yield certificate_ends(days, "Tell whoever renews it: HostUp, or whoever terminates TLS on the way.")
    if reached.answered_at:
        ahead = reached.answered_at.timestamp() - (began + took / 2)
        yield _clock(ahead)
    else:
        yield Warning("HostUp does not say what time it is", "Look at this machine's clock yourself.")


def _clock(ahead: float) -> CheckMessage:
    """Report how the clocks differ; `ahead` is how many seconds HostUp's is ahead of ours."""
    if abs(ahead) <= CLOCK_SECONDS:
        return Info(f"the clocks agree within {CLOCK_SECONDS} seconds")
    side = "behind" if ahead > 0 else "ahead of"
    return Error(
        f"this machine's clock is {abs(ahead):.0f} seconds {side} HostUp's",
        "Set it by NTP: authenticator apps are refused, and lost answers are judged by time.",
    )


def _is_readable(row) -> bool:
    try:
        row.decrypt()
    except row.Unreadable:
        return False
    return True


def _without_password(proxy: str) -> str:
    return proxy.rpartition("@")[2]


CHECKS = {"keys": keys, "HostUp": hostup}
