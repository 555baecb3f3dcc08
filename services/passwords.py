"""Password hashing: argon2id, with a cheap profile for tests."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import CHEAPEST, RFC_9106_LOW_MEMORY


class Passwords:
    """Hashes and checks passwords; ``profile`` is ``standard`` (RFC 9106, low memory) or ``cheap``."""

    def __init__(self, profile: str) -> None:
        parameters = CHEAPEST if profile == "cheap" else RFC_9106_LOW_MEMORY
        self._hasher = PasswordHasher.from_parameters(parameters)
        # An unknown user name costs the same time as a wrong password.
        self._decoy = self._hasher.hash("nobody has this password")

    def hash(self, password: str) -> str:
        """Return the argon2id hash of a password, with its own salt and parameters inside."""
        return self._hasher.hash(password)

    def matches(self, password: str, stored: str | None) -> bool:
        """Say whether the password is the stored one; None never matches, in the same time."""
        try:
            return self._hasher.verify(stored or self._decoy, password) and stored is not None
        except (VerificationError, InvalidHashError):
            return False
