"""System checks of a whole installation. `environment.py` refuses settings that are invalid by themselves."""

import os
import ssl
import stat
from pathlib import Path

from django.conf import settings
from django.core.checks import Error, Warning, register

from hostup_dashboard.environment import Env, is_loopback

# Each may come from a file; addresses may hold a password.
SECRETS = ("SECRET_KEY", "ENCRYPTION_KEYS", "DATABASE_URL", "CACHE_URL", "HOSTUP_PROXY", "OIDC_CLIENT_SECRET")


@register
def site_url_is_encrypted(app_configs, **kwargs):
    """Warn when passwords and tickets would travel over the network unencrypted."""
    if settings.SITE.is_https or _is_this_machine():
        return []
    return [
        Warning(
            f"SITE_URL is {settings.SITE.origin}: passwords and tickets travel over the network unencrypted.",
            hint="Put a proxy with a certificate in front and set SITE_URL to its https:// address.",
            id="hostup_dashboard.W001",
        )
    ]


@register
def site_url_has_no_path(app_configs, **kwargs):
    """Warn of a slash at the end: Caddy takes it for the path of one page, and answers all others with nothing."""
    if not Env().str("SITE_URL", "").endswith("/"):
        return []
    return [
        Warning(
            "SITE_URL ends with a slash: behind Caddy, all pages but the first are empty.",
            hint=f"Set it to {settings.SITE.origin}.",
            id="hostup_dashboard.W004",
        )
    ]


@register
def debug_stays_on_this_machine(app_configs, **kwargs):
    """Refuse to show the details of errors to a network."""
    if not settings.DEBUG or _is_this_machine():
        return []
    return [
        Error(
            f"DEBUG is on and SITE_URL is {settings.SITE.origin}: errors would show internals to others.",
            hint="Unset DEBUG.",
            id="hostup_dashboard.E001",
        )
    ]


@register
def ca_bundle_is_readable(app_configs, **kwargs):
    """Refuse a certificate file that cannot be used: every call to HostUp would fail."""
    bundle = settings.HOSTUP_CA_BUNDLE
    if not bundle:
        return []
    try:
        ssl.create_default_context(cafile=bundle)
    except OSError as error:  # cannot be read, or holds no certificates
        return [
            Error(
                f"HOSTUP_CA_BUNDLE is {bundle}, which cannot be used: {error.strerror or error}.",
                hint="Name a file of certificates in PEM form that this user may read.",
                id="hostup_dashboard.E002",
            )
        ]
    return []


@register
def folders_can_be_written(app_configs, **kwargs):
    """Refuse a folder, existing or yet to be made, in which the database or static files could not be written."""
    folders = {settings.DATA_DIR: "DATA_DIR is"}
    if settings.DATABASES["default"]["ENGINE"] == "hostup_dashboard.sqlite3":
        folders.setdefault(Path(settings.DATABASES["default"]["NAME"]).parent, "DATABASE_URL is a file in")
    return [
        Error(
            f"{words} {folder}, which cannot be written.",
            hint=f"Make it, and give it to the user that runs the dashboard ({os.geteuid()}).",
            id="hostup_dashboard.E003",
        )
        for folder, words in folders.items()
        if not _can_be_written(folder)
    ]


def _can_be_written(folder: Path) -> bool:
    nearest = next(path for path in (folder, *folder.parents) if os.path.exists(path))
    return nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)


@register
def database_can_be_written(app_configs, **kwargs):
    """Refuse a database file that this user cannot read and write."""
    database = settings.DATABASES["default"]
    file = database["NAME"]
    if database["ENGINE"] != "hostup_dashboard.sqlite3" or not os.path.exists(file):
        return []
    if os.access(file, os.R_OK | os.W_OK):
        return []
    return [
        Error(
            f"The database is {file}, which cannot be read and written.",
            hint=f"Give it to the user that runs the dashboard: chown {os.geteuid()} {file}*; chmod 0600 {file}*",
            id="hostup_dashboard.E004",
        )
    ]


@register
def others_cannot_read(app_configs, **kwargs):
    """Warn when another user of this machine can read the database (sessions, password hashes) or a secret."""
    paths = [os.environ[f"{name}_FILE"] for name in SECRETS if os.environ.get(f"{name}_FILE")]
    database = settings.DATABASES["default"]
    if database["ENGINE"].endswith("sqlite3"):
        paths.append(database["NAME"])
    return [
        Warning(
            f"{path} can be read by every user of this machine.",
            hint=f"chmod o-rwx {path}",
            id="hostup_dashboard.W002",
        )
        for path in paths
        if _is_open_to_others(Path(path))
    ]


@register
def texts_are_compiled(app_configs, **kwargs):
    """Warn when pages would be in English, whatever language the browser asks for."""
    (folder,) = settings.LOCALE_PATHS
    if list(Path(folder).glob("*/LC_MESSAGES/django.mo")):
        return []
    return [
        Warning(
            "The Swedish texts are not compiled, so all pages are in English.",
            hint=f"pybabel compile --domain django --directory {folder}",
            id="hostup_dashboard.W003",
        )
    ]


def _is_this_machine() -> bool:
    return is_loopback(settings.SITE.host)


def _is_open_to_others(path: Path) -> bool:
    """Tell whether other users can read a file of ours and enter its folder. A file that another user owns, such
    as a container's secret, is theirs to protect."""
    if not path.is_file():
        return False
    file, folder = path.stat(), path.parent.stat()
    return file.st_uid == os.geteuid() and bool(file.st_mode & stat.S_IROTH and folder.st_mode & stat.S_IXOTH)
