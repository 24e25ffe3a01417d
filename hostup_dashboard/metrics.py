"""What the frame measures, for Prometheus, which reads it through `metrics_server.py`.

No label holds what people can choose or what grows with use: no paths, ids or names.
"""

import os

from allauth.mfa.signals import authentication_failed
from django.contrib.auth.signals import user_login_failed
from django.dispatch import receiver
from prometheus_client import Counter, Histogram, values

# Which of the server's processes this is; each counts into files of its own. Numbers are reused, so that a server
# that has replaced its processes for months has no more sets of files than processes.
process = "main"
if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
    values.ValueClass = values.MultiProcessValue(lambda: process)

METHODS = ("GET", "HEAD", "POST")  # of the site's pages; a request may name any method

REQUEST_SECONDS = Histogram(
    "hostup_dashboard_request_seconds",
    "Time to answer a request, a download's until its last byte",
    ["method", "route", "status"],
    buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30),
)
SIGN_IN_FAILURES = Counter(
    "hostup_dashboard_sign_in_failures",
    "Wrong passwords and second steps; those that the throttle stops are not",
    ["step"],
)


def request_answered(method: str, route: str | None, status: int, seconds: float) -> None:
    """Count a request. `route` is the address's name in `urls.py`, None where there is none."""
    method = method if method in METHODS else "other"
    REQUEST_SECONDS.labels(method, route or "none", f"{status // 100}xx").observe(seconds)


@receiver(user_login_failed)
def password_failed(**kwargs):
    SIGN_IN_FAILURES.labels("password").inc()


@receiver(authentication_failed)
def second_step_failed(**kwargs):
    SIGN_IN_FAILURES.labels("second_step").inc()
