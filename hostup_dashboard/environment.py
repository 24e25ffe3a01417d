"""Readers for the settings that come from the environment. Each refuses a bad value and says which and why.

They raise `ImproperlyConfigured`, so that neither the server nor any command starts with bad settings.
"""

import base64
import re
import unicodedata
from collections.abc import Mapping
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import environ
from django.core.exceptions import ImproperlyConfigured
from environ.fileaware_mapping import FileAwareMapping

KEY_BYTES = 32  # AES-256
# A guess at a password takes about 0.1 s of a core and leaves three entries: one for its name, kept for five
# minutes, and two for its address.
IN_PROCESS_ENTRIES = 20_000
REDIS_SECONDS = 1.0  # for one command; the Redis client's default is to wait for ever
# Options that its address may have: certificates, and other timeouts.
REDIS_OPTIONS = {
    **dict.fromkeys(("ssl_ca_certs", "ssl_certfile", "ssl_keyfile"), str),
    **dict.fromkeys(("socket_connect_timeout", "socket_timeout"), int | float),
}
# PostgreSQL's own defaults wait for ever, too: https://www.postgresql.org/docs/current/libpq-connect.html
POSTGRESQL_OPTIONS = {
    "connect_timeout": 3,  # seconds
    "options": "-c statement_timeout=5000",  # milliseconds, including waits for locks: as for SQLite
    # For a host that vanishes while we write (milliseconds) or wait for its answer (seconds).
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 2,
}
ON = environ.Env.BOOLEAN_TRUE_STRINGS
OFF = ("false", "off", "n", "no", "0", "")
_STANDARD = str.maketrans("-_", "+/")  # base64's URL-safe alphabet to the standard one
LEAST_DISTINCT_BYTES = 16  # 32 random bytes have about 30 different ones; fewer than 16 is a made-up key


class Site(NamedTuple):
    """A site's address, as browsers send it: `scheme` is http or https, `port` None if it is the usual one."""

    scheme: str
    host: str
    port: int | None

    @property
    def bracketed(self) -> str:
        """The host as it is written in addresses."""
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def netloc(self) -> str:
        return f"{self.bracketed}:{self.port}" if self.port else self.bracketed

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.netloc}"

    @property
    def is_https(self) -> bool:
        return self.scheme == "https"


class _Values(FileAwareMapping):
    """The environment, in which `NAME_FILE` names a file that holds the value of `NAME`. The line break that
    editors put at its end is removed. An empty value counts as not set."""

    def __getitem__(self, name):
        try:
            value = super().__getitem__(name).strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE cannot be read: {error.strerror}.") from None
        except UnicodeDecodeError:
            raise ImproperlyConfigured(f"{name}_FILE cannot be read: it is not text in UTF-8.") from None
        if not value:
            raise KeyError(name)
        return value


class Env(environ.Env):
    ENVIRON = _Values()

    def secret(self, name: str) -> str:
        """Return the setting `name` (or the content of the file `name`_FILE); it has no default.

        It is read from the mapping itself: the usual readers take a value that begins with `$` for the name of
        another variable.
        """
        try:
            return self.ENVIRON[name]
        except KeyError:
            message = f"{name} is not set. Set it, or {name}_FILE to a file that holds it."
            raise ImproperlyConfigured(message) from None

    def switch(self, name: str) -> bool:
        """Return whether the setting `name` is on; it is off by default.

        A word that means neither is refused: a typo must not leave a protection off.
        """
        word = self.str(name, "").lower()
        if word not in ON + OFF:
            raise ImproperlyConfigured(f"{name} must be on or off, not {word!r}.")
        return word in ON


def site_url(value: str) -> Site:
    """Read `SITE_URL`: http or https, a host, no path."""
    return _site("SITE_URL", value, "https://tickets.example.com")


def hostup_url(value: str) -> str:
    """Read `HOSTUP_API_URL`: https, or http on loopback only, because the API key travels with every call.

    It has no path: each call has its own, from the root.
    """
    hostup = _site("HOSTUP_API_URL", value, "https://cloud.hostup.se")
    if not hostup.is_https and not is_loopback(hostup.host):
        raise ImproperlyConfigured("HOSTUP_API_URL must begin with https:// (http:// on loopback only).")
    return hostup.origin


