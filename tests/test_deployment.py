"""What operators install is right: Dockerfile, compose.yaml, systemd unit, Caddyfile, alerts and docs/operate.md.

`make deploy-check` runs this, and says which of the tools that check these files are not installed.
"""

import json
import os
import pwd
import re
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
import yaml
from django.conf import settings
from django.core.management import get_commands
from django.db.migrations import AddField, AddIndex, AlterField, CreateModel
from django.db.migrations.loader import MigrationLoader

from hostup_dashboard import environment
from sandbox.special_tickets import ENCRYPTED_ID
from tests.dashboard import AGENT, PASSWORD, Dashboard, token_in
from tests.ports import free_ports

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
CADDYFILE = (DEPLOY / "Caddyfile").read_text()
ALERTS = DEPLOY / "prometheus-alerts.yml"
UNIT = (DEPLOY / "hostup-dashboard.service").read_text()
GUIDE = (ROOT / "docs/operate.md").read_text()
SCALE = (ROOT / "docs/scale.md").read_text()
SITE_URL = "https://tickets.example.internal"


def known_settings():
    """Return every name that the dashboard reads from its environment."""
    files = ("hostup_dashboard/settings.py", "hostup_dashboard/metrics_server.py", "gunicorn.conf.py")
    code = "".join((ROOT / name).read_text() for name in files)
    return set(re.findall(r"""(?:env\.\w+\(|environ\.get\()"([A-Z_]+)\"""", code))


def tool(*names):
    """Return the path of a program that checks these files; skip the test where none of `names` is installed."""
    found = next(filter(None, map(shutil.which, names)), None)
    if not found:
        pytest.skip(f"{names[0]} is not installed")
    return found


def run(*command, **environment):
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def secrets(tmp_path):
    run(DEPLOY / "make-secrets", tmp_path / "secrets")
    return tmp_path / "secrets"


def test_the_settings_that_are_named_exist():
    given = set(SERVICES["dashboard"]["environment"]) | set(re.findall(r"^ENV .*?(DATA_DIR)=", DOCKERFILE, re.M))
    blocks = "".join(re.findall(r"(?:^    .*\n)+", GUIDE, re.M))
    given |= set(re.findall(r"^\s+([A-Z][A-Z_]+)=", blocks, re.M))
    given -= set(re.findall(r"\{\$([A-Z_]+)", CADDYFILE)) - {"SITE_URL"}
    given -= set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "compose.yaml").read_text())) - {"SITE_URL"}
    given.remove("MAILTO")  # cron's
    assert len(given) > 9
    assert {name.removesuffix("_FILE") for name in given} - known_settings() == set()


