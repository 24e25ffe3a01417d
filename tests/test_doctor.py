"""`manage.py doctor` over real faults: it says what is wrong and what to do, and nobody's secret."""

import tempfile
import time
from contextlib import suppress
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import certifi
import pytest
from django.core.checks import WARNING
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from hostup_dashboard import doctor, environment
from sandbox import keys
from tests import fault_servers
from tests.agents import Agent
from tests.test_settings import run
from tickets.management.commands import doctor as command
from tickets.models import Canary, SecondStep

pytestmark = pytest.mark.django_db(transaction=True)  # the checks run in threads of their own
ROOT = Path(__file__).parent.parent
OTHER_KEYS = {"other": bytes(range(50, 82))}


@pytest.fixture
def examine(sandbox):
    """Return a function that gives the doctor's lines on one part, and checks that only problems make it fail."""

    def examine(part):
        said = StringIO()
        try:
            call_command("doctor", stdout=said)
            is_well = True
        except CommandError:
            is_well = False
        lines = said.getvalue().splitlines()
        assert is_well == (not any(line.startswith("problem") for line in lines))
        return [line.split(None, 1)[0] + line.split(f"{part}:", 1)[1] for line in lines if f" {part}: " in line]

    return examine


def test_a_good_installation_has_no_problems(sandbox):
    Canary.objects.all().delete()  # as an older version left it
    Agent("agent", keys.FULL)
    said = StringIO()
    with suppress(CommandError):  # the lines below say more
        call_command("doctor", stdout=said)
    lines = said.getvalue().splitlines()
    assert [line for line in lines if not line.startswith("ok ")] == []
    assert {line[9:].partition(":")[0] for line in lines} == {*command.CHECKS} - {"our certificate"}
    assert [call.status for call in sandbox.calls] == [401]  # one call, with nobody's key
    assert keys.FULL not in said.getvalue()
    assert not Canary.objects.exists()  # it writes nothing: it may have been started with the wrong keys


def test_a_setting_that_stops_everything_is_a_sentence_and_no_traceback():
    done = run("manage.py", "doctor", SECRET_KEY=None)
    assert done.returncode == 1
    assert done.stderr == (
        "problem  settings: SECRET_KEY is not set. Set it, or SECRET_KEY_FILE to a file that holds it.\n"
    )


def test_what_the_checks_of_settings_say_is_in_it(examine, settings):
    settings.DEBUG = True
    settings.SITE = environment.site_url("http://tickets.example.com")
    lines = examine("settings")
    assert sorted(line.split()[0] for line in lines) == ["problem", "warning"]
    assert any(line.startswith("problem DEBUG is on") and line.endswith("Unset DEBUG.") for line in lines)


NOWHERE = [
    (fault_servers.without_an_address, "cannot be reached"),
    (fault_servers.refusing, "Connection refused"),
    (fault_servers.hanging_up, "cannot be reached"),
    (lambda: fault_servers.hanging_up(scheme="https"), "cannot be reached: "),
    (fault_servers.not_encrypted, "cannot prove that it is HostUp"),
    (lambda: fault_servers.encrypted(expired=True), "certificate has expired"),
    (lambda: fault_servers.encrypted("other.example"), "certificate is not valid for '127.0.0.1'"),
    (lambda: fault_servers.encrypted(is_trusted=False), "unable to get local issuer certificate"),
]


@pytest.mark.parametrize(("server", "words"), NOWHERE, ids=[words for _, words in NOWHERE])
def test_why_hostup_cannot_be_reached_is_told(examine, settings, server, words):
    with server() as (settings.HOSTUP_API_URL, settings.HOSTUP_CA_BUNDLE):
        (line,) = examine("HostUp")
    assert line.startswith("problem")
    assert words in line


def test_a_bundle_that_leaves_authorities_out_is_named_as_what_it_does(examine, settings):
    with fault_servers.encrypted(is_trusted=False) as (settings.HOSTUP_API_URL, settings.HOSTUP_CA_BUNDLE):
        assert "name its authority in HOSTUP_CA_BUNDLE" in examine("HostUp")[0]
        settings.HOSTUP_CA_BUNDLE = certifi.where()
        assert "HOSTUP_CA_BUNDLE takes the place of the public authorities" in examine("HostUp")[0]


def test_a_certificate_that_is_good_is_told_with_its_days(examine, settings):
    with fault_servers.encrypted() as (settings.HOSTUP_API_URL, settings.HOSTUP_CA_BUNDLE):
        lines = examine("HostUp")
    assert "answered 200 where HostUp says 401" in lines[0]
    assert lines[1].startswith("warning the certificate is valid for 1 more days")


@pytest.mark.parametrize(("fault", "status"), [("empty_503", 503), ("redirect_same_host", 302), ("html_200", 200)])
def test_what_answers_something_else_is_not_taken_for_hostup(examine, sandbox, fault, status):
    sandbox.fault(fault)
    assert f"answered {status} where HostUp says 401" in examine("HostUp")[0]


