"""Sealing of bids: encryption under a key per need, and receipts that anyone can check.

Before the opening a bid's terms exist only inside the encrypted blob made here (AES-256-GCM, key by
HKDF-SHA-256 from a master secret that is kept outside the database, with the need's number as
context). The receipt is ``sha256(salt as hex + line feed + RFC 8785 canonical JSON of the bid)``.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from market.errors import Code, invalid

_NONCE = 12
_SALT = 16
#: What is sealed is filled up to a multiple of so many bytes: its length would tell how many digits it has.
_BLOCK = 512


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed bid: the blob to store, and the receipt to hand out."""

    blob: bytes
    salt: str
    receipt_hash: str


class Sealer:
    """Seals and opens bids with one master secret of 32 bytes."""

    def __init__(self, master: bytes) -> None:
        if len(master) != 32:
            raise ValueError("the sealing secret must have 32 bytes")
        self._master = master

    def seal(self, need_id: int, content: dict[str, Any]) -> Sealed:
        """Encrypt ``content`` (JSON without floats) for one need."""
        salt = os.urandom(_SALT)
        text = rfc8785.dumps(content)
        nonce = os.urandom(_NONCE)
        # Canonical JSON never ends with a blank.
        filled = text.ljust(-(-len(text) // _BLOCK) * _BLOCK)
        blob = nonce + self._cipher(need_id).encrypt(nonce, salt + filled, None)
        return Sealed(blob, salt.hex(), make_receipt(salt.hex(), text))

    def open(self, need_id: int, blob: bytes) -> tuple[str, bytes]:
        """Return ``(salt as hex, canonical JSON)``; raises ``Invalid`` (seal_broken) if it was touched."""
        try:
            plain = self._cipher(need_id).decrypt(blob[:_NONCE], blob[_NONCE:], None)
        except (InvalidTag, ValueError) as error:
            raise invalid(Code.SEAL_BROKEN) from error
        return plain[:_SALT].hex(), plain[_SALT:].rstrip(b" ")

    def lock_away(self, purpose: str, secret: str) -> bytes:
        """Encrypt a secret of the house, such as the token for a peer, for one purpose only."""
        nonce = os.urandom(_NONCE)
        return nonce + self._derive(f"cuohe secret {purpose}").encrypt(nonce, secret.encode(), None)

    def fetch(self, purpose: str, blob: bytes) -> str:
        """Return a secret that was locked away; raises ``Invalid`` (seal_broken) for another purpose."""
        try:
            plain = self._derive(f"cuohe secret {purpose}").decrypt(blob[:_NONCE], blob[_NONCE:], None)
        except (InvalidTag, ValueError) as error:
            raise invalid(Code.SEAL_BROKEN) from error
        return plain.decode()

    def _cipher(self, need_id: int) -> AESGCM:
        return self._derive(f"cuohe need {need_id}")

    def _derive(self, info: str) -> AESGCM:
        key = HKDF(algorithm=SHA256(), length=32, salt=None, info=info.encode())
        return AESGCM(key.derive(self._master))


def make_receipt(salt: str, canonical: bytes) -> str:
    """Return the receipt hash of a bid's canonical JSON under its salt, as 64 hex digits."""
    return hashlib.sha256(salt.encode() + b"\n" + canonical).hexdigest()