def test_every_secret_is_made_once_and_starts_the_dashboard(secrets, tmp_path):
    made = {path.name: path.read_text() for path in secrets.iterdir()}
    assert set(made) == set(COMPOSE["secrets"])
    assert {entry["file"] for entry in COMPOSE["secrets"].values()} == {f"deploy/secrets/{name}" for name in made}
    run(DEPLOY / "make-secrets", secrets)
    assert {path.name: path.read_text() for path in secrets.iterdir()} == made
    assert secrets.stat().st_mode & 0o777 == 0o700

    def in_files(environment):
        return {key: str(secrets / Path(value).name) for key, value in environment.items() if "_FILE" in key}

    names = in_files(SERVICES["dashboard"]["environment"])
    keep = {name: value for name, value in os.environ.items() if name in ("PATH",) or "COVERAGE" in name}
    said = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=keep | names | {"SITE_URL": SITE_URL, "DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (said.returncode, "no issues" in said.stdout) == (0, True), said.stderr
    password = SERVICES["database"]["environment"]["POSTGRES_PASSWORD_FILE"].rpartition("/")[2]
    assert f":{made[password]}@database:" in made["database_url"]


FULL_DISK = "trap '' XFSZ; ulimit -f 0; "  # not a single byte can be written to a file


def test_a_new_encryption_key_stands_in_front_and_a_full_disk_takes_none_away(secrets):
    keys = secrets / "encryption_keys"
    old = keys.read_text()
    lines = re.search(r"^    cd deploy/secrets .*\n(?:    .*\n)+", GUIDE, re.M)[0]
    lines = lines.replace("deploy/secrets", str(secrets), 1)
    with pytest.raises(AssertionError, match="write error"):
        run("bash", "-c", FULL_DISK + lines)
    assert keys.read_text() == old
    run("bash", "-c", lines)
    new, rest = keys.read_text().split(",")
    assert rest == old
    assert len(environment.encryption_keys(new, "")) == 1


def test_containers_have_no_rights_that_they_do_not_need():
    for name, service in SERVICES.items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
    assert {name: service["cap_add"] for name, service in SERVICES.items() if "cap_add" in service} == {
        "caddy": ["NET_BIND_SERVICE"]
    }
    assert [SERVICES[name]["user"] for name in ("database", "cache")] == ["postgres", "redis"]
    assert re.search(r"install -d .*-m 0700 /data", DOCKERFILE)
    assert "--require-hashes --no-deps -r requirements.txt" in DOCKERFILE
    assert re.search(r"^USER 10001:10001$", DOCKERFILE, re.M)
    assert all("uid=10001" in mount for mount in SERVICES["dashboard"]["tmpfs"] if mount.startswith("/data"))


def test_on_a_host_nobody_but_the_proxy_connects_and_nobody_else_reads_the_files():
    """The dashboard believes whatever comes through its socket about who is asking."""
    socket = (DEPLOY / "hostup-dashboard.socket").read_text()
    assert re.search(r"^SocketGroup=caddy\nSocketMode=0660$", socket, re.M)
    for line in ("UMask=0077", "StateDirectoryMode=0700", "RuntimeDirectoryMode=0700"):
        assert re.search(f"^{line}$", UNIT, re.M), line


def test_requests_have_the_time_to_end_that_gunicorn_gives_them():
    """If a reply is cut off, nobody knows whether HostUp has it."""
    graceful = int(re.search(r"^graceful_timeout = (\d+)", (ROOT / "gunicorn.conf.py").read_text(), re.M)[1])
    assert graceful >= 5 * settings.HOSTUP_DEADLINE
    assert int(re.search(r"^TimeoutStopSec=(\d+)$", UNIT, re.M)[1]) > graceful
    assert int(SERVICES["dashboard"]["stop_grace_period"].removesuffix("s")) > graceful
    assert re.search(r"^KillMode=mixed$", UNIT, re.M)  # only the main process is asked to stop


def test_what_has_to_outlive_a_container_does():
    assert "caddy:/data" in SERVICES["caddy"]["volumes"]  # else every phone would have to trust a new authority
    assert "database:/var/lib/postgresql/data" in SERVICES["database"]["volumes"]


def test_what_caddy_says_itself_is_safe_and_taken_for_no_answer_of_ours():
    said = CADDYFILE.partition("handle_errors {")[2]
    for header in (
        """Content-Security-Policy "default-src 'none'; frame-ancestors 'none'\"""",
        'HX-Retarget "#alerts"',
        "Cache-Control no-store",
    ):
        assert re.search(rf"^\t\t\t{re.escape(header)}$", said, re.M), header
    assert "X-Request-Id" not in CADDYFILE  # the header by which the pages' scripts recognise our answers


def test_what_is_counted_has_a_place_that_files_on_their_way_cannot_fill():
    folder = SERVICES["dashboard"]["environment"]["RUNTIME_DIRECTORY"]
    assert folder in [mount.partition(":")[0] for mount in SERVICES["dashboard"]["tmpfs"]]
    assert re.search(r"^RuntimeDirectory=\S+$", UNIT, re.M)


def test_only_caddy_is_on_the_network_and_only_the_dashboard_reaches_the_database():
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["caddy"]
    assert SERVICES["caddy"]["networks"] == ["front"]
    assert {name for name, service in SERVICES.items() if "front" in service["networks"]} == {"caddy", "dashboard"}
    assert COMPOSE["networks"]["inside"]["internal"] is True


def test_no_container_s_log_grows_without_end():
    assert {name: service["logging"] for name, service in SERVICES.items()} == {
        name: {"driver": "local"} for name in SERVICES
    }


def test_the_version_before_works_on_when_the_database_was_migrated():
    """Replicas are restarted one after the other (docs/scale.md): for a while both versions use the database."""
    migrations = MigrationLoader(None).disk_migrations.values()
    ours = [migration for migration in migrations if migration.app_label == "tickets" and not migration.initial]
    changes = [
        change
        for migration in ours
        if migration.name not in ("0008_forget_claims", "0009_forget_names")  # which remove what no version reads
        for change in migration.operations
    ]
    kinds = {CreateModel, AddField, AddIndex, AlterField}
    assert [change for change in changes if type(change) not in kinds] == []
    added = [change.field for change in changes if type(change) is AddField]
    assert added
    assert all(field.null or field.has_db_default() for field in added)  # the old version leaves them out


def test_replicas_do_not_migrate():
    assert SERVICES["migrate"]["command"][:3] == ["python", "manage.py", "migrate"]
    assert SERVICES["dashboard"]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
    assert "migrate" not in re.search(r"^CMD .*", DOCKERFILE, re.M).group()


def test_images_are_pinned_by_version_and_python_is_new_enough():
    images = [service["image"] for service in SERVICES.values() if "build" not in service]
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.M)
    assert all(re.search(r":\d+(\.\d+)?-", image) for image in images + bases)
    assert len(set(bases)) == 1
    oldest = re.search(r"--python-version (\d+)\.(\d+)", (ROOT / "Makefile").read_text()).groups()
    newest = re.search(r"python:(\d+)\.(\d+)", bases[0]).groups()
    assert [*map(int, newest)] >= [*map(int, oldest)]


