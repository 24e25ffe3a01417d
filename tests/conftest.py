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

# How long an example takes depends on the machine and its load rather than on the code.
hypothesis_settings.register_profile("dashboard", deadline=None)
hypothesis_settings.load_profile("dashboard")

COSTS = {name: getattr(Argon2, name) for name in ("memory_cost", "time_cost")}


@pytest.fixture(scope="session", autouse=True)
def static_files():
    """Collect the static files: pages refer to them by names that contain a hash of their content."""
    call_command("collectstatic", interactive=False, verbosity=0)
    django_settings.WHITENOISE_AUTOREFRESH = True  # else it scans them again for every test client


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords():
    """Make passwords cheap to hash: what slows down guessing slows down hundreds of tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Argon2, "memory_cost", 8)
        patch.setattr(Argon2, "time_cost", 1)
        yield


@pytest.fixture
def costly_passwords(cheap_passwords, monkeypatch):
    """Hash passwords as in production."""
    for name, cost in COSTS.items():
        monkeypatch.setattr(Argon2, name, cost)


@pytest.fixture(scope="session")
def running_sandbox():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running_sandbox, settings, monkeypatch):
    """Return the sandbox, reset, and let this test's dashboard call it over real sockets."""
    running_sandbox.reset()
    settings.HOSTUP_API_URL = running_sandbox.url
    settings.HOSTUP_DEADLINE = 2.0  # seconds; many tests wait for it
    monkeypatch.setattr("tickets.hostup.client.BACKOFF_SECONDS", 0.01)  # many tests wait for this, too
    cache.clear()
    upstream.pool_for.cache_clear()  # nothing that another test learned of its HostUp holds for this one
    return running_sandbox


@pytest.fixture
def nowhere():
    """Yield an address where nothing answers."""
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
