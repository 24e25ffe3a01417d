"""`make run`: the whole dashboard on this machine, for trying it out.

Starts the sandbox in HostUp's place (unless HOSTUP_API_URL names another address), then the dashboard, both on
loopback only. Prints the address and who can sign in. Stops both on Ctrl-C.
"""

import base64
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from hostup_dashboard.environment import Env

env = Env()
BASE_DIR = Path(__file__).resolve().parent.parent
SECRETS_FILE = Path(env.str("DATA_DIR", str(BASE_DIR / "data"))) / "secrets.env"
USERNAME = "agent"
START_SECONDS = 30
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy does not lead to our loopback


def main() -> None:
    port = _free_port("PORT", 8000)
    environment = {**os.environ, **_secrets(), "SITE_URL": f"http://127.0.0.1:{port}", "AGENT_USERNAME": USERNAME}
    hostup_url, sandbox_port = env.str("HOSTUP_API_URL", ""), None
    if not hostup_url:
        sandbox_port = _free_port("SANDBOX_PORT", 8100)
        hostup_url = environment["HOSTUP_API_URL"] = f"http://127.0.0.1:{sandbox_port}"

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    servers = []
    try:
        if sandbox_port:
            servers.append(_start("-m", "sandbox", "--port", str(sandbox_port), environment=environment))
        _start("manage.py", "migrate", "--verbosity", "0", environment=environment, wait=True)
        if sandbox_port:
            _wait_for(f"{hostup_url}/_sandbox/calls", servers)
        _start("manage.py", "demo_agent", environment=environment, wait=True)
        gunicorn = ("-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--log-level", "warning")
        servers.append(_start(*gunicorn, "hostup_dashboard.wsgi", environment=environment))
        _wait_for(f"{environment['SITE_URL']}/healthz", servers)
        _say_where(environment, f"{hostup_url}{' (sandbox: made-up tickets)' if sandbox_port else ''}")
        while all(server.poll() is None for server in servers):
            time.sleep(0.3)
        sys.exit("A server stopped; see its output above.")
    except KeyboardInterrupt:
        print("\nStopping.")
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not leave a server behind
        for server in servers:
            server.terminate()
        for server in servers:
            server.wait()


def _free_port(name: str, default: int) -> int:
    port = env.int(name, default)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            sys.exit(f"Port {port} is taken. Stop what uses it, or choose another: {name}={port + 1} make run")
    return port


def _secrets() -> dict[str, str]:
    """Return this installation's secrets, made at the first run and kept where only this user can read them."""
    if not SECRETS_FILE.exists():
        made = {
            "SECRET_KEY": secrets.token_urlsafe(48),
            "ENCRYPTION_KEYS": f"k1:{base64.b64encode(secrets.token_bytes(32)).decode()}",
            "AGENT_PASSWORD": secrets.token_urlsafe(12),
        }
        SECRETS_FILE.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(os.open(SECRETS_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.writelines(f"{name}={value}\n" for name, value in made.items())
    return dict(line.split("=", 1) for line in SECRETS_FILE.read_text().splitlines())


def _start(*arguments: str, environment: dict[str, str], wait: bool = False) -> subprocess.Popen:
    process = subprocess.Popen([sys.executable, *arguments], cwd=BASE_DIR, env=environment)  # noqa: S603  (our own)
    if wait:
        try:
            process.wait()
        except KeyboardInterrupt:
            process.terminate()
            process.wait()
            raise
        if process.returncode:
            sys.exit(process.returncode)
    return process


def _wait_for(address: str, servers: list[subprocess.Popen]) -> None:
    for _ in range(START_SECONDS * 10):
        if any(server.poll() is not None for server in servers):
            sys.exit("A server stopped while starting; see its output above.")
        try:
            DIRECT.open(address, timeout=1)
            return
        except OSError:
            time.sleep(0.1)
    sys.exit(f"{address} did not answer within {START_SECONDS} seconds.")


def _say_where(environment: dict[str, str], hostup: str) -> None:
    print(
        f"""
  HostUp Dashboard  {environment["SITE_URL"]}
  Username          {USERNAME}
  Password          {environment["AGENT_PASSWORD"]}
  HostUp            {hostup}

  Ctrl-C stops it.
""",
        flush=True,
    )


if __name__ == "__main__":
    main()