def hostup_proxy(value: str) -> str | None:
    """Read `HOSTUP_PROXY`, None for none: http only.

    HostUp's own TLS goes through it all the same. With a proxy that itself speaks TLS, `tickets/hostup` could
    neither tell whether a call was sent nor keep it to its deadline.
    """
    if not value:
        return None
    parts = _split("HOSTUP_PROXY", value)
    if parts.scheme != "http" or not parts.hostname:
        raise ImproperlyConfigured("HOSTUP_PROXY must look like http://proxy:3128, with http:// and nothing else.")
    return value


def oidc_issuer(value: str) -> str:
    """Read `OIDC_ISSUER`, "" for none: https, or http on loopback only, because it says who may come in."""
    if not value:
        return ""
    parts = _split_bare("OIDC_ISSUER", value)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
    if not parts.hostname or not is_safe:
        raise ImproperlyConfigured(f"OIDC_ISSUER must look like https://login.example.com/realm, not {value!r}.")
    return value.rstrip("/")


def metrics_address(value: str) -> tuple[str, int] | None:
    """Read `METRICS_ADDRESS`, such as 127.0.0.1:9464; None for none."""
    if not value:
        return None
    parts = _split("METRICS_ADDRESS", f"//{value}")
    if not parts.hostname or not parts.port or parts.netloc != value:
        raise ImproperlyConfigured(f"METRICS_ADDRESS must look like 127.0.0.1:9464, not {value!r}.")
    return parts.hostname, parts.port


def time_zone(value: str) -> str:
    """Read `TIME_ZONE`, a name from the IANA time zone database."""
    try:
        ZoneInfo(value)
    except (ValueError, KeyError, OSError):  # not a valid name, or no such zone
        raise ImproperlyConfigured(f"TIME_ZONE must be a name such as Europe/Stockholm, not {value!r}.") from None
    return value


def takes_passkeys(site: Site) -> bool:
    """Tell whether browsers make passkeys for this address: https or localhost, and a name, not an IP address.

    Source: https://www.w3.org/TR/webauthn-3/#rp-id
    """
    try:
        ip_address(site.host)
    except ValueError:
        return site.is_https or site.host == "localhost"
    return False


def is_loopback(host: str) -> bool:
    """Tell whether `host`, a name or an address without brackets, is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def database(value: str) -> dict:
    """Read `DATABASE_URL` into one of Django's `DATABASES`. An error does not quote it: it may hold a password."""
    try:
        if value.partition("://")[0] not in ("sqlite", *environ.Env.POSTGRES_FAMILY):
            raise ValueError
        return environ.Env.db_url_config(value)
    except ValueError:
        example = "postgres://user:password@host/name, with %2F for a / in the password"
        raise ImproperlyConfigured(f"DATABASE_URL must look like {example}.") from None


def cache(value: str) -> dict:
    """Read `CACHE_URL` into one of Django's `CACHES`. An error does not quote it: it may hold a password.

    A Redis that hangs must not hang the pages. Somebody who can write to it must not be able to run code here, as
    Django's default, pickle, would let them. Other caches pickle, too, or forget how often somebody failed to sign
    in. So does the one in the process when it is full: made-up names would fill Django's 300 entries in half a
    minute.
    """
    try:
        parts = _split("CACHE_URL", value)
        if parts.scheme not in ("locmemcache", "redis", "rediss") or (parts.netloc and not parts.hostname):
            raise ValueError
        config = environ.Env.cache_url_config(value)
    except (ValueError, ImproperlyConfigured):
        example = "redis://:password@host:6379/0, with %2F for a / in the password"
        raise ImproperlyConfigured(f"CACHE_URL must look like {example}.") from None
    if parts.scheme == "locmemcache":
        config["OPTIONS"] = {"MAX_ENTRIES": IN_PROCESS_ENTRIES}
        return config
    said = config.get("OPTIONS", {})
    for name, value in said.items():
        kind = REDIS_OPTIONS.get(name)
        lacks_tls = name.startswith("ssl_") and parts.scheme == "redis"
        if kind is None or lacks_tls or not isinstance(value, kind) or (kind is not str and value <= 0):
            # The error quotes neither: a part of a password may be in them.
            raise ImproperlyConfigured(f"CACHE_URL has an option that is none of {', '.join(REDIS_OPTIONS)}.")
    times = {"socket_connect_timeout": REDIS_SECONDS, "socket_timeout": REDIS_SECONDS}
    config["OPTIONS"] = {"serializer": "django.core.signing.JSONSerializer", **times, **said}
    return config


