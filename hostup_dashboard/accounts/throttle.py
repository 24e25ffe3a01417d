"""How many sign-in attempts may fail from one address, whatever they guess at.

allauth would count them together with those for one name (`login_failed`), and clear both counts as soon as
anybody's second step succeeds: an agent could use their own to go on guessing at others. So this one is separate.
"""

from allauth.account.adapter import get_adapter
from allauth.core.internal import ratelimit
from django.conf import settings

CODES = ["too_many_login_attempts", "rate_limited"]  # of allauth's refusals; the second while an app is set up


def count_attempt(request) -> ratelimit.RateLimitUsage:
    """Count an attempt as failed. If it succeeds, call `rollback()` on what this returns.

    Raises ValidationError after too many failures (`ACCOUNT_RATE_LIMITS`).
    """
    attempt = ratelimit.consume(request, app="allauth.account", action="failed_from_address")
    if not attempt:
        raise get_adapter().validation_error("too_many_login_attempts")
    return attempt


def seconds_to_wait() -> int:
    """Return after how many seconds an attempt made now no longer counts towards any limit."""
    limits = settings.ACCOUNT_RATE_LIMITS
    rates = [rate for action in limits for rate in ratelimit.get_rates(app="allauth.account", action=action)]
    return int(max(rate.duration for rate in rates))
