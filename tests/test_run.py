"""`make run`: one command, and the whole thing is there."""

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from tests.ports import free_port

ROOT = Path(__file__).parent.parent
START_SECONDS = 60


@pytest.fixture
def environment(tmp_path):
    mine = {
        name: value
        for name, value in os.environ.items()
        if name in ("PATH", "HOME", "LANG") or name.startswith("COVERAGE_")
    }
    return mine | {
        "PORT": str(free_port()),
        "SANDBOX_PORT": str(free_port()),
        "DATA_DIR": str(tmp_path),
    }


def start(environment):
    return subprocess.Popen(
        [sys.executable, "-m", "hostup_dashboard.run"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # Shells make background processes ignore Ctrl-C (SIGINT), which these tests send.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def said_until(process, words):
    said, ends_at = "", time.monotonic() + START_SECONDS
    while words not in said and time.monotonic() < ends_at:
        said += process.stdout.readline()
    return said


def test_it_starts_says_where_and_who_and_stops_both(environment, nowhere):
    # As on an intranet, the proxy cannot reach this machine. An empty value counts as none.
    process = start(environment | {"http_proxy": nowhere, "HOSTUP_API_URL": ""})
    try:
        said = said_until(process, "Ctrl-C stops it.")
        address, username, password = re.findall(r"(?:Dashboard|Username|Password) +(\S+)", said)
        assert address == f"http://127.0.0.1:{environment['PORT']}"
        assert "(sandbox" in said
        secrets_file = Path(environment["DATA_DIR"]) / "secrets.env"
        assert stat.S_IMODE(secrets_file.stat().st_mode) == 0o600

        browser = requests.Session()
        page = browser.get(address, timeout=5).text
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page).group(1)
        form = {"csrfmiddlewaretoken": token, "login": username, "password": password}
        tickets = browser.post(f"{address}/accounts/login/", form, timeout=10).text
        assert "Question about my hosting account" in tickets
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(15)
    for port in (environment["PORT"], environment["SANDBOX_PORT"]):
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", int(port))) != 0


def test_it_starts_over_an_address_of_yours_whatever_that_thinks_of_the_sandbox_s_key(environment, nowhere):
    process = start(environment | {"HOSTUP_API_URL": nowhere})
    try:
        said = said_until(process, "Ctrl-C stops it.")
        assert re.search(f"HostUp +{nowhere}\n", said)
        # When a server stops by itself, `make run` says so and fails: that is not the same as being stopped.
        (server,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        os.kill(int(server), signal.SIGTERM)
        said, _ = process.communicate(timeout=15)
        assert (process.returncode, said.splitlines()[-1]) == (1, "A server stopped; see its output above.")
    finally:
        process.kill()


def test_an_empty_data_folder_is_none_so_secrets_are_not_made_in_the_checkout(environment):
    command = [sys.executable, "-c", "from hostup_dashboard.run import SECRETS_FILE; print(SECRETS_FILE)"]
    said = subprocess.check_output(command, cwd=ROOT, env=environment | {"DATA_DIR": ""}, text=True)
    assert said == f"{ROOT}/data/secrets.env\n"


@pytest.mark.parametrize("name", ["PORT", "SANDBOX_PORT"])
def test_a_port_that_is_taken_is_a_sentence(environment, name):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = start(environment | {name: str(port)})
        said, _ = process.communicate(timeout=20)
    assert process.returncode == 1
    assert said == f"Port {port} is taken. Stop what uses it, or choose another: {name}={port + 1} make run\n"


PYTHONS = {
    '[ "$1" = -V ] && echo Python 3.9.2; exit 1': "needs Python 3.11 or newer; {python} is Python 3.9.2.",
    'case "$2" in *ensurepip*) exit 1; esac': "Python's venv module is missing. On Debian: sudo apt install",
}


@pytest.mark.parametrize(("does", "sentence"), PYTHONS.items())
def test_a_python_that_is_too_old_or_lacks_something_is_a_sentence(tmp_path, does, sentence):
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{does}\n")
    python.chmod(0o755)
    result = subprocess.run(
        ["make", f"PYTHON={python}", f"VENV={tmp_path / 'venv'}", f"{tmp_path / 'venv'}/bin/python"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode != 0
    assert sentence.format(python=python) in result.stdout
