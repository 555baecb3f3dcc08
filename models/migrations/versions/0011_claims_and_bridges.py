"""Deals closed off the platform, compensation claims, bridge loans

Revision: 0011, after 0010
"""

from __future__ import annotations

from datetime import date

import sqlalchemy as sa
from alembic import op

from models.migrations.altering import ID, Change, extend, index, loosen, restore

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_GUARANTEES = Change(
    "guarantees",
    filled=[("uncovered", sa.BigInteger(), "0"), ("compensated", sa.BigInteger(), "0")],
    checks=[
        ("ck_guarantees_uncovered_sign", "uncovered >= 0"),
        ("ck_guarantees_compensated_range", "compensated BETWEEN 0 AND amount"),
    ],
    loosened=[("product_id", ID)],
)
_STATES = ("open", "accepted", "refused", "paid", "closed")
_ROLES = (
    "bank",
    "lender",
    "guarantor",
    "re_guarantor",
    "national_fund",
    "insurer",
    "government_pool",
    "fund",
)

_INDEXES = (
    ("compensation_claims", "ix_compensation_claims_loan_id", ["loan_id"], False, ""),
    ("compensation_claims", "ix_compensation_claims_guarantee_id", ["guarantee_id"], False, ""),
    (
        "compensation_claims",
        "uq_compensation_claims_standing",
        ["loan_id"],
        True,
        "state IN ('open','accepted')",
    ),
    ("renewals", "ix_renewals_bank_id", ["bank_id"], False, ""),
    ("renewals", "ix_renewals_promised_by", ["promised_by"], False, ""),
    ("bridge_rules", "uq_bridge_rules_zone", ["zone_id", "from_on"], True, "zone_id IS NOT NULL"),
    ("bridge_rules", "uq_bridge_rules_default", ["from_on"], True, "zone_id IS NULL"),
)

#: What holds where a zone set nothing else: the usual terms of municipal bridge funds.
_DEFAULT = {
    "zone_id": None,
    "from_on": date(2020, 1, 1),
    "most_share": 95_000_000,
    "most_days": 10,
    "source": "应急转贷资金通行办法：不超过银行承诺续贷金额的95%，使用期限不超过10个工作日",
}


def _words(name: str, words: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    """Make the tables; a guarantee needs no product any more."""
    extend(_GUARANTEES)
    op.create_table(
        "guarantee_terms",
        sa.Column("id", ID, nullable=False),
        sa.Column("product_id", ID, nullable=False),
        sa.Column("loss_cap", sa.BigInteger(), nullable=True),
        sa.Column("claim_after_days", sa.Integer(), nullable=True),
        sa.Column("risk_sharing", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "loss_cap IS NULL OR loss_cap BETWEEN 1 AND 100000000",
            name=op.f("ck_guarantee_terms_loss_cap_range"),
        ),
        sa.CheckConstraint(
            "claim_after_days IS NULL OR claim_after_days BETWEEN 1 AND 360",
            name=op.f("ck_guarantee_terms_claim_after_days_range"),
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_guarantee_terms_product_id_products")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guarantee_terms")),
        sa.UniqueConstraint("product_id", name=op.f("uq_guarantee_terms_product_id")),
    )
    _create_claims()
    _create_bridges()
    for table, name, columns, unique, where in _INDEXES:
        index(table, name, columns, unique=unique, where=where)
    rules = sa.table(
        "bridge_rules",
        sa.column("zone_id", sa.BigInteger),
        sa.column("from_on", sa.Date),
        sa.column("most_share", sa.BigInteger),
        sa.column("most_days", sa.Integer),
        sa.column("source", sa.String),
    )
    op.bulk_insert(rules, [_DEFAULT])


def downgrade() -> None:
    """Undo it; guarantees that were closed off the platform go."""
    for table, name, *_ in reversed(_INDEXES):
        op.drop_index(name, table)
    for table in (
        "renewals",
        "bridge_rules",
        "claim_recoveries",
        "claim_shares",
        "compensation_claims",
        "guarantee_terms",
    ):
        op.drop_table(table)
    loosen(_GUARANTEES)
    op.execute("DELETE FROM guarantees WHERE product_id IS NULL")
    restore(_GUARANTEES)