def encryption_keys(value: str, secret_key: str) -> Mapping[str, bytes]:
    """Read `ENCRYPTION_KEYS`: `kid:base64 of 32 bytes`, comma-separated; the first encrypts, all decrypt. Both
    alphabets of base64 are accepted: tools that make keys often write the URL-safe one.

    Returns the keys by their kid, in order. Refuses a key of another length, one that is made up, one that is
    listed twice, and one that is also in `SECRET_KEY`: a leak of one secret would be a leak of both.
    """
    keys: dict[str, bytes] = {}
    for entry in value.split(","):
        kid, _, encoded = entry.strip().partition(":")
        if not re.fullmatch("[A-Za-z0-9_-]{1,16}", kid):
            raise ImproperlyConfigured(
                "ENCRYPTION_KEYS: each entry is kid:key, the kid 1 to 16 letters, digits, - or _."
            )
        try:
            key = base64.b64decode(encoded.translate(_STANDARD), validate=True)
        except ValueError:
            raise ImproperlyConfigured(f"ENCRYPTION_KEYS: the key {kid} is not base64.") from None
        if len(key) != KEY_BYTES:
            raise ImproperlyConfigured(f"ENCRYPTION_KEYS: the key {kid} is not {KEY_BYTES} bytes long.")
        if len(set(key)) < LEAST_DISTINCT_BYTES:
            raise ImproperlyConfigured(f"ENCRYPTION_KEYS: the key {kid} is weak; make it from random bytes.")
        if kid in keys or key in keys.values():
            raise ImproperlyConfigured(f"ENCRYPTION_KEYS: the key {kid} is listed twice.")
        if _holds(secret_key, key):
            raise ImproperlyConfigured(f"ENCRYPTION_KEYS: the key {kid} is the SECRET_KEY; use another.")
        keys[kid] = key
    return keys


def _holds(secret: str, key: bytes) -> bool:
    """Tell whether a secret is a key, or contains it in either alphabet of base64 or in hexadecimal digits."""
    letters = base64.b64encode(key).decode()[:42]  # the last one can be written in several ways
    return letters in secret.translate(_STANDARD) or key.hex() in secret.lower() or secret.encode() == key


def _split(name: str, value: str):
    """Split `value`, the address in the setting `name`. An error does not quote it: it may hold a password."""
    try:
        parts = urlsplit(value)
        _ = parts.port  # a bad port raises here, not in a request
        if any(map(str.isspace, value)):
            raise ValueError
        return parts
    except ValueError:
        raise ImproperlyConfigured(f"{name} is not an address.") from None


def _split_bare(name: str, value: str):
    """Split an address to which paths are added: it must have no user, query or fragment."""
    parts = _split(name, value)
    if "@" in parts.netloc or not {"?", "#"}.isdisjoint(value):
        raise ImproperlyConfigured(f"{name} must hold no user, password, query or fragment.")
    return parts


def _site(name: str, value: str, example: str) -> Site:
    """Read the address of a site: http or https, a host, no path."""
    parts = _split_bare(name, value)
    try:
        host = _as_browsers_send(parts.hostname or "")
        if parts.scheme not in ("http", "https") or parts.path not in ("", "/") or parts.port == 0:
            raise ValueError
    except ValueError:
        raise ImproperlyConfigured(f"{name} must look like {example}, not {value!r}.") from None
    usual_port = {"http": 80, "https": 443}[parts.scheme]
    return Site(parts.scheme, host, None if parts.port == usual_port else parts.port)


def _as_browsers_send(host: str) -> str:
    """Return a host as browsers send it in `Host`.

    Raises `ValueError` for one that they cannot send, that stands for other hosts, too (`*.example.com`), or that
    has letters beyond ASCII which Python's IDNA (of 2003) changes and browsers' does not.
    """
    if ":" in host and "%" not in host:
        return ip_address(host).compressed
    if not host.isascii():
        ascii_host = host.encode("idna").decode()
        if ascii_host.encode().decode("idna") != unicodedata.normalize("NFC", host):
            raise ValueError
        host = ascii_host
    if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*", host):
        raise ValueError
    if re.fullmatch(r"[0-9]+|0x[0-9a-f]*", host.rpartition(".")[2]):  # browsers read this as an IPv4 address
        ip_address(host)
    return host