def test_a_proxy_that_is_not_there_is_told_without_its_password(examine, settings, nowhere):
    settings.HOSTUP_PROXY = nowhere.replace("http://", "http://user:hidden@")
    (line,) = examine("HostUp")
    assert line.startswith("problem")
    assert nowhere.removeprefix("http://") in line
    assert "hidden" not in line


def test_a_clock_that_is_wrong_is_told(examine, sandbox):
    sandbox.fault("clock_ahead")
    line = examine("HostUp")[1]
    assert line.startswith("problem this machine's clock is ")
    assert " seconds behind HostUp's" in line
    sandbox.fault("clock_behind")
    assert " seconds ahead of HostUp's" in examine("HostUp")[1]


def test_one_that_hangs_holds_up_nothing(examine, settings, monkeypatch):
    monkeypatch.setattr(command, "MOST_SECONDS", 2)
    began = time.monotonic()
    with fault_servers.silent() as (settings.HOSTUP_API_URL, _):
        (line,) = examine("HostUp")
    assert line == "problem not finished after 2 seconds. Something it depends on hangs."
    assert time.monotonic() - began < 5


def test_keys_that_cannot_be_read_are_told_and_none_of_them_is_shown(examine, settings):
    agent = Agent("agent", keys.FULL)
    SecondStep.objects.create(user=agent.user, type="totp", data={"secret": SecondStep.seal("JBSWY3DPEHPK3PXP")})
    first = settings.ENCRYPTION_KEYS
    settings.ENCRYPTION_KEYS = OTHER_KEYS
    lines = examine("keys")
    assert lines[0].startswith("problem the database was written with different ENCRYPTION_KEYS")
    assert lines[1].startswith("problem 3 of 3 stored secrets cannot be read")  # the key, the app, the canary
    settings.ENCRYPTION_KEYS = OTHER_KEYS | first
    assert examine("keys") == [
        "warning 3 of 3 stored secrets are under an old key. manage.py rotate_encryption_key"
    ]


def test_a_canary_of_other_keys_than_all_else_is_no_reason_to_look_for_them(examine, settings):
    """In an older version the first request to /readyz wrote the canary, with whatever keys there were."""
    first, settings.ENCRYPTION_KEYS = settings.ENCRYPTION_KEYS, OTHER_KEYS
    Canary.objects.all().delete()
    Canary.verify()
    settings.ENCRYPTION_KEYS = first
    agent = Agent("agent", keys.FULL)
    (line,) = examine("keys")
    assert line.startswith("problem only the canary cannot be read")
    assert line.endswith("manage.py rotate_encryption_key --delete-unreadable")
    call_command("rotate_encryption_key", delete_unreadable=True, stdout=StringIO(), stderr=StringIO())
    assert agent.get("/readyz").json()["keys"] is True
    assert examine("keys") == ["ok 2 stored secrets, all readable."]


def test_a_migration_that_is_missing_is_told(examine):
    recorder = MigrationRecorder(connection)
    [latest] = MigrationLoader(connection).graph.leaf_nodes("tickets")
    recorder.record_unapplied(*latest)
    try:
        assert examine("database") == ["problem 1 migrations are not applied. Run manage.py migrate."]
    finally:
        recorder.record_applied(*latest)


def test_a_database_of_a_newer_version_is_told(examine):
    recorder = MigrationRecorder(connection)
    newer = ("tickets", "9999_what_this_version_does_not_know")
    recorder.record_applied(*newer)
    recorder.record_applied("an_app_of_long_ago", "0001_initial")
    try:
        (line,) = examine("database")
    finally:
        recorder.record_unapplied(*newer)
        recorder.record_unapplied("an_app_of_long_ago", "0001_initial")
    assert line.startswith(f"problem a newer version of the dashboard has changed it ({newer[1]}). ")


def test_a_database_that_only_reads_is_told():
    read_only = "PRAGMA query_only = " if connection.vendor == "sqlite" else "SET default_transaction_read_only = "
    with connection.cursor() as cursor:
        cursor.execute(f"{read_only} on")
    try:
        with pytest.raises(Exception, match="read-?only"):
            list(doctor.database())
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"{read_only} off")


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite holds every letter")
def test_a_database_that_cannot_hold_every_letter_is_told(monkeypatch):
    other = connection.copy()
    other.settings_dict = connection.settings_dict | {"NAME": "ascii"}
    with connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE ascii ENCODING SQL_ASCII TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
        try:
            monkeypatch.setattr(doctor, "connection", other)
            (finding,) = doctor.database()
        finally:
            other.close()
            cursor.execute("DROP DATABASE ascii")
    assert finding.msg == "SQL_ASCII cannot hold every letter"