def _create_claims() -> None:
    op.create_table(
        "compensation_claims",
        sa.Column("id", ID, nullable=False),
        sa.Column("loan_id", ID, nullable=False),
        sa.Column("guarantee_id", ID, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("payable", sa.BigInteger(), nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("days_past_due", sa.Integer(), nullable=False),
        sa.Column("basis", sa.String(300), nullable=False),
        sa.Column("evidence", sa.String(300), nullable=False),
        sa.Column("state", _words("claimstate", _STATES), nullable=False),
        sa.Column("opened_by", ID, nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", ID, nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("why", sa.String(300), nullable=True),
        sa.Column("event_id", ID, nullable=True),
        sa.CheckConstraint(
            "payable > 0 AND payable <= amount", name=op.f("ck_compensation_claims_payable_range")
        ),
        sa.CheckConstraint(
            "basis <> '' AND evidence <> ''", name=op.f("ck_compensation_claims_grounds_given")
        ),
        sa.CheckConstraint(
            "(state = 'open') = (decided_at IS NULL)", name=op.f("ck_compensation_claims_decision_has_time")
        ),
        sa.CheckConstraint(
            "(state = 'refused') = (why IS NOT NULL)", name=op.f("ck_compensation_claims_refusal_says_why")
        ),
        sa.CheckConstraint(
            "(state IN ('paid','closed')) = (event_id IS NOT NULL)",
            name=op.f("ck_compensation_claims_paid_has_event"),
        ),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.id"], name=op.f(f"fk_compensation_claims_{column}_{table}")
            )
            for column, table in (
                ("loan_id", "loans"),
                ("guarantee_id", "guarantees"),
                ("opened_by", "users"),
                ("decided_by", "users"),
                ("event_id", "loan_events"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_compensation_claims")),
        sa.UniqueConstraint("event_id", name=op.f("uq_compensation_claims_event_id")),
    )
    op.create_table(
        "claim_shares",
        sa.Column("id", ID, nullable=False),
        sa.Column("claim_id", ID, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("party", sa.String(80), nullable=False),
        sa.Column("role", _words("role", _ROLES), nullable=False),
        sa.Column("share", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("reference", sa.String(80), nullable=True),
        sa.CheckConstraint("share BETWEEN 1 AND 100000000", name=op.f("ck_claim_shares_share_range")),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_claim_shares_amount_sign")),
        sa.CheckConstraint(
            "(paid_on IS NULL) = (reference IS NULL)", name=op.f("ck_claim_shares_payment_whole")
        ),
        sa.CheckConstraint(
            "paid_on IS NULL OR role NOT IN ('bank','lender')", name=op.f("ck_claim_shares_lender_bears")
        ),
        sa.ForeignKeyConstraint(
            ["claim_id"],
            ["compensation_claims.id"],
            name=op.f("fk_claim_shares_claim_id_compensation_claims"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim_shares")),
        sa.UniqueConstraint("claim_id", "place", name=op.f("uq_claim_shares_claim_id_place")),
        sa.UniqueConstraint("claim_id", "party", name=op.f("uq_claim_shares_claim_id_party")),
    )
    op.create_table(
        "claim_recoveries",
        sa.Column("id", ID, nullable=False),
        sa.Column("share_id", ID, nullable=False),
        sa.Column("reference", sa.String(80), nullable=False),
        sa.Column("recovered_on", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("recorded_by", ID, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_claim_recoveries_amount_sign")),
        sa.ForeignKeyConstraint(
            ["share_id"], ["claim_shares.id"], name=op.f("fk_claim_recoveries_share_id_claim_shares")
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by"], ["users.id"], name=op.f("fk_claim_recoveries_recorded_by_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_claim_recoveries")),
        sa.UniqueConstraint("share_id", "reference", name=op.f("uq_claim_recoveries_share_id_reference")),
    )


def _create_bridges() -> None:
    op.create_table(
        "bridge_rules",
        sa.Column("id", ID, nullable=False),
        sa.Column("zone_id", ID, nullable=True),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("most_share", sa.BigInteger(), nullable=False),
        sa.Column("most_days", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(300), nullable=False),
        sa.CheckConstraint(
            "most_share BETWEEN 1 AND 100000000", name=op.f("ck_bridge_rules_most_share_range")
        ),
        sa.CheckConstraint("most_days BETWEEN 1 AND 60", name=op.f("ck_bridge_rules_most_days_range")),
        sa.ForeignKeyConstraint(["zone_id"], ["zones.id"], name=op.f("fk_bridge_rules_zone_id_zones")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bridge_rules")),
    )
    op.create_table(
        "renewals",
        sa.Column("id", ID, nullable=False),
        sa.Column("loan_id", ID, nullable=False),
        sa.Column("bank_id", ID, nullable=False),
        sa.Column("promised", sa.BigInteger(), nullable=False),
        sa.Column("promised_by", sa.Date(), nullable=False),
        sa.Column("evidence", sa.String(300), nullable=False),
        sa.Column("maturing_reference", sa.String(80), nullable=False),
        sa.Column("account", sa.String(40), nullable=False),
        sa.Column("paid_account", sa.String(40), nullable=True),
        sa.Column("returned_on", sa.Date(), nullable=True),
        sa.Column("event_id", ID, nullable=True),
        sa.Column("recorded_by", ID, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("promised > 0", name=op.f("ck_renewals_promised_sign")),
        sa.CheckConstraint(
            "evidence <> '' AND maturing_reference <> '' AND account <> ''",
            name=op.f("ck_renewals_commitment_whole"),
        ),
        sa.CheckConstraint(
            "paid_account IS NULL OR paid_account = account", name=op.f("ck_renewals_closed_loop")
        ),
        sa.CheckConstraint(
            "(returned_on IS NULL) = (event_id IS NULL)", name=op.f("ck_renewals_return_whole")
        ),
        sa.CheckConstraint(
            "returned_on IS NULL OR paid_account IS NOT NULL", name=op.f("ck_renewals_returns_after_payment")
        ),
        *(
            sa.ForeignKeyConstraint([column], [f"{table}.id"], name=op.f(f"fk_renewals_{column}_{table}"))
            for column, table in (
                ("loan_id", "loans"),
                ("bank_id", "organisations"),
                ("event_id", "loan_events"),
                ("recorded_by", "users"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_renewals")),
        sa.UniqueConstraint("loan_id", name=op.f("uq_renewals_loan_id")),
        sa.UniqueConstraint("event_id", name=op.f("uq_renewals_event_id")),
    )
