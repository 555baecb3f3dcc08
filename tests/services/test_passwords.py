"""Passwords: hashed with argon2id, matched by their own hash only."""

from __future__ import annotations

import pytest

from services.passwords import Passwords


@pytest.mark.parametrize(
    ("profile", "parameters"), [("standard", "m=65536,t=3,p=4"), ("cheap", "m=8,t=1,p=1")]
)
def test_a_hash_carries_its_profile(profile: str, parameters: str) -> None:
    # RFC 9106, second recommended option, for everybody but the tests.
    assert Passwords(profile).hash("correct horse battery").startswith(f"$argon2id$v=19${parameters}$")


def test_passwords_match_their_own_hash_only() -> None:
    passwords = Passwords("cheap")
    stored = passwords.hash("correct horse battery")
    assert passwords.matches("correct horse battery", stored)
    for password, kept in (
        ("correct horse batterY", stored),
        ("", stored),
        ("correct horse battery", None),
        ("nobody has this password", None),
        ("correct horse battery", "not a hash"),
        ("correct horse battery", ""),
    ):
        assert not passwords.matches(password, kept)
