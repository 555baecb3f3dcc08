"""Bidding in full

Revision: 0003, after 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from alembic.operations import BatchOperations

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

#: CHECKs that say something else from now on: table, name, the condition before, the condition after.
_CHANGED = [
    (
        "bids",
        "ck_bids_bidstate",
        "state IN ('sealed', 'live', 'won', 'lost', 'withdrawn', 'expired', 'refused')",
        "state IN ('sealed', 'posted', 'live', 'held', 'won', 'lost', 'withdrawn', 'replaced', 'voided',"
        " 'expired', 'refused', 'declined')",
    ),
    (
        "bids",
        "ck_bids_sealed_shows_nothing",
        "state NOT IN ('sealed','withdrawn') OR (terms IS NULL AND offer IS NULL AND amount IS NULL"
        " AND months IS NULL AND effective IS NULL AND simple IS NULL AND total_cost IS NULL"
        " AND cost IS NULL AND declared_rate IS NULL AND rank IS NULL AND opened_at IS NULL)",
        "posted OR opened_at IS NOT NULL OR (terms IS NULL AND offer IS NULL AND amount IS NULL"
        " AND months IS NULL AND effective IS NULL AND simple IS NULL AND total_cost IS NULL"
        " AND cost IS NULL AND declared_rate IS NULL AND rank IS NULL AND is_firm IS NULL"
        " AND guarantee_product_id IS NULL AND guaranteed IS NULL AND least IS NULL)",
    ),
    (
        "bids",
        "ck_bids_opened_shows_terms",
        "state NOT IN ('live','won','lost')"
        " OR (terms IS NOT NULL AND amount IS NOT NULL AND amount > 0 AND opened_at IS NOT NULL)",
        "state NOT IN ('live','held','won','lost','declined')"
        " OR (terms IS NOT NULL AND amount IS NOT NULL AND amount > 0 AND opened_at IS NOT NULL)",
    ),
    (
        "bid_rounds",
        "ck_bid_rounds_never_closed_early",
        "closed_at IS NULL OR closed_at >= closes_at",
        "closed_at IS NULL OR closed_at >= closes_at OR opened_early",
    ),
    (
        "awards",
        "ck_awards_awardstate",
        "state IN ('awaiting_confirmation', 'confirmed', 'rejected')",
        "state IN ('awaiting_confirmation', 'confirmed', 'rejected', 'declined')",
    ),
    (
        "loans",
        "ck_loans_loanstate",
        "state IN ('approved', 'drawn', 'repaid', 'cancelled')",
        "state IN ('under_review', 'approved', 'drawn', 'repaid', 'cancelled')",
    ),
    (
        "limits",
        "ck_limits_limitscope",
        "scope IN ('total', 'firm')",
        "scope IN ('total', 'firm', 'sector', 'purchaser', 'leverage')",
    ),
    (
        "alerts",
        "ck_alerts_alertkind",
        "kind IN ('wrong_account', 'purchaser_overdue', 'loan_overdue', 'overpaid', 'undated_payment')",
        "kind IN ('wrong_account', 'purchaser_overdue', 'loan_overdue', 'overpaid', 'undated_payment',"
        " 'low_bid', 'review_overdue', 'clock_gap', 'work_missed')",
    ),
]

#: CHECKs on the new columns of tables that are there: table, name, condition.
_ADDED = [
    ("bids", "ck_bids_sealed_is_shut", "state <> 'sealed' OR (NOT posted AND opened_at IS NULL)"),
    (
        "bids",
        "ck_bids_posted_shows_terms",
        "state <> 'posted' OR (posted AND amount IS NOT NULL AND amount > 0 AND terms IS NOT NULL)",
    ),
    ("bids", "ck_bids_round_number_range", "round_number BETWEEN 1 AND 3"),
    ("bid_rounds", "ck_bid_rounds_extensions_range", "extensions BETWEEN 0 AND 3"),
    ("needs", "ck_needs_bidpolicy", "bid_policy IN ('sealed', 'anonymous')"),
    ("needs", "ck_needs_fewbids", "few_bids IN ('offer', 'another_round', 'fail')"),
    ("needs", "ck_needs_visibility", "visibility IN ('all', 'chosen', 'except')"),
    ("needs", "ck_needs_round_count_range", "round_count BETWEEN 1 AND 3"),
    ("needs", "ck_needs_round_hours_range", "round_hours BETWEEN 1 AND 720"),
    ("limits", "ck_limits_limitmode", "mode IN ('reserved', 'shared')"),
    ("limits", "ck_limits_sector_scope_names_sector", "(scope = 'sector') = (sector IS NOT NULL)"),
    (
        "limits",
        "ck_limits_purchaser_scope_names_purchaser",
        "(scope = 'purchaser') = (purchaser_id IS NOT NULL)",
    ),
    (
        "memberships",
        "ck_memberships_suspension_has_reason",
        "(suspended_at IS NULL) = (suspended_because IS NULL)",
    ),
    ("zones", "ck_zones_review_days_range", "review_days BETWEEN 1 AND 60"),
    ("zones", "ck_zones_improvement_bps_range", "improvement_bps BETWEEN 1 AND 500"),
    ("zones", "ck_zones_outage_minutes_range", "outage_minutes BETWEEN 1 AND 1440"),
]

#: New columns that must have a value, and the one that the rows there get: table, name, type, value.
_FILLED = [
    ("awards", "syndicated", sa.Boolean(), sa.false()),
    ("bid_rounds", "extensions", sa.Integer(), "0"),
    ("bid_rounds", "opened_early", sa.Boolean(), sa.false()),
    ("bids", "round_number", sa.Integer(), "1"),
    ("bids", "revision", sa.Integer(), "1"),
    ("bids", "posted", sa.Boolean(), sa.false()),
    ("bids", "syndicated", sa.Boolean(), sa.false()),
    ("bids", "holds", sa.Boolean(), sa.false()),
    ("limits", "mode", sa.String(length=32), "reserved"),
    ("needs", "bid_policy", sa.String(length=32), "sealed"),
    ("needs", "round_count", sa.Integer(), "1"),
    ("needs", "round_hours", sa.Integer(), "24"),
    ("needs", "few_bids", sa.String(length=32), "offer"),
    ("needs", "visibility", sa.String(length=32), "all"),
    ("needs", "revision", sa.Integer(), "1"),
    ("needs", "syndicated", sa.Boolean(), sa.false()),
    ("zones", "review_days", sa.Integer(), "5"),
    ("zones", "improvement_bps", sa.Integer(), "5"),
    ("zones", "outage_minutes", sa.Integer(), "15"),
]

#: New columns that may be empty: table, name, type.
_EMPTY = [
    ("awards", "amount", sa.BigInteger()),
    ("bids", "standing_bid_id", _ID),
    ("bids", "ended_at", sa.DateTime(timezone=True)),
    ("bids", "is_firm", sa.Boolean()),
    ("bids", "guarantee_product_id", _ID),
    ("bids", "guaranteed", sa.BigInteger()),
    ("bids", "least", sa.BigInteger()),
    ("limits", "sector", sa.String(length=40)),
    ("limits", "purchaser_id", _ID),
    ("loans", "sector", sa.String(length=40)),
    ("loans", "purchaser_id", _ID),
    ("matching_rounds", "milliseconds", sa.Integer()),
    ("memberships", "licence_number", sa.String(length=60)),
    ("memberships", "agreement_number", sa.String(length=60)),
    ("memberships", "agreement_until", sa.Date()),
    ("memberships", "admitted_at", sa.DateTime(timezone=True)),
    ("memberships", "admitted_by", _ID),
    ("memberships", "suspended_at", sa.DateTime(timezone=True)),
    ("memberships", "suspended_because", sa.String(length=300)),
    ("organisations", "controller", sa.String(length=120)),
    ("proposals", "amount", sa.BigInteger()),
]

#: Foreign keys of the new columns: table, name, column, the table they point into.
_POINTING = [
    ("bids", "fk_bids_standing_bid_id_standing_bids", "standing_bid_id", "standing_bids"),
    ("bids", "fk_bids_guarantee_product_id_products", "guarantee_product_id", "products"),
    ("limits", "fk_limits_purchaser_id_organisations", "purchaser_id", "organisations"),
    ("loans", "fk_loans_purchaser_id_organisations", "purchaser_id", "organisations"),
    ("memberships", "fk_memberships_admitted_by_users", "admitted_by", "users"),
]

#: Partial unique indexes that change or come: table, name, columns, condition before (None: new), and after.
_PARTIAL: list[tuple[str, str, list[str], str | None, str]] = [
    (
        "bids",
        "uq_bids_live",
        ["need_id", "product_id"],
        "state IN ('sealed','live','won')",
        "state IN ('sealed','posted','live','held','won')",
    ),
    ("bids", "uq_bids_won", ["need_id"], "state = 'won'", "state = 'won' AND NOT syndicated"),
    (
        "awards",
        "uq_awards_need",
        ["need_id"],
        "state <> 'rejected'",
        "state NOT IN ('rejected','declined') AND NOT syndicated",
    ),
    ("awards", "uq_awards_bid", ["bid_id"], None, "state NOT IN ('rejected','declined')"),
    ("limits", "uq_limits_leverage", ["organisation_id"], None, "scope = 'leverage'"),
    ("limits", "uq_limits_purchaser", ["organisation_id", "purchaser_id"], None, "scope = 'purchaser'"),
    ("limits", "uq_limits_sector", ["organisation_id", "sector"], None, "scope = 'sector'"),
    ("proposals", "uq_proposals_unplaced", ["round_id", "need_id"], None, "bid_id IS NULL"),
]

#: Every table of before that changes.
_TABLES = sorted({row[0] for rows in (_CHANGED, _ADDED, _FILLED, _EMPTY) for row in rows})


def _is_postgresql() -> bool:
    """Say whether numbers have a width: SQLite's whole numbers have 64 bits whatever their column says."""
    return bool(op.get_bind().dialect.name == "postgresql")


