"""`make observatory`: how does MDN's HTTP Observatory grade the dashboard's sign-in page? Fails unless it is A+.

The observatory looks at a site over http and https. So the dashboard runs as in production, with an https
`SITE_URL`, behind a small proxy that speaks both on one port. Its certificate is made for this one run.
"""

import json
import os
import ssl
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import MSG_PEEK
from threading import Thread

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sandbox.server import Sandbox
from tests.dashboard import Dashboard

SCAN = """
import { scan } from "@mdn/mdn-http-observatory/src/index.js";
console.log(JSON.stringify(await scan(process.argv.at(-1))));
"""
TLS_HANDSHAKE = b"\x16"  # the first byte of every TLS connection


def main() -> None:
    installed = Path(sys.argv[1]).resolve()  # the folder that holds the observatory's node_modules
    with tempfile.TemporaryDirectory() as folder, Sandbox() as sandbox:
        certificate = make_certificate(Path(folder))
        with Proxy(certificate) as proxy, Dashboard(sandbox.url, Path(folder), SITE_URL=proxy.url) as dashboard:
            proxy.address = dashboard.address
            result = scan(proxy.host, installed, certificate)
    for name, test in result["tests"].items():
        print(f"{'passed' if test['pass'] else 'FAILED'} {test['scoreModifier']:+4d}  {name}: {test['result']}")
    grade = result["scan"]["grade"]
    print(f"\nGrade {grade}, score {result['scan']['score']}")
    sys.exit(grade != "A+")


def scan(host: str, installed: Path, certificate: Path) -> dict:
    """Let the observatory scan `host`, and return its result."""
    command = ["node", "--input-type=module", "--eval", SCAN, "--", host]
    environment = os.environ | {"NODE_EXTRA_CA_CERTS": str(certificate)}
    asked = subprocess.run(command, cwd=installed, env=environment, stdout=subprocess.PIPE, check=True)
    return json.loads(asked.stdout)


def make_certificate(folder: Path) -> Path:
    """Write a certificate for localhost, with its key, and return the file's path."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = folder / "localhost.pem"
    path.write_bytes(certificate.public_bytes(pem) + private)
    return path


class Proxy(ThreadingHTTPServer):
    """A proxy on loopback to `address`, which terminates TLS and passes plain http on as such."""

    daemon_threads = True
    address = ""

    def __init__(self, certificate: Path):
        super().__init__(("127.0.0.1", 0), _Handler)
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._tls.load_cert_chain(certificate)
        self.host = f"localhost:{self.server_port}"
        self.url = f"https://{self.host}"
        Thread(target=self.serve_forever, daemon=True).start()

    def finish_request(self, request, client_address):
        request.settimeout(10)
        if request.recv(1, MSG_PEEK) == TLS_HANDSHAKE:
            request = self._tls.wrap_socket(request, server_side=True)
        super().finish_request(request, client_address)

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        passed_on = HTTPConnection(self.server.address, timeout=10)
        scheme = "https" if isinstance(self.connection, ssl.SSLSocket) else "http"
        own = {"X-Forwarded-Proto": scheme, "X-Forwarded-For": self.client_address[0]}
        passed_on.request(self.command, self.path, headers={**self.headers, **own})
        answer = passed_on.getresponse()
        body = answer.read()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_HEAD = do_OPTIONS = do_GET

    def log_message(self, *_):
        """Print no requests, only the result."""


if __name__ == "__main__":
    main()
