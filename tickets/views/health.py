"""For load balancers and monitoring: no sign-in, no secrets."""

import logging

from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.http import HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from tickets.models import ApiKey, Canary

logger = logging.getLogger(__name__)


@require_safe
@login_not_required
def healthz(request):
    """Answer that the process is up. Nothing else is checked, so that a broken database does not restart it."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@login_not_required
def readyz(request):
    """Tell whether the process can serve agents: the database and the cache work, the stored keys can be read."""
    parts = {name: _works(check) for name, check in CHECKS.items()}
    return JsonResponse(parts, status=200 if all(parts.values()) else 503)


def _works(check) -> bool:
    try:
        check()
    except Exception:  # whatever it is, this process is not ready; the log says why
        logger.exception("not ready: %s", check.__name__)
        return False
    return True


def _database():
    """Check that it answers, and that `migrate` has made the table of the canary."""
    Canary.objects.exists()


def _cache():
    cache.set("readyz", "ok", 10)
    if cache.get("readyz") != "ok":
        raise RuntimeError("the cache does not keep what is put into it")


def _keys():
    """Read the canary, there since the first `migrate`, and the newest API key, which another process may have
    saved with `ENCRYPTION_KEYS` that this one lacks."""
    Canary.verify()
    if newest := ApiKey.objects.order_by("-saved_at").first():
        newest.decrypt()


CHECKS = {"database": _database, "cache": _cache, "keys": _keys}
