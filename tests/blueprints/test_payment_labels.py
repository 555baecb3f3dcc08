"""Every word of purchasers' payments has its label, and a state of its own look."""

from __future__ import annotations

from blueprints import payment_labels
from market import payment_vocabulary
from market.payment_vocabulary import Debtor, PaymentMove, PaymentResolution, PaymentState


def test_every_member_has_a_label() -> None:
    for kind in (PaymentState, PaymentResolution, PaymentMove, Debtor):
        assert set(payment_labels.LABELS[kind]) == set(kind)
    assert set(PaymentState) > payment_vocabulary.TO_RESOLVE
