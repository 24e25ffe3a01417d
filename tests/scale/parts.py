"""PostgreSQL, Redis and nginx from Debian's packages, each with a folder and a port of its own, on loopback.

They are started here and stopped by their process ids, whatever happens in between.
"""

import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from tests.ports import free_port

PACKAGES = {"postgres": "postgresql", "redis-server": "redis-server", "nginx": "nginx-light"}
START_SECONDS, STOP_SECONDS = 30, 10
NGINX_EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "scale.md"


def install() -> None:
    """Install what is missing with apt; where that is not possible, say what to install and exit."""
    missing = [package for program, package in PACKAGES.items() if not _program(program)]
    if not missing:
        return
    if os.geteuid() or not shutil.which("apt-get"):
        sys.exit(f"Missing: {', '.join(missing)}. On Debian: sudo apt install {' '.join(missing)}")
    apt = ["apt-get", "-qq", "-o", "Dpkg::Use-Pty=0"]
    quiet = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run([*apt, "update"], check=True, timeout=300)
    subprocess.run([*apt, "install", "--no-install-recommends", *missing], check=True, timeout=600, env=quiet)


class Process:
    """A server that was started here. `pause` makes it hang until `resume`."""

    def __init__(self, command: list, folder: Path, *, user: str | None = None, config: str = ""):
        self._log = folder / "log"
        groups = {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}
        with self._log.open("a") as log:
            self._popen = subprocess.Popen(
                command, cwd=folder, stdin=subprocess.PIPE, stdout=log, stderr=log, process_group=0, **groups
            )
        self._popen.stdin.write(config.encode())
        self._popen.stdin.close()

    def wait_until_it_listens(self, port: int) -> None:
        ends_at = time.monotonic() + START_SECONDS
        while time.monotonic() < ends_at and self._popen.poll() is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                return
            time.sleep(0.05)
        raise RuntimeError(f"{self._popen.args[0]} did not start:\n{self._log.read_text()}")

    def pause(self) -> None:
        os.kill(self._popen.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self._popen.pid, signal.SIGCONT)

    def stop(self, signal_number: int = signal.SIGTERM) -> None:
        self.resume()
        self._popen.send_signal(signal_number)
        try:
            self._popen.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._popen.pid, signal.SIGKILL)
            self._popen.wait()


@contextmanager
def _running(command: list, folder: Path, port: int, *, stop_with=signal.SIGTERM, **how) -> Iterator[Process]:
    process = Process(command, folder, **how)
    try:
        process.wait_until_it_listens(port)
        yield process
    finally:
        process.stop(stop_with)


@contextmanager
def postgresql(folder: Path) -> Iterator[tuple[str, Process]]:
    """Run PostgreSQL with its defaults, such as 100 connections. Yield its `DATABASE_URL` and process.

    It refuses to run as root. Root therefore runs it as the user that its package created.
    """
    user = None if os.geteuid() else "postgres"
    port, password = free_port(), secrets.token_hex()
    data, password_file = folder / "data", folder / "password"
    password_file.write_text(password)
    if user:
        for path in (folder, password_file):
            shutil.chown(path, user, pwd.getpwnam(user).pw_gid)
    initdb = [_program("initdb"), "-D", data, "-U", "dashboard", f"--pwfile={password_file}"]
    initdb += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"]
    subprocess.run(initdb, check=True, cwd=folder, stdout=subprocess.DEVNULL, user=user)
    command = [_program("postgres"), "-D", data, "-p", str(port), "-k", folder, "-c", "listen_addresses=127.0.0.1"]
    command += ["-c", "fsync=off"]  # in these tests the machine itself never fails
    # SIGINT: end the connections that are still open, too.
    with _running(command, folder, port, user=user, stop_with=signal.SIGINT) as process:
        yield f"postgres://dashboard:{password}@127.0.0.1:{port}/postgres", process


@contextmanager
def redis(folder: Path) -> Iterator[tuple[str, Process]]:
    """Run Redis. Yield its `CACHE_URL` without a database number, and its process."""
    port, password = free_port(), secrets.token_hex()
    config = f'bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave ""\nappendonly no\n'
    with _running([_program("redis-server"), "-"], folder, port, config=config) as process:
        yield f"redis://:{password}@127.0.0.1:{port}", process


@contextmanager
def nginx(folder: Path, port: int, replicas: list[str]) -> Iterator[str]:
    """Run nginx in front of `replicas` (host:port), as docs/scale.md says. Yield its address.

    Its error log is the file `error` in `folder`.
    """
    example = re.search(r"```nginx\n(.*?)```", NGINX_EXAMPLE.read_text(), re.DOTALL).group(1)
    example = example.replace("/var/log/nginx/error.log", str(folder / "error"))
    servers = iter(replicas)
    example = re.sub(r"(?<=server )[\w.]+:8000", lambda _: next(servers), example)
    example = re.sub(
        r"listen 443 ssl;.*?server_name [^;]*;", f"listen 127.0.0.1:{port};", example, flags=re.DOTALL
    )
    temporary = "".join(
        f"{name}_temp_path {folder / name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config = folder / "nginx.conf"
    config.write_text(
        f"daemon off; master_process off; pid {folder / 'pid'}; events {{}}\n"
        f"http {{ access_log {folder / 'access'}; {temporary} {example} }}\n"
    )
    command = [_program("nginx"), "-p", folder, "-e", "stderr", "-c", config]
    with _running(command, folder, port):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def folder(name: str) -> Iterator[Path]:
    """Yield a temporary folder, and delete it after the block."""
    path = Path(tempfile.mkdtemp(prefix=f"hostup-dashboard-{name}-"))
    try:
        yield path
    finally:
        shutil.rmtree(path)


def _program(name: str) -> str | None:
    """Return the path of a program. Debian keeps PostgreSQL's outside the PATH, and others in /usr/sbin."""
    newest = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))[-1:]
    return next(map(str, newest), None) or shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")


def main() -> None:
    """Run the command in the arguments, with `DATABASE_URL` and `CACHE_URL` of a new PostgreSQL and Redis."""
    install()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the servers are stopped
    with ExitStack() as stack:
        database_url, _ = stack.enter_context(postgresql(stack.enter_context(folder("postgresql"))))
        cache_url, _ = stack.enter_context(redis(stack.enter_context(folder("redis"))))
        settings = {"DATABASE_URL": database_url, "CACHE_URL": f"{cache_url}/0"}
        done = subprocess.run(sys.argv[1:], env=os.environ | settings, check=False)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
