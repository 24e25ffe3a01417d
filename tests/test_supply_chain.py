"""Dependencies are pinned, hashed, listed for others, and looked up for known vulnerabilities."""

import json
import os
import re
import shutil
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

ROOT = Path(__file__).parent.parent
PINNED = re.compile(r"([A-Za-z0-9._-]+)(?:\[[a-z,]+\])?==([^\s;]+)")


def locked(name):
    """Return the entries of a requirements file: each a package's line with the hashes that follow it."""
    lines = (ROOT / name).read_text().replace("\\\n", " ").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]


def versions(name):
    return dict(PINNED.match(entry).groups() for entry in locked(name))


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_package_is_pinned_and_hashed(name):
    assert len(locked(name)) > 20
    assert [entry for entry in locked(name) if not PINNED.match(entry) or "--hash=sha256:" not in entry] == []


def test_what_is_tested_is_what_runs():
    assert versions("requirements.txt").items() <= versions("requirements-dev.txt").items()


def test_zones_by_the_names_that_browsers_use_come_along():
    """Such as Asia/Calcutta, which Debian has in a separate package."""
    (zones,) = (entry for entry in locked("requirements.txt") if entry.startswith("tzdata=="))
    assert ";" not in zones  # on every system


def test_the_list_of_parts_names_every_locked_package(tmp_path):
    made = tmp_path / "sbom.json"
    subprocess.run(["make", "-s", "-o", ".venv/installed-dev", "sbom", f"SBOM={made}"], cwd=ROOT, check=True)
    parts = json.loads(made.read_text())
    assert parts["bomFormat"] == "CycloneDX"
    assert {part["name"]: part["version"] for part in parts["components"]} == versions("requirements.txt")


class Feed(BaseHTTPRequestHandler):
    """A vulnerability feed like that of osv.dev, which knows of one, in Django."""

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = asked["package"]["name"]
        affected = {"package": {"name": name, "ecosystem": "PyPI"}, "ranges": []}
        vulnerability = {"id": "PYSEC-2026-1", "summary": "It leaks.", "affected": [affected]}
        answer = json.dumps({"vulns": [vulnerability]} if name == "django" else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


CLEAN = "No known vulnerabilities found, 1 ignored\n"


@pytest.fixture
def feed():
    with HTTPServer(("127.0.0.1", 0), Feed) as server:
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def requirements(tmp_path):
    """A few of the locked packages: enough to look up."""
    path = tmp_path / "requirements.txt"
    path.write_text("\n".join(entry for entry in locked("requirements.txt") if entry.startswith(("dj", "req"))))
    return path


@pytest.fixture
def audit(tmp_path, requirements):
    def audit(url, known="", **environment):
        shutil.copy(ROOT / ".ci/audit.py", tmp_path)
        (tmp_path / "known-vulnerabilities.txt").write_text(known)
        command = [sys.executable, tmp_path / "audit.py", requirements, "--osv-url", url]
        environment = os.environ | {"MAY_BE_OFFLINE": ""} | environment
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout + done.stderr

    return audit


def test_a_known_vulnerability_fails_the_audit_until_it_is_accepted_with_a_reason(audit, feed):
    code, said = audit(feed)
    assert code == 1
    assert re.search(r"django [0-9.]+: PYSEC-2026-1, fixed in no version yet. It leaks.", said)
    assert audit(feed, "PYSEC-2026-1 We do not use that part.\n") == (0, CLEAN)
    assert audit(feed, "PYSEC-2026-1\n")[0] == 1


def test_being_offline_is_no_audit(audit, nowhere):
    code, said = audit(nowhere)
    assert code == 1
    assert said.startswith("Vulnerabilities were not looked up, which takes a way to api.osv.dev: ")


def test_being_offline_is_a_notice_where_that_may_be(audit, nowhere):
    code, said = audit(nowhere, MAY_BE_OFFLINE="1")
    assert code == 0
    assert said.startswith("NOTICE: vulnerabilities were not looked up: ")
    assert said.count("\n") == 1


def test_a_list_that_cannot_be_audited_is_no_notice(audit, feed, requirements):
    requirements.write_text("django\n")
    code, said = audit(feed)
    assert code == 1
    assert "NOTICE" not in said
