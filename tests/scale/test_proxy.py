"""nginx, as docs/scale.md has it, in front of replicas of two versions, and of replicas that do not answer."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.ports import free_ports
from tests.scale import parts
from tests.scale.browsers import Browser

OF_A_NEWER_VERSION = "/static/app.0123456789ab.js"
LINK = "/accounts/password/1-secret/"


class _NewerVersion(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append((self.path, dict(self.headers)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        """Log nothing: the test looks at what was asked."""


@pytest.fixture
def newer():
    """Run a stand-in for a replica that is already upgraded: it answers, and keeps what it was asked."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _NewerVersion) as server:
        server.asked = []
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


def test_a_static_file_that_one_replica_alone_has_is_served(scene, newer):
    (port,) = free_ports(1)
    replicas = [scene.one.address, f"127.0.0.1:{newer.server_port}"]
    with parts.folder("nginx") as folder, parts.nginx(folder, port, replicas) as url:
        assert Browser().see(f"http://{scene.one.address}", OF_A_NEWER_VERSION).status_code == 404
        forged = {"X-Forwarded-For": "192.0.2.66"}
        answers = [Browser().get(url + OF_A_NEWER_VERSION, headers=forged) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200] * 4
    assert [path for path, _ in newer.asked] == [OF_A_NEWER_VERSION] * 4
    for _, headers in newer.asked:
        assert headers["Host"] == f"127.0.0.1:{port}"
        assert (headers["X-Forwarded-For"], headers["X-Forwarded-Proto"]) == ("127.0.0.1", "http")


def test_nginx_keeps_no_address_that_no_replica_answered():
    port, nobody, nor_here = free_ports(3)
    replicas = [f"127.0.0.1:{nobody}", f"127.0.0.1:{nor_here}"]
    with parts.folder("nginx") as folder, parts.nginx(folder, port, replicas) as url:
        assert Browser().see(url, LINK).status_code == 502
        assert "secret" not in "".join(path.read_text() for path in folder.iterdir() if path.is_file())
        assert (folder / "error").exists()
