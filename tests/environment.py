"""The environment that the tests run in. A pytest plugin, because settings are read before any conftest.py."""

import base64
import os
import sys
import tempfile

os.environ.update(
    {
        "SITE_URL": "http://127.0.0.1:8000",
        "SECRET_KEY": "a-secret-key-that-only-the-tests-use-0123456789",
        "ENCRYPTION_KEYS": f"test:{base64.b64encode(bytes(range(1, 33))).decode()}",
        # Playwright keeps an event loop running, in which Django would refuse to use a database.
        "DJANGO_ALLOW_ASYNC_UNSAFE": "true",
        "DATA_DIR": tempfile.mkdtemp(prefix="hostup-dashboard-tests-"),  # each test process has its own
        "HOSTUP_API_URL": "http://127.0.0.1:1",  # nothing answers there: each test names the sandbox
    }
)
# The tests start some two hundred Python processes, each of which would compile all our modules again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# A given DATABASE_URL or CACHE_URL is kept (`make test-scale`). Only the number of the Redis database changes:
# parallel test processes empty theirs. pytest-django gives each process a PostgreSQL database of its own.
if cache_url := os.environ.get("CACHE_URL"):
    number = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    os.environ["CACHE_URL"] = f"{cache_url.rpartition('/')[0]}/{number}"
