"""The installation that the tests run in. A pytest plugin, because settings are read before any conftest.py."""

import base64
import os

os.environ.update(
    {
        "SITE_URL": "http://127.0.0.1:8000",
        "SECRET_KEY": "a-secret-key-that-only-the-tests-use-0123456789",
        "ENCRYPTION_KEYS": f"test:{base64.b64encode(bytes(range(1, 33))).decode()}",
        "HOSTUP_API_URL": "http://127.0.0.1:1",  # nothing answers there: each test names the sandbox
    }
)
