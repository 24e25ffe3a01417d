"""Doubts about an installation that works but should not stay so. What cannot work stops in `environment.py`."""

from django.conf import settings
from django.core.checks import Warning, register

from hostup_dashboard.environment import is_loopback


@register
def site_url_is_encrypted(app_configs, **kwargs):
    """Warn when passwords and tickets would travel the network in clear."""
    if settings.SITE.is_https or is_loopback(settings.SITE.host.strip("[]")):
        return []
    return [
        Warning(
            f"SITE_URL is {settings.SITE.origin}: passwords and tickets travel the network unencrypted.",
            hint="Put a proxy with a certificate in front and set SITE_URL to its https:// address.",
            id="hostup_dashboard.W001",
        )
    ]
