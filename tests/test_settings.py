"""A bad installation does not start, and says why."""

import base64
import os
import runpy
import stat
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import certifi
import pytest
from django.conf import global_settings
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from hostup_dashboard import environment
from hostup_dashboard.environment import site_url

ROOT = Path(__file__).parent.parent
KEY = base64.b64encode(bytes(range(1, 33))).decode()
OTHER = base64.b64encode(bytes(range(2, 34))).decode()
GOOD = {
    **{name: value for name, value in os.environ.items() if name == "PATH" or name.startswith("COVERAGE_")},
    "SECRET_KEY": "a-key-that-only-these-tests-use-and-nobody-else-0123456789",
    "ENCRYPTION_KEYS": f"k1:{KEY}",
    "DATABASE_URL": "sqlite:///:memory:",
}


def run(*arguments, **changes):
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=ROOT, env=good_but(changes), capture_output=True, text=True, check=False)


def good_but(changes):
    return {name: value for name, value in (GOOD | changes).items() if value is not None}


def check(*arguments, **changes):
    return run("manage.py", "check", *arguments, **changes)


def settings_with(**changes) -> SimpleNamespace:
    """Return the settings as they are with `changes` in a good environment."""
    with patch.dict(os.environ, good_but(changes), clear=True):
        ours = runpy.run_path(str(ROOT / "hostup_dashboard/settings.py"))
    return SimpleNamespace(**vars(global_settings) | ours)


def test_a_good_installation_starts():
    assert check().returncode == 0