def test_the_image_holds_what_runs_and_nothing_else():
    allowed = re.findall(r"^!(.+?)/?$", (ROOT / ".dockerignore").read_text(), re.M)
    assert (ROOT / ".dockerignore").read_text().splitlines()[1] == "*"
    assert [name for name in allowed if not (ROOT / name).exists()] == []
    assert set(allowed).isdisjoint({".env", "data", "deploy", "tests", ".git"})
    apps = {name.partition(".")[0] for name in settings.INSTALLED_APPS if (ROOT / name.partition(".")[0]).is_dir()}
    folders = {
        path.name for path in (settings.TEMPLATES[0]["DIRS"] + settings.STATICFILES_DIRS + settings.LOCALE_PATHS)
    }
    assert apps | folders | {"requirements.txt", "manage.py", "gunicorn.conf.py"} == set(allowed)


def test_commands_and_files_that_the_guide_names_exist():
    for name in re.findall(r"\bdeploy/[\w.-]+", GUIDE):
        assert (ROOT / name).exists() or name in ("deploy/secrets", "deploy/certificates"), name
    for command in re.findall(r"(?:manage|manage\.py) ([a-z_]{5,})", GUIDE):
        assert command in get_commands()


def test_an_upgrade_copies_all_that_was_copied():
    upgrade = GUIDE.partition("\n## Upgrade")[2].partition("\n## ")[0]
    copied = {ROOT / name for name in re.findall(r"\bdeploy/[\w.-]+", upgrade)}
    assert {*DEPLOY.glob("hostup-dashboard*"), DEPLOY / "Caddyfile"} <= copied


def upgrades():
    """Return the guide's upgrades, with containers and without: each is one command that spans several lines."""
    return re.findall(r"(?m)^    (git checkout .* VERSION (?:.*\n {6})*.*)$", GUIDE)


def test_an_upgrade_goes_on_with_the_new_version_or_not_at_all(tmp_path):
    """An operator who has pinned an image in the Dockerfile has changed a file that git tracks."""
    tool("git")
    dockerfile, override = tmp_path / "Dockerfile", tmp_path / "compose.override.yaml"

    def git(*words):
        identity = ["-c", "user.name=Operator", "-c", "user.email=operator@example.internal"]
        return run("git", "-C", tmp_path, *identity, *words)

    git("init", "--quiet")
    dockerfiles = ["FROM a:1\n\nRUN x\n", "FROM a:1\n\nRUN y\n", "FROM a:2\n\nRUN y\n"]
    for number, dockerfile_of_it in enumerate(dockerfiles, 1):
        dockerfile.write_text(dockerfile_of_it)
        git("add", "Dockerfile")
        git("commit", "--quiet", "--message", f"v{number}")
        git("tag", f"v{number}")
    override.write_text("{}")
    assert len(upgrades()) == 2
    for commands in upgrades():
        first, *rest = commands.splitlines()
        assert all(line.endswith("&&") for line in [first, *rest[:-1]])
        upgrade = f"cd {tmp_path}; {first} echo went on"
        git("checkout", "--quiet", "--force", "v1")
        dockerfile.write_text("FROM a@sha256:0\n\nRUN x\n")
        assert "went on" in run("bash", "-c", upgrade.replace("VERSION", "v2"))
        assert dockerfile.read_text() == "FROM a@sha256:0\n\nRUN y\n"
        with pytest.raises(AssertionError, match="UU Dockerfile") as stopped:
            run("bash", "-c", upgrade.replace("VERSION", "v3"))
        assert "went on" not in str(stopped.value)
        assert override.read_text() == "{}"


