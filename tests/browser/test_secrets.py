"""The key is in no file of a running dashboard: database, SQLite's write-ahead log, and log."""

import sqlite3
from contextlib import closing

from playwright.sync_api import expect

from sandbox import keys
from tests.test_secrets import CANARY, places_with_the_key


def test_the_key_is_in_no_file(newcomer, dashboard, sandbox, monkeypatch):
    monkeypatch.setitem(keys.HOLDERS, CANARY, keys.HOLDERS[keys.FULL])
    with closing(sqlite3.connect(dashboard.home / "db.sqlite3")) as reader:
        reader.execute("SELECT * FROM tickets_apikey").fetchall()  # SQLite keeps the -wal while somebody reads
        save_and_check(newcomer, sandbox)
        files = {path.name: path.read_bytes() for path in dashboard.home.iterdir() if path.is_file()}
    assert {"db.sqlite3", "db.sqlite3-wal", "gunicorn.log"} <= files.keys()
    assert CANARY[-4:].encode() in files["db.sqlite3-wal"]
    assert places_with_the_key(files) == set()


def save_and_check(newcomer, sandbox):
    newcomer.goto("/settings/key/")
    newcomer.get_by_label("API key").fill(CANARY)
    newcomer.get_by_role("button", name="Save key").click()
    expect(newcomer.get_by_text(f"Key ending in {CANARY[-4:]}")).to_be_visible()
    sandbox.fault("problem_401")
    newcomer.get_by_role("button", name="Check key").click()
    expect(newcomer.get_by_text("HostUp does not accept your API key")).to_be_visible()
