"""Two replicas of the dashboard on "hosts" of their own, behind nginx, over one PostgreSQL and one Redis."""

import base64
import secrets
from typing import NamedTuple

import pytest
import redis as redis_client

from sandbox.server import Sandbox
from tests.dashboard import Dashboard
from tests.ports import free_port
from tests.scale import parts


class Scene(NamedTuple):
    """`one` and `two` are the replicas, `url` is the proxy's address."""

    one: Dashboard
    two: Dashboard
    url: str
    database_url: str
    database: parts.Process
    cache: redis_client.Redis


@pytest.fixture(scope="session")
def running_sandbox():
    with Sandbox(rate_limit=1_000_000) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def running(running_sandbox, tmp_path_factory):
    parts.install()
    port = free_port()
    with (
        parts.folder("postgresql") as database_folder,
        parts.folder("redis") as cache_folder,
        parts.folder("nginx") as proxy_folder,
        parts.postgresql(database_folder) as (database_url, database),
        parts.redis(cache_folder) as (cache_url, _),
    ):
        shared = {
            "SITE_URL": f"http://127.0.0.1:{port}",
            "SECRET_KEY": secrets.token_urlsafe(48),
            "ENCRYPTION_KEYS": f"scale:{base64.b64encode(secrets.token_bytes(32)).decode()}",
            "DATABASE_URL": database_url,
            "CACHE_URL": f"{cache_url}/0",
        }
        one, two = (
            Dashboard(running_sandbox.url, tmp_path_factory.mktemp(name), **shared) for name in ("one", "two")
        )
        cache = redis_client.Redis.from_url(shared["CACHE_URL"])
        with one:  # starts the first, migrates, and creates the agents
            two.start()
            try:
                with parts.nginx(proxy_folder, port, [one.address, two.address]) as url:
                    yield Scene(one, two, url, database_url, database, cache)
            finally:
                two.stop()


@pytest.fixture
def scene(running, running_sandbox):
    """Return the replicas, with fresh tickets at HostUp and an empty cache, so no failed sign-ins count."""
    running_sandbox.reset()
    running.cache.flushdb()
    return running


@pytest.fixture
def sandbox(running_sandbox):
    return running_sandbox