def test_no_proxy_keeps_addresses_for_they_hold_links_to_choose_a_password():
    example = snippet(SCALE, "upstream dashboard {")
    assert "access_log off;" in example
    assert "`access_log off`" in GUIDE
    # Not `crit`: at that level nginx logs the requests that it could not pass on to a Unix socket.
    assert "error_log /var/log/nginx/error.log emerg;" in example
    assert "`error_log /var/log/nginx/error.log emerg`" in GUIDE
    assert not re.search(r"^\s*log\b", CADDYFILE, re.M)


def test_hadolint_finds_nothing_in_the_dockerfile():
    run(tool("hadolint"), "Dockerfile")


def test_shellcheck_finds_nothing_in_the_scripts():
    run(tool("shellcheck"), DEPLOY / "make-secrets", DEPLOY / "manage", DEPLOY / "backup")


def test_a_backup_is_the_whole_database_and_old_ones_go_once_there_is_a_new_one(tmp_path):
    tool("sqlite3")
    backups, settings = tmp_path / "backups", tmp_path / "environment"
    settings.write_text(f"DATA_DIR={tmp_path}\n")
    backups.mkdir()
    old = {"2020-01-01T030512.sqlite3", "2020-01-01T030512.dump", "2020-01-01T030512.part"}
    kept = {"mine.txt", "mine.dump", "mine/2020-01-01T030512.dump", "2020-01-20T030512.sqlite3"}
    (backups / "mine").mkdir()
    for name in old | kept:
        (backups / name).touch()
        age = 20 if name.startswith("2020-01-20") else 40  # days
        long_ago = time.time() - age * 24 * 60 * 60
        os.utime(backups / name, (long_ago, long_ago))

    with pytest.raises(AssertionError, match="unable to open database"):
        run(DEPLOY / "backup", backups, SETTINGS=str(settings))
    assert all((backups / name).exists() for name in old)

    with closing(sqlite3.connect(tmp_path / "db.sqlite3")) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE kept AS SELECT 'yes' AS word")
        database.commit()
        before = {*backups.rglob("*")}
        with pytest.raises(AssertionError, match="full|I/O error"):
            run("sh", "-c", f'{FULL_DISK} exec "$0" "$1"', DEPLOY / "backup", backups, SETTINGS=str(settings))
        assert {*backups.rglob("*")} == before  # a partial copy would keep the disk full
        beside = Path(run(DEPLOY / "backup", tmp_path, SETTINGS=str(settings)).strip())
        made = Path(run(DEPLOY / "backup", backups, SETTINGS=str(settings)).strip())
    for each in (beside, made):
        with closing(sqlite3.connect(each)) as copy:
            assert copy.execute("SELECT word FROM kept").fetchall() == [("yes",)]
        assert each.stat().st_mode & 0o777 == 0o600
    assert {str(path.relative_to(backups)) for path in backups.rglob("*")} == {made.name, "mine", *kept}


@pytest.fixture
def manage(tmp_path):
    """Return a function that runs `deploy/manage` on settings; a stand-in for Python prints two of them."""
    stand_ins = {
        tmp_path / "bin/runuser": 'shift 3; exec "$@"',
        tmp_path / ".venv/bin/python": 'printf "%s|%s" "$OIDC_NAME" "$DATABASE_URL"',
    }
    for path, script in stand_ins.items():
        path.parent.mkdir(parents=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o700)
    (tmp_path / "deploy").mkdir()
    shutil.copy(DEPLOY / "manage", tmp_path / "deploy")

    def manage(lines):
        (tmp_path / "environment").write_text(lines)
        path = f"{tmp_path}/bin:{os.environ['PATH']}"
        return run(tmp_path / "deploy/manage", "check", SETTINGS=f"{tmp_path}/environment", PATH=path)

    return manage


