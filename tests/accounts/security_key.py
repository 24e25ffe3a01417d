"""A passkey without a browser: it can skip asking for its PIN, and signs whatever it is given."""

import hashlib
import json
import os
import struct

from allauth.account.utils import user_pk_to_url_str
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2 import cbor
from fido2.cose import ES256
from fido2.utils import websafe_encode

SITE = "testserver"
IS_TOUCHED, KNOWS_ITS_OWNER, IS_NEW = 0x01, 0x04, 0x40  # https://www.w3.org/TR/webauthn-3/#flags


class SecurityKey:
    """A passkey. `is_resident`: whether the browser reports it as usable without a username; None: no report."""

    def __init__(self, is_resident: bool | None = None):
        self._secret = ec.generate_private_key(ec.SECP256R1())
        self._id = os.urandom(16)
        self._uses = 0
        self._properties = {} if is_resident is None else {"credProps": {"rk": is_resident}}

    def made_for(self, challenge: str, *, pin: bool) -> str:
        """Return what a browser sends to add this key."""
        public = cbor.encode(dict(ES256.from_cryptography_key(self._secret.public_key())))
        of_key = bytes(16) + struct.pack(">H", len(self._id)) + self._id + public
        attestation = {"fmt": "none", "attStmt": {}, "authData": self._says(pin, IS_NEW) + of_key}
        said = {
            "clientDataJSON": websafe_encode(_client_data("webauthn.create", challenge)),
            "attestationObject": websafe_encode(cbor.encode(attestation)),
        }
        return self._sent(said, self._properties)

    def answer_to(self, challenge: str, user, *, pin: bool) -> str:
        """Return what a browser sends to sign in with this key as `user`."""
        asked, says = _client_data("webauthn.get", challenge), self._says(pin)
        signature = self._secret.sign(says + hashlib.sha256(asked).digest(), ec.ECDSA(hashes.SHA256()))
        said = {
            "clientDataJSON": websafe_encode(asked),
            "authenticatorData": websafe_encode(says),
            "signature": websafe_encode(signature),
            "userHandle": websafe_encode(user_pk_to_url_str(user).encode()),
        }
        return self._sent(said, {})

    def _says(self, pin: bool, flags: int = 0) -> bytes:
        self._uses += 1
        flags |= IS_TOUCHED | (KNOWS_ITS_OWNER if pin else 0)
        return hashlib.sha256(SITE.encode()).digest() + bytes([flags]) + struct.pack(">I", self._uses)

    def _sent(self, said: dict, properties: dict) -> str:
        name = websafe_encode(self._id)
        sent = {"id": name, "rawId": name, "type": "public-key", "response": said}
        return json.dumps(sent | {"clientExtensionResults": properties})


def _client_data(kind: str, challenge: str) -> bytes:
    return json.dumps({"type": kind, "challenge": challenge, "origin": f"http://{SITE}"}).encode()