def upgrade() -> None:
    """Bidding in full: rounds, anonymous and standing bids, syndicates, reviews, admission, outages."""
    op.create_table(
        "clock_beats",
        sa.Column(
            "zone_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["zone_id"], ["zones.id"], name=op.f("fk_clock_beats_zone_id_zones")),
        sa.PrimaryKeyConstraint("zone_id", name=op.f("pk_clock_beats")),
    )
    op.create_table(
        "outages",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("zone_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("trigger", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("moved", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("recorded_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("trigger IN ('clock','officer')", name=op.f("ck_outages_trigger_known")),
        sa.CheckConstraint("ended_at > started_at", name=op.f("ck_outages_ends_after_start")),
        sa.ForeignKeyConstraint(["recorded_by"], ["users.id"], name=op.f("fk_outages_recorded_by_users")),
        sa.ForeignKeyConstraint(["zone_id"], ["zones.id"], name=op.f("fk_outages_zone_id_zones")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outages")),
    )
    with op.batch_alter_table("outages", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_outages_zone_id"), ["zone_id"], unique=False)

    op.create_table(
        "audiences",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("need_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["need_id"], ["needs.id"], name=op.f("fk_audiences_need_id_needs")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_audiences_organisation_id_organisations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audiences")),
        sa.UniqueConstraint("need_id", "organisation_id", name=op.f("uq_audiences_need_id_organisation_id")),
    )
    with op.batch_alter_table("audiences", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audiences_organisation_id"), ["organisation_id"], unique=False)

    op.create_table(
        "early_openings",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("need_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("asked_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("agreed", sa.Boolean(), nullable=True),
        sa.CheckConstraint(
            "(decided_by IS NULL) = (decided_at IS NULL)", name=op.f("ck_early_openings_decided_whole")
        ),
        sa.CheckConstraint(
            "agreed IS NULL OR decided_at IS NOT NULL", name=op.f("ck_early_openings_agreed_has_time")
        ),
        sa.CheckConstraint(
            "decided_by IS NULL OR decided_by <> asked_by", name=op.f("ck_early_openings_two_officers")
        ),
        sa.ForeignKeyConstraint(["asked_by"], ["users.id"], name=op.f("fk_early_openings_asked_by_users")),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["users.id"], name=op.f("fk_early_openings_decided_by_users")
        ),
        sa.ForeignKeyConstraint(["need_id"], ["needs.id"], name=op.f("fk_early_openings_need_id_needs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_early_openings")),
    )
    with op.batch_alter_table("early_openings", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_early_openings_need_id"), ["need_id"], unique=False)
        batch_op.create_index(
            "uq_early_openings_waiting",
            ["need_id"],
            unique=True,
            sqlite_where=sa.text("decided_at IS NULL"),
            postgresql_where=sa.text("decided_at IS NULL"),
        )

    op.create_table(
        "need_changes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("need_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("differences", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("voided_count", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["changed_by"], ["users.id"], name=op.f("fk_need_changes_changed_by_users")),
        sa.ForeignKeyConstraint(["need_id"], ["needs.id"], name=op.f("fk_need_changes_need_id_needs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_need_changes")),
        sa.UniqueConstraint("need_id", "revision", name=op.f("uq_need_changes_need_id_revision")),
    )
    op.create_table(
        "questions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("need_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("asked_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.String(length=500), nullable=False),
        sa.Column("answered_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.String(length=1000), nullable=True),
        sa.CheckConstraint(
            "(answer IS NULL) = (answered_at IS NULL)", name=op.f("ck_questions_answered_whole")
        ),
        sa.ForeignKeyConstraint(["answered_by"], ["users.id"], name=op.f("fk_questions_answered_by_users")),
        sa.ForeignKeyConstraint(["asked_by"], ["users.id"], name=op.f("fk_questions_asked_by_users")),
        sa.ForeignKeyConstraint(["need_id"], ["needs.id"], name=op.f("fk_questions_need_id_needs")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_questions_organisation_id_organisations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_questions")),
    )
    with op.batch_alter_table("questions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_questions_need_id"), ["need_id"], unique=False)

    op.create_table(
        "standing_bids",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("zone_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("organisation_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("rate", sa.BigInteger(), nullable=True),
        sa.Column("floor_rate", sa.BigInteger(), nullable=True),
        sa.Column("spread", sa.Integer(), nullable=True),
        sa.Column("floor_spread", sa.Integer(), nullable=True),
        sa.Column("cap", sa.BigInteger(), nullable=False),
        sa.Column("daily_budget", sa.BigInteger(), nullable=False),
        sa.Column("spent_on", sa.Date(), nullable=True),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.Column("is_firm", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(rate IS NULL) <> (spread IS NULL)", name=op.f("ck_standing_bids_one_price")),
        sa.CheckConstraint(
            "(rate IS NULL) = (floor_rate IS NULL)", name=op.f("ck_standing_bids_floor_like_rate")
        ),
        sa.CheckConstraint(
            "(spread IS NULL) = (floor_spread IS NULL)", name=op.f("ck_standing_bids_floor_like_spread")
        ),
        sa.CheckConstraint(
            "cap > 0 AND daily_budget >= cap", name=op.f("ck_standing_bids_cap_within_budget")
        ),
        sa.CheckConstraint(
            "floor_rate IS NULL OR floor_rate BETWEEN 0 AND rate",
            name=op.f("ck_standing_bids_floor_rate_range"),
        ),
        sa.CheckConstraint(
            "floor_spread IS NULL OR floor_spread <= spread", name=op.f("ck_standing_bids_floor_spread_range")
        ),
        sa.CheckConstraint(
            "spent BETWEEN 0 AND daily_budget", name=op.f("ck_standing_bids_spent_within_budget")
        ),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_standing_bids_created_by_users")),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_standing_bids_organisation_id_organisations"),
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_standing_bids_product_id_products")
        ),
        sa.ForeignKeyConstraint(["zone_id"], ["zones.id"], name=op.f("fk_standing_bids_zone_id_zones")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standing_bids")),
    )
    with op.batch_alter_table("standing_bids", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_standing_bids_organisation_id"), ["organisation_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_standing_bids_zone_id"), ["zone_id"], unique=False)
        batch_op.create_index(
            "uq_standing_bids_active",
            ["product_id"],
            unique=True,
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )

    op.create_table(
        "justifications",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("bid_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("grounds", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.String(length=1000), nullable=True),
        sa.Column("written_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "decision",
            sa.Enum(
                "accepted", "refused", name="decision", native_enum=False, create_constraint=True, length=32
            ),
            nullable=True,
        ),
        sa.Column("decided_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.String(length=300), nullable=True),
        sa.CheckConstraint(
            "(decision IS NULL) = (decided_at IS NULL)", name=op.f("ck_justifications_decided_whole")
        ),
        sa.CheckConstraint(
            "(text IS NULL) = (written_at IS NULL)", name=op.f("ck_justifications_written_whole")
        ),
        sa.ForeignKeyConstraint(["bid_id"], ["bids.id"], name=op.f("fk_justifications_bid_id_bids")),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["users.id"], name=op.f("fk_justifications_decided_by_users")
        ),
        sa.ForeignKeyConstraint(
            ["written_by"], ["users.id"], name=op.f("fk_justifications_written_by_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_justifications")),
        sa.UniqueConstraint("bid_id", name=op.f("uq_justifications_bid_id")),
    )
    op.create_table(
        "guarantees",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("loan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("guarantor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("firm_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("product_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("weighted", sa.BigInteger(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "amount > 0 AND weighted BETWEEN 0 AND amount", name=op.f("ck_guarantees_amounts_range")
        ),
        sa.ForeignKeyConstraint(
            ["firm_id"], ["organisations.id"], name=op.f("fk_guarantees_firm_id_organisations")
        ),
        sa.ForeignKeyConstraint(
            ["guarantor_id"], ["organisations.id"], name=op.f("fk_guarantees_guarantor_id_organisations")
        ),
        sa.ForeignKeyConstraint(["loan_id"], ["loans.id"], name=op.f("fk_guarantees_loan_id_loans")),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_guarantees_product_id_products")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guarantees")),
        sa.UniqueConstraint("loan_id", name=op.f("uq_guarantees_loan_id")),
    )
    with op.batch_alter_table("guarantees", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_guarantees_firm_id"), ["firm_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_guarantees_guarantor_id"), ["guarantor_id"], unique=False)

    op.create_table(
        "reviews",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("loan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "approved",
                "declined",
                name="reviewoutcome",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column(
            "reason",
            sa.Enum(
                "credit_history",
                "repayment_ability",
                "security_short",
                "documents_missing",
                "purpose_doubted",
                "contract_doubted",
                "policy",
                "firm_withdrew",
                "other",
                name="declinereason",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("note", sa.String(length=500), nullable=True),
        sa.Column("decided_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(outcome IS NOT NULL AND outcome = 'declined') = (reason IS NOT NULL)",
            name=op.f("ck_reviews_declined_has_reason"),
        ),
        sa.CheckConstraint("(outcome IS NULL) = (decided_at IS NULL)", name=op.f("ck_reviews_decided_whole")),
        sa.ForeignKeyConstraint(["decided_by"], ["users.id"], name=op.f("fk_reviews_decided_by_users")),
        sa.ForeignKeyConstraint(["loan_id"], ["loans.id"], name=op.f("fk_reviews_loan_id_loans")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
        sa.UniqueConstraint("loan_id", name=op.f("uq_reviews_loan_id")),
    )
    op.create_table(
        "review_requests",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("review_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("what", sa.String(length=300), nullable=False),
        sa.Column("asked_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.String(length=1000), nullable=True),
        sa.Column("answered_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(answer IS NULL) = (answered_at IS NULL)", name=op.f("ck_review_requests_answered_whole")
        ),
        sa.ForeignKeyConstraint(
            ["answered_by"], ["users.id"], name=op.f("fk_review_requests_answered_by_users")
        ),
        sa.ForeignKeyConstraint(["asked_by"], ["users.id"], name=op.f("fk_review_requests_asked_by_users")),
        sa.ForeignKeyConstraint(
            ["review_id"], ["reviews.id"], name=op.f("fk_review_requests_review_id_reviews")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_requests")),
    )
    with op.batch_alter_table("review_requests", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_review_requests_review_id"), ["review_id"], unique=False)

    for table in _TABLES:
        with op.batch_alter_table(table) as batch:
            _extend(batch, table)
        if any(row[0] == table for row in _FILLED):
            # The values were for the rows that are there; new ones get theirs from the application.
            with op.batch_alter_table(table) as batch:
                for _, column, _, _ in (row for row in _FILLED if row[0] == table):
                    batch.alter_column(column, server_default=None)
    if _is_postgresql():
        # The numbers of bids are drawn from now on, and the log names rows by their numbers.
        op.alter_column("audit_entries", "subject_id", type_=sa.BigInteger())
    # Limits on industries and purchasers count what is out already.
    op.execute(
        "UPDATE loans SET"
        " sector = (SELECT industry FROM organisations WHERE organisations.id = loans.borrower_id),"
        " purchaser_id = (SELECT contracts.purchaser_id FROM contracts WHERE contracts.id = loans.contract_id)"
    )
    # So far nobody could bid subject to approval.
    op.execute("UPDATE bids SET is_firm = TRUE WHERE opened_at IS NOT NULL")
    # Institutions that bid today go on bidding.
    op.execute(
        "UPDATE memberships SET admitted_at = joined_at WHERE organisation_id IN (SELECT id FROM organisations"
        " WHERE kind IN ('bank', 'guarantor', 'lessor', 'insurer', 'fund', 'bridge_platform'))"
    )


def downgrade() -> None:
    """Undo it. What the former tables have no word for takes the nearest one, or goes."""
    if _is_postgresql():
        # What is too long a number for the former log is a bid's: its receipt stands in the details.
        known = "CASE WHEN subject_id < 2147483648 THEN subject_id ELSE 0 END"
        op.alter_column("audit_entries", "subject_id", type_=sa.Integer(), postgresql_using=known)
    for table in _TABLES:
        with op.batch_alter_table(table) as batch:
            _loosen(batch, table)
    _simplify()
    for table in _TABLES:
        with op.batch_alter_table(table) as batch:
            _restore(batch, table)
    with op.batch_alter_table("review_requests", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_review_requests_review_id"))

    op.drop_table("review_requests")
    op.drop_table("reviews")
    with op.batch_alter_table("guarantees", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_guarantees_guarantor_id"))
        batch_op.drop_index(batch_op.f("ix_guarantees_firm_id"))

    op.drop_table("guarantees")
    op.drop_table("justifications")
    with op.batch_alter_table("standing_bids", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_standing_bids_active",
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_standing_bids_zone_id"))
        batch_op.drop_index(batch_op.f("ix_standing_bids_organisation_id"))

    op.drop_table("standing_bids")
    with op.batch_alter_table("questions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_questions_need_id"))

    op.drop_table("questions")
    op.drop_table("need_changes")
    with op.batch_alter_table("early_openings", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_early_openings_waiting",
            sqlite_where=sa.text("decided_at IS NULL"),
            postgresql_where=sa.text("decided_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_early_openings_need_id"))

    op.drop_table("early_openings")
    with op.batch_alter_table("audiences", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audiences_organisation_id"))

    op.drop_table("audiences")
    with op.batch_alter_table("outages", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_outages_zone_id"))

    op.drop_table("outages")
    op.drop_table("clock_beats")


def _extend(batch: BatchOperations, table: str) -> None:
    """Add the new columns of a table, with what hangs on them, and change its conditions."""
    for _, name, _, _ in (row for row in _CHANGED if row[0] == table):
        batch.drop_constraint(op.f(name), type_="check")
    for _, name, _, before, _ in (row for row in _PARTIAL if row[0] == table):
        if before is not None:
            batch.drop_index(name)
    for _, column, kind, value in (row for row in _FILLED if row[0] == table):
        batch.add_column(sa.Column(column, kind, nullable=False, server_default=value))
    for _, column, kind in (row for row in _EMPTY if row[0] == table):
        batch.add_column(sa.Column(column, kind, nullable=True))
    for _, name, column, target in (row for row in _POINTING if row[0] == table):
        batch.create_foreign_key(op.f(name), target, [column], ["id"])
    for _, name, _, condition in (row for row in _CHANGED if row[0] == table):
        batch.create_check_constraint(op.f(name), sa.text(condition))
    for _, name, condition in (row for row in _ADDED if row[0] == table):
        batch.create_check_constraint(op.f(name), sa.text(condition))
    for _, name, columns, _, condition in (row for row in _PARTIAL if row[0] == table):
        _index(batch, name, columns, condition)
    if table == "bids":
        batch.create_index(op.f("ix_bids_standing_bid_id"), ["standing_bid_id"])
    if table == "proposals":
        batch.drop_constraint(op.f("uq_proposals_round_id_need_id"), type_="unique")
        batch.create_unique_constraint(
            op.f("uq_proposals_round_id_need_id_bid_id"), ["round_id", "need_id", "bid_id"]
        )


def _loosen(batch: BatchOperations, table: str) -> None:
    """Drop the conditions that the rows would break on their way back."""
    for _, name, *_ in (row for row in [*_CHANGED, *_ADDED] if row[0] == table):
        batch.drop_constraint(op.f(name), type_="check")
    for _, name, *_ in (row for row in _PARTIAL if row[0] == table):
        batch.drop_index(name)
    for _, name, *_ in (row for row in _POINTING if row[0] == table):
        batch.drop_constraint(op.f(name), type_="foreignkey")
    if table == "bids":
        batch.drop_index(op.f("ix_bids_standing_bid_id"))


def _simplify() -> None:
    """Say the rows in the former words."""
    # An unusually low bid would have been live.
    op.execute("UPDATE bids SET state = 'live' WHERE state = 'held'")
    # A bid that left after its opening lost: the former tables know no other open one that is over.
    op.execute(
        "UPDATE bids SET state = 'lost' WHERE state = 'declined' OR (state IN ('withdrawn', 'replaced', 'voided')"
        " AND opened_at IS NOT NULL AND terms IS NOT NULL AND amount > 0)"
    )
    # One that stood in clear before its opening is in its seal too.
    op.execute("UPDATE bids SET state = 'sealed' WHERE state = 'posted'")
    op.execute("UPDATE bids SET state = 'withdrawn' WHERE state IN ('replaced', 'voided')")
    op.execute(
        "UPDATE bids SET terms = NULL, offer = NULL, amount = NULL, months = NULL, effective = NULL,"
        " simple = NULL, total_cost = NULL, cost = NULL, declared_rate = NULL, rank = NULL, opened_at = NULL"
        " WHERE state IN ('sealed', 'withdrawn')"
    )
    # A syndicate keeps its first bid.
    op.execute(
        "UPDATE bids SET state = 'lost' WHERE state = 'won' AND EXISTS (SELECT 1 FROM bids AS first"
        " WHERE first.need_id = bids.need_id AND first.state = 'won' AND first.id < bids.id)"
    )
    op.execute("UPDATE awards SET state = 'rejected' WHERE state = 'declined'")
    op.execute(
        "UPDATE awards SET state = 'rejected', confirmed_at = coalesce(confirmed_at, accepted_at)"
        " WHERE state <> 'rejected' AND EXISTS (SELECT 1 FROM awards AS first"
        " WHERE first.need_id = awards.need_id AND first.state <> 'rejected' AND first.id < awards.id)"
    )
    op.execute(
        "DELETE FROM proposals WHERE EXISTS (SELECT 1 FROM proposals AS first WHERE first.id < proposals.id"
        " AND first.round_id = proposals.round_id AND first.need_id = proposals.need_id)"
    )
    op.execute("UPDATE loans SET state = 'approved' WHERE state = 'under_review'")
    op.execute("UPDATE bid_rounds SET closes_at = closed_at WHERE closed_at < closes_at")
    op.execute("DELETE FROM limits WHERE scope IN ('sector', 'purchaser', 'leverage')")
    op.execute("DELETE FROM alerts WHERE kind IN ('low_bid', 'review_overdue', 'clock_gap', 'work_missed')")


def _restore(batch: BatchOperations, table: str) -> None:
    """Drop the new columns of a table and put its former conditions back."""
    if table == "proposals":
        batch.drop_constraint(op.f("uq_proposals_round_id_need_id_bid_id"), type_="unique")
        batch.create_unique_constraint(op.f("uq_proposals_round_id_need_id"), ["round_id", "need_id"])
    for _, column, *_ in (row for row in [*_FILLED, *_EMPTY] if row[0] == table):
        batch.drop_column(column)
    for _, name, condition, _ in (row for row in _CHANGED if row[0] == table):
        batch.create_check_constraint(op.f(name), sa.text(condition))
    for _, name, columns, condition, _ in (row for row in _PARTIAL if row[0] == table):
        if condition is not None:
            _index(batch, name, columns, condition)


def _index(batch: BatchOperations, name: str, columns: list[str], condition: str) -> None:
    batch.create_index(
        name, columns, unique=True, sqlite_where=sa.text(condition), postgresql_where=sa.text(condition)
    )
