import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.core.management import call_command
from hypothesis import settings as hypothesis_settings

from hostup_dashboard.accounts.hashers import Argon2
from sandbox import keys
from sandbox.server import Sandbox
from tests import fault_servers
from tests.agents import Agent
from tickets import upstream

# How long one example takes says something of the machine and what else it does, nothing of the code.
hypothesis_settings.register_profile("dashboard", deadline=None)
hypothesis_settings.load_profile("dashboard")

COSTS = {name: getattr(Argon2, name) for name in ("memory_cost", "time_cost")}


@pytest.fixture(scope="session", autouse=True)
def static_files():
    """Pages name their static files by content, so these have to be collected."""
    call_command("collectstatic", interactive=False, verbosity=0)
    django_settings.WHITENOISE_AUTOREFRESH = True  # else every test's browser has it look through them anew


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords():
    """What makes guessing slow makes hundreds of tests slow."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Argon2, "memory_cost", 8)
        patch.setattr(Argon2, "time_cost", 1)
        yield


@pytest.fixture
def costly_passwords(cheap_passwords, monkeypatch):
    """Passwords as production hashes them."""
    for name, cost in COSTS.items():
        monkeypatch.setattr(Argon2, name, cost)


@pytest.fixture(scope="session")
def running_sandbox():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running_sandbox, settings, monkeypatch):
    """HostUp's stand-in over real sockets, fresh, as the HostUp of this test's dashboard."""
    running_sandbox.reset()
    settings.HOSTUP_API_URL = running_sandbox.url
    settings.HOSTUP_DEADLINE = 2.0  # seconds: the tests wait for it often
    monkeypatch.setattr("tickets.hostup.client.BACKOFF_SECONDS", 0.01)  # nor for this
    cache.clear()
    upstream.pool_for.cache_clear()  # what is known of another test's HostUp is not known of this one
    return running_sandbox


@pytest.fixture
def nowhere():
    """An address where nothing answers."""
    with fault_servers.refusing() as (url, _):
        yield url


@pytest.fixture
def agent(db, sandbox):
    return Agent("agent", keys.FULL)


@pytest.fixture
def colleague(db, sandbox):
    """Another agent of the same HostUp account, with a key of their own."""
    return Agent("colleague", keys.COLLEAGUE)


@pytest.fixture
def stranger(db, sandbox):
    """An agent whose key belongs to another HostUp account."""
    return Agent("stranger", keys.OTHER)


@pytest.fixture
def newcomer(db, sandbox):
    """An agent without an API key."""
    return Agent("newcomer")


@pytest.fixture
def visitor(db, sandbox):
    """Somebody who is not signed in."""
    return Agent()