BAD = [
    ({"SECRET_KEY": None}, "SECRET_KEY is not set"),
    ({"SECRET_KEY": "short"}, "SECRET_KEY is too short"),
    ({"SECRET_KEY_FILE": "/nowhere"}, "SECRET_KEY_FILE cannot be read"),
    ({"ENCRYPTION_KEYS": None}, "ENCRYPTION_KEYS is not set"),
    ({"ENCRYPTION_KEYS": ""}, "ENCRYPTION_KEYS is not set"),
    ({"ENCRYPTION_KEYS": KEY}, "each entry is kid:key"),
    ({"ENCRYPTION_KEYS": f"k.1:{KEY}"}, "each entry is kid:key"),
    ({"ENCRYPTION_KEYS": "k1:not base64!"}, "is not base64"),
    ({"ENCRYPTION_KEYS": "k1:" + base64.b64encode(b"short").decode()}, "is not 32 bytes long"),
    ({"ENCRYPTION_KEYS": "k1:" + base64.b64encode(b"a" * 32).decode()}, "is weak"),
    ({"ENCRYPTION_KEYS": f"k1:{KEY},k2:{KEY}"}, "is listed twice"),
    ({"ENCRYPTION_KEYS": f"k1:{KEY},k1:{OTHER}"}, "is listed twice"),
    ({"SECRET_KEY": KEY}, "is the SECRET_KEY"),
    ({"SECRET_KEY": f"k1:{KEY}", "ENCRYPTION_KEYS": f"k1:{KEY}"}, "is the SECRET_KEY"),
    ({"SECRET_KEY": f"k1:{KEY},k2:{OTHER}", "ENCRYPTION_KEYS": f"k1:{KEY},k2:{OTHER}"}, "is the SECRET_KEY"),
    ({"HOSTUP_API_URL": "http://cloud.hostup.se"}, "must begin with https://"),
    ({"HOSTUP_API_URL": f"https://user:{KEY}@cloud.hostup.se"}, "HOSTUP_API_URL must hold no user"),
    ({"HOSTUP_API_URL": "https://cloud.hostup.se?"}, "HOSTUP_API_URL must hold no user, password, query"),
    ({"HOSTUP_API_URL": "https://cloud.hostup.se/api/v2"}, "HOSTUP_API_URL must look like https://"),
    ({"OIDC_ISSUER": f"https://us:{KEY}@login.example.com"}, "OIDC_ISSUER must hold no user"),
    ({"OIDC_ISSUER": "https://login.example.com/realm?a=b"}, "OIDC_ISSUER must hold no user, password, query"),
    ({"HOSTUP_API_URL": "https://cloud.hostup.se:port"}, "HOSTUP_API_URL is not an address"),
    ({"HOSTUP_API_URL": "https://cloud. hostup.se"}, "HOSTUP_API_URL is not an address"),
    ({"HOSTUP_PROXY": f"http://us:{KEY}/{KEY}@proxy:3128"}, "HOSTUP_PROXY is not an address"),
    ({"HOSTUP_PROXY": "https://proxy:3128"}, "HOSTUP_PROXY must look like http://"),
    ({"HOSTUP_PROXY": "proxy:3128"}, "HOSTUP_PROXY must look like http://"),
    ({"OIDC_ISSUER": "http://login.example.com"}, "OIDC_ISSUER must look like https://"),
    ({"OIDC_ISSUER": "https://login.example.com"}, "OIDC_CLIENT_ID is not set"),
    ({"OIDC_ISSUER": "https://login.example.com", "OIDC_CLIENT_ID": "us"}, "OIDC_CLIENT_SECRET is not set"),
    ({"LANGUAGE_CODE": "xx"}, "LANGUAGE_CODE must be en or sv"),
    ({"TIME_ZONE": "Europe/Nowhere"}, "TIME_ZONE must be a name such as Europe/Stockholm"),
    ({"TIME_ZONE": "../etc/passwd"}, "TIME_ZONE must be a name such as Europe/Stockholm"),
    ({"METRICS_ADDRESS": "9464"}, "METRICS_ADDRESS must look like"),
    ({"SITE_URL": "tickets.example.com"}, "SITE_URL must look like"),
    ({"SITE_URL": "https://tickets.example.com/path/"}, "SITE_URL must look like"),
    ({"SITE_URL": f"https://user:{KEY}@tickets.example.com"}, "SITE_URL must hold no user"),
    ({"SITE_URL": "https://tickets.example.com/#top"}, "SITE_URL must hold no user, password, query or fragment"),
    ({"DATABASE_URL": "postgres//dashboard@db/tickets"}, "DATABASE_URL must look like"),
    ({"DATABASE_URL": f"//dashboard:{KEY}@db/tickets"}, "DATABASE_URL must look like"),
    ({"DATABASE_URL": f"postgres://dashboard:{KEY}/{KEY}@db/tickets"}, "DATABASE_URL must look like"),
    ({"DATABASE_URL": f"mysql://dashboard:{KEY}@db/tickets"}, "DATABASE_URL must look like"),
    ({"DATABASE_URL_FILE": "/nowhere"}, "DATABASE_URL_FILE cannot be read: No such file or directory"),
    ({"CACHE_URL": "redis//cache:6379/0"}, "CACHE_URL must look like"),
    ({"CACHE_URL": f"{KEY.strip('=')}@cache:6379/0"}, "CACHE_URL must look like"),
    ({"CACHE_URL": f"redis://:{KEY}/{KEY}@cache:6379/0"}, "CACHE_URL must look like"),
    ({"CACHE_URL": f"redis://:6/{KEY}@cache:6379/0"}, "CACHE_URL must look like"),
    ({"CACHE_URL": "dummycache://"}, "CACHE_URL must look like"),  # guesses would not be counted
    ({"CACHE_URL": "filecache:///tmp/cache"}, "CACHE_URL must look like"),  # what it reads may run code
    ({"TIME_ZONE_FILE": "/nowhere"}, "TIME_ZONE_FILE cannot be read"),
    ({"TIME_ZONE_FILE": sys.executable}, "TIME_ZONE_FILE cannot be read: it is not text"),
    ({"MFA_REQUIRED": "ture"}, "MFA_REQUIRED must be on or off, not 'ture'"),
    ({"OIDC_CREATES_AGENTS": "enabled"}, "OIDC_CREATES_AGENTS must be on or off, not 'enabled'"),
    ({"DEBUG": "2"}, "DEBUG must be on or off, not '2'"),
]


