"""Seals: for one need, under one secret, with a receipt that anyone can check."""

from __future__ import annotations

import hashlib

import pytest

from market.errors import Code, Invalid
from services.sealing import Sealer, make_receipt

SEALER = Sealer(bytes(range(32)))
CONTENT = {"offer": {"rate": "0.04", "principal": "5000000.00"}, "需求": "流动资金"}


def test_the_receipt_is_the_hash_of_salt_and_canonical_text() -> None:
    sealed = SEALER.seal(7, CONTENT)
    salt, text = SEALER.open(7, sealed.blob)
    assert salt == sealed.salt and len(bytes.fromhex(salt)) == 16
    assert text.decode() == '{"offer":{"principal":"5000000.00","rate":"0.04"},"需求":"流动资金"}'
    assert sealed.receipt_hash == hashlib.sha256(f"{salt}\n".encode() + text).hexdigest()
    assert make_receipt(salt, text) == sealed.receipt_hash


def test_the_same_bid_sealed_twice_looks_different_and_longer_by_a_fixed_amount() -> None:
    one, two = SEALER.seal(7, CONTENT), SEALER.seal(7, CONTENT)
    assert one.blob != two.blob and one.receipt_hash != two.receipt_hash
    assert b"5000000" not in one.blob


@pytest.mark.parametrize("place", [0, 11, 12, 28, -17, -16, -1])
def test_a_seal_touched_anywhere_does_not_open(place: int) -> None:
    blob = bytearray(SEALER.seal(7, CONTENT).blob)
    blob[place] ^= 1
    with pytest.raises(Invalid) as refused:
        SEALER.open(7, bytes(blob))
    assert refused.value.faults[0].code is Code.SEAL_BROKEN


@pytest.mark.parametrize("blob", [b"", b"x", b"x" * 12, b"x" * 27])
def test_what_is_no_seal_is_refused_as_a_broken_one(blob: bytes) -> None:
    with pytest.raises(Invalid):
        SEALER.open(7, blob)


def test_another_secret_or_another_need_does_not_open_it() -> None:
    sealed = SEALER.seal(7, CONTENT)
    for sealer, need_id in ((Sealer(bytes(32)), 7), (SEALER, 8)):
        with pytest.raises(Invalid):
            sealer.open(need_id, sealed.blob)


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_secret_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Sealer(bytes(length))


def test_floats_cannot_be_sealed_by_mistake() -> None:
    # Their text differs between programs, so a receipt over them could not be checked by everybody.
    for number in (float("nan"), float("inf")):
        with pytest.raises(Exception, match=r"."):
            SEALER.seal(7, {"rate": number})
