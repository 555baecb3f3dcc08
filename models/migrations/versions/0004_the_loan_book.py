"""The loan book

Revision: 0004, after 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from models.migrations.altering import ID, Change, extend, guard, index, loosen, restore, unguard

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_STATES = "'under_review', 'approved', 'drawn', 'repaid', 'cancelled'"
_BUCKETS = "'current', 'd1_30', 'd31_60', 'd61_90', 'd91_180', 'd181_270', 'd271_360', 'over_360'"

_INDEXES = (
    ("ix_loans_watched", ["zone_id", "oldest_due_on"], "state = 'drawn'"),
    ("ix_loans_accruing", ["zone_id", "accrual_to"], "state = 'drawn'"),
    ("ix_loans_observed", ["zone_id", "observed_until"], "state = 'drawn' AND observed_until IS NOT NULL"),
    (
        "ix_loans_singular",
        ["zone_id"],
        "state = 'drawn' AND (paused_until IS NOT NULL OR is_revolving OR is_stepped OR kind = 'guarantee')",
    ),
)

_ALERTS = (
    "'wrong_account', 'purchaser_overdue', 'loan_overdue', 'overpaid', 'undated_payment', 'low_bid',"
    " 'review_overdue', 'clock_gap', 'work_missed'"
)
_NEW_ALERTS = (
    "'unmatched_payment', 'pledge_expiring', 'right_unconfirmed', 'contract_amended', 'contract_terminated',"
    " 'financing_refused', 'framework_ending', 'report_missing', 'renewal_missing'"
)

_CHANGES = (
    Change(
        "alerts",
        changed=[("ck_alerts_alertkind", f"kind IN ({_ALERTS})", f"kind IN ({_ALERTS}, {_NEW_ALERTS})")],
    ),
    Change(
        "instalments",
        filled=[("penalty", sa.BigInteger(), "0"), ("paid_penalty", sa.BigInteger(), "0")],
        checks=[("ck_instalments_paid_penalty_range", "paid_penalty BETWEEN 0 AND penalty")],
        changed=[
            (
                "ck_instalments_amounts_sign",
                "principal >= 0 AND interest >= 0 AND fees >= 0",
                "principal >= 0 AND interest >= 0 AND fees >= 0 AND penalty >= 0",
            )
        ],
    ),
    Change(
        "loans",
        filled=[
            ("evidence", sa.String(length=300), ""),
            ("is_revolving", sa.Boolean(), sa.false()),
            ("is_stepped", sa.Boolean(), sa.false()),
            ("grace_days", sa.Integer(), "0"),
            ("allocation", sa.String(length=32), "fees_first"),
            ("prepayment", sa.String(length=32), "next"),
            ("bound", sa.BigInteger(), "0"),
            ("drawn", sa.BigInteger(), "0"),
            ("paused_days", sa.Integer(), "0"),
            ("days_past_due", sa.Integer(), "0"),
            ("bucket", sa.String(length=32), "current"),
            ("risk_class", sa.String(length=32), "normal"),
            ("accrual_days", sa.Integer(), "0"),
            ("accrual_base", sa.BigInteger(), "0"),
            ("accrual_interest", sa.BigInteger(), "0"),
            ("accrued", sa.BigInteger(), "0"),
        ],
        empty=[
            ("penalty_rate", sa.BigInteger()),
            ("oldest_due_on", sa.Date()),
            ("paused_until", sa.Date()),
            ("observed_until", sa.Date()),
            ("accrual_from", sa.Date()),
            ("accrual_to", sa.Date()),
            ("looked_on", sa.Date()),
        ],
        loosened=[("award_id", ID), ("effective", sa.BigInteger())],
        checks=[
            ("ck_loans_dealkind", "kind IN ('loan', 'lease', 'factoring', 'bridge', 'guarantee', 'fund')"),
            ("ck_loans_allocationorder", "allocation IN ('fees_first', 'principal_first')"),
            ("ck_loans_prepaymenteffect", "prepayment IN ('next', 'shorten', 'reduce')"),
            ("ck_loans_bucket", f"bucket IN ({_BUCKETS})"),
            (
                "ck_loans_riskclass",
                "risk_class IN ('normal', 'special_mention', 'substandard', 'doubtful', 'loss')",
            ),
            ("ck_loans_drawn_range", "drawn >= 0 AND (is_revolving OR drawn <= principal)"),
            ("ck_loans_bound_range", "bound >= 0"),
            ("ck_loans_grace_range", "grace_days BETWEEN 0 AND 30"),
            ("ck_loans_closed_elsewhere_has_evidence", "award_id IS NOT NULL OR evidence <> ''"),
        ],
        changed=[
            (
                "ck_loans_loanstate",
                f"state IN ({_STATES})",
                "state IN ('under_review', 'unconfirmed', 'approved', 'drawn', 'repaid', 'written_off',"
                " 'cancelled')",
            ),
            ("ck_loans_outstanding_range", "outstanding BETWEEN 0 AND principal", "outstanding >= 0"),
        ],
        dropped=[("ck_loans_offerkind", "kind IN ('loan', 'lease')")],
    ),
    Change(
        "repayments",
        filled=[("penalty", sa.BigInteger(), "0"), ("recovered", sa.BigInteger(), "0")],
        empty=[("event_id", ID)],
        changed=[
            (
                "ck_repayments_split_sums_up",
                "amount = fees + interest + principal + remainder",
                "amount = fees + penalty + interest + principal + recovered + remainder",
            ),
            (
                "ck_repayments_split_sign",
                "fees >= 0 AND interest >= 0 AND principal >= 0 AND remainder >= 0",
                "fees >= 0 AND penalty >= 0 AND interest >= 0 AND principal >= 0 AND recovered >= 0"
                " AND remainder >= 0",
            ),
            (
                "ck_repayments_source_known",
                "source IN ('borrower','purchaser')",
                "source IN ('borrower','guarantor','purchaser')",
            ),
        ],
        pointing=[("fk_repayments_event_id_loan_events", "event_id", "loan_events")],
        unique=[("uq_repayments_event_id", ["event_id"])],
    ),
)


def upgrade() -> None:
    """The loan book: events, double entries, lateness, drawdowns by two; award notices."""
    op.create_table(
        "award_notices",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("zone_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("project_number", sa.String(length=160), nullable=False),
        sa.Column("package_number", sa.String(length=80), nullable=False),
        sa.Column("plan_number", sa.String(length=160), nullable=True),
        sa.Column("title", sa.String(length=400), nullable=False),
        sa.Column("purchaser_name", sa.String(length=300), nullable=True),
        sa.Column("purchaser_code", sa.String(length=80), nullable=True),
        sa.Column("supplier_name", sa.String(length=300), nullable=False),
        sa.Column("supplier_code", sa.String(length=18), nullable=True),
        sa.Column("supplier_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("price", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=8), nullable=True),
        sa.Column("agency", sa.String(length=300), nullable=True),
        sa.Column("published_on", sa.Date(), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("price > 0", name=op.f("ck_award_notices_price_sign")),
        sa.CheckConstraint(
            "supplier_code IS NULL OR length(supplier_code) = 18",
            name=op.f("ck_award_notices_supplier_code_length"),
        ),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["organisations.id"], name=op.f("fk_award_notices_supplier_id_organisations")
        ),
        sa.ForeignKeyConstraint(["zone_id"], ["zones.id"], name=op.f("fk_award_notices_zone_id_zones")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_award_notices")),
        sa.UniqueConstraint(
            "zone_id",
            "project_number",
            "package_number",
            "supplier_name",
            name=op.f("uq_award_notices_package"),
        ),
    )
    with op.batch_alter_table("award_notices", schema=None) as batch_op:
        batch_op.create_index("ix_award_notices_published", ["zone_id", "published_on"], unique=False)
        batch_op.create_index(batch_op.f("ix_award_notices_supplier_code"), ["supplier_code"], unique=False)
        batch_op.create_index(batch_op.f("ix_award_notices_supplier_id"), ["supplier_id"], unique=False)

    op.create_table(
        "drawdown_requests",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("loan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("drawn_on", sa.Date(), nullable=False),
        sa.Column("evidence", sa.String(length=300), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "requested",
                "paid_out",
                "refused",
                name="drawdownstate",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("requested_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("why", sa.String(length=300), nullable=True),
        sa.CheckConstraint(
            "(state = 'requested') = (decided_at IS NULL)",
            name=op.f("ck_drawdown_requests_decision_has_time"),
        ),
        sa.CheckConstraint(
            "state <> 'paid_out' OR decided_by IS NOT NULL",
            name=op.f("ck_drawdown_requests_second_person_named"),
        ),
        sa.CheckConstraint("amount > 0", name=op.f("ck_drawdown_requests_amount_sign")),
        sa.CheckConstraint(
            "decided_by IS NULL OR decided_by <> requested_by", name=op.f("ck_drawdown_requests_two_people")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["users.id"], name=op.f("fk_drawdown_requests_decided_by_users")
        ),
        sa.ForeignKeyConstraint(["loan_id"], ["loans.id"], name=op.f("fk_drawdown_requests_loan_id_loans")),
        sa.ForeignKeyConstraint(
            ["requested_by"], ["users.id"], name=op.f("fk_drawdown_requests_requested_by_users")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drawdown_requests")),
    )
    with op.batch_alter_table("drawdown_requests", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_drawdown_requests_loan_id"), ["loan_id"], unique=False)
        batch_op.create_index(
            "uq_drawdown_requests_waiting",
            ["loan_id"],
            unique=True,
            sqlite_where=sa.text("state = 'requested'"),
            postgresql_where=sa.text("state = 'requested'"),
        )

    op.create_table(
        "late_spans",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("loan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column(
            "bucket",
            sa.Enum(
                "current",
                "d1_30",
                "d31_60",
                "d61_90",
                "d91_180",
                "d181_270",
                "d271_360",
                "over_360",
                name="bucket",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("superseded_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["loan_id"], ["loans.id"], name=op.f("fk_late_spans_loan_id_loans")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_late_spans")),
    )
    with op.batch_alter_table("late_spans", schema=None) as batch_op:
        batch_op.create_index(
            "uq_late_spans_standing",
            ["loan_id", "from_on"],
            unique=True,
            sqlite_where=sa.text("superseded_at IS NULL"),
            postgresql_where=sa.text("superseded_at IS NULL"),
        )

    op.create_table(
        "loan_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("loan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "drawdown",
                "release",
                "receipt",
                "charge",
                "rate_reset",
                "extension",
                "restructuring",
                "waiver",
                "write_off",
                "compensation",
                "pause",
                "undo",
                name="loaneventkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("reference", sa.String(length=80), nullable=True),
        sa.Column("payment_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("undoes_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("details", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("evidence", sa.String(length=300), nullable=False),
        sa.Column("recorded_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("confirmed_by", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(kind = 'undo') = (undoes_id IS NOT NULL)", name=op.f("ck_loan_events_undo_names_event")
        ),
        sa.CheckConstraint("amount IS NULL OR amount > 0", name=op.f("ck_loan_events_amount_sign")),
        sa.ForeignKeyConstraint(
            ["confirmed_by"], ["users.id"], name=op.f("fk_loan_events_confirmed_by_users")
        ),
        sa.ForeignKeyConstraint(["loan_id"], ["loans.id"], name=op.f("fk_loan_events_loan_id_loans")),
        sa.ForeignKeyConstraint(
            ["payment_id"],
            ["purchaser_payments.id"],
            name=op.f("fk_loan_events_payment_id_purchaser_payments"),
        ),
        sa.ForeignKeyConstraint(["recorded_by"], ["users.id"], name=op.f("fk_loan_events_recorded_by_users")),
        sa.ForeignKeyConstraint(
            ["undoes_id"], ["loan_events.id"], name=op.f("fk_loan_events_undoes_id_loan_events")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_loan_events")),
        sa.UniqueConstraint("loan_id", "number", name=op.f("uq_loan_events_loan_id_number")),
        sa.UniqueConstraint("undoes_id", name=op.f("uq_loan_events_undoes_id")),
    )
    with op.batch_alter_table("loan_events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_loan_events_payment_id"), ["payment_id"], unique=False)

    op.create_table(
        "movements",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("loan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column(
            "source",
            sa.Enum(
                "cash",
                "principal",
                "interest_due",
                "interest_income",
                "fees_due",
                "fee_income",
                "penalty_due",
                "penalty_income",
                "waived",
                "written_off",
                "recovered",
                "compensated",
                "supplier",
                "credit",
                "guaranteed",
                "guarantees",
                name="source_account",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "target",
            sa.Enum(
                "cash",
                "principal",
                "interest_due",
                "interest_income",
                "fees_due",
                "fee_income",
                "penalty_due",
                "penalty_income",
                "waived",
                "written_off",
                "recovered",
                "compensated",
                "supplier",
                "credit",
                "guaranteed",
                "guarantees",
                name="target_account",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_movements_amount_sign")),
        sa.CheckConstraint("source <> target", name=op.f("ck_movements_two_sides")),
        sa.ForeignKeyConstraint(
            ["event_id"], ["loan_events.id"], name=op.f("fk_movements_event_id_loan_events")
        ),
        sa.ForeignKeyConstraint(["loan_id"], ["loans.id"], name=op.f("fk_movements_loan_id_loans")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_movements")),
    )
    with op.batch_alter_table("movements", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_movements_event_id"), ["event_id"], unique=False)
        batch_op.create_index("ix_movements_loan_booked", ["loan_id", "booked_on"], unique=False)

    op.create_table(
        "nightly_passes",
        sa.Column("id", ID, nullable=False),
        sa.Column("zone_id", ID, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("looked", sa.Integer(), nullable=False),
        sa.Column("single", sa.Integer(), nullable=False),
        sa.Column("newly_late", sa.Integer(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "looked >= 0 AND single >= 0 AND newly_late >= 0", name=op.f("ck_nightly_passes_counts_sign")
        ),
        sa.ForeignKeyConstraint(["zone_id"], ["zones.id"], name=op.f("fk_nightly_passes_zone_id_zones")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_nightly_passes")),
        sa.UniqueConstraint("zone_id", "day", name=op.f("uq_nightly_passes_zone_id_day")),
    )
    for change in _CHANGES:
        extend(change)
    for name, columns, which in _INDEXES:
        index("loans", name, columns, where=which)
    _write_events()
    with op.batch_alter_table("repayments") as batch:
        batch.alter_column("event_id", existing_type=ID, nullable=False)
    guard("loan_events")
    guard("movements")


def downgrade() -> None:
    """Undo it. Deals that the former tables have no word for go, with all that happened to them."""
    unguard("movements")
    unguard("loan_events")
    for name, *_ in _INDEXES:
        op.drop_index(name, "loans")
    for change in _CHANGES:
        loosen(change)
    _simplify()
    for change in _CHANGES:
        restore(change)

    with op.batch_alter_table("movements", schema=None) as batch_op:
        batch_op.drop_index("ix_movements_loan_booked")
        batch_op.drop_index(batch_op.f("ix_movements_event_id"))

    op.drop_table("nightly_passes")
    op.drop_table("movements")
    with op.batch_alter_table("loan_events", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_loan_events_payment_id"))

    op.drop_table("loan_events")
    with op.batch_alter_table("late_spans", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_late_spans_standing",
            sqlite_where=sa.text("superseded_at IS NULL"),
            postgresql_where=sa.text("superseded_at IS NULL"),
        )

    op.drop_table("late_spans")
    with op.batch_alter_table("drawdown_requests", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_drawdown_requests_waiting",
            sqlite_where=sa.text("state = 'requested'"),
            postgresql_where=sa.text("state = 'requested'"),
        )
        batch_op.drop_index(batch_op.f("ix_drawdown_requests_loan_id"))

    op.drop_table("drawdown_requests")
    with op.batch_alter_table("award_notices", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_award_notices_supplier_id"))
        batch_op.drop_index(batch_op.f("ix_award_notices_supplier_code"))
        batch_op.drop_index("ix_award_notices_published")

    op.drop_table("award_notices")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change()")


def _write_events() -> None:
    """Say what is known of loans as events and movements: each drawdown, then each receipt as it was split."""
    op.execute(
        "INSERT INTO loan_events (loan_id, number, kind, effective_on, amount, details, evidence, recorded_at)"
        " SELECT id, 1, 'drawdown', drawn_on, principal, '{}', '', approved_at FROM loans"
        " WHERE drawn_on IS NOT NULL"
    )
    op.execute(
        "INSERT INTO loan_events (loan_id, number, kind, effective_on, amount, reference, payment_id, details,"
        " evidence, recorded_by, recorded_at)"
        " SELECT loan_id, 1 + (SELECT count(*) FROM repayments AS earlier WHERE earlier.loan_id ="
        " repayments.loan_id AND earlier.id <= repayments.id), 'receipt', paid_on, amount, reference,"
        " payment_id, '{}', '', recorded_by, recorded_at FROM repayments"
    )
    op.execute(
        "UPDATE repayments SET event_id = (SELECT loan_events.id FROM loan_events WHERE loan_events.loan_id ="
        " repayments.loan_id AND loan_events.reference = repayments.reference)"
    )
    op.execute("UPDATE loans SET drawn = principal WHERE drawn_on IS NOT NULL")
    op.execute(
        "UPDATE loans SET bound = CASE state WHEN 'drawn' THEN outstanding WHEN 'approved' THEN principal"
        " WHEN 'under_review' THEN principal ELSE 0 END"
    )
    op.execute(
        "UPDATE loans SET oldest_due_on = (SELECT min(due_on) FROM instalments WHERE instalments.loan_id ="
        " loans.id AND (paid_principal < principal OR paid_interest < interest OR paid_fees < fees))"
        " WHERE state = 'drawn'"
    )


def _simplify() -> None:
    """Say the rows in the former words."""
    gone = "SELECT id FROM loans WHERE award_id IS NULL OR effective IS NULL"
    for table in ("movements", "late_spans", "drawdown_requests", "repayments", "instalments", "guarantees"):
        op.execute(f"DELETE FROM {table} WHERE loan_id IN ({gone})")
    op.execute(f"UPDATE alerts SET loan_id = NULL WHERE loan_id IN ({gone})")
    op.execute(f"DELETE FROM loan_events WHERE loan_id IN ({gone}) AND undoes_id IS NOT NULL")
    op.execute(f"DELETE FROM loan_events WHERE loan_id IN ({gone})")
    op.execute(f"DELETE FROM loans WHERE id IN ({gone})")
    op.execute(f"DELETE FROM alerts WHERE kind IN ({_NEW_ALERTS})")
    op.execute("UPDATE loans SET state = 'cancelled' WHERE state = 'unconfirmed'")
    # What was written off is not owed any more: the former tables call that repaid.
    op.execute("UPDATE loans SET state = 'repaid', outstanding = 0 WHERE state = 'written_off'")
    op.execute("UPDATE loans SET principal = outstanding WHERE outstanding > principal")
    op.execute("UPDATE loans SET kind = 'loan' WHERE kind NOT IN ('loan', 'lease')")
    op.execute("UPDATE repayments SET source = 'borrower' WHERE source = 'guarantor'")
    op.execute("UPDATE repayments SET remainder = remainder + recovered, fees = fees + penalty")