@pytest.mark.parametrize(("changes", "words"), BAD, ids=[words for _, words in BAD])
def test_a_bad_setting_stops_it_with_a_reason(changes, words):
    with pytest.raises(ImproperlyConfigured) as stopped:
        settings_with(**changes)
    reason = str(stopped.value)
    assert words in reason
    assert len(reason.splitlines()) == 1
    assert KEY.strip("=").lower() not in reason.lower()


def test_the_reason_is_all_that_is_said():
    changes, words = BAD[0]
    result = check(**changes)
    assert result.returncode != 0
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1


SAME = bytes(range(200, 232))  # its base64 has + and /, which URL-safe base64 replaces


@pytest.mark.parametrize("secret", [
    base64.b64encode(SAME).decode(),
    base64.b64encode(SAME).decode().rstrip("="),
    base64.urlsafe_b64encode(SAME).decode(),
    base64.urlsafe_b64encode(SAME).decode().rstrip("="),
    f"other:{base64.b64encode(SAME).decode()}",
    f"k1:{KEY},k2:{base64.urlsafe_b64encode(SAME).decode()}",
    f" k2:{base64.b64encode(SAME).decode().rstrip('=')},k1:{KEY} ",
    base64.b64encode(SAME).decode().replace("c=", "d="),  # decodes to the same bytes
    SAME.hex(),
    SAME.hex().upper(),
])  # fmt: skip
def test_a_secret_key_that_is_an_encryption_key_in_other_letters_stops_it(secret):
    with pytest.raises(ImproperlyConfigured, match="the key k3 is the SECRET_KEY"):
        environment.encryption_keys(f"k3:{base64.b64encode(SAME).decode()}", secret)
    assert environment.encryption_keys(f"k3:{OTHER}", secret)


def test_a_key_in_base64_for_addresses_is_taken():
    key = bytes(range(224, 256))
    settings = environment.encryption_keys(f"key_2026-11:{base64.urlsafe_b64encode(key).decode()}", OTHER)
    assert settings == {"key_2026-11": key}


def test_an_empty_setting_is_none(tmp_path):
    """compose.yaml or a service's file may leave it empty."""
    names = ["DATABASE_URL", "CACHE_URL", "SITE_URL", "HOSTUP_API_URL", "TIME_ZONE", "LANGUAGE_CODE"]
    empty = settings_with(DATA_DIR=str(tmp_path), **dict.fromkeys(names, ""))
    none = settings_with(DATA_DIR=str(tmp_path), DATABASE_URL=None)
    assert (empty.DATABASES, empty.CACHES, empty.SITE) == (none.DATABASES, none.CACHES, none.SITE)
    others = (empty.HOSTUP_API_URL, empty.TIME_ZONE, empty.LANGUAGE_CODE)
    assert others == ("https://cloud.hostup.se", "Europe/Stockholm", "en")


@pytest.mark.parametrize(("typed", "sent"), [
    ("http://ärenden.example", "http://xn--renden-9ta.example"),
    ("https://A\u0308renden.Example:8443/", "https://xn--renden-9ta.example:8443"),
    ("https://xn--renden-9ta.example", "https://xn--renden-9ta.example"),
    ("HTTPS://Tickets.Example.com:8443", "https://tickets.example.com:8443"),
    ("http://tickets", "http://tickets"),
    ("https://tickets.example.com:443", "https://tickets.example.com"),
    ("http://tickets.example.com:80/", "http://tickets.example.com"),
    ("http://tickets.example.com:443", "http://tickets.example.com:443"),
    ("http://10.0.0.5:8000", "http://10.0.0.5:8000"),
    ("http://[::1]", "http://[::1]"),
    ("https://[2001:DB8:0:0::5]:8443", "https://[2001:db8::5]:8443"),
])  # fmt: skip
def test_pages_come_by_the_address_that_browsers_make_of_what_was_typed(settings, visitor, typed, sent):
    site = site_url(typed)
    assert site.origin == sent
    settings.ALLOWED_HOSTS = [site.bracketed]
    assert visitor.get("/accounts/login/", headers={"Host": site.netloc}).status_code == 200
    assert visitor.get("/accounts/login/", headers={"Host": f"x.{site.netloc}"}).status_code == 400