def test_deploy_manage_reads_settings_as_systemd_does(manage):
    said = manage(
        "# OIDC, since May; it's ours\n\n"
        "OIDC_NAME='Företaget AB & Co. ~ $HOME (\"50 %\") \\'\n"
        "DATABASE_URL=postgres://dashboard:p%26w@127.0.0.1:5432/dashboard?connect_timeout=10\n"
    )
    assert said == (
        'Företaget AB & Co. ~ $HOME ("50 %") \\|'
        "postgres://dashboard:p%26w@127.0.0.1:5432/dashboard?connect_timeout=10"
    )
    assert manage('OIDC_NAME="Example AB" \nDATABASE_URL=') == "Example AB|"


@pytest.mark.parametrize(
    "line",
    [
        "DATABASE_URL=postgres://dashboard@127.0.0.1/dashboard?connect_timeout=10&options=-c%20hidden%3D1",
        "OIDC_NAME=hidden AB",
        "OIDC_NAME=hidden # a comment to one, a part of the value to the other",
        "OIDC_NAME=hid$den",
        'OIDC_NAME="hid$den"',
        "OIDC_NAME=it's hidden",
        "OIDC_NAME=~hidden",
        "OIDC_NAME='hidden'\r",
        "export OIDC_NAME=hidden",
        "; hidden",
    ],
)
def test_deploy_manage_refuses_what_a_shell_reads_otherwise_than_systemd(manage, line):
    with pytest.raises(AssertionError, match="environment, line 2: .* single quotes") as refused:
        manage(f"OIDC_NAME=Example\n{line}\n")
    assert "hidden" not in str(refused.value)


@pytest.fixture
def service_s_folder():
    """Yield a data folder that belongs to the service's user, for whom root makes backups, and the user's id."""
    if os.geteuid():
        pytest.skip("only root makes a backup for somebody else")
    user = pwd.getpwnam("nobody").pw_uid
    with tempfile.TemporaryDirectory() as outside:  # only root can enter pytest's own folder
        os.chmod(outside, 0o711)  # noqa: S103  (to reach the folder in it, the service's user has to pass)
        folder = Path(outside) / "data"
        folder.mkdir(mode=0o700)
        with closing(sqlite3.connect(folder / "db.sqlite3")) as database:
            database.execute("CREATE TABLE kept AS SELECT 'yes' AS word")
            database.commit()
        for path in (folder, folder / "db.sqlite3"):
            os.chown(path, user, -1)
        yield folder, user


