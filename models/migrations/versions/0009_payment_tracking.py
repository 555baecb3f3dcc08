"""Payment tracking

Revision: 0009, after 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from models.migrations.altering import ID, Change, extend, index, loosen, restore

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_STATES = (
    "'early', 'on_time', 'late', 'partial', 'over', 'no_due_date', 'undated', 'future', 'wrong_account',"
    " 'refund', 'reversed', 'reversal', 'unmatched'"
)
_RESOLUTIONS = "'accepted', 'redirected', 'returned', 'to_supplier', 'corrected'"

_CHANGES = (
    Change(
        "contracts",
        filled=[("pay_when_paid", sa.Boolean(), sa.false())],
        empty=[
            ("late_rate", sa.BigInteger()),
            ("inspection_days", sa.Integer()),
        ],
        checks=[
            ("ck_contracts_late_rate_range", "late_rate BETWEEN 0 AND 100000000"),
            ("ck_contracts_inspection_days_range", "inspection_days BETWEEN 0 AND 365"),
        ],
    ),
    Change(
        "purchaser_payments",
        filled=[
            ("state", sa.String(length=32), "no_due_date"),
            ("excess", sa.BigInteger(), "0"),
            ("went_astray", sa.Boolean(), sa.false()),
        ],
        empty=[
            ("lag_days", sa.Integer()),
            ("reverses_id", ID),
            ("follows_id", ID),
            ("resolution", sa.String(length=32)),
            ("resolution_note", sa.String(length=300)),
            ("handled_by", ID),
            ("handled_at", sa.DateTime(timezone=True)),
        ],
        checks=[
            ("ck_purchaser_payments_paymentstate", f"state IN ({_STATES})"),
            ("ck_purchaser_payments_paymentresolution", f"resolution IN ({_RESOLUTIONS})"),
            ("ck_purchaser_payments_reverses_another", "reverses_id IS NULL OR reverses_id <> id"),
            ("ck_purchaser_payments_follows_another", "follows_id IS NULL OR follows_id <> id"),
            ("ck_purchaser_payments_excess_sign", "excess >= 0"),
            (
                "ck_purchaser_payments_resolution_has_time",
                "resolution IS NULL OR handled_at IS NOT NULL",
            ),
            ("ck_purchaser_payments_handling_whole", "handled_by IS NULL OR handled_at IS NOT NULL"),
        ],
        pointing=[
            ("fk_purchaser_payments_reverses_id_purchaser_payments", "reverses_id", "purchaser_payments"),
            ("fk_purchaser_payments_follows_id_purchaser_payments", "follows_id", "purchaser_payments"),
            ("fk_purchaser_payments_handled_by_users", "handled_by", "users"),
        ],
        unique=[
            ("uq_purchaser_payments_reverses_id", ["reverses_id"]),
            ("uq_purchaser_payments_follows_id", ["follows_id"]),
        ],
    ),
)


def upgrade() -> None:
    """States and resolutions of payments, unmatched payments, terms of payment and records of purchasers."""
    for change in _CHANGES:
        extend(change)
    index("purchaser_payments", "ix_purchaser_payments_state", ["state"])
    _name_states()
    op.create_table(
        "unmatched_payments",
        sa.Column("id", ID, nullable=False),
        sa.Column("zone_id", ID, nullable=False),
        sa.Column("number", sa.String(length=160), nullable=False),
        sa.Column("key", sa.String(length=320), nullable=False),
        sa.Column("supplier_code", sa.String(length=18), nullable=True),
        sa.Column("transaction_id", sa.String(length=200), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("payer", sa.String(length=300), nullable=True),
        sa.Column("payee", sa.String(length=300), nullable=True),
        sa.Column("payee_account", sa.String(length=40), nullable=True),
        sa.Column("reporter_id", ID, nullable=True),
        sa.Column("vouched", sa.Boolean(), nullable=False),
        sa.Column("recorded_by", ID, nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("matched_payment_id", ID, nullable=True),
        sa.Column("resolved_by", ID, nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolution", sa.String(length=300), nullable=True),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_unmatched_payments_amount_sign")),
        sa.CheckConstraint(
            "(resolved_at IS NULL) = (resolution IS NULL)",
            name=op.f("ck_unmatched_payments_resolution_whole"),
        ),
        sa.CheckConstraint(
            "matched_payment_id IS NULL OR resolved_at IS NOT NULL",
            name=op.f("ck_unmatched_payments_match_resolves"),
        ),
        sa.ForeignKeyConstraint(["zone_id"], ["zones.id"], name=op.f("fk_unmatched_payments_zone_id_zones")),
        sa.ForeignKeyConstraint(
            ["reporter_id"],
            ["organisations.id"],
            name=op.f("fk_unmatched_payments_reporter_id_organisations"),
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by"], ["users.id"], name=op.f("fk_unmatched_payments_recorded_by_users")
        ),
        sa.ForeignKeyConstraint(
            ["matched_payment_id"],
            ["purchaser_payments.id"],
            name=op.f("fk_unmatched_payments_matched_payment_id_purchaser_payments"),
        ),
        sa.ForeignKeyConstraint(
            ["resolved_by"], ["users.id"], name=op.f("fk_unmatched_payments_resolved_by_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unmatched_payments")),
        sa.UniqueConstraint(
            "zone_id", "key", "transaction_id", name=op.f("uq_unmatched_payments_zone_id_key_transaction_id")
        ),
        sa.UniqueConstraint("matched_payment_id", name=op.f("uq_unmatched_payments_matched_payment_id")),
    )
    index("unmatched_payments", "ix_unmatched_payments_reporter_id", ["reporter_id"])
    op.create_table(
        "purchaser_scores",
        sa.Column("id", ID, nullable=False),
        sa.Column("zone_id", ID, nullable=False),
        sa.Column("purchaser_code", sa.String(length=80), nullable=False),
        sa.Column("computed_on", sa.Date(), nullable=False),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("contracts", "payments", "on_time", "unpaid", "median_lag", "p90_lag")
        ),
        sa.CheckConstraint("on_time BETWEEN 0 AND payments", name=op.f("ck_purchaser_scores_on_time_range")),
        sa.CheckConstraint("unpaid BETWEEN 0 AND payments", name=op.f("ck_purchaser_scores_unpaid_range")),
        sa.CheckConstraint("median_lag <= p90_lag", name=op.f("ck_purchaser_scores_lag_order")),
        sa.ForeignKeyConstraint(["zone_id"], ["zones.id"], name=op.f("fk_purchaser_scores_zone_id_zones")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchaser_scores")),
        sa.UniqueConstraint(
            "zone_id", "purchaser_code", name=op.f("uq_purchaser_scores_zone_id_purchaser_code")
        ),
    )


def downgrade() -> None:
    """Undo it. What takes a payment back stays as the negative payment that it is."""
    op.drop_table("purchaser_scores")
    op.drop_index("ix_unmatched_payments_reporter_id", "unmatched_payments")
    op.drop_table("unmatched_payments")
    op.execute("DELETE FROM alerts WHERE subject LIKE 'unmatched:%'")
    op.drop_index("ix_purchaser_payments_state", "purchaser_payments")
    for change in _CHANGES:
        loosen(change)
    for change in _CHANGES:
        restore(change)


def _name_states() -> None:
    """Say of the payments that are there what can be told at once; the clock's next day tells the rest."""
    op.execute("UPDATE purchaser_payments SET state = 'refund' WHERE amount < 0")
    op.execute("UPDATE purchaser_payments SET state = 'undated' WHERE paid_on IS NULL")
    op.execute(
        "UPDATE purchaser_payments SET state = 'wrong_account', went_astray = TRUE WHERE EXISTS (SELECT 1 FROM"
        " alerts WHERE alerts.kind = 'wrong_account' AND alerts.resolved_at IS NULL AND alerts.subject ="
        " 'payment:' || purchaser_payments.id)"
    )