@pytest.mark.parametrize("host", [
    "*", "*.example.com", ".example.com", "tickets.example.com.", "my_host", "a..b", "", ":8000", "faß.example",
    "\u200b.example", "a" * 64 + "å.example", "[fe80::1%25eth0]", "tickets,example", "[::1", "a%2eb", "💥.x\\x",
    "tickets.example.com:0", "1.2.3", "0x7f.1", "2130706433", "010.0.0.5", "tickets.0x",
])  # fmt: skip
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_address_that_no_browser_would_come_by_or_any_host_stops_it(scheme, host):
    with pytest.raises(ImproperlyConfigured, match="SITE_URL"):
        site_url(f"{scheme}://{host}")


@pytest.mark.parametrize("rest", [
    "cloud.hostup.se/api", "cloud.hostup.se/../x", "cloud.hostup.se//", "cloud.hostup.se:0", ".hostup.se",
    "*.hostup.se", "cloud.hostup.se.", "", ":443", "/",
])  # fmt: skip
def test_an_address_that_hostup_cannot_be_called_at_stops_it(rest):
    with pytest.raises(ImproperlyConfigured, match="HOSTUP_API_URL must look like https://cloud.hostup.se, not "):
        environment.hostup_url(f"https://{rest}")


@pytest.mark.parametrize(("typed", "called"), [
    ("https://cloud.hostup.se/", "https://cloud.hostup.se"),
    ("HTTPS://Cloud.HostUp.se:8443", "https://cloud.hostup.se:8443"),
    ("http://[::1]:8100/", "http://[::1]:8100"),
])  # fmt: skip
def test_hostup_is_called_at_its_address_without_a_path(typed, called):
    assert environment.hostup_url(typed) == called


@pytest.mark.parametrize("word", ["on", "True", "yes", "1", "off", "False", "no", "0", ""])
def test_a_switch_is_on_or_off_in_several_words(monkeypatch, word):
    monkeypatch.setenv("MFA_REQUIRED", word)
    is_on = word in ("on", "True", "yes", "1")
    assert environment.Env().switch("MFA_REQUIRED") is is_on