def test_a_cache_that_does_not_answer_is_told(examine, settings, nowhere):
    settings.CACHES = {"default": environment.cache(nowhere.replace("http:", "redis:"))}
    (line,) = examine("cache")
    assert line.startswith("problem ConnectionError: ")
    assert ".." not in line


def test_a_data_folder_that_is_yet_to_be_made_is_no_problem(sandbox, settings, tmp_path):
    settings.DATA_DIR = tmp_path / "new"
    call_command("doctor", stdout=StringIO())  # raises if there is a problem


def test_a_data_folder_that_cannot_be_made_is_told(nowhere):
    done = run("manage.py", "doctor", DATABASE_URL=None, DATA_DIR="/dev/null/data", HOSTUP_API_URL=nowhere)
    assert done.returncode == 1
    (line,) = (line for line in done.stdout.splitlines() if "Make it, and give it to the user" in line)
    assert line.startswith("problem  settings: DATA_DIR is /dev/null/data, which cannot be written.")
    assert "Traceback" not in done.stderr


MB = 1024 * 1024
DISKS = [  # free space for data and for uploads, the database engine, what is said of the two
    (40_000 * MB, 40_000 * MB, "hostup_dashboard.sqlite3", ["ok", "ok"]),
    (900 * MB, 200 * MB, "hostup_dashboard.sqlite3", ["warning", "warning"]),
    (90 * MB, 40 * MB, "hostup_dashboard.sqlite3", ["problem", "problem"]),
    (62 * MB, 768 * MB, "django.db.backends.postgresql", ["ok", "ok"]),  # as in compose.yaml
    (4 * MB, 768 * MB, "django.db.backends.postgresql", ["problem", "ok"]),
]


@pytest.mark.parametrize(("data", "temporary", "engine", "levels"), DISKS)
def test_a_disk_that_fills_up_is_told(examine, settings, tmp_path, monkeypatch, data, temporary, engine, levels):
    settings.DATA_DIR = tmp_path
    files = tmp_path / "tmp"
    files.mkdir()
    monkeypatch.setenv("TMPDIR", str(files))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "other"))  # where Python turns when TMPDIR is full
    free = {tmp_path: data, files: temporary}
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=free[folder]))
    monkeypatch.setitem(settings.DATABASES["default"], "ENGINE", engine)
    lines = examine("disk")
    assert [line.split()[0] for line in lines] == levels
    assert all(("Make room" in line) == (level != "ok") for line, level in zip(lines, levels, strict=True))


OURS = [
    ({}, "ok the certificate is valid for 1 more days"),  # of three
    ({"expired": True}, "problem"),
    ({"name": "other.example"}, "problem"),
    ({"is_trusted": False}, "warning"),
]


@pytest.mark.parametrize(("certificate", "words"), OURS)
def test_our_own_certificate_is_looked_at_as_browsers_do(examine, settings, certificate, words):
    with fault_servers.encrypted(**certificate) as (url, settings.HOSTUP_CA_BUNDLE):
        settings.SITE = environment.site_url(url)
        (line,) = examine("our certificate")
    assert line.startswith(words)
    assert ("Give the proxy a valid certificate for 127.0.0.1" in line) == (words == "problem")


def test_an_authority_of_the_network_s_own_is_trusted_for_our_site_and_not_for_hostup(
    examine, settings, monkeypatch
):
    """The guide says so: in `HOSTUP_CA_BUNDLE` it would be trusted for HostUp, and in place of all others."""
    with fault_servers.encrypted() as (url, authority):
        monkeypatch.setenv("SSL_CERT_FILE", authority)
        settings.SITE, settings.HOSTUP_API_URL = environment.site_url(url), url
        (ours,), (hostups,) = examine("our certificate"), examine("HostUp")
    assert ours.startswith("ok")
    assert hostups.startswith("problem")
    assert "unable to get local issuer certificate" in hostups


def test_a_short_lived_certificate_that_nothing_has_renewed_is_told(examine, settings, monkeypatch):
    """Caddy would have renewed it by then: it does so when a third of the lifetime is left."""
    monkeypatch.setattr(doctor, "time", SimpleNamespace(time=lambda: time.time() + 13 * 60 * 60))
    with fault_servers.encrypted() as (url, settings.HOSTUP_CA_BUNDLE):
        settings.SITE = environment.site_url(url)
        (line,) = examine("our certificate")
    assert line.startswith("warning the certificate is valid for 11 more hours. Renew it")


@pytest.mark.parametrize(
    ("left", "lifetime", "is_near"),
    [(15, 365, False), (13, 365, True), (15, 90, False), (13, 90, True), (2, 6, False), (1, 6, True)]
    + [(5 / 24, 0.5, False), (2 / 24, 0.5, True), (15, None, False), (13, None, True)],
)
def test_how_near_its_end_a_certificate_is_goes_by_its_length(left, lifetime, is_near):
    finding = doctor.certificate_ends(left, "Renew it.", lifetime)
    assert (finding.level == WARNING) == is_near