def test_root_makes_a_backup_as_the_user_whose_database_it_is(service_s_folder, tmp_path):
    """A journal may name a file that SQLite then deletes, whoever owns it. Here it names one of root's."""
    tool("sqlite3")
    folder, user = service_s_folder
    (tmp_path / "environment").write_text(f"DATA_DIR={folder}\n")
    roots = folder.parent / "precious"
    roots.write_text("precious")
    with closing(sqlite3.connect(folder / "db.sqlite3")) as database:
        pages, page_size = (database.execute(f"PRAGMA {of}").fetchone()[0] for of in ("page_count", "page_size"))
    # https://www.sqlite.org/fileformat2.html#the_rollback_journal, then the name of a "super-journal"
    magic, name = bytes.fromhex("d9d505f920a163d7"), str(roots).encode()
    header = magic + struct.pack(">5I", 0, 0, pages, 512, page_size)
    last = struct.pack(">I", 2**30 // page_size + 1) + name + struct.pack(">2I", len(name), sum(name)) + magic
    journal = folder / "db.sqlite3-journal"
    journal.write_bytes(header.ljust(512, b"\0") + last)
    os.chown(journal, user, -1)
    backup = [DEPLOY / "backup", tmp_path / "backups"]
    subprocess.run(backup, env=os.environ | {"SETTINGS": str(tmp_path / "environment")}, check=False)
    assert roots.exists()

    journal.unlink(missing_ok=True)
    left_behind = folder / "2020-01-01T030512.copy"  # by a run that was cut off
    left_behind.touch()
    os.utime(left_behind, (0, 0))
    made = Path(run(*backup, SETTINGS=str(tmp_path / "environment")).strip())
    assert (made.stat().st_uid, made.stat().st_mode & 0o777) == (0, 0o600)
    with closing(sqlite3.connect(made)) as copy:
        assert copy.execute("SELECT word FROM kept").fetchall() == [("yes",)]
    assert [path.name for path in folder.iterdir()] == ["db.sqlite3"]


def composed(folder, override=""):
    """Return what Compose reads in its file, with an `override` beside it."""
    command = [tool("docker-compose")] if shutil.which("docker-compose") else [tool("docker"), "compose"]
    if subprocess.run([*command, "version"], capture_output=True, check=False).returncode:
        pytest.skip("docker has no compose plugin")
    for name in ("compose.yaml", "Dockerfile"):
        shutil.copy(ROOT / name, folder)
    (folder / ".env").write_text(f"SITE_URL={SITE_URL}\n")
    (folder / "compose.override.yaml").write_text(override or "{}")
    files = [word for name in ("compose.yaml", "compose.override.yaml") for word in ("-f", folder / name)]
    return yaml.safe_load(run(*command, "--project-directory", folder, *files, "config"))


def snippet(page, first_line):
    """Return the example in `page` that begins with `first_line`."""
    return re.search(rf"^```\w+\n({re.escape(first_line)}\n.*?)^```$", page, re.M | re.S)[1]


def test_compose_reads_its_file(tmp_path):
    assert composed(tmp_path)["services"]["dashboard"]["environment"]["SITE_URL"] == SITE_URL


def test_compose_reads_how_many_dashboards_there_are(tmp_path):
    lines = re.findall(r"`(services: \{dashboard: .*?)`", GUIDE + (ROOT / "compose.yaml").read_text())
    assert lines == ["services: {dashboard: {deploy: {replicas: 2}}}"] * 2
    assert composed(tmp_path, lines[0])["services"]["dashboard"]["deploy"]["replicas"] == 2


def test_compose_reads_what_a_replica_of_several_adds(tmp_path):
    project = composed(tmp_path, snippet(SCALE, "# compose.override.yaml"))
    dashboard, migrate = (project["services"][name] for name in ("dashboard", "migrate"))
    assert [(port["host_ip"], port["published"]) for port in dashboard["ports"]] == [("192.0.2.11", "8000")]
    assert {secret["source"] for secret in dashboard["secrets"]} == {
        *SERVICES["dashboard"]["secrets"],
        "cache_url",
    }
    assert dashboard["environment"]["CACHE_URL_FILE"] == "/run/secrets/cache_url"
    assert "front" in migrate["networks"]


def test_compose_reads_how_prometheus_comes_to_the_metrics(tmp_path):
    page = (ROOT / "docs/monitoring.md").read_text()
    project = composed(tmp_path, snippet(page, "# compose.override.yaml"))
    dashboard = project["services"]["dashboard"]
    assert set(dashboard["networks"]) == {"inside", "front", "metrics"}
    assert "ports" not in dashboard
    assert project["networks"]["metrics"]["external"] is True


def units(folder):
    """Copy the units, with a program that exists here in place of the installed ones. Return the copies."""
    for path in DEPLOY.glob("hostup-dashboard*"):
        text = re.sub(r"/opt/hostup-dashboard/(.venv/bin/\w+|deploy/backup)", "/bin/true", path.read_text())
        (folder / path.name).write_text(text)
    return sorted(folder.glob("hostup-dashboard*"))


def test_systemd_accepts_what_a_replica_of_several_changes(tmp_path):
    analyze = tool("systemd-analyze")
    copies = units(tmp_path)
    for name in ("hostup-dashboard.service", "hostup-dashboard.socket"):
        (tmp_path / f"{name}.d").mkdir()
        (tmp_path / f"{name}.d/override.conf").write_text(snippet(SCALE, f"# systemctl edit {name}"))
    assert "hostup-dashboard" not in run(analyze, "verify", *copies)
    # Both lists are emptied first: without that, the override would only add to what the units say.
    assert snippet(SCALE, "# systemctl edit hostup-dashboard.service").endswith("[Service]\nExecStartPre=\n")
    assert "[Socket]\nListenStream=\nListenStream=8000\n" in snippet(
        SCALE, "# systemctl edit hostup-dashboard.socket"
    )


def test_systemd_accepts_the_units_and_finds_the_service_tight(tmp_path):
    analyze = tool("systemd-analyze")
    assert "hostup-dashboard" not in run(analyze, "verify", *units(tmp_path))
    said = run(analyze, "security", "--offline=true", tmp_path / "hostup-dashboard.service")
    assert float(re.search(r"exposure level for \S+: ([\d.]+)", said).group(1)) <= 1.5


def told_by(name):
    """Return the labels and annotations that promtool has to expect of the alert `name` while it fires."""
    rules = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
    (alert,) = [rule for rule in rules if rule["alert"] == name]
    return {"exp_labels": alert["labels"], "exp_annotations": alert["annotations"]}


def judge_alerts(folder, *tests):
    tests = {"rule_files": [str(ALERTS)], "evaluation_interval": "15s", "tests": list(tests)}
    (folder / "tests.yml").write_text(yaml.safe_dump(tests))
    run(tool("promtool"), "test", "rules", folder / "tests.yml")


def test_a_hostup_that_hangs_is_alerted_and_one_that_hung_is_not(tmp_path):
    name = "HostUpNotAnswering"
    told = told_by(name)
    state, calls = "hostup_dashboard_hostup_circuit_state", "hostup_dashboard_hostup_call_seconds_count"
    failing = f'{calls}{{outcome="TooSlow"}}'
    hanging = {
        "interval": "15s",
        "input_series": [
            {"series": state, "values": "0 2 1 2 1 2x10 1 2x10"},
            {"series": failing, "values": "0+1x30"},
        ],
        "alert_rule_test": [
            {"eval_time": "4m", "alertname": name, "exp_alerts": []},
            {"eval_time": "6m", "alertname": name, "exp_alerts": [told]},
        ],
    }
    # The circuit's state stays as the last call left it: an outage after which nobody calls again alerts nobody.
    over = {
        "interval": "15s",
        "input_series": [{"series": state, "values": "0 2x60"}, {"series": failing, "values": "0 5x60"}],
        "alert_rule_test": [
            {"eval_time": time, "alertname": name, "exp_alerts": []} for time in ("5m", "6m", "12m")
        ],
    }
    judge_alerts(tmp_path, hanging, over)


def test_what_is_not_ready_is_alerted_and_so_is_that_nobody_asks(tmp_path):
    def fires(name, at, *, yes):
        return {"eval_time": at, "alertname": name, "exp_alerts": [told_by(name)] if yes else []}

    def asked(status, values):
        return {
            "series": f'hostup_dashboard_request_seconds_count{{route="readyz",status="{status}"}}',
            "values": values,
        }

    away = {
        "interval": "15s",
        "input_series": [asked("2xx", "0+1x40 40x100"), asked("5xx", "0x40 1+1x100")],
        "alert_rule_test": [
            fires("NotReady", "9m", yes=False),
            fires("NotReady", "15m", yes=True),
            fires("NobodyAsks", "35m", yes=False),
        ],
    }
    given_up = {
        "interval": "15s",
        "input_series": [asked("2xx", "0+1x40 40x200")],
        "alert_rule_test": [fires("NobodyAsks", "20m", yes=False), fires("NobodyAsks", "45m", yes=True)],
    }
    never = {"interval": "15s", "alert_rule_test": [fires("NobodyAsks", "20m", yes=True)]}
    judge_alerts(tmp_path, away, given_up, never)


def test_a_dashboard_that_is_gone_is_alerted_also_when_it_is_no_target_any_more(tmp_path):
    told = told_by("DashboardGone")
    told["exp_labels"] |= {"job": "hostup-dashboard"}
    stopped = {  # Prometheus finds containers through DNS, which no longer has this one
        "interval": "15s",
        "input_series": [{"series": 'up{job="hostup-dashboard"}', "values": "1x20 stale"}],
        "alert_rule_test": [
            {"eval_time": "5m", "alertname": "DashboardGone", "exp_alerts": []},
            {"eval_time": "8m", "alertname": "DashboardGone", "exp_alerts": [told]},
        ],
    }
    failing = {
        "interval": "15s",
        "input_series": [{"series": 'up{job="hostup-dashboard"}', "values": "1x20 0x40"}],
        "alert_rule_test": [{"eval_time": "8m", "alertname": "DashboardGone", "exp_alerts": [told]}],
    }
    judge_alerts(tmp_path, stopped, failing)


class Caddy:
    """A real Caddy with our Caddyfile, on free loopback ports."""

    def __init__(self, home):
        self.home = home
        http, https, admin = free_ports(3)
        self.url, self.plain_url = f"https://localhost:{https}", f"http://localhost:{http}"
        self.authority = home / "root.crt"  # as Caddy serves it
        self.root = home / "caddy/pki/authorities/local/root.crt"
        self.environment = os.environ | {
            "SITE_URL": self.url,
            "HTTP_PORT": str(http),
            "HTTPS_PORT": str(https),
            "CADDY_ADMIN": f"localhost:{admin}",
            "XDG_DATA_HOME": str(home),
            "XDG_CONFIG_HOME": str(home),
            "AUTHORITY": str(self.root.parent),
        }
        version = run(tool("caddy"), "version").lstrip("v").split(".")
        if (int(version[0]), int(version[1])) < (2, 7):
            self.environment["DASHBOARD_BUFFER"] = "buffer_requests"

    def start(self, upstream):
        command = [tool("caddy"), "run", "--config", DEPLOY / "Caddyfile", "--adapter", "caddyfile"]
        self.log = (self.home / "caddy.log").open("w")
        self.process = subprocess.Popen(
            command, env=self.environment | {"DASHBOARD_UPSTREAM": upstream}, stderr=self.log
        )
        for _ in range(200):
            try:
                answer = requests.get(f"{self.plain_url}/root.crt", timeout=5)
                answer.raise_for_status()
                self.authority.write_bytes(answer.content)
                # Caddy serves its authority before it has signed its own certificate.
                return requests.get(self.url, verify=self.authority, allow_redirects=False, timeout=5)
            except requests.RequestException:
                time.sleep(0.1)
        raise RuntimeError((self.home / "caddy.log").read_text())

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        self.log.close()


@pytest.fixture(scope="module")
def behind_caddy(running_sandbox, tmp_path_factory):
    running_sandbox.reset()
    caddy = Caddy(tmp_path_factory.mktemp("caddy-home"))
    with Dashboard(running_sandbox.url, tmp_path_factory.mktemp("dashboard"), SITE_URL=caddy.url) as dashboard:
        caddy.start(dashboard.address)
        yield caddy, dashboard
        caddy.stop()


@pytest.fixture
def session(behind_caddy):
    """Return the session of an agent who signs in through Caddy and claims another address and scheme."""
    caddy, _ = behind_caddy
    session = requests.Session()
    session.trust_env = False  # trust this authority, whatever the environment names
    session.verify, session.headers["Referer"] = str(caddy.authority), f"{caddy.url}/"
    session.headers.update({"X-Forwarded-For": "192.0.2.66", "X-Forwarded-Proto": "http"})  # forged
    login = session.get(f"{caddy.url}/accounts/login/", timeout=10)
    form = {"csrfmiddlewaretoken": token_in(login.text), "login": AGENT, "password": PASSWORD}
    assert session.post(f"{caddy.url}/accounts/login/", form, timeout=10).status_code == 200
    return session


def test_agents_sign_in_through_caddy_and_cannot_say_that_they_are_somebody_else(behind_caddy, session):
    caddy, dashboard = behind_caddy
    assert requests.get(f"{caddy.plain_url}/tickets/", allow_redirects=False, timeout=10).headers["Location"] == (
        f"{caddy.url}/tickets/"
    )
    assert b"PRIVATE" not in caddy.authority.read_bytes()
    assert session.get(f"{caddy.url}/root.key", timeout=10).status_code == 404
    assert "__Host-sessionid" in session.cookies
    lines = [json.loads(line) for line in dashboard.log.read_text().splitlines() if line.startswith("{")]
    clients = {line["client"] for line in lines if line["logger"] == "hostup_dashboard.request"}
    assert clients
    assert clients <= {"127.0.0.1", "::1"}


def test_a_large_file_comes_through_caddy_whole_and_is_not_held_in_its_memory(
    behind_caddy, session, running_sandbox
):
    caddy, _ = behind_caddy
    ticket = f"{caddy.url}/tickets/{ENCRYPTED_ID}/"
    form = {"csrfmiddlewaretoken": token_in(session.get(ticket, timeout=10).text)}
    files = {"file": ("large.bin", b"x" * 24_000_000)}
    assert session.post(f"{ticket}upload/", form, files=files, timeout=60).status_code == 200
    assert int(running_sandbox.calls[-1].headers["Content-Length"]) > 24_000_000
    status = Path(f"/proc/{caddy.process.pid}/status").read_text()
    assert int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) < 70_000  # it is 44 MB, and was 100


def test_caddy_says_nothing_of_its_health_checks(behind_caddy):
    caddy, _ = behind_caddy
    path = urlsplit(SERVICES["caddy"]["healthcheck"]["test"][-1]).path
    assert requests.get(f"http://{caddy.environment['CADDY_ADMIN']}{path}", timeout=5).status_code == 200
    assert "received request" not in (caddy.home / "caddy.log").read_text()