@pytest.mark.django_db
def test_what_was_written_down_outlives_a_power_cut():
    """SQLite promises this by default, but the usual advice for Django and a write-ahead log gives it up."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL promises the same by itself")
    with connection.cursor() as cursor:
        assert cursor.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL


def doubts():
    """Return the ids of what `manage.py check` finds wrong with the present settings."""
    return {message.id for message in run_checks() if not message.is_silenced()}


def test_plain_http_on_the_network_is_a_warning(settings):
    result = check(SITE_URL="http://tickets.example.com")
    assert result.returncode == 0
    assert "hostup_dashboard.W001" in result.stderr
    settings.SITE = site_url("https://tickets.example.com")
    assert doubts() == set()
    settings.SITE = site_url("http://tickets.example.com")
    assert doubts() == {"hostup_dashboard.W001"}


def test_a_slash_after_the_address_is_a_warning(monkeypatch):
    monkeypatch.setenv("SITE_URL", "https://tickets.example.com")
    assert doubts() == set()
    monkeypatch.setenv("SITE_URL", "https://tickets.example.com/")
    assert doubts() == {"hostup_dashboard.W004"}


def test_debug_on_the_network_stops_it(settings):
    settings.DEBUG = True
    assert doubts() == set()
    settings.SITE = site_url("https://tickets.example.com")
    assert doubts() == {"hostup_dashboard.E001"}
    assert check(DEBUG="on", SITE_URL="https://tickets.example.com").returncode != 0


def test_certificates_that_cannot_be_used_stop_it(settings, tmp_path):
    settings.HOSTUP_CA_BUNDLE = certifi.where()
    assert doubts() == set()
    empty = tmp_path / "empty.pem"
    empty.touch()
    for bundle in (tmp_path / "nowhere.pem", tmp_path, empty):
        settings.HOSTUP_CA_BUNDLE = str(bundle)
        assert doubts() == {"hostup_dashboard.E002"}


@pytest.mark.parametrize(
    "name",
    ["SECRET_KEY", "ENCRYPTION_KEYS", "DATABASE_URL", "CACHE_URL", "HOSTUP_PROXY", "OIDC_CLIENT_SECRET"],
)
def test_a_database_and_secrets_that_others_can_read_are_a_warning(settings, monkeypatch, tmp_path, name):
    database, secret = tmp_path / "db.sqlite3", tmp_path / "secret"
    here = {"ENGINE": "django.db.backends.sqlite3", "NAME": database}
    monkeypatch.setitem(settings.DATABASES, "default", settings.DATABASES["default"] | here)
    monkeypatch.setenv(f"{name}_FILE", str(secret))
    assert doubts() == set()
    for file in (database, secret):
        file.touch(mode=0o644)
        tmp_path.chmod(0o755)
        assert doubts() == {"hostup_dashboard.W002"}
        tmp_path.chmod(0o700)
        assert doubts() == set()
        tmp_path.chmod(0o755)
        file.chmod(0o640)
        assert doubts() == set()


def test_texts_that_are_not_compiled_are_a_warning(settings, tmp_path):
    """Otherwise Swedish agents would read English, and nobody would know why."""
    assert doubts() == set()
    settings.LOCALE_PATHS = [tmp_path]
    assert doubts() == {"hostup_dashboard.W003"}


def test_a_new_data_folder_is_ours_alone(tmp_path):
    folder = tmp_path / "data"
    assert check(DATABASE_URL=None, DATA_DIR=str(folder)).returncode == 0
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_data_folder_that_cannot_be_written_stops_it_with_a_reason(settings, tmp_path):
    file = tmp_path / "file"
    file.touch()
    settings.DATA_DIR = tmp_path / "new/data"
    assert doubts() == set()
    settings.DATA_DIR = file / "data"
    assert doubts() == {"hostup_dashboard.E003"}
    result = check(DATABASE_URL=None, DATA_DIR=str(file / "data"))
    assert result.returncode != 0
    assert f"DATA_DIR is {file / 'data'}, which cannot be written." in result.stderr
    elsewhere = check(DATABASE_URL=f"sqlite:///{file}/db.sqlite3")
    assert f"DATABASE_URL is a file in {file}, which cannot be written." in elsewhere.stderr
    assert "Traceback" not in result.stderr


def test_a_database_that_is_somebody_else_s_stops_it_with_a_reason(settings, monkeypatch, tmp_path):
    database = tmp_path / "db.sqlite3"
    here = {"ENGINE": "hostup_dashboard.sqlite3", "NAME": str(database)}
    monkeypatch.setitem(settings.DATABASES, "default", settings.DATABASES["default"] | here)
    allowed = os.R_OK
    monkeypatch.setattr(os, "access", lambda path, mode: path != str(database) or mode & allowed == mode)
    assert doubts() == set()
    database.touch(mode=0o600)
    assert doubts() == {"hostup_dashboard.E004"}
    allowed = os.R_OK | os.W_OK
    assert doubts() == set()


def test_django_has_no_doubts_about_a_deployment():
    result = check("--deploy", "--fail-level", "WARNING", SITE_URL="https://tickets.example.com")
    assert result.returncode == 0, result.stderr


def test_a_secret_can_come_from_a_file(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("$" + "f" * 50 + "\n")
    assert check(SECRET_KEY=None, SECRET_KEY_FILE=str(secret)).returncode == 0


def test_every_setting_can_come_from_a_file_that_ends_with_a_line(tmp_path):
    """Editors and `echo` leave a line break at the end."""
    values = {
        "HOSTUP_API_URL": "http://127.0.0.1:8100",
        "HOSTUP_PROXY": "http://proxy:3128",
        "LANGUAGE_CODE": "sv",
        "TIME_ZONE": "Europe/Helsinki",
        "METRICS_ADDRESS": "127.0.0.1:9464",
    }
    files = {}
    for name, value in values.items():
        (tmp_path / name).write_text(f"{value}\n")
        files[f"{name}_FILE"] = str(tmp_path / name)
    s = settings_with(**files)
    assert values == {
        "HOSTUP_API_URL": s.HOSTUP_API_URL,
        "HOSTUP_PROXY": s.HOSTUP_PROXY,
        "LANGUAGE_CODE": s.LANGUAGE_CODE,
        "TIME_ZONE": s.TIME_ZONE,
        "METRICS_ADDRESS": "{}:{}".format(*s.METRICS_ADDRESS),
    }


def test_https_makes_cookies_and_redirects_strict():
    s = settings_with(SITE_URL="https://tickets.example.com")
    assert (s.SESSION_COOKIE_NAME, s.SESSION_COOKIE_SECURE) == ("__Host-sessionid", True)
    assert (s.CSRF_COOKIE_NAME, s.SECURE_SSL_REDIRECT) == ("__Host-csrftoken", True)
    assert s.SECURE_HSTS_SECONDS > 0
    assert s.ALLOWED_HOSTS[0] == "tickets.example.com"
    assert s.CSRF_TRUSTED_ORIGINS == ["https://tickets.example.com"]


def test_cookies_links_codes_and_addresses_are_as_narrow_as_we_say():
    for scheme, proxies in {"https": 1, "http": 0}.items():
        s = settings_with(SITE_URL=f"{scheme}://tickets.example.com")
        assert (s.SESSION_COOKIE_SAMESITE, s.CSRF_COOKIE_HTTPONLY) == ("Lax", True)
        assert (s.PASSWORD_RESET_TIMEOUT, s.MFA_TOTP_TOLERANCE) == (86400, 1)
        assert proxies == s.ALLAUTH_TRUSTED_PROXY_COUNT


def test_a_redis_that_hangs_or_was_written_to_by_others_does_no_harm():
    options = environment.cache("redis://cache.internal:6379/0")["OPTIONS"]
    assert options["socket_timeout"] == options["socket_connect_timeout"] == 1.0
    assert options["serializer"] == "django.core.signing.JSONSerializer"  # reading a pickle may run code


def test_a_redis_s_address_may_say_whom_to_trust_and_how_long_to_wait():
    address = "rediss://cache.internal:6380/0?ssl_ca_certs=/etc/ssl/internal.pem&socket_timeout=3"
    options = environment.cache(address)["OPTIONS"]
    assert (options["ssl_ca_certs"], options["socket_timeout"]) == ("/etc/ssl/internal.pem", 3)
    slips = "ssl_ca_cert=/a.pem", "socket_timeout=3s", "socket_timeout=0", "serializer=pickle", f"password={KEY}"
    for slip in slips:
        with pytest.raises(ImproperlyConfigured, match="CACHE_URL has an option that is none of") as refusal:
            environment.cache(f"rediss://cache.internal:6379/0?{slip}")
        assert KEY not in str(refusal.value)
    with pytest.raises(ImproperlyConfigured):  # the option means nothing without TLS
        environment.cache("redis://cache.internal:6379/0?ssl_ca_certs=/etc/ssl/internal.pem")


def test_a_postgresql_that_hangs_does_not_hang_us_and_the_address_may_say_how_long():
    address = "postgres://anna:secret@db.internal/tickets?connect_timeout=10&sslmode=require"
    options = settings_with(DATABASE_URL=address).DATABASES["default"]["OPTIONS"]
    assert (options["connect_timeout"], options["options"]) == (10, "-c statement_timeout=5000")
    assert options["sslmode"] == "require"
