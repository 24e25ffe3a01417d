"""Encrypt and decrypt short secrets, each bound to its owner.

A token is `1.kid.nonce.ciphertext`: the format's version, the key's name, and the two parts of AES-256-GCM in
base64. The associated data binds it to its owner and key, so that a token copied into another row, or under
another key's name, does not decrypt.
"""

import base64
import os
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

VERSION = "1"
NONCE_BYTES = 12


class Unreadable(Exception):
    """The token cannot be decrypted: its key is missing or different, or the token was changed or moved."""


def encrypt(secret: str, *, owner: str) -> str:
    """Return a token that only `decrypt` with the same `owner` reads; the first of `ENCRYPTION_KEYS` is used."""
    kid = current_kid()
    nonce = os.urandom(NONCE_BYTES)
    ciphertext = _cipher(settings.ENCRYPTION_KEYS[kid]).encrypt(nonce, secret.encode(), _bound_to(kid, owner))
    return ".".join([VERSION, kid, _encode(nonce), _encode(ciphertext)])


def decrypt(token: str, *, owner: str) -> str:
    """Return the secret, never anything but what was encrypted. Raises `Unreadable`."""
    try:
        version, kid, nonce, ciphertext = token.split(".")
        if version != VERSION:
            raise Unreadable(f"version {version!r}")
        cipher = _cipher(settings.ENCRYPTION_KEYS[kid])
        return cipher.decrypt(_decode(nonce), _decode(ciphertext), _bound_to(kid, owner)).decode()
    except (ValueError, KeyError, InvalidTag):
        raise Unreadable from None


def current_kid() -> str:
    """Return the name of the key that encrypts now."""
    return next(iter(settings.ENCRYPTION_KEYS))


def kid_of(token: str) -> str:
    """Return the name of the key that a token was encrypted with, "" if it is not a token."""
    return token.partition(".")[2].partition(".")[0]


@cache
def _cipher(key: bytes) -> AESGCM:
    """Derive a key for this purpose alone, so that the configured key can serve others, too."""
    subkey = HKDF(hashes.SHA256(), length=32, salt=None, info=b"hostup-dashboard stored secrets").derive(key)
    return AESGCM(subkey)


def _bound_to(kid: str, owner: str) -> bytes:
    return f"{VERSION}|{kid}|{owner}".encode()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()


def _decode(text: str) -> bytes:
    data = base64.urlsafe_b64decode(text)
    if _encode(data) != text:  # several base64 texts stand for the same bytes
        raise ValueError
    return data
