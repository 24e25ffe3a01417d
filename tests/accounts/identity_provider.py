"""An OpenID Connect provider on loopback, as far as signing in needs one (code flow with PKCE)."""

import base64
import hashlib
import json
import secrets
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT_ID, CLIENT_SECRET = "dashboard", "a-secret-of-the-provider"
ACCESS_TOKEN = "a-token-of-the-provider"


class IdentityProvider:
    """A provider whose `claims` describe the person at the browser. `url` is the issuer. `entrance` is where
    browsers are sent: another origin, as with the large providers."""

    def __init__(self):
        self.claims = {
            "sub": "1",
            "email": "anna@example.com",
            "email_verified": True,
            "preferred_username": "anna",
        }
        self._grants = {}
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def authorize(self, location: str) -> str:
        """Sign in the person whose browser was sent to `location`; return where to send it back to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        assert location.startswith(f"{self.entrance}/authorize?")
        assert (asked["client_id"], asked["response_type"]) == (CLIENT_ID, "code")
        code = secrets.token_hex()
        self._grants[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def answer(self, method: str, path: str, form: dict):
        match method, path:
            case "GET", "/.well-known/openid-configuration":
                return {
                    "issuer": self.url,
                    "authorization_endpoint": f"{self.entrance}/authorize",
                    "token_endpoint": f"{self.url}/token",
                    "userinfo_endpoint": f"{self.url}/userinfo",
                    "jwks_uri": f"{self.url}/jwks",
                    "token_endpoint_auth_methods_supported": ["client_secret_post"],
                }
            case "POST", "/token":
                asked = self._grants.pop(form["code"])
                digest = hashlib.sha256(form["code_verifier"].encode()).digest()
                assert asked["code_challenge"] == base64.urlsafe_b64encode(digest).decode().rstrip("=")
                assert form["client_secret"] == CLIENT_SECRET
                return {"access_token": ACCESS_TOKEN, "token_type": "Bearer", "id_token": self._id_token()}
            case "GET", "/userinfo":
                return self.claims
        return None

    def _id_token(self) -> str:
        now = int(time.time())
        facts = {"iss": self.url, "aud": CLIENT_ID, "iat": now, "exp": now + 60}
        return jwt.encode(self.claims | facts, self._key, algorithm="RS256")


@contextmanager
def identity_provider():
    """Run an identity provider, and stop it after the block."""
    provider = IdentityProvider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            path, _, query = self.path.partition("?")
            if path == "/authorize":  # sends it on to a server of the company's own, at a third origin
                self._send_on(f"{provider.entrance.replace('127.0.0.1', 'localhost')}/of-the-company?{query}")
            elif path == "/of-the-company":
                self._send_on(provider.authorize(f"{provider.entrance}/authorize?{query}"))
            else:
                self._answer({})

        def _send_on(self, address):
            self.send_response(302)
            self.send_header("Location", address)
            self.end_headers()

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._answer({name: values[0] for name, values in parse_qs(body).items()})

        def _answer(self, form):
            answer = provider.answer(self.command, self.path, form)
            body = json.dumps(answer).encode()
            self.send_response(404 if answer is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    servers = [ThreadingHTTPServer(("127.0.0.1", 0), Handler) for _ in range(2)]
    provider.url, provider.entrance = (f"http://127.0.0.1:{server.server_port}" for server in servers)
    threads = [Thread(target=server.serve_forever, daemon=True) for server in servers]
    for thread in threads:
        thread.start()
    try:
        yield provider
    finally:
        for server, thread in zip(servers, threads, strict=True):
            server.shutdown()
            server.server_close()
            thread.join()
