"""What `manage.py doctor` looks at: the frame's part. To add a check, copy one and put it into `CHECKS`.

A check takes no arguments and yields Django's `CheckMessage`s. An exception that it raises is a problem, too.
"""

import os
import shutil
import socket
import ssl
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core import checks
from django.core.cache import cache
from django.core.checks import CheckMessage, Error, Info, Warning
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

CONNECT_SECONDS = 3.0
DAYS_LEFT = 14  # of a certificate: with fewer, it should have been renewed already
SHARE_LEFT = 1 / 4  # of a short-lived one: Caddy's own last 12 hours, and are renewed when a third is left
MB = 1024**2
# Free bytes below which a disk is a problem, and a warning: with a database, with only static files, and with
# files on their way. One of these takes 25 MB; each process may have ten from HostUp, and ten of a form.
DATABASE_ROOM, STATIC_ROOM, FILES_ROOM = (100 * MB, 1024 * MB), (10 * MB, 20 * MB), (50 * MB, 750 * MB)
UNKNOWN_ISSUER = (18, 19, 20, 21)  # https://docs.openssl.org/master/man3/X509_STORE_CTX_get_error/


def settings_check() -> Iterator[CheckMessage]:
    """Yield what `manage.py check` says; with an https `SITE_URL`, what `check --deploy` says."""
    doubts = checks.run_checks(include_deployment_checks=settings.SITE.is_https)
    doubts = [doubt for doubt in doubts if not doubt.is_silenced()]
    yield from doubts or [Info(f"no problems found; people reach the dashboard at {settings.SITE.origin}")]


def database() -> Iterator[CheckMessage]:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_encoding" if connection.vendor == "postgresql" else "PRAGMA encoding")
        (encoding,) = cursor.fetchone()
    if encoding.replace("-", "") != "UTF8":  # createdb's default on a server that was set up without a locale
        advice = "Make it anew with createdb --encoding=UTF8 --template=template0, and restore into it."
        yield Error(f"{encoding} cannot hold every letter", advice)
        return
    executor = MigrationExecutor(connection)
    latest = dict(sorted(executor.loader.disk_migrations))  # of each app
    newer = [name for app, name in executor.loader.applied_migrations if name > latest.get(app, name)]
    if newer:
        what = f"a newer version of the dashboard has changed it ({', '.join(newer)})"
        yield Error(what, "Go on with that version, or restore the backup from before it.")
        return
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        yield Error(f"{len(missing)} migrations are not applied", "Run manage.py migrate.")
        return
    with transaction.atomic(), connection.cursor() as cursor:
        # Changes nothing, but fails where nothing can be written.
        cursor.execute("UPDATE django_migrations SET app = app WHERE 1 = 0")
    yield Info(f"{connection.display_name} answers, is writable, and has every migration")


def cache_works() -> Iterator[CheckMessage]:
    cache.set("doctor", "ok", 10)
    if cache.get("doctor") != "ok":
        yield Error("it does not store what is put into it", "Look at the server that CACHE_URL names.")
    elif not settings.CACHES["default"]["BACKEND"].endswith("LocMemCache"):
        yield Info("it stores what is put into it, shared by all processes")
    elif connection.vendor != "sqlite":
        yield Warning(
            "each process has its own, so that each counts failed sign-ins by itself",
            "With several replicas, set CACHE_URL to a Redis.",
        )
    else:
        yield Info("in-process: each server process counts failed sign-ins by itself (CACHE_URL is not set)")


def disk_space() -> Iterator[CheckMessage]:
    """Look at the disks that hold the database and static files, and files on their way."""
    has_database = settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")
    data_room = DATABASE_ROOM if has_database else STATIC_ROOM
    for folder, (least, enough) in ((settings.DATA_DIR, data_room), (_folder_for_files(), FILES_ROOM)):
        if not folder.is_dir():
            continue
        free = shutil.disk_usage(folder).free
        what = f"{free / MB:,.0f} MB free at {folder}"
        if free < least:
            yield Error(what, "Make room: soon nothing can be written, and then nothing is sent.")
        elif free < enough:
            yield Warning(what, "Make room.")
        else:
            yield Info(what)


def _folder_for_files() -> Path:
    """Return where a running server puts files. Python, asked now, would name another folder if that is full."""
    folder = Path(os.environ.get("TMPDIR") or "/tmp")  # noqa: S108  (it is looked at, nothing is put there)
    return folder if folder.is_dir() else Path(tempfile.gettempdir())


def static_files() -> Iterator[CheckMessage]:
    if staticfiles_storage.hashed_files:
        yield Info(f"{len(staticfiles_storage.hashed_files)} collected in {settings.STATIC_ROOT}")
    else:
        yield Warning(
            f"none collected in {settings.STATIC_ROOT}",
            "gunicorn collects them when it starts; by hand: manage.py collectstatic --noinput",
        )


def site_certificate() -> Iterator[CheckMessage]:
    """Look at our certificate, as browsers see it at `SITE_URL`."""
    if not settings.SITE.is_https:
        return
    host, port = settings.SITE.host, settings.SITE.port or 443
    context = ssl.create_default_context()
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # which is Python 3.13's default; no browser is that strict
    if settings.HOSTUP_CA_BUNDLE:  # the network's own authority may have signed ours, too
        context.load_verify_locations(settings.HOSTUP_CA_BUNDLE)
    try:
        with (
            socket.create_connection((host, port), CONNECT_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=host) as connected,
        ):
            certificate = connected.getpeercert()
            begins_at = ssl.cert_time_to_seconds(certificate["notBefore"])
            ends_at = ssl.cert_time_to_seconds(certificate["notAfter"])
    except ssl.SSLCertVerificationError as error:
        what = f"{settings.SITE.origin} shows an invalid certificate: {error.verify_message}"
        if error.verify_code in UNKNOWN_ISSUER:
            advice = "Fine if every browser here trusts the authority that signed it"
            yield Warning(what, f"{advice}. SSL_CERT_FILE names its certificate to doctor, too.")
        else:
            yield Error(what, f"Give the proxy a valid certificate for {host}.")
    except OSError as error:
        yield Error(
            f"{settings.SITE.origin} does not answer from here: {error}",
            "Look at the proxy. Fine if this machine may not reach it and browsers do.",
        )
    else:
        days, lifetime = (ends_at - time.time()) / 86400, (ends_at - begins_at) / 86400
        yield certificate_ends(days, "Renew it, and find out why nothing else did.", lifetime)


def certificate_ends(days: float, advice: str, lifetime: float | None = None) -> CheckMessage:
    """Return the message about a valid certificate with `days` left, out of `lifetime` days if that is known."""
    least = DAYS_LEFT if lifetime is None else min(DAYS_LEFT, lifetime * SHARE_LEFT)
    left = f"{days:.0f} more days" if days > 0.5 else f"{days * 24:.0f} more hours"
    what = f"the certificate is valid for {left}"
    return Warning(what, advice) if days < least else Info(what)


CHECKS = {
    "settings": settings_check,
    "database": database,
    "cache": cache_works,
    "disk": disk_space,
    "static files": static_files,
    "our certificate": site_certificate,
}
