"""How many attempts to sign in may fail from one address, whatever is guessed at.

allauth counts them with those at one name (`login_failed`), and forgets both as soon as anybody's second step
succeeds: whoever has an account here could go on guessing at others. So this count is one of its own.
"""

from allauth.account.adapter import get_adapter
from allauth.core.internal import ratelimit
from django.conf import settings

CODES = ["too_many_login_attempts", "rate_limited"]  # of allauth's refusals; the second when an app is set up


def count_attempt(request) -> ratelimit.RateLimitUsage:
    """Count an attempt as one that fails; if it does not, call the answer's `rollback()`.

    Raises ValidationError if there were too many (`ACCOUNT_RATE_LIMITS`).
    """
    attempt = ratelimit.consume(request, app="allauth.account", action="failed_from_address")
    if not attempt:
        raise get_adapter().validation_error("too_many_login_attempts")
    return attempt


def seconds_to_wait() -> int:
    """Return in how many seconds an attempt of now counts at no limit any more."""
    limits = settings.ACCOUNT_RATE_LIMITS
    rates = [rate for action in limits for rate in ratelimit.get_rates(app="allauth.account", action=action)]
    return int(max(rate.duration for rate in rates))
