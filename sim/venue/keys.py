"""API keys: what a client signs with, and how the venue knows it again.

Rules:

* An HMAC key has one secret, which client and venue share; its signatures are HMAC-SHA256,
  in hex of either case.
* Of an Ed25519 key the venue has the public half only; its signatures are in base64.
* A key is of one kind, and no signature of the other kind opens anything.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from functools import cache
from typing import Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

type KeyType = Literal["hmac", "ed25519"]

_PKCS8_HEAD = bytes.fromhex("302e020100300506032b657004220420")
"""What stands before the 32 bytes of a private Ed25519 key in PKCS #8 (RFC 8410)."""


class ApiKey(msgspec.Struct, frozen=True):
    """One API key of an account, and the secret that signs for it.

    ``public_key`` makes it an Ed25519 key: the 32 bytes in hex.  Its ``api_secret`` is then
    the client's own business, and of no use to the venue.
    """

    api_key: str
    api_secret: str
    public_key: str = ""

    @classmethod
    def named(cls, name: str, key_type: KeyType = "hmac") -> ApiKey:
        """Return the key of that name and type; it opens nothing.

        The secret of an Ed25519 key is PKCS #8 in base64, as a key file has it between its
        first and its last line.
        """
        if key_type == "hmac":
            return cls(f"{name}-api-key", f"{name}-api-secret")
        return _ed25519_key(name)

    @property
    def key_type(self) -> KeyType:
        """How it signs."""
        return "ed25519" if self.public_key else "hmac"

    def has_signed(self, text: str, signature: str) -> bool:
        """Whether a signature, not percent-encoded, is this key's under that text."""
        if self.public_key:
            return self._verifies(text.encode(), signature)
        wanted = hmac.digest(self.api_secret.encode(), text.encode(), "sha256").hex()
        return hmac.compare_digest(wanted.encode(), signature.lower().encode())

    def _verifies(self, text: bytes, signature: str) -> bool:
        try:
            raw = base64.b64decode(signature, validate=True)
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.public_key)).verify(raw, text)
        except (binascii.Error, ValueError, InvalidSignature):
            return False
        return True


@cache
def _ed25519_key(name: str) -> ApiKey:
    """Return the key; every venue has one, and to make it takes a tenth of a millisecond."""
    seed = hashlib.sha256(f"{name}-ed25519-api-secret".encode()).digest()
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    secret = base64.b64encode(_PKCS8_HEAD + seed).decode()
    return ApiKey(f"{name}-ed25519-api-key", secret, public.hex())
