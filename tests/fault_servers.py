"""What may be found where HostUp should be: no server, or one that misbehaves, on real sockets of this machine.

Each is a context manager that yields the address to call, and the file of certificates to trust or None.
"""

import socket
import ssl
import tempfile
import threading
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "127.0.0.1"
_certificates = tempfile.TemporaryDirectory(prefix="hostup-dashboard-certificates-")  # removed at the end
NO_TICKETS = b'{"data": [], "nextCursor": null}'


@contextmanager
def without_an_address():
    """Yield a host name that cannot be resolved: it is longer than DNS allows, so no server is even asked."""
    yield f"http://{'.'.join(['hostup'] * 50)}.invalid", None


@contextmanager
def refusing():
    """Yield a port that is taken but does not listen."""
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        yield f"http://{HOST}:{taken.getsockname()[1]}", None


@contextmanager
def with_a_full_backlog():
    """Yield a port whose accept queue is full: the system drops further attempts to connect."""
    with socket.socket() as listening:
        listening.bind((HOST, 0))
        listening.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(listening.getsockname())
        yield f"http://{HOST}:{listening.getsockname()[1]}", None
        for each in waiting:
            each.close()


@contextmanager
def silent(scheme="http"):
    """Yield a port that takes connections and never sends anything."""
    with socket.socket() as listening:
        listening.bind((HOST, 0))
        listening.listen(16)
        yield f"{scheme}://{HOST}:{listening.getsockname()[1]}", None


@contextmanager
def hanging_up(last_words=b"", scheme="http"):
    """Run a server that reads once, sends `last_words` if there are any, and closes the connection."""

    def serve():
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return  # closed: the test is over
            with connection:
                connection.recv(65_536)
                connection.sendall(last_words)

    with socket.socket() as listening:
        listening.bind((HOST, 0))
        listening.listen(16)
        threading.Thread(target=serve, daemon=True).start()
        yield f"{scheme}://{HOST}:{listening.getsockname()[1]}", None
        listening.shutdown(socket.SHUT_RDWR)


@contextmanager
def hanging_up_once(port):
    """Run a relay to `port`, and yield its port. It closes the first connection before a request can come."""

    def serve():
        listening.accept()[0].close()
        with suppress(OSError):  # closed: the test is over
            while True:
                here, there = listening.accept()[0], socket.create_connection((HOST, port))
                for ends in ((here, there), (there, here)):
                    threading.Thread(target=_pass_on, args=ends, daemon=True).start()

    with socket.create_server((HOST, 0)) as listening:
        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


@contextmanager
def not_encrypted():
    """Run a server that speaks plain HTTP where TLS is expected."""
    with _serving(_QuietServer((HOST, 0), _Empty)) as port:
        yield f"https://{HOST}:{port}", None


@contextmanager
def encrypted(name=HOST, *, expired=False, is_trusted=True):
    """Run a server that answers with an empty list over TLS, with a certificate for `name`."""
    certificate = certificate_for(name, expired=expired)
    with _serving(_QuietServer((HOST, 0), _Empty), certificate) as port:
        yield f"https://{HOST}:{port}", certificate.authority if is_trusted else None


@contextmanager
def proxy_without_a_way():
    """Run a proxy that refuses to connect to anything."""
    with _serving(_QuietServer((HOST, 0), _NoWay)) as port:
        yield f"http://{HOST}:{port}", None


@contextmanager
def proxy_that_leads(certificate=None):
    """Run a proxy that connects to whatever it is asked for; with a certificate it speaks TLS itself."""
    with _serving(_QuietServer((HOST, 0), _Leads), certificate) as port:
        yield f"{'https' if certificate else 'http'}://{HOST}:{port}", None


@contextmanager
def _serving(server, certificate=None):
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.chain, certificate.key)
        # The handshake takes place in the connection's own thread, not in the one that accepts.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


class _Empty(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(NO_TICKETS)))
        self.end_headers()
        self.wfile.write(NO_TICKETS)

    def log_message(self, *_):
        """Log nothing: the tests look at the client."""


class _NoWay(_Empty):
    def do_CONNECT(self):
        self.send_error(502)


class _Leads(_Empty):
    def do_CONNECT(self):
        host, port = self.path.rsplit(":", 1)
        with socket.create_connection((host, int(port))) as there:
            self.send_response(200)
            self.end_headers()
            back = threading.Thread(target=_pass_on, args=(there, self.connection), daemon=True)
            back.start()
            _pass_on(self.connection, there)
            back.join()
        self.close_connection = True


def _pass_on(source, target):
    """Pass on data until one of the two sockets ends; then shut down both."""
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
    for each in (source, target):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


class _QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Ignore errors: a client that rejects the certificate ends the handshake, as it should."""


class Certificate(NamedTuple):
    """Paths of PEM files: the server's certificate and key, and the authority that signed it."""

    chain: str
    key: str
    authority: str


@cache
def certificate_for(name: str, *, expired: bool = False, to_the_letter: bool = True) -> Certificate:
    """Make an authority and a server's certificate signed by it. Many companies' own authorities do not follow
    RFC 5280 `to_the_letter`."""
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    now = datetime.now(UTC)
    ends_at = now - timedelta(days=1) if expired else now + timedelta(days=1)
    authority_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "An authority of the tests")])
    try:
        alternative = x509.IPAddress(ip_address(name))
    except ValueError:
        alternative = x509.DNSName(name)

    def built(subject, public_key, *extensions):
        builder = x509.CertificateBuilder(
            authority_name, subject, public_key, x509.random_serial_number(), now - timedelta(days=2), ends_at
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(authority_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    identifier = x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key())
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
        decipher_only=False,
    )  # fmt: skip
    authority = built(
        authority_name,
        authority_key.public_key(),
        (x509.BasicConstraints(ca=True, path_length=0), to_the_letter),
        (usage, True),
        (identifier, False),
    )
    server = built(
        x509.Name([]),
        key.public_key(),
        (x509.SubjectAlternativeName([alternative]), True),
        (x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), False),
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    folder = Path(tempfile.mkdtemp(dir=_certificates.name))
    for file, content in (("chain", server), ("key", pem), ("authority", authority)):
        (folder / file).write_bytes(content)
    return Certificate(str(folder / "chain"), str(folder / "key"), str(folder / "authority"))
